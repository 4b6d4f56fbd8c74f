"""Being at the wanted recall on a given day: which questions to ask once more before it, and when.

A question is asked on its usual days. If its next one lies after the exam and it would not be recalled well enough
there, it is asked once more, on one of the days from which a pass carries it there. A hash says which, so that the last
days are not heaped. The rule looks at one question's state only: it holds day by day, whatever happens meanwhile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from kb.errors import UsageError
from kb.memory import days, fsrs
from kb.memory.forecast import Forecast, expected_recall, forecast
from kb.memory.fsrs import GOOD
from kb.memory.scheduler import Scheduler, State, check_retention, uniform

_RETENTIONS = (0.70, 0.75, 0.80, 0.85, 0.90, 0.925, 0.95, 0.97, 0.98, 0.99)


@dataclass(frozen=True, slots=True)
class ExamPlan:
    """The way to ``wanted`` mean recall on ``exam_day``.

    ``recall_now`` is what would be left on that day without another answer, ``usual`` the forecast of the usual
    schedule, ``planned`` that of the plan, whose new questions come ``new_per_day`` a day. ``asks`` are the known
    questions with the day on which the plan asks each of them next. ``retention`` is the smallest desired retention
    with which the usual schedule would get there too, None if none does.
    """

    today: int
    exam_day: int
    wanted: float
    recall_now: float
    usual: Forecast
    planned: Forecast
    new_per_day: int
    asks: dict[str, int]
    retention: float | None

    @property
    def extra_reviews(self) -> int:
        """Reviews that the plan makes beyond those of the usual schedule."""
        return sum(self.planned.reviews) - sum(self.usual.reviews)

    @property
    def reached(self) -> bool:
        """Whether the forecast of the plan is at the wanted recall (to half a per cent: it is drawn by lot)."""
        return self.planned.recall >= self.wanted - 0.005

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

    def ask_day(key: str, state: State) -> int:
        return next_ask(key, state, exam_day, wanted, scheduler)

    usual = forecast(states, scheduler, today, length, new=new, new_per_day=usual_new_per_day, seed=seed)
    planned = forecast(states, scheduler, today, length, new=new, new_per_day=pace, ask_day=ask_day, seed=seed)
    retention = None
    for candidate in _RETENTIONS:
        tried = forecast(states, scheduler, today, length, retention=candidate, new=new, new_per_day=pace, seed=seed)
        if tried.recall >= wanted:
            retention = candidate
            break
    return ExamPlan(
        today=today,
        exam_day=exam_day,
        wanted=wanted,
        recall_now=expected_recall(states.values(), exam_day, scheduler.weights),
        usual=usual,
        planned=planned,
        new_per_day=pace,
        asks={key: max(ask_day(key, state), today) for key, state in states.items()},
        retention=retention,
    )


def next_ask(key: str, state: State, exam_day: int, wanted: float, scheduler: Scheduler) -> int:
    """The study day on which to ask a question next with an exam ahead: its due day, or an earlier one."""
    if state.due_day < exam_day or _recall(state, exam_day, scheduler) >= wanted:
        return state.due_day
    low, last = state.last_day + 1, exam_day - 1
    high = last
    while low < high:  # the first day on which a pass is enough; the later a pass, the higher the recall that day
        middle = (low + high) // 2
        if _after_pass(state, middle, exam_day, scheduler) >= wanted:
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
