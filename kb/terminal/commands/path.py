"""``kb path``: the way to a topic through what it rests on."""

from __future__ import annotations

import json
from typing import NamedTuple

import click

from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.library import warn_broken
from kb.terminal.text import BOLD, DIM, GOOD, WARN, Span, one_line, shorten, width

HELP = """Show the way to a topic: all that it rests on, in the order to learn it, and how far you are.

A topic has been met when each of its questions has been answered once, or when `kb place` judged it known. New
questions of a topic wait until all that it rests on has been met, unless you name the topic.

\b
Examples:
  kb path zero              what to know before ZeRO
  kb path transformers      a parent: also what it includes
  kb path zero --json       for scripts
"""


class Step(NamedTuple):
    """A topic on the way: how many of its questions were answered, of how many, and what it rests on directly."""

    topic: str
    title: str
    seen: int
    questions: int
    requires: list[str]
    placed: bool = False

    @property
    def met(self) -> bool:
        """Whether every question was answered once, or a placement judged the topic known."""
        return self.placed or self.seen >= self.questions


@click.command(help=HELP)
@click.argument("topic")
@option_json()
@click.pass_obj
def command(app: App, topic: str, as_json: bool) -> None:
    steps = _steps(app, topic)
    if as_json:
        click.echo(json.dumps([{**step._asdict(), "met": step.met} for step in steps], ensure_ascii=False))
    else:
        _print(app, topic, steps)
    warn_broken(app)


def _steps(app: App, topic: str) -> list[Step]:
    from kb.terminal.start import moment

    library = app.library
    way = library.path(topic)
    entries = {entry.name: entry for entry in library.entries()}
    seen = app.store.seen(*way)
    held = {row.question for row in app.store.held(moment(app)) if row.suspended}
    placed = app.store.placed()
    steps = []
    for name in way:
        questions = [f"{name}/{identity}" for identity in entries[name].questions]
        asked = [question for question in questions if question not in held or question in seen]
        answered = sum(question in seen for question in asked)
        steps.append(Step(name, entries[name].title, answered, len(asked), entries[name].requires, name in placed))
    return steps


def _print(app: App, topic: str, steps: list[Step]) -> None:
    from kb.terminal.render import Page

    page = Page.of(app.environment)
    goal = app.library.resolve(topic)
    first = next((step for step in steps if not step.met and step.questions), None)
    names = max(width(step.topic) for step in steps)
    for number, step in enumerate(steps, 1):
        if not step.questions:
            state, style, mark = "no questions", DIM, "·"
        elif step.placed and step.seen < step.questions:
            state, style, mark = f"placed, {step.questions - step.seen} new", GOOD, "✓"
        elif step.met:
            state, style, mark = "met", GOOD, "✓"
        elif step.seen:
            state, style, mark = f"{step.seen} of {step.questions} seen", WARN, "◐"
        else:
            state, style, mark = f"{step.questions} new", "", "○"
        room = page.width - names - width(state) - 11
        title = shorten(one_line(step.title), room) if room > 8 else ""
        page.write(
            [
                Span(f"{number:3} "),
                Span(mark + " ", style),
                Span(step.topic.ljust(names), BOLD if step.topic == goal else ""),
                Span(f"  {title}" + " " * max(room - width(title), 0)),
                Span(f"  {state}", style),
            ]
        )
    page.write()
    if first is None:
        page.text([f"All of it has been met. Keep it: kb quiz {goal}"])
    elif len(steps) == 1:
        page.text([f"It rests on nothing else here: kb quiz {goal}"])
    elif first.topic == goal and all(step.met for step in steps if step.topic != goal):
        page.text([f"All that it rests on has been met. Go on: kb quiz {goal}"])
    else:
        above = [step.topic for step in steps if first.topic in step.requires]
        why = f", on which {', '.join(above[:3])} {'rests' if len(above) == 1 else 'rest'}" if above else ""
        page.text([f"Next on the way: kb {'quiz' if first.seen else 'learn'} {first.topic}{why}"])
