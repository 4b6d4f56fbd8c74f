"""Puts a sitting together from what a command has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kb.memory.days import Moment
from kb.quiz.plan import Plan
from kb.quiz.session import Sitting
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


class LazyLaboratory:
    """A laboratory that is furnished when it is first used: most questions need none."""

    def __init__(self, app: App) -> None:
        self._app = app
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

            self._made = RunLaboratory(self._app.registry, recorded=self._recorded, keep=self._app.store.evidence_add)
        return self._made

    def _recorded(self, name: str, parameters: Mapping[str, object]) -> Evidence | None:
        return self._app.store.evidence_of(name, parameters)


@contextmanager
def start(app: App, plan: Plan) -> Iterator[Sitting]:
    """A sitting of ``plan``."""
    laboratory = LazyLaboratory(app)
    try:
        yield Sitting(
            app.library, app.registry.kinds, app.store, plan, clock=lambda: moment(app), laboratory=laboratory
        )
    finally:
        laboratory.close()
