"""What a kind of question is. Built-in kinds and those of plugins are subclasses of ``Question``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec

from kb.errors import ContentError, SandboxError
from kb.knowledge.model import QuestionCard


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as it is put to the learner: numbers drawn, options shuffled. Made again from the same seed."""

    question: str  # topic/id
    kind: str
    text: str  # Markdown, drawn parameters filled in
    seed: int
    hint: str | None = None
    options: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    starter: str | None = None
    gaps: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)  # the drawn parameters
    written: tuple[int, ...] = ()  # written[i] is the place in the file of the option or item shown at i


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer. ``correct`` is None where the learner grades (recall)."""

    correct: bool | None
    expected: str  # Markdown: the right answer as a person would write it
    why: str = ""  # what this very answer got wrong (a known mistake), in Markdown
    score: float | None = None  # partial credit from 0 to 1, shown but not scheduled on
    note: str = ""  # a remark on a right answer ("watch the spelling")
    detail: str = ""  # shown as it is: a diff, the output of a run
    figure: object = None  # a Report whose plot is worth showing afterwards


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in a card that ``kb check`` shows: the ``key`` it is in, what is wrong, and the cure."""

    key: str
    rule: str
    message: str
    cure: str


class Laboratory(Protocol):
    """What a kind may ask of the rest of kb to settle an answer; passed in, so that grading stays pure."""

    def demo(self, name: str, parameters: Mapping[str, object]) -> Any:
        """Run the demo (or take its recorded evidence) and return its Report."""

    def python(self, source: str, *, seconds: float) -> Any:
        """Run Python in the sandbox; returns an object with ``ok``, ``value``, ``output`` and ``error``."""


class NoLaboratory:
    """The laboratory of a place that must not run anything."""

    def demo(self, name: str, parameters: Mapping[str, object]) -> Any:
        raise SandboxError(f"demo {name!r} cannot be run here")

    def python(self, source: str, *, seconds: float) -> Any:
        raise SandboxError("code cannot be run here")


class Question(ABC):
    """A question of one kind, made from its card.

    A kind sets ``kind`` and ``Fields`` (a msgspec.Struct of the keys that it adds to a card; unknown ones are errors),
    and implements ``ask``, ``parse`` and ``grade``. It keeps no state and reads no clock: the same seed gives the same
    question.
    """

    kind: ClassVar[str]
    Fields: ClassVar[type[msgspec.Struct]] = msgspec.Struct
    how: ClassVar[str] = "type the answer"  # one line under the question: how to answer

    def __init__(self, name: str, card: QuestionCard) -> None:
        self.name = name
        self.card = card
        try:
            self.fields: Any = msgspec.convert(card.fields, self.Fields, strict=True)
        except msgspec.ValidationError as error:
            raise ContentError(f"question {name!r}: {error}") from None

    @abstractmethod
    def ask(self, seed: int) -> Ask:
        """The question as shown for ``seed``."""

    @abstractmethod
    def parse(self, line: str, ask: Ask) -> Any:
        """A typed line as this kind's JSON answer; raises AnswerError if it cannot be one (the question stays open)."""

    @abstractmethod
    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        """Judge a JSON answer; raises AnswerError if it cannot be one (the question stays open)."""

    @abstractmethod
    def expected(self, ask: Ask) -> str:
        """The right answer in Markdown, for the learner who gives up or grades themself."""

    def reference(self, ask: Ask) -> Any:
        """A right answer as JSON; ``kb check`` proves that it passes."""
        return None

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        """Faults in the card. A kind adds its own; the base one proves the reference answer over several seeds."""
        for seed in seeds:
            ask = self.ask(seed)
            answer = self.reference(ask)
            if answer is None:
                return
            verdict = self.grade(answer, ask, laboratory)
            if verdict.correct is False:
                yield Problem(
                    "answer",
                    "reference-answer",
                    f"the reference answer {answer!r} is graded wrong (seed {seed})",
                    "make the answer and the grader agree",
                )
                return
