"""Order: put shuffled items into the right order.

.. code-block:: yaml

    id: training-step
    kind: order
    ask: Put the parts of a training step of data parallelism into the order in which they begin.
    items: [forward, backward, all-reduce of the first bucket, optimizer step]
    why: Buckets are reduced while backward still runs; the optimizer needs all of them.

``items`` are written in the right order. The answer is a list of indices into the items as shown, from 0, first item
first. Partial credit is the share of pairs that stand the right way round: (1 + Kendall's τ) / 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict, kind_of
from kb.questions.parameters import Stream
from kb.questions.picking import indices, place_of, typed

MAX_ITEMS = 20


class OrderFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    items: Annotated[list[str | int | float], Meta(description="The items in the right order.")]


class Order(Question):
    """Items to be put in order."""

    kind = "order"
    Fields = OrderFields
    fields: OrderFields

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        items = self.fields.items
        if not 2 <= len(items) <= MAX_ITEMS:
            raise CardError(name, ("items",), f"there are 2 to {MAX_ITEMS} items to order, not {len(items)}")
        self.how = f"type the numbers of the {len(items)} items in the right order: 3 1 2"

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        for place, item in enumerate(self.fields.items):
            yield f"items/{place}", str(item)

    def formula_names(self) -> set[str]:
        return set()

    def ask(self, seed: int) -> Ask:
        values = self.draw(seed, self._all_different)
        items = self._items(values)
        stream = Stream(seed, "items")
        order = stream.permutation(len(items))
        while order == sorted(order):  # never shown already in order
            order = stream.permutation(len(items))
        return self.prepare(seed, values, items=tuple(items[place] for place in order), written=tuple(order))

    def _items(self, values: Mapping[str, Any]) -> list[str]:
        return [self.fill(f"items/{place}", str(item), values) for place, item in enumerate(self.fields.items)]

    def _all_different(self, values: Mapping[str, Any]) -> bool:
        return not values or len(set(self._items(values))) == len(self.fields.items)

    def parse(self, line: str, ask: Ask) -> list[int]:
        count = len(ask.items)
        text = line.strip().lower()
        tokens = typed(line)
        if len(tokens) == 1 and len(text) == count <= 9 and (text.isdigit() or text.isalpha()):
            tokens = list(text)  # 312 or cab
        return self._places([place_of(token, count, "item") for token in tokens], ask)

    def _places(self, answer: Any, ask: Ask) -> list[int]:
        """``answer`` as a permutation of the indices of the items as shown."""
        count = len(ask.items)
        if not isinstance(answer, list | tuple):
            raise AnswerError(f"the answer is a list of {count} indices, not {kind_of(answer)}")
        places = indices(answer, count, "item")
        if len(answer) != count:
            raise AnswerError(f"there are {count} items and {len(answer)} were named")
        return places

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        given = [ask.written[place] for place in self._places(answer, ask)]
        pairs = list(combinations(given, 2))
        kept = sum(first < second for first, second in pairs)
        return Verdict(
            correct=kept == len(pairs),
            expected=self.expected(ask),
            why=self._slip(given, ask),
            score=kept / len(pairs),
        )

    def _slip(self, given: list[int], ask: Ask) -> str:
        """The first neighbours that stand the wrong way round."""
        for first, second in pairwise(given):
            if first > second:
                earlier, later = (ask.items[ask.written.index(place)] for place in (second, first))
                return f"{_quoted(earlier)} comes before {_quoted(later)}."
        return ""

    def expected(self, ask: Ask) -> str:
        places = sorted(range(len(ask.items)), key=lambda place: ask.written[place])
        return "\n".join(f"{number}. {ask.items[place]}" for number, place in enumerate(places, start=1))

    def reference(self, ask: Ask) -> list[int]:
        return sorted(range(len(ask.items)), key=lambda place: ask.written[place])

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        items = [" ".join(str(item).split()) for item in self.fields.items]
        if not self.card.draw and len(set(items)) < len(items):
            yield Problem("items", "equal-items", "two items read the same", "say what tells them apart")
            return
        yield from super().lint(laboratory, seeds)


def _quoted(item: str) -> str:
    return f"“{item.strip()}”"
