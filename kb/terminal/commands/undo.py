"""``kb undo``: take answers back."""

from __future__ import annotations

import json
import sys

import click

from kb.errors import KbError, UsageError
from kb.store import events
from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Take the last answers back, of whichever sitting.

A question whose answer is taken back stands exactly where it stood before. The answer stays in the log, followed by its
undo.

\b
Examples:
  kb undo              the last answer
  kb undo 3            the last three
  kb undo --weights    not an answer: the weights that `kb optimize` took last
  kb undo --exam       not an answer: the exam that `kb exam` planned or dropped last
"""


@click.command(help=HELP)
@click.argument("count", type=click.IntRange(min=1), default=1, metavar="[N]")
@click.option("--weights", is_flag=True, help="Take back the last change of the weights instead of an answer.")
@click.option("--exam", is_flag=True, help="Take back the last planning or dropping of an exam instead of an answer.")
@option_json()
@click.pass_obj
def command(app: App, count: int, weights: bool, exam: bool, as_json: bool) -> None:
    if weights and exam:
        raise UsageError("--weights and --exam exclude each other", cure="take one back after the other")
    kinds = ("params",) if weights else ("exam",) if exam else ("answer",)
    if app.store.undoable(kinds) is None:
        what = "change of the weights" if weights else "plan of an exam" if exam else "answer"
        raise KbError(f"there is no {what} to take back")
    taken = app.store.undo(app.moment(), count, kinds)
    if as_json:
        click.echo(json.dumps([event.as_json() for event in taken], ensure_ascii=False))
        return
    for event in taken:
        when = events.iso(event.at_ms, event.offset_minutes)
        what = _weights(event) if weights else _exam(event) if exam else f"{event.question}, answered"
        click.echo(f"taken back: {what} {when[:10]} {when[11:16]}")
    if len(taken) < count:
        sys.stderr.write(f"there were no more than {len(taken)}\n")


def _weights(event: events.Event) -> str:
    topic = (event.data or {}).get("topic")
    return f"the weights of {topic or 'all topics'}, taken"


def _exam(event: events.Event) -> str:
    data = event.data or {}
    return f"the exam {data.get('name')}, {'dropped' if data.get('day') is None else 'planned'}"
