"""From the log to the state: a pure fold over the events of one question in the order of their ids.

The memory (stability, difficulty) is computed from grades and study days with the weights in force; the schedule
(phase, step, due) is what the log says was promised. So the same log and the same weights give the same bits, whatever
the settings are today, on whichever device, and in whatever order the events arrived.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from kb.memory import fsrs
from kb.memory.days import elapsed_days
from kb.memory.scheduler import State
from kb.store.events import Event

MATURE_DAYS = 21
"""The interval from which a memory is called mature, as Anki does."""


class Progress(NamedTuple):
    """Where a question stands: ``state`` is None while it is new; ``buried_until`` is a study day."""

    state: State | None = None
    suspended: bool = False
    buried_until: int | None = None

    def is_held(self, day: int) -> bool:
        """Whether the question is set aside on study day ``day``."""
        return self.suspended or (self.buried_until is not None and day < self.buried_until)

    @property
    def load_day(self) -> int | None:
        """The day on which the question adds to the load, if it does."""
        if self.suspended or self.state is None or self.state.phase != "review":
            return None
        return self.state.due_day


NEW = Progress()


class Tally(NamedTuple):
    """What one answer adds to its day and topic; the columns of the rollups."""

    answers: int = 0
    again: int = 0
    hard: int = 0
    good: int = 0
    easy: int = 0
    correct: int = 0
    introduced: int = 0
    reviews: int = 0
    retained: int = 0
    mature: int = 0
    mature_retained: int = 0
    crammed: int = 0
    took_ms: int = 0


Key = tuple[int, str]  # study day, topic
Tallies = dict[Key, list[int]]


def topic_of(question: str) -> str:
    """The topic of the question ``topic/id``."""
    return question.partition("/")[0]


def step(progress: Progress, event: Event, weights: fsrs.Weights) -> Progress:
    """``progress`` after ``event``. Kinds that a newer kb may add change nothing here."""
    kind = event.kind
    if kind == "answer":
        if event.cram or event.promise is None or event.grade is None:
            return progress
        return progress._replace(state=_answered(progress.state, event, event.grade, weights))
    if kind == "reset":
        return progress._replace(state=None)
    if kind in ("suspend", "unsuspend"):
        return progress._replace(suspended=kind == "suspend")
    if kind == "bury":
        until = (event.data or {}).get("until_day", event.day + 1)
        return progress._replace(buried_until=until)
    if kind == "unbury":
        return progress._replace(buried_until=None)
    return progress


def _answered(before: State | None, event: Event, grade: int, weights: fsrs.Weights) -> State:
    assert event.promise is not None
    phase, step_done, due_ms, due_day = event.promise
    if before is None:
        memory, reps, lapses = fsrs.first(grade, weights), 0, 0
    else:
        elapsed = elapsed_days(before.last_day, event.day)
        memory, reps, lapses = fsrs.after(before.memory, grade, elapsed, weights), before.reps, before.lapses
        lapses += before.phase == "review" and grade == fsrs.AGAIN
    return State(
        *(phase, step_done, *memory, due_ms, due_day),  # type: ignore[arg-type]
        *(event.at_ms, event.day, reps + 1, lapses),
    )


def tally(before: Progress, event: Event) -> Tally | None:
    """What ``event`` adds to its day, given where the question stood ``before``; None for what is no answer."""
    if event.kind != "answer":
        return None
    took_ms = event.took_ms or 0
    if event.cram:
        return Tally(crammed=1, took_ms=took_ms)
    grade, state = event.grade, before.state
    review = state is not None and state.phase == "review"
    mature = state is not None and review and state.interval_days >= MATURE_DAYS
    passed = grade != fsrs.AGAIN
    return Tally(
        answers=1,
        again=int(grade == fsrs.AGAIN),
        hard=int(grade == fsrs.HARD),
        good=int(grade == fsrs.GOOD),
        easy=int(grade == fsrs.EASY),
        correct=int(event.correct is True),
        introduced=int(state is None),
        reviews=int(review),
        retained=int(review and passed),
        mature=int(mature),
        mature_retained=int(mature and passed),
        took_ms=took_ms,
    )


def fold(events: Iterable[Event], weights: fsrs.Weights, tallies: Tallies | None = None) -> Progress:
    """Where a question stands after ``events`` (its own, ordered, without those undone).

    ``tallies``, if given, gets what they add to each day.
    """
    progress = NEW
    for event in events:
        if tallies is not None:
            add(tallies, event, tally(progress, event))
        progress = step(progress, event, weights)
    return progress


def add(tallies: Tallies, event: Event, amount: Tally | None, sign: int = 1) -> None:
    """Add (or with ``sign`` -1 take away) what ``event`` counts for."""
    if amount is None or event.question is None:
        return
    total = tallies.setdefault((event.day, topic_of(event.question)), [0] * len(amount))
    for place, value in enumerate(amount):
        total[place] += sign * value


def load_of(progresses: Iterable[Progress]) -> Counter[int]:
    """How many questions fall due on each day."""
    return Counter(day for progress in progresses if (day := progress.load_day) is not None)
