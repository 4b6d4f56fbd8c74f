"""``kb place``: where to start, found in about ten questions."""

from __future__ import annotations

from typing import Any

import click

from kb.errors import UsageError
from kb.quiz.placing import Placed, Placing
from kb.quiz.plan import Plan
from kb.quiz.session import Sitting
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.hold import hold
from kb.terminal.render import Page
from kb.terminal.status import counted
from kb.terminal.text import BAD, BOLD, DIM, GOOD, LINK, WARN, Span, clean, width

HELP = """Find where to start, in about ten questions.

Each question is of the topic whose answer tells most, because topics rest on each other: who knows an advanced one
knows what it rests on, and who does not know a simple one does not know what rests on it. A lucky guess and a slip are
allowed for. Press space where you do not know. At the end you see what you seem to know, where to start, and why.

\b
Examples:
  kb place                     over all topics
  kb place transformers        transformers and all that it rests on
  kb place --json              for programs: as kb quiz --json, and one event more

\b
What it does to your schedule:
  A right answer is an answer: its question comes back when it is due.
  A wrong one is in the log, but a question that was new stays new.
  Topics that you seem to know count as met: what rests on them no longer waits. Their own questions stay new, and come
  after all other new ones. `kb undo --placement` takes that back. A placement that you leave early marks nothing.

\b
The last line with --json:
  {"event": "placement", "known": {"knn": 0.93, "svm": 0.12}, "start": ["svm"], "met": ["knn"], "complete": true,
   "command": "kb learn svm", "why": "…"}
"""


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC…]")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), metavar="N", help="Choose, draw and shuffle the same way.")
@click.option("--plain", is_flag=True, help="Line by line, also on a terminal.")
@option_json()
@click.pass_obj
def command(app: App, topics: tuple[str, ...], seed: int | None, plain: bool, as_json: bool) -> int | None:
    if as_json and plain:
        raise UsageError("--json does not go with --plain")
    return hold(app, Plan(topics=topics, seed=seed), as_json=as_json, plain=plain, make=Placing, ending=_Ending())


class _Ending:
    """The end of a placement."""

    def show(self, app: App, sitting: Sitting, brief: bool) -> None:
        assert isinstance(sitting, Placing)
        page = Page.of(app.environment)
        found = sitting.conclude()
        page.write()
        _score(page, sitting, found)
        for notice in [*sitting.notices, *sitting.store.notices]:
            page.text([Span("! ", f"{BOLD};{WARN}"), Span(clean(notice), WARN)], hang=2)
        if found.answers:
            page.write()
            _table(page, found)
        page.write()
        page.text([Span(found.command, f"{BOLD};{LINK}")])
        page.text([f"{found.why[:1].upper()}{found.why[1:]}."], indent=2)
        if found.complete and len(found.start) > 1:
            others = ", ".join(found.start[1:5])
            page.text([Span(f"As ready for you: {others}.", DIM)], indent=2)
        if found.met:
            says = f"{counted(len(found.met), 'topic')} count{'s' * (len(found.met) == 1)} as met from now on"
            page.text([Span(f"{says}; kb undo --placement takes that back.", DIM)])
        page.flush()

    def as_json(self, sitting: Sitting) -> dict[str, Any]:
        assert isinstance(sitting, Placing)
        found = sitting.conclude()._asdict()
        return {"event": "placement", **{key: found[key] for key in found if key != "answers"}}


def _score(page: Page, sitting: Placing, found: Placed) -> None:
    asked = len(sitting.outcomes)
    if not asked:
        page.write([Span("Nothing was answered: there is nothing to tell.", BOLD)])
        return
    known = sum(chance >= 0.5 for chance in found.known.values())
    says = f"You seem to know {known} of {counted(len(found.known), 'topic')}"
    if not found.complete:
        says = "Left early; so far"
    page.text([Span(says, BOLD), Span(f"  {sitting.right} of {asked} answers right", DIM)])


def _table(page: Page, found: Placed) -> None:
    names = max(map(width, found.known))
    bar = max(min(page.width - names - 32, 20), 0)
    for topic, chance in found.known.items():
        filled = round(chance * bar)
        style = GOOD if chance >= 0.5 else ""
        answer = found.answers.get(topic)
        asked = "" if answer is None else "answered right" if answer else "answered wrong"
        start = "start here" if topic in found.start[:1] and found.complete else ""
        page.write(
            [
                Span("✓ " if chance >= 0.5 else "○ ", style),
                Span(topic.ljust(names), BOLD if start else ""),
                Span(f" {chance:4.0%}  ", style),
                Span("━" * filled, style),
                Span("─" * (bar - filled), DIM),
                Span(f"  {start}", f"{BOLD};{LINK}") if start else Span(""),
                Span(f"  {asked}", DIM if answer is not False else BAD),
            ]
        )
