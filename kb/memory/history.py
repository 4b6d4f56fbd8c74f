"""Answers as the material to learn from: one item for each answer that tests the memory over at least a night.

An answer on the day of the one before says little about forgetting; it is part of the history, but no item. This is how
fsrs-rs and srs-benchmark count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kb.memory import fsrs
from kb.memory.days import elapsed_days
from kb.memory.fsrs import Memory, Weights


class Answer(NamedTuple):
    """An answer to ``question`` with ``grade`` (1..4) on study ``day``."""

    question: str
    grade: int
    day: int


class Review(NamedTuple):
    """A grade and the study days since the answer before it (0 for the first one)."""

    grade: int
    elapsed_days: int


class Item(NamedTuple):
    """What was answered to ``question`` so far; the last of ``reviews`` is the one to predict."""

    question: str
    reviews: tuple[Review, ...]

    @property
    def recalled(self) -> bool:
        return self.reviews[-1].grade != fsrs.AGAIN


def items(answers: Iterable[Answer]) -> list[Item]:
    """The items of ``answers``, in their order. The answers of one question must be in the order of time."""
    last_day: dict[str, int] = {}
    histories: dict[str, tuple[Review, ...]] = {}
    result = []
    for question, grade, day in answers:
        before = histories.get(question, ())
        elapsed = elapsed_days(last_day[question], day) if before else 0
        reviews = histories[question] = (*before, Review(grade, elapsed))
        last_day[question] = day
        if elapsed >= 1:
            result.append(Item(question, reviews))
    return result


def memory_after(reviews: Sequence[Review], w: Weights, memory: Memory | None = None) -> Memory | None:
    """The memory that ``reviews`` leave, from ``memory`` on (None: from the first answer on)."""
    for grade, elapsed in reviews:
        memory = fsrs.first(grade, w) if memory is None else fsrs.after(memory, grade, elapsed, w)
    return memory


def predictions(chosen: Iterable[Item], w: Weights) -> list[float]:
    """The probability of recall that FSRS-6 with weights ``w`` gives to each item, from what came before it only."""
    known: dict[str, tuple[int, Memory | None]] = {}
    result = []
    for question, reviews in chosen:
        done, memory = known.get(question, (0, None))
        upto = len(reviews) - 1
        if done > upto:
            done, memory = 0, None
        memory = memory_after(reviews[done:upto], w, memory)
        if memory is None:
            raise ValueError(f"{question}: the first answer cannot be predicted")
        known[question] = (upto, memory)
        result.append(fsrs.retrievability(reviews[-1].elapsed_days, memory.stability, w))
    return result


class Split(NamedTuple):
    """``train`` is the past of ``test``."""

    train: list[Item]
    test: list[Item]


def time_splits(chosen: Sequence[Item], count: int = 5) -> list[Split]:
    """``count`` splits of items in order of time: the k-th part but one is tested by what lies before it.

    The parts have equal lengths, the rest goes to the first training part (scikit-learn's TimeSeriesSplit).
    """
    size = len(chosen) // (count + 1)
    if size == 0:
        return []
    start = len(chosen) - count * size
    cuts = [start + k * size for k in range(count)]
    return [Split(list(chosen[:cut]), list(chosen[cut : cut + size])) for cut in cuts]
