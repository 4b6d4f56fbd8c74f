"""When to ask again: FSRS-6 memory, steps within the day, intervals in study days, fuzz that keeps grades in order.

``Scheduler.review`` is pure: a state, a grade and a moment give the next state, always the same one. It knows no clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import floor, isfinite
from typing import ClassVar, Literal, NamedTuple, Protocol

from kb.errors import UsageError
from kb.memory import days, fsrs
from kb.memory.days import Moment
from kb.memory.fsrs import AGAIN, DEFAULT_WEIGHTS, EASY, GOOD, GRADES, HARD, Memory, Weights

Phase = Literal["learning", "review", "relearning"]

RETENTION_RANGE = (0.5, 0.99)
_DAY_SECONDS = 86_400


class State(NamedTuple):
    """What the schedule knows of a question that has been answered; a new question has no State.

    ``step`` counts the steps done in learning and relearning (0 in review); ``due_ms`` and ``last_ms`` are UTC
    milliseconds, ``due_day`` and ``last_day`` study days; ``lapses`` counts the failures in review.
    """

    phase: Phase
    step: int
    stability: float
    difficulty: float
    due_ms: int
    due_day: int
    last_ms: int
    last_day: int
    reps: int
    lapses: int

    @property
    def memory(self) -> Memory:
        return Memory(self.stability, self.difficulty)

    @property
    def interval_days(self) -> int:
        """Study days from the last answer to the due day."""
        return self.due_day - self.last_day


class Balancer(Protocol):
    """Chooses a day within the fuzz range by what already lies on each day (``kb.memory.load.Load``)."""

    def pick(self, today: int, low: int, high: int, u: float) -> int:
        """An interval in days from ``low`` to ``high``, drawn by ``u`` in [0, 1)."""


@dataclass(frozen=True, slots=True)
class Scheduler:
    """FSRS-6 with steps. Steps are in seconds, intervals in study days; see each check for the limits."""

    weights: Weights = DEFAULT_WEIGHTS
    desired_retention: float = 0.9
    learning_steps: Sequence[float] = (60, 600)
    relearning_steps: Sequence[float] = (600,)
    maximum_interval_days: int = 36_500
    fuzz: bool = True
    rollover_hour: int = days.ROLLOVER_HOUR

    name: ClassVar[str] = "fsrs-6"

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", fsrs.check_weights(self.weights))
        check_retention(self.desired_retention)
        for name in ("learning_steps", "relearning_steps"):
            steps = tuple(getattr(self, name))
            if not all(isfinite(step) and step > 0 for step in steps):
                raise UsageError(f"{name} must be seconds above 0, not {steps}")
            object.__setattr__(self, name, steps)
        if not 1 <= self.maximum_interval_days <= 36_500:
            raise UsageError(f"maximum_interval_days must be from 1 to 36500, not {self.maximum_interval_days}")
        if not 0 <= self.rollover_hour <= 23:
            raise UsageError(f"rollover_hour must be from 0 to 23, not {self.rollover_hour}")

    def review(
        self,
        state: State | None,
        grade: int,
        moment: Moment,
        key: str = "",
        retention: float | None = None,
        load: Balancer | None = None,
    ) -> State:
        """The state after an answer with ``grade`` (1..4) at ``moment``; ``state`` is None for a new question.

        ``key`` (the question's stable name) and the count of answers seed the fuzz. ``retention`` overrides the desired
        retention; ``load`` chooses the day within the fuzz range by what lies on it already.
        """
        if grade not in GRADES:
            raise UsageError(f"a grade is 1 (Again), 2 (Hard), 3 (Good) or 4 (Easy), not {grade!r}")
        return self._outcomes(state, grade, moment, key, retention, load, alone=True)[grade]

    def preview(
        self,
        state: State | None,
        moment: Moment,
        key: str = "",
        retention: float | None = None,
        load: Balancer | None = None,
    ) -> dict[int, State]:
        """The four states that the four grades would give: exactly those that ``review`` gives then."""
        return self._outcomes(state, EASY, moment, key, retention, load)

    def adopt(self, state: State) -> State:
        """A state that FSRS-6 has made, as this scheduler goes on from it."""
        return state

    def retrievability(self, state: State, moment: Moment) -> float:
        """The probability of recall at ``moment``, by study days as in ``review``."""
        elapsed = days.elapsed_days(state.last_day, days.study_day(moment, self.rollover_hour))
        return fsrs.retrievability(elapsed, state.stability, self.weights)

    def _outcomes(
        self,
        state: State | None,
        up_to: int,
        moment: Moment,
        key: str,
        retention: float | None,
        load: Balancer | None,
        alone: bool = False,
    ) -> dict[int, State]:
        """The outcomes of the grades from Again to ``up_to``; each pass is due after the pass below it.

        ``alone`` leaves out those below that have no say in the last one: a step of today holds no interval back.
        """
        wanted = self.desired_retention if retention is None else check_retention(retention)
        today = days.study_day(moment, self.rollover_hour)
        elapsed = 0 if state is None else days.elapsed_days(state.last_day, today)
        reps = 0 if state is None else state.reps
        lapses = 0 if state is None else state.lapses
        previous = state.interval_days if state is not None and state.phase == "review" else 0
        u = uniform(key, reps) if self.fuzz else None

        outcomes: dict[int, State] = {}
        at_least = 1
        for grade in range(AGAIN, up_to + 1):
            phase, step, delay = self._step(state, grade)
            if alone and delay is not None and grade < up_to:
                continue
            memory = self._remember(state, grade, elapsed)
            lapsed = state is not None and state.phase == "review" and grade == AGAIN
            if delay is not None:
                due_ms = moment.at_ms + round(delay * 1000)
                due_day = days.study_day(Moment(due_ms, moment.offset_minutes), self.rollover_hour)
            else:
                interval = self._interval(memory.stability, wanted, at_least, previous, today, u, load)
                due_day = today + interval
                due_ms = days.day_start_ms(due_day, moment.offset_minutes, self.rollover_hour)
                at_least = interval if grade == AGAIN else interval + 1
            outcomes[grade] = State(
                phase, step, *memory, due_ms, due_day, moment.at_ms, today, reps + 1, lapses + lapsed
            )
        return outcomes

    def _remember(self, state: State | None, grade: int, elapsed: int) -> Memory:
        if state is None:
            return fsrs.first(grade, self.weights)
        return fsrs.after(state.memory, grade, elapsed, self.weights)

    def _step(self, state: State | None, grade: int) -> tuple[Phase, int, float | None]:
        """The phase, the step, and the seconds until the question comes back; None means an interval in days."""
        review: tuple[Phase, int, float | None] = ("review", 0, None)
        if state is not None and state.phase == "review":
            if grade != AGAIN or not self.relearning_steps:
                return review
            return "relearning", 0, self.relearning_steps[0]
        phase: Phase = "learning" if state is None else state.phase
        steps = self.learning_steps if phase == "learning" else self.relearning_steps
        # the steps may have been shortened in the settings since the state was made
        step = 0 if state is None else min(state.step, len(steps) - 1)
        if not steps or grade == EASY or (grade == GOOD and step + 1 >= len(steps)):
            return review
        if grade == AGAIN:
            return phase, 0, steps[0]
        if grade == HARD:
            return phase, step, _hard_delay(steps, step)
        return phase, step + 1, steps[step + 1]

    def _interval(
        self,
        stability: float,
        retention: float,
        at_least: int,
        previous: int,
        today: int,
        u: float | None,
        load: Balancer | None,
    ) -> int:
        """Whole study days: the model's interval, fuzzed, from ``at_least`` on and, if it grew, above ``previous``."""
        highest = self.maximum_interval_days
        ideal = min(fsrs.interval_days(retention, stability, self.weights), highest)
        if _round(ideal) > previous:
            at_least = max(at_least, previous + 1)
        at_least = min(at_least, highest)
        ideal = max(ideal, at_least)
        if u is None:
            return min(_round(ideal), highest)
        low, high = fuzz_range(ideal, at_least, highest)
        if load is not None:
            return load.pick(today, low, high, u)
        return low + floor(u * (high - low + 1))


def fuzz_range(interval: float, lowest: int, highest: int) -> tuple[int, int]:
    """The shortest and the longest interval, in whole days, that fuzz may make of ``interval``.

    No fuzz below 2.5 days; from there ± 1 day and 15 % of the part up to 7 days, 10 % of that up to 20, 5 % beyond.
    """
    if interval < 2.5:
        delta = 0.0
    else:
        delta = 1.0 + 0.15 * (min(interval, 7.0) - 2.5)
        delta += 0.10 * max(min(interval, 20.0) - 7.0, 0.0) + 0.05 * max(interval - 20.0, 0.0)
    low, high = _round(interval - delta), _round(interval + delta)
    return min(max(low, lowest), highest), min(max(high, lowest), highest)


def check_retention(retention: float) -> float:
    """``retention`` if it can be wanted, else UsageError."""
    low, high = RETENTION_RANGE
    if not low <= retention <= high:
        raise UsageError(f"the desired retention must be from {low} to {high}, not {retention:g}")
    return retention


def _hard_delay(steps: Sequence[float], step: int) -> float:
    """Hard repeats its step, but for the first one, which would be Again's: halfway to Good, or half as long again."""
    if step > 0:
        return steps[step]
    if len(steps) > 1:
        return (steps[0] + steps[1]) / 2
    return min(steps[0] * 1.5, steps[0] + _DAY_SECONDS)


def uniform(key: str, reps: int) -> float:
    """A number in [0, 1) that depends on the question and its count of answers only, on every machine."""
    digest = blake2b(f"{key}\0{reps}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def _round(value: float) -> int:
    """To the nearest whole number, halves upwards (Python's round goes to the even one)."""
    return floor(value + 0.5)
