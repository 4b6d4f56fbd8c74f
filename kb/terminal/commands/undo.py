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
  kb undo --placement  not an answer: what `kb place` marked as met last
"""


@click.command(help=HELP)
@click.argument("count", type=click.IntRange(min=1), default=1, metavar="[N]")
@click.option("--weights", is_flag=True, help="Take back the last change of the weights instead of an answer.")
@click.option("--exam", is_flag=True, help="Take back the last planning or dropping of an exam instead of an answer.")
@click.option("--placement", is_flag=True, help="Take back the last placement instead of an answer.")
@option_json()
@click.pass_obj
def command(app: App, count: int, weights: bool, exam: bool, placement: bool, as_json: bool) -> None:
    if weights + exam + placement > 1:
        raise UsageError("--weights, --exam and --placement exclude each other", cure="take back one after the other")
    kinds = ("params",) if weights else ("exam",) if exam else ("placed",) if placement else ("answer",)
    if app.store.undoable(kinds) is None:
        what = {"params": "change of the weights", "exam": "plan of an exam", "placed": "placement"}.get(
            kinds[0], "answer"
        )
        raise KbError(f"there is no {what} to take back")
    taken = app.store.undo(app.moment(), count, kinds)
    if as_json:
        click.echo(json.dumps([event.as_json() for event in taken], ensure_ascii=False))
        return
    for event in taken:
        when = events.iso(event.at_ms, event.offset_minutes)
        what = _SAYS.get(event.kind, _answer)(event)
        click.echo(f"taken back: {what} {when[:10]} {when[11:16]}")
    if len(taken) < count:
        sys.stderr.write(f"there were no more than {len(taken)}\n")


def _weights(event: events.Event) -> str:
    topic = (event.data or {}).get("topic")
    return f"the weights of {topic or 'all topics'}, taken"


def _exam(event: events.Event) -> str:
    data = event.data or {}
    return f"the exam {data.get('name')}, {'dropped' if data.get('day') is None else 'planned'}"


def _placement(event: events.Event) -> str:
    marked = len((event.data or {}).get("met", ()))
    return f"the placement that marked {marked} {'topic' if marked == 1 else 'topics'} as met, made"


def _answer(event: events.Event) -> str:
    return f"{event.question}, answered"


_SAYS = {"params": _weights, "exam": _exam, "placed": _placement}
