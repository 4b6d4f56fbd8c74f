"""Exams: the plans that are in force by the log, and the questions that they ask before their due day.

An ``exam`` event plans an exam, anew if one of its name is planned already, and takes it off the list where its day is
None; an ``exam-over`` event says that the end of a plan has been told. What a plan asks follows from the state, the
weights and the plan (``kb.memory.exam.next_ask``), so the table ``ask`` can be rebuilt as all derived ones can.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.errors import UsageError
from kb.store import events, ids

if TYPE_CHECKING:
    from kb.memory.fsrs import Weights
    from kb.memory.scheduler import Scheduler, State
    from kb.store.derived import WeightsOf

KINDS = ("exam", "exam-over")

ASKED = "SELECT a.question FROM ask a WHERE a.day <= :day AND a.exam_day > :day"
"""The questions that an exam asks on study day ``:day``, held ones too."""

_IN_LOG = (
    "SELECT e.id, e.kind, e.data FROM event e WHERE e.kind IN ('exam', 'exam-over') "
    "AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) ORDER BY e.id"
)


class Exam(NamedTuple):
    """A planned exam on study day ``day``: mean recall ``wanted`` over ``topics`` (with what they included then).

    Every question is to be at the ``floor`` or above on that day; None: the usual schedule is enough. ``event`` is the
    id of the event that planned it.
    """

    name: str
    day: int
    wanted: float
    floor: float | None
    topics: tuple[str, ...]
    event: str


Asking = Mapping[str, list[tuple[int, float]]]
"""For each topic the days of its exams that ask more than the schedule does, and their floors."""


def checked(kind: str, data: Mapping[str, Any] | None) -> dict[str, Any]:
    """``data`` of an event of ``kind`` if it can be one, else UsageError."""
    data = dict(data or {})
    name, day, topics = data.get("name"), data.get("day"), data.get("topics")
    if not isinstance(name, str) or not name:
        raise UsageError("an exam needs a name")
    if kind == "exam-over":
        if not isinstance(data.get("exam"), str):
            raise UsageError("the end of an exam needs the event that planned it")
        try:
            ids.from_text(data["exam"])
        except ValueError:
            raise UsageError(f"{data['exam']!r} is not the id of an event") from None
    elif day is not None:
        if isinstance(day, bool) or not isinstance(day, int):
            raise UsageError(f"the day of an exam is a number of days, not {day!r}")
        if not isinstance(topics, list) or not topics or not all(isinstance(one, str) for one in topics):
            raise UsageError("an exam needs topics")
        for share in (data.get("wanted"), *([] if data.get("floor") is None else [data["floor"]])):
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
                raise UsageError(f"the recall at an exam lies between 0 and 1, not {share!r}")
    return data


# --- the table exam ------------------------------------------------------------------------------------------------


def in_log(db: sqlite3.Connection) -> list[Exam]:
    """The exams in force by the log, in the order of their names; of several plans of one name the last one holds."""
    found: dict[str, Exam] = {}
    over = set()
    for identifier, kind, text in db.execute(_IN_LOG):
        data = json.loads(text)
        if kind == "exam-over":
            over.add(data["exam"])
        elif data.get("day") is None:
            found.pop(data["name"], None)
        else:
            wanted, topics = float(data["wanted"]), tuple(data["topics"])
            name = data["name"]
            found[name] = Exam(name, data["day"], wanted, data.get("floor"), topics, ids.to_text(identifier))
    return [found[name] for name in sorted(found) if found[name].event not in over]


def put(db: sqlite3.Connection, exams: Iterable[Exam], schema: str = "main") -> None:
    """Write the exams in force."""
    db.execute(f"DELETE FROM {schema}.exam")
    rows = [(*exam[:4], events.to_json(exam.topics), ids.from_text(exam.event)) for exam in exams]
    db.executemany(
        f"INSERT INTO {schema}.exam (name, day, wanted, floor, topics, event) VALUES (?, ?, ?, ?, ?, ?)", rows
    )


def read(db: sqlite3.Connection) -> list[Exam]:
    """The exams in force, the next one first."""
    rows = db.execute("SELECT name, day, wanted, floor, topics, event FROM exam ORDER BY day, name")
    return [
        Exam(name, day, wanted, floor, tuple(json.loads(topics)), ids.to_text(event))
        for name, day, wanted, floor, topics, event in rows
    ]


# --- the table ask -------------------------------------------------------------------------------------------------


def asking(exams: Iterable[Exam]) -> Asking:
    """What the ``exams`` ask of each topic beyond its schedule."""
    found: dict[str, list[tuple[int, float]]] = {}
    for exam in exams:
        for topic in exam.topics:
            if exam.floor is not None:
                found.setdefault(topic, []).append((exam.day, exam.floor))
    return found


def asks(
    question: str, state: State | None, weights: Weights, plans: Iterable[tuple[int, float]]
) -> list[tuple[str, int, int]]:
    """The rows of ``question`` in the table: an exam's day, and the day on which it asks the question.

    ``plans`` are the exams of its topic. Where an exam leaves the question to its due day there is no row.
    """
    if state is None or state.phase != "review":
        return []
    from kb.memory.exam import next_ask  # only where there is an exam

    scheduler = _scheduler(weights)
    days: dict[int, int] = {}
    for exam_day, floor in plans:
        day = next_ask(question, state, exam_day, floor, scheduler)
        if day < state.due_day:
            days[exam_day] = min(day, days.get(exam_day, day))
    return [(question, exam_day, day) for exam_day, day in sorted(days.items())]


@lru_cache(maxsize=8)
def _scheduler(weights: Weights) -> Scheduler:
    from kb.memory.scheduler import Scheduler

    return Scheduler(weights)


def refresh(db: sqlite3.Connection, weights: WeightsOf, questions: Iterable[str] | None = None) -> None:
    """Bring the table up to the state of ``questions``, or of all where other exams are in force."""
    from kb.memory.scheduler import State

    plans = asking(read(db))
    columns = ", ".join(State._fields)
    if questions is None:
        db.execute("DELETE FROM ask")
        query = f"SELECT question, {columns} FROM state WHERE question >= ? || '/' AND question < ? || '0'"
        rows = [row for topic in plans for row in db.execute(query, (topic, topic))]  # "0" comes after "/"
    else:
        if not plans and db.execute("SELECT 1 FROM ask LIMIT 1").fetchone() is None:
            return
        query = f"SELECT question, {columns} FROM state WHERE question = ?"
        rows = []
        for question in questions:
            db.execute("DELETE FROM ask WHERE question = ?", (question,))
            rows += db.execute(query, (question,)).fetchall()
    for question, *values in rows:
        of_topic = plans.get(question.partition("/")[0], ())
        put_asks(db, asks(question, State(*values), weights(question), of_topic))


def put_asks(db: sqlite3.Connection, rows: Iterable[tuple[str, int, int]], schema: str = "main") -> None:
    """Write rows of the table."""
    db.executemany(f"INSERT INTO {schema}.ask (question, exam_day, day) VALUES (?, ?, ?)", rows)
