"""``kb undo``: take answers back."""

from __future__ import annotations

import json
import sys

import click

from kb.errors import KbError
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
"""


@click.command(help=HELP)
@click.argument("count", type=click.IntRange(min=1), default=1, metavar="[N]")
@click.option("--weights", is_flag=True, help="Take back the last change of the weights instead of an answer.")
@option_json()
@click.pass_obj
def command(app: App, count: int, weights: bool, as_json: bool) -> None:
    kinds = ("params",) if weights else ("answer",)
    if app.store.undoable(kinds) is None:
        raise KbError(f"there is no {'change of the weights' if weights else 'answer'} to take back")
    taken = app.store.undo(app.moment(), count, kinds)
    if as_json:
        click.echo(json.dumps([event.as_json() for event in taken], ensure_ascii=False))
        return
    for event in taken:
        when = events.iso(event.at_ms, event.offset_minutes)
        what = f"{event.question}, answered" if not weights else _weights(event)
        click.echo(f"taken back: {what} {when[:10]} {when[11:16]}")
    if len(taken) < count:
        sys.stderr.write(f"there were no more than {len(taken)}\n")


def _weights(event: events.Event) -> str:
    topic = (event.data or {}).get("topic")
    return f"the weights of {topic or 'all topics'}, taken"
