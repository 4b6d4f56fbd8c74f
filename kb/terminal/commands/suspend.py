"""``kb suspend``: stop asking a question, or start again."""

from __future__ import annotations

import json

import click

from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Stop asking QUESTION, or start again with --off. Its progress is kept.

\b
Examples:
  kb suspend zero/stage-2-memory
  kb suspend zero/stage-2-memory --off
  kb suspend                             list the suspended questions
"""


@click.command(help=HELP)
@click.argument("question", required=False)
@click.option("--off", is_flag=True, help="Ask it again.")
@option_json()
@click.pass_obj
def command(app: App, question: str | None, off: bool, as_json: bool) -> None:
    moment = app.moment()
    suspended = [row.question for row in app.store.held(moment) if row.suspended]
    if question is None:
        _list(suspended, as_json)
        return
    if question not in suspended:  # a suspended one whose topic is gone can still be let go
        topic, card = app.library.question(question)
        question = topic.question_name(card)
    if (question in suspended) is off:
        app.store.append("unsuspend" if off else "suspend", moment, question)
    if as_json:
        click.echo(json.dumps({"question": question, "suspended": not off}, ensure_ascii=False))
    else:
        click.echo(f"{question} is {'asked again' if off else 'suspended: it is not asked until --off'}")


def _list(suspended: list[str], as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(suspended, ensure_ascii=False))
        return
    for name in suspended:
        click.echo(name)
    if not suspended:
        click.echo("no question is suspended", err=True)
