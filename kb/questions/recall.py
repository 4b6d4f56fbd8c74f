"""Recall: say it in your own words, compare with the answer, and grade yourself.

.. code-block:: yaml

    id: why-scale
    kind: recall
    ask: Why are the scores of attention divided by $\\sqrt{d}$?
    answer: The dot product of two vectors of $d$ independent entries of variance 1 has variance $d$ ...
    why: Without it the softmax saturates as $d$ grows, and its gradient vanishes.

The answer is any text; the verdict's ``correct`` is None, and the learner grades with 1 to 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, Laboratory, Question, Verdict, text_answer


class RecallFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: Annotated[str | int | float, Meta(description="What the learner compares with, in Markdown.")]


class Recall(Question):
    """Free text that the learner grades against the revealed answer."""

    kind = "recall"
    Fields = RecallFields
    fields: RecallFields
    how = "say it in your own words, then compare"

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        if not str(self.fields.answer).strip():
            raise CardError(name, ("answer",), "the answer is empty", "write what the learner compares with")

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        yield "answer", str(self.fields.answer)

    def formula_names(self) -> set[str]:
        return set()

    def ask(self, seed: int) -> Ask:
        return self.prepare(seed)

    def parse(self, line: str, ask: Ask) -> str:
        return text_answer(line.strip())

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        text_answer(answer)
        return Verdict(correct=None, expected=self.expected(ask))

    def expected(self, ask: Ask) -> str:
        return self.fill("answer", str(self.fields.answer), ask.values)

    def reference(self, ask: Ask) -> str:
        return self.expected(ask)
