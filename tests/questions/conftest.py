"""What the tests of the kinds share: questions from YAML, and laboratories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, settings

from kb.demos.report import Report
from kb.knowledge.model import COMMON_KEYS, QuestionCard
from kb.questions import builtin
from kb.questions.base import Question
from kb.sandbox.sandbox import Sandbox

# a busy machine is no defect
settings.register_profile("questions", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("questions")

KINDS: dict[str, type[Question]] = {}
builtin.register_question_kinds(lambda kind: KINDS.__setitem__(kind.kind, kind))


class Bench:
    """A laboratory with demos made on the spot and a real sandbox; counts what was run."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.demos: dict[str, Callable[..., object]] = {}
        self.runs: list[str] = []

    def demo(self, name: str, parameters: Mapping[str, object]) -> Report:
        report = Report()
        self.demos[name](report, **parameters)
        self.runs.append(name)
        return report

    def python(self, source: str, *, seconds: float, call: str | None = None) -> Any:
        self.runs.append(source)
        return self.sandbox.run(source, seconds=seconds, call=call)


def question(text: str, **more: Any) -> Question:
    """The question that YAML describes; ``more`` are further keys."""
    keys = {"id": "q", "ask": "?", "why": "Because.", **yaml.safe_load(text), **more}
    common = {key: value for key, value in keys.items() if key in COMMON_KEYS}
    fields = {key: value for key, value in keys.items() if key not in COMMON_KEYS}
    return KINDS[keys["kind"]]("topic/q", QuestionCard(**common, fields=fields))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture
def bench(sandbox: Sandbox) -> Bench:
    return Bench(sandbox)


@pytest.fixture(scope="session")
def make() -> Callable[..., Question]:
    return question


@pytest.fixture(scope="session")
def kinds() -> dict[str, type[Question]]:
    return KINDS
