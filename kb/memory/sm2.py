"""SM-2, the schedule before there were memory models: https://super-memory.com/english/ol/sm2.htm (Woźniak, 1990).

It is here to be compared with. Intervals are 1 day, 6 days, then the last one times the ease. The ease (2.5 at first,
never below 1.3) moves by 0.1 − (5−q)·(0.08 + (5−q)·0.02), where q is 1 for Again, 3 Hard, 4 Good, 5 Easy.
SM-2 predicts nothing; for comparison recall is taken to be 0.9^(t/interval), 90 % when it asks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple

from kb.memory import days, fsrs
from kb.memory.days import Moment
from kb.memory.fsrs import AGAIN, Memory
from kb.memory.history import Item, Review
from kb.memory.scheduler import Scheduler, State

FIRST_EASE, LOWEST_EASE = 2.5, 1.3
_LONGEST = 36_500.0
_QUALITY = {1: 1, 2: 3, 3: 4, 4: 5}


class Repetition(NamedTuple):
    """``passed`` answers in a row, the ``interval`` in days that follows, and the ``ease``."""

    passed: int = 0
    interval: float = 0.0
    ease: float = FIRST_EASE


def step(before: Repetition, grade: int) -> Repetition:
    """The repetition after an answer with ``grade``."""
    missing = 5 - _QUALITY[grade]
    ease = max(LOWEST_EASE, before.ease + 0.1 - missing * (0.08 + missing * 0.02))
    if grade == AGAIN:
        return Repetition(0, 1.0, ease)
    interval = (1.0, 6.0)[before.passed] if before.passed < 2 else before.interval * before.ease
    return Repetition(before.passed + 1, min(interval, _LONGEST), ease)


def recall(elapsed_days: float, interval: float) -> float:
    """The probability of recall that is ascribed to SM-2: 0.9^(t/interval)."""
    return float(0.9 ** (elapsed_days / interval))


def predictions(chosen: Iterable[Item], *, count_same_day: bool = True) -> list[float]:
    """The probability of recall of each item. Answers of the same day move the interval only if they are counted."""
    return [
        recall(item.reviews[-1].elapsed_days, _interval_after(item.reviews[:-1], count_same_day)) for item in chosen
    ]


def _interval_after(reviews: Sequence[Review], count_same_day: bool) -> float:
    state = Repetition()
    for index, (grade, elapsed) in enumerate(reviews):
        if index == 0 or elapsed or count_same_day:
            state = step(state, grade)
    return state.interval


class Sm2(Scheduler):
    """SM-2 with the steps and the fuzz of kb. A State keeps the interval as stability, the ease as difficulty."""

    name: ClassVar[str] = "sm-2"

    def _remember(self, state: State | None, grade: int, elapsed: int) -> Memory:
        if state is None:
            return Memory(1.0, FIRST_EASE)
        if state.phase != "review":
            return state.memory
        passed = 1 if state.stability <= 1.0 else 2
        after = step(Repetition(passed, state.stability, state.difficulty), grade)
        return Memory(max(after.interval, 1.0), after.ease)

    def adopt(self, state: State) -> State:
        """The interval stays; what ease SM-2 would have come to by now is not known: the first one."""
        return state._replace(stability=max(float(state.interval_days), 1.0), difficulty=FIRST_EASE)

    def retrievability(self, state: State, moment: Moment) -> float:
        elapsed = days.elapsed_days(state.last_day, days.study_day(moment, self.rollover_hour))
        return recall(elapsed, max(state.stability, fsrs.S_MIN))
