"""``kb log``: every event, in order."""

from __future__ import annotations

import json
import os
import sys
from itertools import chain

import click

from kb.errors import KbError, UsageError
from kb.store import events
from kb.store.events import Event
from kb.terminal import text
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BAD, DIM, GOOD, Line, Span

HELP = """Print the log: every answer, undo, suspension and change of weights, in order.

The log is the truth that everything else follows from. Nothing in it is ever changed or deleted: an answer that was
taken back stays, followed by its undo.

\b
Examples:
  kb log                       all of it
  kb log --last 20             the end of it
  kb log zero/stage-2-memory   what happened to one question
  kb log --json > log.jsonl    JSON Lines, nothing left out
  kb log --merge log.jsonl     take in another device's log, or its database
"""

_MORE_AT = 68  # the column in which what was promised begins, where the names are not longer
GRADES = {1: "again", 2: "hard", 3: "good", 4: "easy"}


@click.command(help=HELP)
@click.argument("question", required=False)
@click.option("--last", type=click.IntRange(min=0), metavar="N", help="Only the last N events.")
@click.option("--merge", "other", metavar="FILE", help="Take in the log in FILE; events that are here already stay.")
@option_json()
@click.pass_obj
def command(app: App, question: str | None, last: int | None, other: str | None, as_json: bool) -> None:
    if other is not None:
        _merge(app, other, as_json)
        return
    found = app.store.events(question, last)
    if as_json:
        for event in found:
            sys.stdout.write(events.to_json(event.as_json()) + "\n")
        return
    columns, _ = text.terminal_size(sys.stdout, app.environment)
    if not sys.stdout.isatty():
        columns = 10_000  # whatever reads it cuts lines itself
    colour = text.wants_colour(sys.stdout, app.environment)
    first = next(found, None)
    if first is None:
        if question is not None:
            raise KbError(f"nothing is logged of {question!r}", cure="see: kb log")
        click.echo("the log is empty", err=True)
        return
    undone = app.store.undone()
    for event in chain([first], found):
        click.echo(text.ansi(_line(event, event.id in undone, columns), colour))


def _merge(app: App, file: str, as_json: bool) -> None:
    """The outcome does not depend on the order in which logs are merged."""
    from kb.store import otherlog

    path = os.path.abspath(file)
    if os.path.exists(path) and os.path.exists(app.store.path) and os.path.samefile(path, app.store.path):
        raise UsageError(f"{file} is the database itself", cure="name another device's")
    incoming = list(otherlog.read(path))
    fresh = app.store.merge(incoming)
    if as_json:
        click.echo(json.dumps({"events": len(incoming), "new": fresh}))
    else:
        click.echo(f"{len(incoming):,} events, {fresh:,} of them new")


def _line(event: Event, was_undone: bool, columns: int) -> Line:
    """Local time, what happened, to which question, and what was promised."""
    when = events.iso(event.at_ms, event.offset_minutes)
    style = DIM if was_undone else ""
    line = [Span(f"{when[:10]} {when[11:19]}  ", DIM), Span(f"{_what(event):9} ", style or _style(event))]
    about, more = text.one_line(event.question or ""), _more(event, was_undone)
    line.append(Span(text.shorten(about, max(columns - text.line_width(line) - len(more) - 2, 12)), style))
    if more:
        gap = max(_MORE_AT - text.line_width(line), 2)
        line.append(Span(" " * min(gap, max(columns - text.line_width(line) - len(more), 2)) + more, DIM))
    return line


def _what(event: Event) -> str:
    if event.kind != "answer":
        return event.kind
    return GRADES.get(event.grade or 0, "?")


def _exam(event: Event) -> str:
    """Which exam, and what became of it."""
    from kb.memory.days import iso_date

    data = event.data or {}
    name, day = text.one_line(str(data.get("name"))), data.get("day")
    if event.kind == "exam-over":
        return name
    return f"{name} on {iso_date(day)}, {data.get('wanted', 0):.0%} wanted" if day is not None else f"{name} dropped"


def _style(event: Event) -> str:
    if event.kind != "answer":
        return ""
    return BAD if event.grade == 1 else GOOD


def _more(event: Event, was_undone: bool) -> str:
    parts = []
    if event.kind in ("exam", "exam-over"):
        parts.append(_exam(event))
    if event.kind == "placed":
        met = (event.data or {}).get("met", [])
        parts.append(f"known: {text.one_line(', '.join(met)) or 'nothing yet'}")
    if event.cram:
        parts.append("cram")
    if event.hint:
        parts.append("hint")
    if event.promise is not None:
        due = events.iso(event.promise.due_ms, event.offset_minutes)
        parts.append(f"due {due[:10]}" if event.promise.phase == "review" else f"due {due[11:16]}")
    if event.seconds is not None:
        parts.append(f"{event.seconds:.1f} s")
    if was_undone:
        parts.append("undone")
    return ", ".join(parts)
