"""``kb topics``: what there is to know."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from kb.errors import UnknownName
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.library import plural, topic_counts, warn_broken
from kb.terminal.text import DIM, GOOD, WARN, Span, one_line, shorten, width

if TYPE_CHECKING:
    from kb.knowledge.catalog import Entry

HELP = """List the topics: what each holds, and what is due. With TOPIC, only these and what they include.

\b
Examples:
  kb topics                       every topic, a parent above what it includes
  kb topics transformers          one topic and its children
  kb topics --tag distributed     those with a tag
  kb topics --json                for scripts
"""
_NARROWEST_TITLE = 16
_HEADINGS = ("questions", "due", "new", "proofs")


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only topics with this tag (can be repeated).")
@option_json()
@click.pass_obj
def command(app: App, topics: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    library = app.library
    chosen = set(library.expand(topics)) if topics else set(library.names())
    entries = [entry for entry in library.entries() if entry.name in chosen]
    if tags:
        entries = _tagged(entries, tags)
    counts = topic_counts(app)
    if as_json:
        click.echo(json.dumps([_as_json(app, entry, counts) for entry in entries], ensure_ascii=False))
    else:
        _print(app, entries, counts)
    warn_broken(app)


def _tagged(entries: Sequence[Entry], tags: Sequence[str]) -> list[Entry]:
    known = {tag for entry in entries for tag in entry.tags}
    for tag in tags:
        if tag not in known:
            raise UnknownName("tag", tag, known, listing=f"there are: {', '.join(sorted(known)) or 'none'}")
    return [entry for entry in entries if set(tags) & set(entry.tags)]


def _as_json(app: App, entry: Entry, counts: dict[str, dict[str, int]]) -> dict[str, object]:
    mine = counts.get(entry.name, {})
    return {
        "name": entry.name,
        "title": entry.title,
        "includes": entry.includes,
        "requires": entry.requires,
        "tags": entry.tags,
        "questions": len(entry.questions),
        "claims": entry.claims,
        "proven": entry.with_proof,
        "demos": len(entry.demos),
        "due": mine.get("due", 0),
        "new": mine.get("new", 0),
    }


def _print(app: App, entries: Sequence[Entry], counts: dict[str, dict[str, int]]) -> None:
    from kb.terminal.render import Page

    page = Page.of(app.environment)
    if not entries:
        page.write([Span("No topics. Start one with: kb new topic NAME")])
        return
    rows = [*_tree(entries)]
    names = max(width(entry.name) + 2 * depth for entry, depth in rows)
    titles = max(page.width - names - 2 - sum(len(heading) + 2 for heading in _HEADINGS), 0)
    titles = titles if titles >= _NARROWEST_TITLE else 0
    page.write([Span(" " * (names + 2 + titles) + "".join(f"  {heading}" for heading in _HEADINGS), DIM)])
    for entry, depth in rows:
        mine = counts.get(entry.name, {})
        due = mine.get("due", 0)
        name = "  " * depth + entry.name
        title = shorten(one_line(entry.title), titles) if titles else ""
        proofs = f"{entry.with_proof}/{entry.claims}" if entry.claims else ""
        page.write(
            [
                Span(name.ljust(names + 2), "1"),
                Span(title + " " * (titles - width(title))),
                _cell(len(entry.questions), 0),
                _cell(due, 1, WARN),
                _cell(mine.get("new", 0), 2, GOOD),
                Span("  " + proofs.rjust(len(_HEADINGS[3])), DIM),
            ]
        )
    questions = sum(len(entry.questions) for entry in entries)
    claims, proofs_in_all = sum(entry.claims for entry in entries), sum(entry.with_proof for entry in entries)
    page.write()
    page.text(
        [
            f"{plural(len(entries), 'topic')}, {plural(questions, 'question')}, {plural(claims, 'claim')}, "
            f"{proofs_in_all} of them with a proof that kb verify runs."
        ]
    )


def _cell(number: int, column: int, style: str = "") -> Span:
    text = str(number) if number else "·"
    return Span("  " + text.rjust(len(_HEADINGS[column])), style if number else DIM)


def _tree(entries: Sequence[Entry]) -> Iterator[tuple[Entry, int]]:
    """The topics by name, each child indented below the first parent that is shown."""
    shown = {entry.name: entry for entry in entries}
    children = {name for entry in entries for name in entry.includes if name in shown and name != entry.name}
    done: set[str] = set()

    def below(name: str, depth: int) -> Iterator[tuple[Entry, int]]:
        if name not in done and name in shown:
            done.add(name)
            yield shown[name], depth
            for child in shown[name].includes:
                yield from below(child, depth + 1)

    for entry in entries:
        if entry.name not in children:
            yield from below(entry.name, 0)
    for entry in entries:  # what includes itself in a circle
        yield from below(entry.name, 0)
