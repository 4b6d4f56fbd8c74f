"""``kb quiz``: a sitting, on a terminal, off it, or in JSON Lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kb.errors import UsageError
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.hold import hold, plan_of

if TYPE_CHECKING:
    pass

HELP = """Answer what is due, then new questions; without TOPIC from all topics.

\b
Examples:
  kb quiz                        what is due today
  kb quiz transformers           a topic and all that it includes
  kb quiz zero --new 5           five new questions, whatever the day's limit
  kb quiz zero --cram            weakest first; the schedule is left alone
  kb quiz zero/stage-2-memory    this one question

\b
On a terminal (? shows them there):
  1-9 choose · space show the answer · 1-4 grade: again, hard, good, easy
  h hint · u undo · r run the demo · e edit · s bury till tomorrow · S suspend · q quit
  p after a miss: a question of what it rests on
  Where you type words, Esc comes before these keys.

\b
Off a terminal, or with --plain, a line is an answer; a choice is answered by its number, an order by its numbers
("3 1 2"), code by its lines and then a line with a single dot. Lines that begin with a colon are commands:
  :hint  :show (the answer)  :skip  :undo  :1 … :4 (grade the answer before)  :bury  :suspend
  :prerequisite (ask what the answer before rests on)  :help  :quit

\b
With --json, one JSON object a line both ways:
  out  {"event": "question", "question": "zero/stage-2-memory", "kind": "numeric", "ask": "…", "seed": 7, "left": 12}
  in   {"answer": "16.6 GB"}  or  {"command": "hint"}  (skip, undo, suspend, bury, reveal, regrade, prerequisite, quit)
  out  {"event": "verdict", "correct": true, "grade": 3, "expected": "…", "why": "…", "source": "…", "due": "…"}
"""


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC…]")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="Stop after N answers.")
@click.option("--new", type=click.IntRange(0), metavar="N", help="Ask up to N new questions, whatever the day's limit.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), metavar="M", help="Stop after M minutes.")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Only what has this tag, or whose topic does.")
@click.option("--cram", is_flag=True, help="Ask everything, weakest first, and leave the schedule alone.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Draw and shuffle the same way.")
@click.option("--file", "file", type=click.Path(), metavar="PATH", help="Take the answer to a code question from PATH.")
@click.option("--plain", is_flag=True, help="Line by line, also on a terminal.")
@option_json()
@click.pass_obj
def command(
    app: App, /, topics: tuple[str, ...], as_json: bool, plain: bool, file: str | None, **given: Any
) -> int | None:
    if as_json and (plain or file is not None):
        raise UsageError("--json goes with neither --plain nor --file")
    return hold(app, plan_of(topics, **given), as_json=as_json, plain=plain, file=file)
