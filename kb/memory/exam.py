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
from kb.memory.forecast import AskDay, Forecast, SchedulerOf, forecast
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


@dataclass(frozen=True, slots=True)
class Preparation:
    """What is known of an exam's questions when the days from ``today`` to the one before ``exam_day`` are looked at.

    ``new`` questions besides those of ``states`` have never been answered; the schedule introduces
    ``usual_new_per_day``. ``scheduler_of`` tells the scheduler of a known question where they differ.
    """

    states: Mapping[str, State]
    scheduler: Scheduler
    today: int
    exam_day: int
    wanted: float = 0.9
    new: int = 0
    usual_new_per_day: int = 20
    scheduler_of: SchedulerOf | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.length < 1:
            raise UsageError(f"the exam must be after today, not on {days.iso_date(self.exam_day)}")
        check_retention(self.wanted)

    @property
    def length(self) -> int:
        return self.exam_day - self.today

    @property
    def new_per_day(self) -> int:
        """The pace at which even the last new question is met in the first four fifths of the time, to be asked again.

        It is never slower than the usual one.
        """
        return max(ceil(self.new / max(1, self.length * 4 // 5)), self.usual_new_per_day) if self.new else 0

    def usual(self) -> Forecast:
        """What the usual schedule comes to."""
        return self._forecast(self.usual_new_per_day)

    def with_floor(self, floor: float | None) -> Forecast:
        """What comes of it if every question is to be at the ``floor``."""
        return self._forecast(self.new_per_day, ask_day=None if floor is None else partial(self._ask, floor=floor))

    def with_retention(self, retention: float | None) -> Forecast:
        """What the schedule alone would come to with another desired retention."""
        return self._forecast(self.new_per_day, retention=retention)

    def _forecast(self, pace: int, retention: float | None = None, ask_day: AskDay | None = None) -> Forecast:
        return forecast(
            self.states,
            self.scheduler,
            self.today,
            self.length,
            retention=retention,
            new=self.new,
            new_per_day=pace,
            ask_day=ask_day,
            scheduler_of=self.scheduler_of,
            seed=self.seed,
        )

    def _of(self, key: str) -> Scheduler:
        return self.scheduler if self.scheduler_of is None or key not in self.states else self.scheduler_of(key)

    def _ask(self, key: str, state: State, floor: float) -> int:
        return next_ask(key, state, self.exam_day, floor, self._of(key))

    def recall_now(self) -> float:
        """The mean recall on the day if nothing is asked until then; new questions count 0. NaN without any."""
        total = len(self.states) + self.new
        chances = (_recall(state, self.exam_day, self._of(key)) for key, state in self.states.items())
        return sum(chances) / total if total else float("nan")

    def follow(self, floor: float | None, retention: float | None = None) -> ExamPlan:
        """The plan with this ``floor``, as it looks from today."""
        asks = {
            key: state.due_day if floor is None else self._ask(key, state, floor) for key, state in self.states.items()
        }
        return ExamPlan(
            today=self.today,
            exam_day=self.exam_day,
            wanted=self.wanted,
            recall_now=self.recall_now(),
            usual=self.usual(),
            planned=self.with_floor(floor),
            floor=floor,
            new_per_day=self.new_per_day,
            asks={key: max(day, self.today) for key, day in asks.items()},
            retention=retention,
        )


def plan(preparation: Preparation) -> ExamPlan:
    """The plan that reaches the wanted recall with the lowest floor; if none does, the one with the highest."""
    floor = _least(lambda floor: preparation.with_floor(floor).recall >= preparation.wanted, (None, *_STEPS))
    if floor is _NEVER:
        floor = _STEPS[-1]
    retention = _least(lambda retention: preparation.with_retention(retention).recall >= preparation.wanted, _STEPS[2:])
    return preparation.follow(floor, None if retention is _NEVER else retention)


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
