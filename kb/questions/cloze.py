"""Cloze: words to fill into the gaps of a sentence.

.. code-block:: yaml

    id: fourier
    kind: cloze
    ask: Every periodic signal is a sum of {{sines|sine waves}} and {{cosines|cosine waves}}.
    any_order: true
    reject: {tangents: A tangent is unbounded and no part of the basis.}
    why: Sines and cosines of whole multiples of one frequency are an orthogonal basis.

``{{answer|alias|…}}`` is a gap; the first text is the one that is shown as the answer. ``reject`` explains known wrong
answers and is asked before aliases that differ in the plural only. ``any_order`` takes the answers in any order.

The answer is a list of texts, one a gap. How texts are compared is told in ``kb.questions.text``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions import markup
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict, kind_of, text_answer
from kb.questions.text import almost, normal, same, same_but_number

BLANK = "____"
MAX_WORDS = 500


class ClozeFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reject: Annotated[dict[str, str], Meta(description="Known wrong answers, each with an explanation.")] = {}
    any_order: Annotated[bool, Meta(description="Take the answers in any order.")] = False


class Cloze(Question):
    """Typed words in the gaps of a text."""

    kind = "cloze"
    Fields = ClozeFields
    fields: ClozeFields

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        self.gaps = [piece.text for piece in markup.scan(card.ask) if piece.kind == "gap"]
        if not self.gaps:
            raise CardError(name, ("ask",), "a cloze has at least one gap", "write the answer as {{answer}}")
        for gap in self.gaps:
            if not all(markup.gap_answers(gap)):
                raise CardError(name, ("ask",), f"the gap {gap} has an empty answer", "write {{answer|alias}}")
        count = len(self.gaps)
        self.how = "type the missing words" if count == 1 else f"type the {count} missing words, separated by ;"

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        for wrong, why in self.fields.reject.items():
            yield _reject_key(wrong), why

    def formula_names(self) -> set[str]:
        return set()

    def ask(self, seed: int) -> Ask:
        values = self.draw(seed)
        text = self.fill("ask", self.card.ask, values)
        return self.prepare(seed, values, text=self._blanked(text), gaps=len(self.gaps))

    def _blanked(self, text: str) -> str:
        several = len(self.gaps) > 1
        return markup.replace_gaps(text, lambda number, _: f"({number + 1}) {BLANK}" if several else BLANK)

    def _wanted(self, ask: Ask) -> list[list[str]]:
        """The accepted texts of each gap, the shown one first."""
        return [markup.gap_answers(self.fill("ask", gap, ask.values)) for gap in self.gaps]

    def parse(self, line: str, ask: Ask) -> list[str]:
        parts = [line] if len(self.gaps) == 1 else line.split(";")
        if len(parts) != len(self.gaps) and line.count(",") == len(self.gaps) - 1 and ";" not in line:
            parts = line.split(",")
        return self._typed([part.strip() for part in parts])

    def _typed(self, answer: Any) -> list[str]:
        if isinstance(answer, str) and len(self.gaps) == 1:
            answer = [answer]
        if not isinstance(answer, list | tuple):
            raise AnswerError(f"the answer is a list of texts, one a gap, not {kind_of(answer)}")
        if all(isinstance(text, str) and not text.strip() for text in answer):
            raise AnswerError("nothing was typed")
        if len(answer) != len(self.gaps):
            gaps = "1 gap" if len(self.gaps) == 1 else f"{len(self.gaps)} gaps"
            answers = "1 answer" if len(answer) == 1 else f"{len(answer)} answers"
            raise AnswerError(f"there are {gaps} but {answers}", cure="separate them by ;")
        typed = [text_answer(text, f"gap {place}") for place, text in enumerate(answer, start=1)]
        if max(map(len, typed)) > MAX_WORDS:
            raise AnswerError(f"a gap takes a few words, at most {MAX_WORDS} characters")
        return typed

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        typed = self._typed(answer)
        wanted = self._wanted(ask)
        places = self._assigned(typed, wanted)
        remarks: list[str] = []
        faults: list[str] = []
        right = 0
        for number, (text, place) in enumerate(zip(typed, places, strict=True), start=1):
            label = f"({number}) " if len(typed) > 1 else ""
            accepted = wanted[place]
            if any(same(text, alias) for alias in accepted):
                right += 1
                continue
            known = self._rejected(text, ask)
            if known:
                faults.append(label + known)
            elif any(same_but_number(text, alias) for alias in accepted):
                right += 1
                remarks.append(f"{label}Singular or plural: the card says {accepted[0]}.")
            elif any(same(text, alias) for other in wanted for alias in other):
                faults.append(f"{label}That is the word of another gap.")
            elif any(almost(text, alias) for alias in accepted):
                faults.append(f"{label}Almost: compare the spelling with {accepted[0]}.")
        return Verdict(
            correct=right == len(wanted),
            expected=self.expected(ask),
            why="\n\n".join(faults),
            score=right / len(wanted),
            note=" ".join(remarks),
        )

    def _assigned(self, typed: list[str], wanted: list[list[str]]) -> list[int]:
        """Which gap each typed text is for: its own, or with ``any_order`` the one that it fits, each taken once."""
        if not self.fields.any_order:
            return list(range(len(wanted)))
        fits = [
            [place for place, accepted in enumerate(wanted) if any(_fits(text, alias) for alias in accepted)]
            for text in typed
        ]
        owner: dict[int, int] = {}
        for number in range(len(typed)):
            _augment(number, fits, owner, set())
        places = {number: place for place, number in owner.items()}
        free = [place for place in range(len(wanted)) if place not in owner]
        return [places[number] if number in places else free.pop(0) for number in range(len(typed))]

    def _rejected(self, text: str, ask: Ask) -> str:
        for exact in (True, False):
            for wrong, why in self.fields.reject.items():
                if same(text, wrong) or (not exact and same_but_number(text, wrong)):
                    return self.fill(_reject_key(wrong), why, ask.values)
        return ""

    def expected(self, ask: Ask) -> str:
        return "; ".join(accepted[0] for accepted in self._wanted(ask))

    def reference(self, ask: Ask) -> list[str]:
        return [accepted[0] for accepted in self._wanted(ask)]

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        problems = list(super().lint(laboratory, seeds))
        yield from problems
        if problems:
            return
        ask = self.ask(seeds[0])
        shown = f" {normal_words(ask.text)} / {normal_words(ask.hint or '')} "
        for accepted in self._wanted(ask):
            answer = normal_words(accepted[0])
            if re.search(r"[^\W\d_]{4}", answer) and f" {answer} " in shown:
                message = f"the answer {accepted[0]!r} stands in the question or its hint"
                yield Problem("ask", "gap-given-away", message, "say it in other words")
        for wrong in self.fields.reject:
            if any(same(wrong, alias) for accepted in self._wanted(ask) for alias in accepted):
                message = f"{wrong!r} is both accepted and rejected"
                yield Problem(_reject_key(wrong), "reject-accepted", message, "take it out of one of them")
        if any(piece.kind == "maths" and "{{" in piece.text for piece in markup.scan(self.card.ask)):
            message = "a gap inside $maths$ is not seen"
            yield Problem("ask", "gap-in-maths", message, "end the maths before the gap, or separate the braces")


def _reject_key(wrong: str) -> str:
    """The key of a rejected answer, as far as it can be a step of a path."""
    return "reject" if "/" in wrong or wrong.isdigit() else f"reject/{wrong}"


def _fits(text: str, alias: str) -> bool:
    return same(text, alias) or same_but_number(text, alias)


def _augment(number: int, fits: list[list[int]], owner: dict[int, int], seen: set[int]) -> bool:
    """Find a gap for text ``number``, moving others if need be (augmenting paths of a bipartite matching)."""
    for place in fits[number]:
        if place not in seen:
            seen.add(place)
            if place not in owner or _augment(owner[place], fits, owner, seen):
                owner[place] = number
                return True
    return False


def normal_words(text: str) -> str:
    """``text`` in lower case with single spaces between its words."""
    return " ".join(normal(word) for word in re.findall(r"[\w-]+", text.replace("-", " ")) if normal(word))
