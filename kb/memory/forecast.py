"""What the coming days bring: how many questions come back each day, and what will be recalled.

The future is drawn from the model's own beliefs: each review is recalled with the probability that FSRS gives it, a
recalled one counts as Good, and the schedule goes on from there. The same seed gives the same future.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from kb.memory import days, fsrs, history
from kb.memory.days import DAY_MS, HOUR_MS, Moment
from kb.memory.fsrs import AGAIN, GOOD, Weights
from kb.memory.history import Answer
from kb.memory.learners import FIRST_GRADES
from kb.memory.scheduler import Scheduler, State

SchedulerOf = Callable[[str], Scheduler]
"""The scheduler of a question, where they differ."""

AskDay = Callable[[str, State], int]
"""The study day on which a question is to be asked again."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Counts by day, from ``first_day`` on, and the recall at the end.

    ``due`` is what is due as things stand (what is overdue lies on the first day), ``reviews`` what will be asked, with
    all that follows from it. ``recall`` is the mean probability of recall on the day after the last; questions that are
    still new then count 0. Without any question it is NaN.
    """

    first_day: int
    due: tuple[int, ...]
    reviews: tuple[int, ...]
    recall: float


def due_counts(states: Iterable[State], today: int, length: int) -> tuple[int, ...]:
    """How many of ``states`` fall due on each of ``length`` days; what is overdue counts for today."""
    counts = [0] * length
    for state in states:
        place = max(state.due_day - today, 0)
        if place < length:
            counts[place] += 1
    return tuple(counts)


def forecast(
    states: Mapping[str, State],
    scheduler: Scheduler,
    today: int,
    length: int = 30,
    *,
    retention: float | None = None,
    new: int = 0,
    new_per_day: int = 0,
    ask_day: AskDay | None = None,
    scheduler_of: SchedulerOf | None = None,
    seed: int = 0,
) -> Forecast:
    """``length`` days from ``today`` on.

    ``new`` questions are introduced at ``new_per_day``. ``retention`` replaces the desired retention of the scheduler,
    ``ask_day`` the due day, ``scheduler_of`` the scheduler of the known questions.
    """
    reviews = [0] * length
    end = today + length
    known = 0.0

    def go_on(key: str, state: State, draw: random.Random, scheduler: Scheduler) -> float:
        """Draw the future of one question; the probability of recall at the end."""
        while (day := max(ask_day(key, state) if ask_day else state.due_day, today)) < end:
            if day <= state.last_day:  # asked on this day already, in the drawn future or in life
                day = state.last_day + 1
                if day >= end:
                    break
            reviews[day - today] += 1
            recall = fsrs.retrievability(days.elapsed_days(state.last_day, day), state.stability, scheduler.weights)
            grade = GOOD if draw.random() < recall else AGAIN
            state = _settled(state, grade, day, key, scheduler, retention)
        return fsrs.retrievability(days.elapsed_days(state.last_day, end), state.stability, scheduler.weights)

    for key, state in states.items():
        known += go_on(key, state, random.Random(f"{seed}/{key}"), scheduler_of(key) if scheduler_of else scheduler)
    for place in range(min(new, new_per_day * length)):
        key = f"new/{place}"
        draw = random.Random(f"{seed}/{key}")
        grade = draw.choices(fsrs.GRADES, FIRST_GRADES)[0]
        state = _settled(None, grade, today + place // new_per_day, key, scheduler, retention)
        known += go_on(key, state, draw, scheduler)
    total = len(states) + new
    return Forecast(
        today, due_counts(states.values(), today, length), tuple(reviews), known / total if total else float("nan")
    )


def _settled(
    state: State | None, grade: int, day: int, key: str, scheduler: Scheduler, retention: float | None
) -> State:
    """``state`` after an answer on ``day`` and, if it starts steps, a Good for each of them."""
    moment = Moment(day * DAY_MS + 12 * HOUR_MS, 0)
    state = scheduler.review(state, grade, moment, key, retention)
    while state.phase != "review":
        state = scheduler.review(state, GOOD, moment, key, retention)
    return state


class Change(NamedTuple):
    """The days ahead as the weights in force see them, and as others do."""

    before: Forecast
    after: Forecast


def of_change(
    states: Mapping[str, State],
    answers: Sequence[Answer],
    before: Scheduler,
    weights: Weights,
    today: int,
    length: int = 30,
    *,
    seed: int = 0,
) -> Change:
    """What it does to the days ahead to take ``weights`` instead of those of the scheduler ``before``.

    Due days stay as promised, what follows from them changes. Each forecast is drawn from its own weights' beliefs.
    """
    after = replace(before, weights=weights)
    seen = reweighted(states, answers, weights)
    return Change(forecast(states, before, today, length, seed=seed), forecast(seen, after, today, length, seed=seed))


def reweighted(states: Mapping[str, State], answers: Iterable[Answer], w: Weights) -> dict[str, State]:
    """``states`` with the memories that the weights ``w`` see in ``answers``; due days stay as promised."""
    reviews: dict[str, list[history.Review]] = {}
    last: dict[str, int] = {}
    for question, grade, day in answers:
        elapsed = days.elapsed_days(last[question], day) if question in last else 0
        reviews.setdefault(question, []).append(history.Review(grade, elapsed))
        last[question] = day
    result = {}
    for key, state in states.items():
        memory = history.memory_after(reviews.get(key, ()), w)
        result[key] = state if memory is None else state._replace(**memory._asdict())
    return result
