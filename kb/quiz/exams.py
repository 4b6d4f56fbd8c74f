"""Exams: planning one, what is to be expected of it, and what it asks of a sitting."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

from kb.errors import UnknownName, UsageError
from kb.memory.days import Moment, iso_date
from kb.memory.scheduler import RETENTION_RANGE
from kb.store.exams import Exam

if TYPE_CHECKING:
    from kb.knowledge.library import Library
    from kb.memory.exam import ExamPlan, Preparation
    from kb.store.events import Event
    from kb.store.store import Store

LONGEST_DAYS = 1_095
"""So far ahead an exam may lie: three years."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """An exam and what its plan comes to; ``foreign`` are those of its topics that have no cards here."""

    exam: Exam
    plan: ExamPlan
    known: int  # questions that were answered and are not suspended
    new: int
    foreign: tuple[str, ...]

    @property
    def days_left(self) -> int:
        return self.plan.exam_day - self.plan.today


class Over(NamedTuple):
    """An exam whose day has come or passed, and the mean recall that the model gave its ``known`` questions then."""

    exam: Exam
    known: int
    recall: float | None


def covered(library: Library, store: Store, names: Sequence[str]) -> tuple[str, ...]:
    """The topics that are meant by ``names``, with what they include; those of imported logs may be among them."""
    found: dict[str, None] = {}
    for name in names:
        is_foreign = name not in library.names() and bool(store.seen(name))
        found.update(dict.fromkeys([name] if is_foreign else library.expand([name])))
    return tuple(found)


def propose(
    library: Library, store: Store, now: Moment, day: int, names: Sequence[str], wanted: float, name: str | None = None
) -> Outlook:
    """The plan for an exam on study day ``day`` over the topics ``names``. Nothing is stored."""
    from kb.memory import exam

    today = store.study_day(now)
    low, high = RETENTION_RANGE
    if not low <= wanted <= high:
        raise UsageError(f"the recall at an exam must be from {low} to {high}, not {wanted:g}")
    if day <= today:
        when = "today" if day == today else f"over: today is {iso_date(today)}"
        raise UsageError(f"an exam on {iso_date(day)} is {when}", cure="name a day after today")
    if day - today > LONGEST_DAYS:
        raise UsageError(f"{iso_date(day)} is {day - today:,} days ahead", cure=f"plan at most {LONGEST_DAYS:,} days")
    topics = covered(library, store, names)
    prepared, new = _prepare(library, store, topics, today, day, wanted)
    if not prepared.states and not new:
        raise UsageError(f"there is no question in {', '.join(names)}", cure="see: kb topics")
    found = exam.plan(prepared)
    called = name or "+".join(dict.fromkeys(names))
    planned = Exam(called, day, wanted, found.floor, topics, "")
    return Outlook(planned, found, len(prepared.states), new, _foreign(library, topics))


def outlook(library: Library, store: Store, now: Moment, exam: Exam) -> Outlook:
    """What is to be expected of an exam that is planned, as it looks now."""
    prepared, new = _prepare(library, store, exam.topics, store.study_day(now), exam.day, exam.wanted)
    return Outlook(exam, prepared.follow(exam.floor), len(prepared.states), new, _foreign(library, exam.topics))


def decide(store: Store, now: Moment, proposal: Outlook) -> Event:
    """Put the plan in force; a plan of the same name gives way to it."""
    name, day, wanted, floor, topics, _ = proposal.exam
    data = {"name": name, "day": day, "wanted": wanted, "floor": floor, "topics": list(topics)}
    return store.append("exam", now, data=data)


def drop(store: Store, now: Moment, name: str) -> Exam:
    """Take the plan ``name`` out of force."""
    planned = {exam.name: exam for exam in store.exams()}
    if name not in planned:
        raise UnknownName("exam", name, planned, listing=f"there are: {', '.join(planned) or 'none'}")
    store.append("exam", now, data={"name": name, "day": None})
    return planned[name]


def end_those_over(store: Store, now: Moment) -> list[Over]:
    """The exams whose day has come since they were last looked at. They leave the list: each is told once."""
    today = store.study_day(now)
    ended = []
    for exam in store.exams():
        if exam.day <= today:
            ended.append(_over(store, exam))
            store.append("exam-over", now, data={"name": exam.name, "exam": exam.event})
    return ended


def say_over(over: Over, now_day: int) -> str:
    """The end of an exam in a sentence."""
    when = "is today" if over.exam.day == now_day else f"was on {iso_date(over.exam.day)}"
    recall = ""
    if over.recall is not None:
        recall = f", with an expected recall of {over.recall:.0%} ({over.exam.wanted:.0%} wanted)"
    return f"the exam {over.exam.name} {when}{recall}; its questions follow the usual schedule again"


def _over(store: Store, exam: Exam) -> Over:
    """Recall on the day by the answers before it."""
    from kb.memory import fsrs, history
    from kb.store import answers

    reviews: dict[str, list[history.Review]] = {}
    last: dict[str, int] = {}
    for question, grade, day in answers.read(store.home, exam.topics):
        if day < exam.day:
            elapsed = max(day - last.get(question, day), 0)
            reviews.setdefault(question, []).append(history.Review(grade, elapsed))
            last[question] = day
    total = 0.0
    for question, past in reviews.items():
        weights = store.scheduler(question).weights
        memory = history.memory_after(past, weights)
        assert memory is not None
        total += fsrs.retrievability(exam.day - last[question], memory.stability, weights)
    return Over(exam, len(reviews), total / len(reviews) if reviews else None)


def _prepare(
    library: Library, store: Store, topics: Sequence[str], today: int, day: int, wanted: float
) -> tuple[Preparation, int]:
    from kb.memory.exam import Preparation

    cards = [name for name in library.questions() if name.partition("/")[0] in set(topics)]
    rows = store.states(dict.fromkeys([*cards, *store.seen(*topics)]))
    known = {name: row.state for name, row in rows.items() if row.state is not None and not row.suspended}
    new = sum(name not in rows or (rows[name].state is None and not rows[name].suspended) for name in cards)
    schedulers = {topic: store.scheduler(f"{topic}/") for topic in topics}
    first, *others = schedulers.values()
    of = (lambda name: schedulers[name.partition("/")[0]]) if any(one != first for one in others) else None
    usual = store.settings.new_per_day
    return Preparation(known, first, today, day, wanted, new, usual, of), new


def _foreign(library: Library, topics: Iterable[str]) -> tuple[str, ...]:
    return tuple(topic for topic in topics if topic not in library.names())


# --- in a sitting --------------------------------------------------------------------------------------------------


class Demand:
    """What the exams ahead ask of study day ``day``: questions before their day, and new ones at a pace."""

    def __init__(self, store: Store, day: int) -> None:
        self._store, self._day = store, day
        self.exams = [exam for exam in store.exams() if exam.day > day]
        self.asked = store.asked(day) if self.exams else set()
        self.topics = {topic for exam in self.exams for topic in exam.topics}

    def first(self, new: Sequence[str]) -> list[str]:
        """Those of the ``new`` questions that belong to an exam, of the next exam first."""
        result: dict[str, None] = {}
        for exam in self.exams:
            result.update(dict.fromkeys(name for name in new if _topic(name) in exam.topics))
        return list(result)

    def new_today(self, new: Sequence[str]) -> int:
        """How many of the ``new`` questions are to be met today, so that the last one is met in time to be asked again.

        What was met today counts; of several exams the one that asks for most decides.
        """
        most = 0
        for exam in self.exams:
            unseen = sum(_topic(name) in exam.topics for name in new)
            met = sum(self._store.day_counts(self._day, topic).introduced for topic in exam.topics) if unseen else 0
            pace = ceil((unseen + met) / max(1, (exam.day - self._day) * 4 // 5))
            most = max(most, min(pace - met, unseen))
        return most


def _topic(name: str) -> str:
    return name.partition("/")[0]
