"""Being at the wanted recall on a given day: which questions to ask once more before it, and when.

A question is asked on its usual days. If its next one lies after the exam and its recall there would be below a floor,
it is asked once more, on one of the days from which a pass carries it over the floor. A hash says which, so that the
last days are not heaped. The plan chooses the lowest floor with which the forecast of all questions is at the wanted
recall. The rule itself looks at one question's state only: it holds day by day, whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil

from kb.errors import UsageError
from kb.memory import days, fsrs
from kb.memory.forecast import Forecast, expected_recall, forecast
from kb.memory.fsrs import GOOD
from kb.memory.scheduler import Scheduler, State, check_retention, uniform

_STEPS = (0.50, 0.60, 0.70, 0.75, 0.80, 0.85, 0.875, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class ExamPlan:
    """The way to ``wanted`` mean recall on ``exam_day``.

    ``recall_now`` is what would be left on that day without another answer, ``usual`` the forecast of the usual
    schedule, ``planned`` that of the plan: every question at the ``floor`` or above (None: the usual schedule does),
    and new ones ``new_per_day`` a day. ``asks`` are the known questions with the day on which the plan asks each next.
    ``retention`` is the smallest desired retention with which the schedule alone would get there, None if none does.
    """

    today: int
    exam_day: int
    wanted: float
    recall_now: float
    usual: Forecast
    planned: Forecast
    floor: float | None
    new_per_day: int
    asks: dict[str, int]
    retention: float | None

    @property
    def extra_reviews(self) -> int:
        """Reviews that the plan makes beyond those of the usual schedule."""
        return sum(self.planned.reviews) - sum(self.usual.reviews)

    @property
    def reached(self) -> bool:
        """Whether the forecast of the plan is at the wanted recall."""
        return self.planned.recall >= self.wanted

    def asked_today(self) -> list[str]:
        """The questions that the plan asks today."""
        return sorted(key for key, day in self.asks.items() if day <= self.today)


def plan(
    states: Mapping[str, State],
    scheduler: Scheduler,
    today: int,
    exam_day: int,
    wanted: float = 0.9,
    *,
    new: int = 0,
    usual_new_per_day: int = 20,
    seed: int = 0,
) -> ExamPlan:
    """Plan the days from ``today`` to the one before ``exam_day`` for the questions of ``states`` and ``new`` others.

    New questions are spread over the first four fifths of the time, so that even the last one is asked again.
    """
    length = exam_day - today
    if length < 1:
        raise UsageError(f"the exam must be after today, not on {days.iso_date(exam_day)}")
    check_retention(wanted)
    pace = ceil(new / max(1, length * 4 // 5)) if new else 0

    def with_floor(floor: float | None) -> Forecast:
        ask_day = None if floor is None else partial(next_ask, exam_day=exam_day, floor=floor, scheduler=scheduler)
        return forecast(states, scheduler, today, length, new=new, new_per_day=pace, ask_day=ask_day, seed=seed)

    def with_retention(retention: float | None) -> Forecast:
        return forecast(states, scheduler, today, length, retention=retention, new=new, new_per_day=pace, seed=seed)

    usual = forecast(states, scheduler, today, length, new=new, new_per_day=usual_new_per_day, seed=seed)
    floor = _least(lambda floor: with_floor(floor).recall >= wanted, (None, *_STEPS))
    if floor is _NEVER:
        floor = _STEPS[-1]
    retention = _least(lambda retention: with_retention(retention).recall >= wanted, _STEPS[2:])
    asks = {
        key: state.due_day if floor is None else next_ask(key, state, exam_day, floor, scheduler)
        for key, state in states.items()
    }
    return ExamPlan(
        today=today,
        exam_day=exam_day,
        wanted=wanted,
        recall_now=expected_recall(states.values(), exam_day, scheduler.weights),
        usual=usual,
        planned=with_floor(floor),
        floor=floor,
        new_per_day=pace,
        asks={key: max(day, today) for key, day in asks.items()},
        retention=None if retention is _NEVER else retention,
    )


_NEVER = float("inf")


def _least(enough: Callable[[float | None], bool], steps: Sequence[float | None]) -> float | None:
    """The first of ``steps`` that is enough, each being enough if one before it is; _NEVER if none is."""
    low, high = 0, len(steps)
    while low < high:
        middle = (low + high) // 2
        if enough(steps[middle]):
            high = middle
        else:
            low = middle + 1
    return steps[low] if low < len(steps) else _NEVER


def next_ask(key: str, state: State, exam_day: int, floor: float, scheduler: Scheduler) -> int:
    """The study day on which to ask a question next with an exam ahead: its due day, or an earlier one."""
    if state.due_day < exam_day or _recall(state, exam_day, scheduler) >= floor:
        return state.due_day
    low, last = state.last_day + 1, exam_day - 1
    high = last
    while low < high:  # the first day on which a pass is enough; the later a pass, the higher the recall that day
        middle = (low + high) // 2
        if _after_pass(state, middle, exam_day, scheduler) >= floor:
            high = middle
        else:
            low = middle + 1
    return min(low, last) + int(uniform(key, state.reps) * max(last - low + 1, 0))


def _recall(state: State, day: int, scheduler: Scheduler) -> float:
    return fsrs.retrievability(days.elapsed_days(state.last_day, day), state.stability, scheduler.weights)


def _after_pass(state: State, day: int, exam_day: int, scheduler: Scheduler) -> float:
    """Recall on ``exam_day`` after a Good answer on ``day``."""
    elapsed = days.elapsed_days(state.last_day, day)
    stability = fsrs.after(state.memory, GOOD, elapsed, scheduler.weights).stability
    return fsrs.retrievability(exam_day - day, stability, scheduler.weights)
