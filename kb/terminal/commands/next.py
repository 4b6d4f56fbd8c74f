"""``kb next``: what to do next, and why."""

from __future__ import annotations

import json

import click

from kb.quiz.advice import Suggestion, explain, suggestions
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.render import Page
from kb.terminal.start import moment
from kb.terminal.text import BOLD, DIM, LINK, Span

HELP = """Say what to do next, and why: overall, or to get on with TOPIC.

\b
Examples:
  kb next
  kb next flash-attention      what stands before it
  kb next --json
"""


@click.command(help=HELP)
@click.argument("topic", required=False)
@option_json()
@click.pass_obj
def command(app: App, /, topic: str | None, as_json: bool) -> None:
    if topic is not None:
        found = [explain(app.library, app.store, topic, moment(app))]
    else:
        found = suggestions(app.library, app.store, moment(app))
    if as_json:
        first = _as_json(found[0]) if found else {"kind": None, "command": None, "why": "nothing is left to do"}
        click.echo(json.dumps({**first, "others": [_as_json(one) for one in found[1:]]}, ensure_ascii=False))
        return
    page = Page.of(app.environment)
    if not found:
        page.text(["Nothing is left to do: everything has been seen, and nothing is due."])
        return
    _show(page, found[0], BOLD)
    if len(found) > 1:
        page.write()
        page.write([Span("or", DIM)])
        for one in found[1:]:
            page.write()
            _show(page, one, "")


def _show(page: Page, one: Suggestion, style: str) -> None:
    page.write([Span(one.command, f"{style};{LINK}".strip(";"))])
    page.text([one.why[:1].upper() + one.why[1:] + "."], indent=2)


def _as_json(one: Suggestion) -> dict[str, str]:
    return {"kind": one.kind, "command": one.command, "why": one.why}
