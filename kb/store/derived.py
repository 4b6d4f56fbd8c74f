"""The derived tables: written with each event, and rebuilt from the log to the same values."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from kb.memory import fsrs
from kb.memory.scheduler import State
from kb.store import events, exams, ids
from kb.store.events import Event
from kb.store.fold import Key, Progress, Tallies, Tally, fold, load_of, topic_of
from kb.store.schema import DERIVED

WeightsOf = Callable[[str], fsrs.Weights]

_STATE = ", ".join(State._fields)
_TALLY = ", ".join(Tally._fields)
PUT_STATE = (
    f"INSERT INTO state (question, {_STATE}) VALUES (?{', ?' * len(State._fields)}) "
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in State._fields)}"
)
PUT_HOLD = "INSERT OR REPLACE INTO hold (question, suspended, buried_until) VALUES (?, ?, ?)"
EVERY_TOPIC, EVERY_DAY = "", -(1 << 31)
"""The keys of sums in ``rollup``."""
_VALUES = ", ".join(f"?{n}" for n in range(3, len(Tally._fields) + 3))
ADD_TALLY = (
    f"INSERT INTO rollup (topic, day, {_TALLY}) VALUES (?1, ?2, {_VALUES}), "
    f"('{EVERY_TOPIC}', ?2, {_VALUES}), (?1, {EVERY_DAY}, {_VALUES}) "
    f"ON CONFLICT DO UPDATE SET {', '.join(f'{name} = {name} + excluded.{name}' for name in Tally._fields)}"
)
_IS_EMPTY = " AND ".join(f"{name} = 0" for name in Tally._fields)
DROP_EMPTY = (
    f"DELETE FROM rollup WHERE topic = :topic AND day IN (:day, {EVERY_DAY}) AND {_IS_EMPTY}",
    f"DELETE FROM rollup WHERE topic = '{EVERY_TOPIC}' AND day = :day AND {_IS_EMPTY}",
)
ADD_LOAD = {
    rows: f"INSERT INTO load (due_day, questions) VALUES {', '.join(['(?, ?)'] * rows)} "
    "ON CONFLICT DO UPDATE SET questions = questions + excluded.questions"
    for rows in (1, 2)
}
PROGRESS = (
    f"SELECT q.question, {', '.join(f's.{name}' for name in State._fields)}, h.suspended, h.buried_until "
    "FROM {questions} q LEFT JOIN state s ON s.question = q.question LEFT JOIN hold h ON h.question = q.question"
)
_ONE = PROGRESS.format(questions="(SELECT ? AS question)")
_NOT_UNDONE = "NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id)"
COUNTING = f"SELECT {events.SELECT} FROM event e WHERE e.kind <> 'undo' AND {_NOT_UNDONE}"
OF_QUESTION = f"{COUNTING} AND e.question = ? ORDER BY e.id"


_BEFORE = _ONE.replace(
    " FROM ", ", (SELECT max(id) FROM event), EXISTS (SELECT 1 FROM weights), EXISTS (SELECT 1 FROM exam) FROM ", 1
)


def progress_of_row(row: tuple[Any, ...]) -> Progress:
    """The progress in a row of PROGRESS."""
    state = None if row[1] is None else State(*row[1:-2])
    return Progress(state, bool(row[-2]), row[-1])


def progress_of(db: sqlite3.Connection, question: str) -> Progress:
    """Where ``question`` stands."""
    return progress_of_row(db.execute(_ONE, (question,)).fetchone())


class Before(NamedTuple):
    """What an answer to a question builds on: where it stands, the last id of the log, whether weights were fitted and
    an exam is planned."""

    progress: Progress
    last_id: bytes | None
    is_fitted: bool
    is_examined: bool


def before_answer(db: sqlite3.Connection, question: str) -> Before:
    """What an answer to ``question`` builds on, in one query: this is on the way of every answer."""
    row = db.execute(_BEFORE, (question,)).fetchone()
    return Before(progress_of_row(row[:-3]), row[-3], bool(row[-2]), bool(row[-1]))


def events_of(db: sqlite3.Connection, question: str) -> list[Event]:
    """The events of ``question`` that count, in order."""
    return [events.from_row(row) for row in db.execute(OF_QUESTION, (question,))]


def put(db: sqlite3.Connection, question: str, before: Progress, after: Progress) -> None:
    """Write where ``question`` stands now; ``before`` is what the tables say."""
    if after.state != before.state:
        if after.state is None:
            db.execute("DELETE FROM state WHERE question = ?", (question,))
        else:
            db.execute(PUT_STATE, (question, *after.state))
    if after[1:] != before[1:]:
        if after.suspended or after.buried_until is not None:
            db.execute(PUT_HOLD, (question, *after[1:]))
        else:
            db.execute("DELETE FROM hold WHERE question = ?", (question,))
    if after.load_day != before.load_day:
        moved = [(day, by) for day, by in ((before.load_day, -1), (after.load_day, 1)) if day is not None]
        db.execute(ADD_LOAD[len(moved)], [value for pair in moved for value in pair])
        if before.load_day is not None:
            db.execute("DELETE FROM load WHERE due_day = ? AND questions = 0", (before.load_day,))


def add_tally(db: sqlite3.Connection, key: Key, amounts: Iterable[int]) -> None:
    """Add to a day and topic, and to the sums over either."""
    day, topic = key
    db.execute(ADD_TALLY, (topic, day, *amounts))


def refolded(
    db: sqlite3.Connection, questions: Iterable[str], weights: WeightsOf, change: Callable[[], WeightsOf]
) -> None:
    """Do ``change`` (events inserted anywhere in the log, or other weights) and bring ``questions`` up to it.

    Each is folded before and after; the difference goes into the tables, so what they say is what a rebuild would say.
    """
    names = sorted(set(questions))
    tallies: Tallies = {}
    before = {}
    for name in names:
        past: Tallies = {}
        before[name] = progress_of(db, name)
        fold(events_of(db, name), weights(name), past)
        for key, amounts in past.items():
            _sum(tallies, key, amounts, -1)
    weights = change()
    for name in names:
        now: Tallies = {}
        after = fold(events_of(db, name), weights(name), now)
        put(db, name, before[name], after)
        for key, amounts in now.items():
            _sum(tallies, key, amounts, 1)
    for key, amounts in tallies.items():
        if any(amounts):
            add_tally(db, key, amounts)
            # a day whose every answer was undone leaves no row, as a rebuild would leave none
            for statement in DROP_EMPTY:
                db.execute(statement, {"day": key[0], "topic": key[1]})


def _sum(tallies: Tallies, key: Key, amounts: Iterable[int], sign: int) -> None:
    total = tallies.setdefault(key, [0] * len(Tally._fields))
    for place, value in enumerate(amounts):
        total[place] += sign * value


# --- weights -------------------------------------------------------------------------------------------------------

_PARAMS = f"{COUNTING} AND e.kind = 'params' ORDER BY e.id"


def weights_in_log(db: sqlite3.Connection) -> dict[str, tuple[str, bytes]]:
    """For each topic ('' is all) the last weights that the log sets, as JSON, and the event that set them."""
    found: dict[str, tuple[str, bytes]] = {}
    for row in db.execute(_PARAMS):
        event = events.from_row(row)
        data = event.data or {}
        topic = data.get("topic") or ""
        if data.get("weights") is None:
            found.pop(topic, None)
        else:
            found[topic] = (events.to_json(data["weights"]), ids.from_text(event.id))
    return found


def put_weights(db: sqlite3.Connection, found: dict[str, tuple[str, bytes]]) -> None:
    """Write the weights in force."""
    db.execute("DELETE FROM weights")
    rows = [(topic, *values) for topic, values in sorted(found.items())]
    db.executemany("INSERT INTO weights (topic, weights, event) VALUES (?, ?, ?)", rows)


def default_weights(question: str) -> fsrs.Weights:
    """The weights of every question as long as none were fitted."""
    return fsrs.DEFAULT_WEIGHTS


def weights_of(rows: Iterable[tuple[str, str]]) -> WeightsOf:
    """A function from a question to the weights in force for it, made from rows (topic, JSON list)."""
    by_topic = {topic: tuple(json.loads(text)) for topic, text in rows}
    if not by_topic:
        return default_weights
    everything = by_topic.get("", fsrs.DEFAULT_WEIGHTS)
    return lambda question: by_topic.get(topic_of(question), everything)


def weights_day(db: sqlite3.Connection, topic: str) -> int | None:
    """The study day of the event that set the weights in force for ``topic``; None for the defaults."""
    query = (
        "SELECT e.day FROM weights w JOIN event e ON e.id = w.event WHERE w.topic IN ('', ?) "
        "ORDER BY w.topic DESC LIMIT 1"
    )
    row = db.execute(query, (topic,)).fetchone()
    return None if row is None else row[0]


# --- replay --------------------------------------------------------------------------------------------------------


_REPLAY = (
    f"SELECT {events.FOLDED} FROM event e "
    f"WHERE e.question IS NOT NULL AND e.kind <> 'undo' AND {_NOT_UNDONE} ORDER BY e.question, e.id"
)


def rebuild(db: sqlite3.Connection, schema: str = "main") -> None:
    """Make the derived tables of ``schema`` anew from the log, inside the caller's transaction.

    The log is read in the order of questions, so those of a topic come together, and no more than a topic is held.
    """
    for table in DERIVED:
        db.execute(f"DELETE FROM {schema}.{table}")
    found = weights_in_log(db)
    _fill(db, schema, "weights", [(topic, *values) for topic, values in sorted(found.items())])
    weights = weights_of((topic, text) for topic, (text, _) in found.items())
    planned = exams.in_log(db)
    exams.put(db, planned, schema)
    plans = exams.asking(planned)
    load: Counter[int] = Counter()
    by_day: dict[int, list[int]] = {}
    for topic, of_topic in groupby(db.execute(_REPLAY), key=lambda row: topic_of(row[0])):
        tallies: Tallies = {}
        states, holds = [], []
        for question, rows in groupby(of_topic, key=itemgetter(0)):
            progress = fold((events.from_folded(row) for row in rows), weights(question), tallies)
            load.update(load_of([progress]))
            if topic in plans:
                exams.put_asks(db, exams.asks(question, progress.state, weights(question), plans[topic]), schema)
            if progress.state is not None:
                states.append((question, *progress.state))
            if progress.suspended or progress.buried_until is not None:
                holds.append((question, progress.suspended, progress.buried_until))
        total = [0] * len(Tally._fields)
        for (day, _), amounts in sorted(tallies.items()):
            _add(total, amounts)
            _add(by_day.setdefault(day, [0] * len(amounts)), amounts)
        _fill(db, schema, "state", states)
        _fill(db, schema, "hold", holds)
        _fill(db, schema, "rollup", [(topic, EVERY_DAY, *total)] if tallies else [])
        _fill(db, schema, "rollup", [(topic, day, *amounts) for (day, _), amounts in sorted(tallies.items())])
    _fill(db, schema, "rollup", [(EVERY_TOPIC, day, *amounts) for day, amounts in sorted(by_day.items())])
    _fill(db, schema, "load", sorted(load.items()))


def _fill(db: sqlite3.Connection, schema: str, table: str, rows: list[tuple[Any, ...]]) -> None:
    if rows:
        db.executemany(f"INSERT INTO {schema}.{table} VALUES ({', '.join('?' * len(rows[0]))})", rows)


def _add(total: list[int], amounts: Iterable[int]) -> None:
    for place, value in enumerate(amounts):
        total[place] += value
