"""How memory is doing, from the rollups: what was answered, what was retained, what is coming.

Nothing here reads the log, so the cost does not grow with the number of answers.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any, NamedTuple

from kb.memory.days import iso_date
from kb.store import connection, faults
from kb.store.fold import MATURE_DAYS, Tally

WINDOWS = {"today": 1, "week": 7, "month": 30, "year": 365}
"""The spans of study days, today included, over which retention is told; "all" is added."""
FORECAST_DAYS = 30


class Retention(NamedTuple):
    """True retention: of the answers given in the review phase, those that passed (grade 2 to 4).

    ``mature`` are those after an interval of 21 days or more; the others are young.
    """

    reviews: int
    retained: int
    mature: int
    mature_retained: int

    @property
    def rate(self) -> float | None:
        """The share retained; None without any review."""
        return self.retained / self.reviews if self.reviews else None

    @property
    def young_rate(self) -> float | None:
        """The share retained of the young ones."""
        young = self.reviews - self.mature
        return (self.retained - self.mature_retained) / young if young else None

    @property
    def mature_rate(self) -> float | None:
        """The share retained of the mature ones."""
        return self.mature_retained / self.mature if self.mature else None

    def as_json(self) -> dict[str, Any]:
        """The retention with its rates."""
        rates = {"rate": self.rate, "young_rate": self.young_rate, "mature_rate": self.mature_rate}
        return {**self._asdict(), **{name: None if rate is None else round(rate, 6) for name, rate in rates.items()}}


class Streak(NamedTuple):
    """Days in a row with an answer: up to today (or yesterday, while today has none yet), and the longest ever."""

    current: int
    longest: int
    days: int


class Questions(NamedTuple):
    """How many questions have been answered, and where they stand."""

    seen: int
    learning: int
    young: int
    mature: int
    suspended: int


class Statistics(NamedTuple):
    """All of it. ``days`` has every study day with an answer in order, ``topics`` every topic that has one."""

    day: int
    questions: Questions
    total: Tally
    days: dict[int, Tally]
    topics: dict[str, Tally]
    overdue: int
    forecast: list[int]
    streak: Streak

    @property
    def today(self) -> Tally:
        """What was done today."""
        return self.days.get(self.day, Tally())

    def retention(self) -> dict[str, Retention]:
        """True retention over each of WINDOWS, and over "all"."""
        spans = {
            name: _sum(self.days[day] for day in self.days if 0 <= self.day - day < n) for name, n in WINDOWS.items()
        }
        return {name: retention_of(tally) for name, tally in {**spans, "all": self.total}.items()}

    def as_json(self) -> dict[str, Any]:
        """What ``kb stats --json`` prints."""
        return {
            "day": iso_date(self.day),
            "questions": self.questions._asdict(),
            "answers": {"today": _answers(self.today), "all": _answers(self.total)},
            "retention": {name: value.as_json() for name, value in self.retention().items()},
            "overdue": self.overdue,
            "forecast": [{"day": iso_date(self.day + n), "due": due} for n, due in enumerate(self.forecast)],
            "streak": self.streak._asdict(),
            "days": [{"day": iso_date(day), **_answers(tally)} for day, tally in self.days.items()],
            "topics": {
                name: {**_answers(tally), "retention": retention_of(tally).as_json()}
                for name, tally in self.topics.items()
            },
        }


def retention_of(tally: Tally) -> Retention:
    """The retention in a tally."""
    return Retention(tally.reviews, tally.retained, tally.mature, tally.mature_retained)


def read(home: str, day: int, topics: Sequence[str] | None = None, forecast_days: int = FORECAST_DAYS) -> Statistics:
    """The statistics of the data folder ``home`` on study day ``day``, of all topics or of ``topics`` only.

    The forecast counts the reviews that fall due on each of the next ``forecast_days`` days, today's overdue ones
    included in the first; new questions and steps are not in it.
    """
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        nothing = Questions(0, 0, 0, 0, 0)
        return Statistics(day, nothing, Tally(), {}, {}, 0, [0] * forecast_days, Streak(0, 0, 0))
    with closing(db), faults.reading(path):
        db.execute("BEGIN")
        by_day = _tallies(db, "day", topics)
        by_topic = _tallies(db, "topic", topics)
        load = _load(db, topics)
        overdue = sum(count for due, count in load.items() if due < day)
        forecast = [overdue + load.get(day, 0), *(load.get(day + n, 0) for n in range(1, forecast_days))]
        streak = _streak(day, (when for when, tally in by_day.items() if tally.answers or tally.crammed))
        questions = _questions(db, topics)
    return Statistics(
        day, questions, _sum(by_day.values()), by_day, by_topic, overdue, forecast[:forecast_days], streak
    )


def _tallies(db: sqlite3.Connection, key: str, topics: Sequence[str] | None) -> dict[Any, Tally]:
    """What was done by each day or topic; ``key`` is ``day`` or ``topic``."""
    if topics is None or key == "topic":
        where, values = _among("topic", topics)
        query = f"SELECT {key}, {', '.join(Tally._fields)} FROM {key}_total {where} ORDER BY {key}"
    else:
        where, values = _among("topic", topics)
        sums = ", ".join(f"sum({name})" for name in Tally._fields)
        query = f"SELECT day, {sums} FROM topic_day {where} GROUP BY day ORDER BY day"
    return {row[0]: Tally(*row[1:]) for row in db.execute(query, values)}


def _load(db: sqlite3.Connection, topics: Sequence[str] | None) -> Mapping[int, int]:
    if topics is None:
        return dict(db.execute("SELECT due_day, questions FROM load").fetchall())
    where, values = _among(_TOPIC, topics)
    free = "phase = 'review' AND question NOT IN (SELECT question FROM hold WHERE suspended)"
    return dict(
        db.execute(f"SELECT due_day, count(*) FROM state {where} AND {free} GROUP BY due_day", values).fetchall()
    )


def _questions(db: sqlite3.Connection, topics: Sequence[str] | None) -> Questions:
    where, values = _among(_TOPIC, topics)
    review = "phase = 'review'"
    counted = (
        f"SELECT count(*), total(NOT {review}), total({review} AND due_day - last_day < {MATURE_DAYS}), "
        f"total({review} AND due_day - last_day >= {MATURE_DAYS}) FROM state {where}"
    )
    seen, learning, young, mature = map(int, db.execute(counted, values).fetchone())
    (suspended,) = db.execute(f"SELECT total(suspended) FROM hold {where}", values).fetchone()
    return Questions(seen, learning, young, mature, int(suspended))


_TOPIC = "substr(question, 1, instr(question, '/') - 1)"


def _among(column: str, topics: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    if topics is None:
        return "", ()
    return f"WHERE {column} IN ({', '.join('?' * len(topics))})", tuple(topics)


def _sum(tallies: Iterable[Tally]) -> Tally:
    columns = list(zip(*tallies, strict=True))
    return Tally(*(sum(column) for column in columns)) if columns else Tally()


def _streak(today: int, answered: Iterable[int]) -> Streak:
    days = sorted(day for day in answered if day <= today)
    longest = run = 0
    previous = None
    for day in days:
        run = run + 1 if previous is not None and day == previous + 1 else 1
        longest, previous = max(longest, run), day
    current = run if previous is not None and previous >= today - 1 else 0
    return Streak(current, longest, len(days))


def _answers(tally: Tally) -> dict[str, Any]:
    """The counts of a tally that are not its retention, with the time in seconds."""
    names = ("answers", "again", "hard", "good", "easy", "correct", "introduced", "reviews", "crammed")
    return {**{name: getattr(tally, name) for name in names}, "seconds": tally.took_ms / 1000}
