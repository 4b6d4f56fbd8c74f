"""Numeric: a number, or a formula that gives it, with or without its unit, within a tolerance.

.. code-block:: yaml

    id: stage-2-memory
    kind: numeric
    draw: {psi: [1.5e9, 7.5e9, 70e9], ranks: [4, 8, 16]}
    ask: How many GB of model states does each of {ranks} ranks hold for {psi} parameters under ZeRO stage 2?
    answer: (2*psi + 14*psi/ranks) / 1e9
    unit: GB
    tolerance: 1%
    mistakes:
      - {answer: 16*psi / 1e9, why: That is plain data parallelism; stage 2 splits gradients and optimizer states.}
      - {answer: (2*psi + 2*psi/ranks) / 1e9, why: "The optimizer states were forgotten: 12 bytes a parameter."}
    why: "Weights 2ψ stay whole; 14 bytes a parameter are split, which leaves {= 14*psi/ranks/1e9 :.3g} GB a rank."

``tolerance`` is relative with a per-cent sign and absolute, in the card's unit, without. Left out, a whole number must
be met and any other to 1%. ``unit`` is a known one (GB, GiB, ms, TFLOP/s, %, ...) or a word ("tokens"). ``mistakes``
are what known misconceptions give; whoever answers such a number reads its ``why``.

The answer is a number, or a text: ``16.6``, ``16.6 GB``, ``1.66e10 B``, ``2^4 * 1e9 B``, ``16,600 MB``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict
from kb.questions.expression import Expression
from kb.questions.functions import Number
from kb.questions.number import EXACT, ROUNDED, Scale, Tolerance, near_miss

Formula = str | int | float


class Mistake(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number that a known misconception gives, and ``why`` it is wrong."""

    answer: Annotated[Formula, Meta(description="The number, or formula, that a known misconception gives.")]
    why: str


class NumericFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: Annotated[Formula, Meta(description="A number, or a formula over the drawn parameters.")]
    unit: Annotated[str, Meta(description="The answer's unit: GB, GiB, ms, TFLOP/s, % or a word such as tokens.")] = ""
    tolerance: Annotated[
        str | int | float | None,
        Meta(description="1% is relative, a plain number absolute; left out, whole numbers are exact and others 1%."),
    ] = None
    mistakes: Annotated[
        list[Mistake], Meta(description="Numbers that known misconceptions give, each with its why.")
    ] = []


class Numeric(Question):
    """A number within a tolerance of what the card's formula gives for the drawn parameters."""

    kind = "numeric"
    Fields = NumericFields
    fields: NumericFields

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        self.scale = Scale(self.fields.unit)
        try:
            self.tolerance = Tolerance.of(self.fields.tolerance)
        except AnswerError as error:
            raise CardError(name, ("tolerance",), str(error), "write 1% or an absolute number") from None
        self._answer = self._formula(("answer",), self.fields.answer)
        self._mistakes = [
            self._formula(("mistakes", place, "answer"), mistake.answer)
            for place, mistake in enumerate(self.fields.mistakes)
        ]
        self.how = (
            f"type a number in {self.scale.name}, or a formula" if self.scale.name else "type a number or formula"
        )

    def _formula(self, pointer: tuple[str | int, ...], text: Formula) -> Expression:
        try:
            return Expression(str(text), self.parameters.names)
        except AnswerError as error:
            raise CardError(self.name, pointer, str(error)) from None

    def formula_names(self) -> set[str]:
        return {name for formula in (self._answer, *self._mistakes) for name in formula.used}

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        for place, mistake in enumerate(self.fields.mistakes):
            yield f"mistakes/{place}/why", mistake.why

    def ask(self, seed: int) -> Ask:
        return self.prepare(seed)

    def parse(self, line: str, ask: Ask) -> str:
        self.scale.read(line)
        return line.strip()

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        given = self.scale.read(answer)
        value = self.value(ask)
        correct = self._within(given, value)
        remark = self._remark(answer, given)
        if correct:
            return Verdict(correct=True, expected=self.expected(ask), note=remark)
        why = self._mistake(given, ask) or near_miss(given, value, self.scale)
        return Verdict(correct=False, expected=self.expected(ask), why=" ".join(part for part in (remark, why) if part))

    def value(self, ask: Ask) -> Number:
        """The expected number, in the card's unit."""
        return self._number(("answer",), self._answer, ask)

    def _number(self, pointer: tuple[str | int, ...], formula: Expression, ask: Ask) -> Number:
        try:
            return formula.number(ask.values)
        except AnswerError as error:
            raise CardError(self.name, pointer, str(error)) from None

    def _within(self, given: Number, value: Number) -> bool:
        whole = float(value).is_integer()
        tolerance = self.tolerance or (EXACT if whole else ROUNDED)
        return tolerance.accepts(given, value)

    def _mistake(self, given: Number, ask: Ask) -> str:
        """The why of the known mistake that gives this number, if there is one."""
        for place, (mistake, formula) in enumerate(zip(self.fields.mistakes, self._mistakes, strict=True)):
            if self._within(given, self._number(("mistakes", place, "answer"), formula, ask)):
                return self.fill(f"mistakes/{place}/why", mistake.why, ask.values)
        return ""

    def _remark(self, answer: Any, given: Number) -> str:
        """What a formula came to, so that the learner sees what was compared."""
        if isinstance(answer, str) and re.search(r"[\d)]\s*([-+*/^×·−]|\*\*)\s*[\d(\w]|[√(]", answer):
            return f"Your formula gives {self.scale.write(given)}."
        return ""

    def expected(self, ask: Ask) -> str:
        return self.scale.write(self.value(ask))

    def reference(self, ask: Ask) -> str:
        return repr(self.value(ask)) + (f" {self.scale.name}" if self.scale.name else "")

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        problems = list(super().lint(laboratory, seeds))
        yield from problems
        if problems:
            return
        yield from self._lint_shown(seeds)
        yield from self._lint_mistakes(seeds)

    def _lint_shown(self, seeds: Sequence[int]) -> Iterator[Problem]:
        """The answer as it is shown must itself be accepted, and a relative tolerance needs something to relate to."""
        for seed in seeds:
            ask = self.ask(seed)
            value = self.value(ask)
            if value == 0 and self.tolerance is not None and self.tolerance.relative:
                message = f"the answer is 0 (seed {seed}), where a relative tolerance allows nothing"
                yield Problem("tolerance", "tolerance-of-zero", message, "give an absolute tolerance, or exclude it")
                return
            if not self._within(self.scale.read(self.expected(ask)), value):
                message = f"the answer as shown, {self.expected(ask)}, is outside its own tolerance (seed {seed})"
                yield Problem("tolerance", "tolerance-too-tight", message, "widen the tolerance to what is shown")
                return

    def _lint_mistakes(self, seeds: Sequence[int]) -> Iterator[Problem]:
        for place, formula in enumerate(self._mistakes):
            key = f"mistakes/{place}/answer"
            for seed in seeds:
                ask = self.ask(seed)
                wrong = self._number(("mistakes", place, "answer"), formula, ask)
                if self._within(wrong, self.value(ask)):
                    message = f"this mistake gives the right answer, {self.expected(ask)} (seed {seed})"
                    yield Problem(
                        key, "mistake-is-right", message, "exclude the draw with `where:`, or drop the mistake"
                    )
                    break
                twin = next((other for other in self._mistakes[:place] if self._number((), other, ask) == wrong), None)
                if twin is not None:
                    message = f"two mistakes give {self.scale.write(wrong)} (seed {seed})"
                    yield Problem(key, "mistakes-alike", message, "exclude the draw with `where:`, or drop one")
                    break
