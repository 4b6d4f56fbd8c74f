"""Puts a sitting together from what a command has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kb.memory.days import Moment
from kb.quiz.plan import Plan
from kb.quiz.session import Sitting
from kb.quiz.turn import Turn
from kb.roots import builtin_root
from kb.terminal.context import App

if TYPE_CHECKING:
    from kb.demos.evidence import Evidence
    from kb.demos.report import Report
    from kb.quiz.laboratory import RunLaboratory


def moment(app: App) -> Moment:
    """Now, as the store counts it."""
    now = app.now()
    offset = now.utcoffset()
    assert offset is not None
    return Moment(round(now.timestamp() * 1000), round(offset.total_seconds() / 60))


class Trust:
    """Whose code may run where it cannot be shut in: kb's own topics, and those that the learner has said yes to once.

    ``ask`` puts the question to the learner (what the sandbox says, the topic's file); without it the answer is no.
    """

    def __init__(self, app: App) -> None:
        self._list = os.path.join(app.home, "trusted-topics.txt")
        self.file = ""  # of the topic whose question is open
        self.ask: Callable[[str, str], bool] | None = None

    def allows(self, danger: str) -> bool:
        """Whether the open question's code may run although ``danger``."""
        file = os.path.realpath(self.file)
        if file.startswith(os.path.realpath(builtin_root()) + os.sep) or file in self._trusted():
            return True
        if self.ask is None or not self.ask(danger, file):
            return False
        os.makedirs(os.path.dirname(self._list), exist_ok=True)
        with open(self._list, "a", encoding="utf-8", errors="surrogateescape") as listed:
            listed.write(file + "\n")
        return True

    def _trusted(self) -> list[str]:
        try:
            with open(self._list, encoding="utf-8", errors="surrogateescape") as listed:
                return listed.read().splitlines()
        except OSError:
            return []


class LazyLaboratory:
    """A laboratory that is furnished when it is first used: most questions need none."""

    def __init__(self, app: App, trust: Trust) -> None:
        self._app = app
        self._trust = trust
        self._made: RunLaboratory | None = None

    def demo(self, name: str, parameters: Mapping[str, object]) -> Report:
        return self._laboratory.demo(name, parameters)

    def python(self, source: str, *, seconds: float, call: str | None = None) -> object:
        return self._laboratory.python(source, seconds=seconds, call=call)

    def close(self) -> None:
        """End what is still running."""
        if self._made is not None:
            self._made.close()

    @property
    def _laboratory(self) -> RunLaboratory:
        if self._made is None:
            from kb.quiz.laboratory import RunLaboratory

            self._made = RunLaboratory(
                self._app.registry,
                recorded=self._recorded,
                keep=self._app.store.evidence_add,
                allowed=self._trust.allows,
            )
        return self._made

    def _recorded(self, name: str, parameters: Mapping[str, object]) -> Evidence | None:
        return self._app.store.evidence_of(name, parameters)


def tell_over(app: App) -> list[str]:
    """What is to be said of exams that have ended; each is told once."""
    from kb.quiz.exams import end_those_over, say_over

    now = moment(app)
    return [say_over(over, app.store.study_day(now)) for over in end_those_over(app.store, now)]


@contextmanager
def start(app: App, plan: Plan, trust: Trust, make: type[Sitting] = Sitting) -> Iterator[Sitting]:
    """A sitting of ``plan``, of the sort ``make``."""
    laboratory = LazyLaboratory(app, trust)

    def on_open(turn: Turn) -> None:
        trust.file = turn.topic.file

    try:
        yield make(
            app.library,
            app.registry.kinds,
            app.store,
            plan,
            clock=lambda: moment(app),
            laboratory=laboratory,
            on_open=on_open,
        )
    finally:
        laboratory.close()
