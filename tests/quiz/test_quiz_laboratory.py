"""The laboratory: demos are run once, long ones are read off their record, and code asks before it runs unprotected."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kb.demos.evidence import Evidence
from kb.demos.report import Metric
from kb.errors import SandboxError, UnknownName
from kb.quiz.laboratory import RunLaboratory
from kb.registry import Registry
from kb.terminal.context import App
from kb.terminal.start import Trust

DEMO = """
from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register):
    register(Demo("rattle", run="rattle:main", topic="abacus", summary="Rattles.", params=(Param("beads", 3),)))
"""
RATTLE = """
def main(report, beads):
    report.metric("rattles", 2 * beads)
"""


@pytest.fixture
def registry(content: Path) -> Registry:
    folder = content / "plugins" / "abacus"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(DEMO)
    (folder / "rattle.py").write_text(RATTLE)
    return Registry.load(os.environ)


def test_a_demo_is_run_once_for_the_same_parameters(registry: Registry) -> None:
    kept: list[Evidence] = []
    laboratory = RunLaboratory(registry, keep=kept.append)
    first = laboratory.demo("rattle", {"beads": 5})
    assert [metric.value for metric in first.metrics] == [10]
    assert laboratory.demo("rattle", {"beads": 5}) is first
    assert laboratory.demo("rattle", {}).metrics[0].value == 6
    assert len(kept) == 2


@pytest.mark.parametrize(("seconds", "value"), [(60.0, 77), (1.0, 6)])
def test_only_a_long_run_is_read_off_its_record_and_says_so(registry: Registry, seconds: float, value: int) -> None:
    record = Evidence(
        "rattle", "cpu", {"beads": 3}, (Metric("rattles", 77),), (), seconds, {}, "2026-11-23T10:00:00+00:00"
    )
    report = RunLaboratory(registry, recorded=lambda name, parameters: record).demo("rattle", {})
    assert report.metrics[0].value == value
    assert bool(report.notes) == (value == 77)


def test_an_unknown_demo_is_told(registry: Registry) -> None:
    with pytest.raises(UnknownName, match="rattle"):
        RunLaboratory(registry).demo("ratle", {})


def weak(laboratory: RunLaboratory) -> None:
    level = SimpleNamespace(isolates=False, says="limits only")
    laboratory._sandbox = SimpleNamespace(level=level, run=lambda source, **more: "ran")  # type: ignore[assignment]


def test_code_that_cannot_be_shut_in_asks_first(registry: Registry) -> None:
    laboratory = RunLaboratory(registry, allowed=lambda danger: False)
    weak(laboratory)
    with pytest.raises(SandboxError, match="limits only"):
        laboratory.python("1", seconds=1)
    laboratory = RunLaboratory(registry, allowed=lambda danger: True)
    weak(laboratory)
    assert laboratory.python("1", seconds=1) == "ran"


def test_trust_is_asked_for_once_and_kept(home: Path, content: Path) -> None:
    asked: list[Any] = []

    def trust(answer: bool) -> Trust:
        one = Trust(App(os.environ))
        one.file = str(content / "topics" / "abacus.yaml")
        one.ask = lambda danger, file: bool(asked.append(file)) or answer
        return one

    assert not trust(False).allows("!")
    assert trust(True).allows("!")
    assert trust(False).allows("!"), "a yes is kept"
    assert len(asked) == 2
    other = trust(False)
    other.file = str(content / "topics" / "beads.yaml")
    assert not other.allows("!")


def test_topics_that_ship_with_kb_are_trusted_and_without_a_learner_nobody_else(home: Path, content: Path) -> None:
    trust = Trust(App(os.environ))
    trust.file = str(Path(__file__).parents[2] / "topics" / "zero.yaml")
    assert trust.allows("!")
    trust.file = str(content / "topics" / "abacus.yaml")
    assert not trust.allows("!")
