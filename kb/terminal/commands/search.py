"""``kb search``: full-text search."""

from __future__ import annotations

import json
import re
import sys

import click

from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.library import warn_broken
from kb.terminal.text import ACCENT, BOLD, DIM, Span, one_line

HELP = """Search topics, bodies, claims, questions and sources. All words must be found; if nothing has them all, any.

\b
Examples:
  kb search layer norm                  both words, in any form
  kb search "variance of the scores"    quotes mean nothing special
  kb search softm                       the last word may be cut short
  kb search adam --json --limit 5       for scripts
"""


_OPEN, _CLOSE = "\x02", "\x03"  # as in kb.knowledge.search.MARK
_UNMARK = {ord(_OPEN): None, ord(_CLOSE): None}


@click.command(help=HELP)
@click.argument("words", nargs=-1, required=True, metavar="WORD...")
@click.option("--limit", type=click.IntRange(1, 1000), default=10, show_default=True, help="Show so many hits.")
@option_json()
@click.pass_obj
def command(app: App, words: tuple[str, ...], limit: int, as_json: bool) -> None:
    from kb.terminal.render import Page, plain

    hits = app.library.search(" ".join(words), limit)
    if as_json:
        found = [hit._replace(snippet=hit.snippet.translate(_UNMARK))._asdict() for hit in hits]
        click.echo(json.dumps(found, ensure_ascii=False))
        warn_broken(app)
        return
    page = Page.of(app.environment)
    for hit in hits:
        where = [Span(hit.topic, BOLD)]
        if hit.part != "topic":
            where.append(Span(f"  {hit.part} {plain(hit.id)}", DIM))
        page.text(where)
        page.text(_highlighted(plain(hit.snippet.translate(_UNMARK)), _matched(hit.snippet)), indent=2)
    if hits:
        topics = dict.fromkeys(hit.topic for hit in hits)
        page.write()
        page.text([Span(f"Read on: kb show {next(iter(topics))}", DIM)])
    else:
        sys.stderr.write(f"kb: nothing has {one_line(' '.join(words))!r} in it\n")
    warn_broken(app)


def _matched(snippet: str) -> set[str]:
    """The words between the marks."""
    return {part.partition(_CLOSE)[0] for part in snippet.split(_OPEN)[1:]}


def _highlighted(text: str, words: set[str]) -> list[Span]:
    if not words:
        return [Span(text)]
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    parts = re.split(rf"(?<!\w)({either})(?!\w)", text)
    return [Span(part, f"{BOLD};{ACCENT}" if place % 2 else "") for place, part in enumerate(parts)]
