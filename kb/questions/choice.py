"""Choice: one or several of shuffled options, each wrong one with the mistake that leads to it.

.. code-block:: yaml

    id: score-memory
    kind: choice
    draw: {n: [1024, 2048, 4096]}
    ask: How many scores does one attention head over {n} tokens compute?
    options:
      - {text: "{= n*n}", right: true}
      - {text: "{= n*64}", why: That is the size of the keys of a head of width 64.}
      - {text: "{= n*(n+1)//2}", why: That is a causal mask's half.}
    why: Every token is scored against every token, so there are $n^2$ scores.

An option's ``text`` may hold ``{= formula}``, so that a wrong number is computed from the misconception that its
``why`` names; parameters that would make two options look alike are drawn again. Several options may be ``right``: then
all of them, and no other, must be chosen. ``several: true`` asks for "all that apply" even where only one does.
``shuffle: false`` keeps the order of the file, for options that are a scale.

The answer is an index, or a list of indices, into the options as shown, from 0. Partial credit is the Jaccard index of
the options chosen and those that are right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict
from kb.questions.parameters import Stream
from kb.questions.picking import indices, place_of, typed

MAX_OPTIONS = 26  # they can also be named by letters


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One option; a wrong one says ``why`` somebody would take it."""

    text: Annotated[
        str | int | float, Meta(description="Markdown; {= formula} computes a number from the drawn parameters.")
    ]
    right: Annotated[bool, Meta(description="One option, or several, must be right.")] = False
    why: str | None = None


class ChoiceFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    options: Annotated[list[Option], Meta(description="At least two; shown in random order.")]
    several: Annotated[bool, Meta(description="Ask for all that apply, even where only one does.")] = False
    shuffle: Annotated[bool, Meta(description="false keeps the order of the file.")] = True


class Choice(Question):
    """One or several of shuffled options."""

    kind = "choice"
    Fields = ChoiceFields
    fields: ChoiceFields

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        options = self.fields.options
        if not 2 <= len(options) <= MAX_OPTIONS:
            raise CardError(name, ("options",), f"a choice has 2 to {MAX_OPTIONS} options, not {len(options)}")
        self.right = frozenset(place for place, option in enumerate(options) if option.right)
        if not self.right:
            raise CardError(name, ("options",), "no option is right", "mark the right one with `right: true`")
        self.several = self.fields.several or len(self.right) > 1
        self.how = "choose all that apply: 1,3" if self.several else "choose one: type its number"

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        for place, option in enumerate(self.fields.options):
            yield f"options/{place}/text", str(option.text)
            if option.why is not None:
                yield f"options/{place}/why", option.why

    def formula_names(self) -> set[str]:
        return set()

    def ask(self, seed: int) -> Ask:
        values = self.draw(seed, self._all_different)
        count = len(self.fields.options)
        order = Stream(seed, "options").permutation(count) if self.fields.shuffle else list(range(count))
        options = self._options(values)
        return self.prepare(seed, values, options=tuple(options[place] for place in order), written=tuple(order))

    def _options(self, values: Mapping[str, Any]) -> list[str]:
        return [
            self.fill(f"options/{place}/text", str(option.text), values)
            for place, option in enumerate(self.fields.options)
        ]

    def _all_different(self, values: Mapping[str, Any]) -> bool:
        if not values:
            return True  # nothing can be drawn again; lint shows equal options
        return len({_plain(option) for option in self._options(values)}) == len(self.fields.options)

    def parse(self, line: str, ask: Ask) -> int | list[int]:
        places = [place_of(token, len(ask.options), "option") for token in typed(line)]
        if not places:
            raise AnswerError(f"type the number of an option, 1 to {len(ask.options)}")
        return self._chosen(places[0] if len(places) == 1 and not self.several else places, ask)

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        chosen = self._chosen(answer, ask)
        shown = {chosen} if isinstance(chosen, int) else set(chosen)
        picked = frozenset(ask.written[place] for place in shown)
        correct = picked == self.right
        return Verdict(
            correct=correct,
            expected=self.expected(ask),
            why="" if correct else self._mistakes(picked, ask),
            score=len(picked & self.right) / len(picked | self.right),
        )

    def _chosen(self, answer: Any, ask: Ask) -> int | list[int]:
        """``answer`` as indices into the options as shown, checked."""
        given = answer if isinstance(answer, list | tuple) else [answer]
        places = indices(given, len(ask.options), "option")
        if not places:
            raise AnswerError("choose at least one option")
        if len(places) > 1 and not self.several:
            raise AnswerError("choose one option only")
        return places if self.several else places[0]

    def _mistakes(self, picked: frozenset[int], ask: Ask) -> str:
        """Why each wrong option that was picked is wrong, and which right ones are missing."""
        wrong = [place for place in sorted(picked - self.right) if self.fields.options[place].why]
        lines = []
        for place in wrong:
            why = self.fill(f"options/{place}/why", self.fields.options[place].why or "", ask.values)
            lines.append(why if len(picked) == 1 else f"{self._text(place, ask)}: {why}")
        missing = sorted(self.right - picked)
        if self.several and picked & self.right and missing:
            lines.append("Also right: " + "; ".join(self._text(place, ask) for place in missing) + ".")
        return "\n\n".join(lines)

    def _text(self, place: int, ask: Ask) -> str:
        return ask.options[ask.written.index(place)]

    def expected(self, ask: Ask) -> str:
        return "; ".join(self._text(place, ask) for place in ask.written if place in self.right)

    def reference(self, ask: Ask) -> int | list[int]:
        places = [shown for shown, place in enumerate(ask.written) if place in self.right]
        return places if self.several else places[0]

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        options = self.fields.options
        for place, option in enumerate(options):
            if not option.right and not (option.why or "").strip():
                yield Problem(
                    f"options/{place}",
                    "distractor-why",
                    f"the wrong option {str(option.text)!r} has no why",
                    "name the mistake that leads to it",
                )
        if len(self.right) == len(options):
            yield Problem("options", "all-right", "every option is right", "add a wrong one")
        if len(options) > 9:
            yield Problem("options", "many-options", f"{len(options)} options; the keys are 1 to 9", "leave some out")
        if not self.card.draw and not self._distinct():
            yield Problem("options", "equal-options", "two options read the same", "leave one of them out")
            return
        yield from super().lint(laboratory, seeds)

    def _distinct(self) -> bool:
        return len({_plain(str(option.text)) for option in self.fields.options}) == len(self.fields.options)


def _plain(option: str) -> str:
    return " ".join(option.split())
