"""``kb due``: how many questions are due. A plain call goes by ``kb.terminal.fast``; the rest comes here."""

from __future__ import annotations

import click

from kb.terminal import fast
from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Count what is due, in all topics or in TOPIC and what it includes.

\b
Examples:
  kb due
  kb due transformers
  kb due --json | jq .due        for a prompt or a status bar; it answers at once

"New" questions were never answered, "learning" ones are in their first steps, "due" ones are to be asked now.
"""


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC…]")
@option_json()
@click.pass_obj
def command(app: App, /, topics: tuple[str, ...], as_json: bool) -> int | None:
    return fast.due(app.environment, [app.library.resolve(name) for name in topics], as_json)
