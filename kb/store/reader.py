"""What the store can be asked. Reading makes no file: a database that does not exist is empty."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Self, TypeVar

from kb.config import Settings
from kb.memory.days import Moment, study_day
from kb.memory.scheduler import Scheduler, State
from kb.store import connection, derived, events, exams, faults, fold, ids, placed, schema
from kb.store.balance import Balancer
from kb.store.events import Event
from kb.store.exams import Exam
from kb.store.fold import Progress, Tally, topic_of

if TYPE_CHECKING:
    from kb.demos.evidence import Evidence
    from kb.store.evidence import Mark

P = ParamSpec("P")
T = TypeVar("T")


class Row(NamedTuple):
    """A question that the store knows something of; ``state`` is None while it is new."""

    question: str
    state: State | None
    suspended: bool
    buried_until: int | None

    def is_held(self, day: int) -> bool:
        """Whether the question is set aside (suspended, or buried) on study day ``day``."""
        return Progress(*self[1:]).is_held(day)


def _reading(method: Callable[Concatenate[Reader, P], T]) -> Callable[Concatenate[Reader, P], T]:
    """Turns SQLite's errors in a reading method into StoreErrors."""

    @wraps(method)
    def guarded(self: Reader, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with faults.reading(self.path):
            return method(self, *args, **kwargs)

    return guarded


class Reader:
    """A data folder's database, for reading."""

    def __init__(self, home: str, settings: Settings) -> None:
        self.home = home
        self.path = connection.path_of(home)
        self.settings = settings
        self._db: sqlite3.Connection | None = None
        self._empty: sqlite3.Connection | None = None
        self._schedulers: dict[tuple[str, object], Scheduler] = {}

    @classmethod
    def open(cls, home: str, settings: Settings) -> Self:
        """The store of the data folder ``home``. Raises StoreTooNew or StoreDamaged, having touched nothing."""
        store = cls(home, settings)
        store._reader()
        return store

    def close(self) -> None:
        """Close the database; the store opens it again if it is used again."""
        for db in (self._db, self._empty):
            if db is not None:
                db.close()
        self._db = self._empty = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def study_day(self, moment: Moment) -> int:
        """The study day of ``moment`` by the settings."""
        return study_day(moment, self.settings.rollover_hour)

    @_reading
    def state(self, question: str) -> Row | None:
        """What is known of ``question``; None if nothing is."""
        return self.states([question]).get(question)

    @_reading
    def states(self, questions: Iterable[str]) -> dict[str, Row]:
        """What is known of ``questions``; those of which nothing is known are left out."""
        chosen = derived.PROGRESS.format(questions="(SELECT value AS question FROM json_each(?))")
        rows = self._reader().execute(chosen, (events.to_json(list(questions)),))
        found = (Row(row[0], *derived.progress_of_row(row)) for row in rows)
        return {row.question: row for row in found if row[1:] != fold.NEW}

    @_reading
    def due(self, moment: Moment, questions: Iterable[str] | None = None) -> list[Row]:
        """The questions to ask now, the longest overdue first: reviews by study day, steps by the clock.

        Those that an exam asks before their day come last. Held ones are left out. ``questions`` limits the search.
        """
        day = self.study_day(moment)
        # a step may be due on the next study day of another time zone, hence the one more
        where = "s.due_day <= :day + 1 AND CASE s.phase WHEN 'review' THEN s.due_day <= :day ELSE s.due_ms <= :now END"
        where = f"({where}) OR s.question IN ({exams.ASKED})"
        return self._rows(where, questions, {"day": day, "now": moment.at_ms})

    @_reading
    def learning(self, moment: Moment, questions: Iterable[str] | None = None) -> list[Row]:
        """The questions in learning or relearning steps, due or not yet, the next one first. Held ones are left out."""
        return self._rows("s.phase <> 'review'", questions, {"day": self.study_day(moment)})

    @_reading
    def exams(self) -> list[Exam]:
        """The exams that are planned, the next one first; those that are over too, until their end has been told."""
        return exams.read(self._reader())

    @_reading
    def asked(self, day: int) -> set[str]:
        """The questions that an exam asks on study day ``day`` although their own day has not come; held ones too."""
        return {name for (name,) in self._reader().execute(exams.ASKED, {"day": day})}

    @_reading
    def ask_day(self, question: str, day: int) -> int | None:
        """The study day on which an exam after ``day`` asks ``question`` before its due day, if one does."""
        query = "SELECT min(day) FROM ask WHERE question = ? AND exam_day > ?"
        found: int | None = self._reader().execute(query, (question, day)).fetchone()[0]
        return found

    @_reading
    def seen(self, *topics: str) -> set[str]:
        """The questions (of ``topics``, or all) that have been answered and not been reset."""
        db = self._reader()
        if not topics:
            return {name for (name,) in db.execute("SELECT question FROM state")}
        # "0" is the character after "/"
        within = "SELECT question FROM state WHERE question >= ? || '/' AND question < ? || '0'"
        return {name for topic in topics for (name,) in db.execute(within, (topic, topic))}

    @_reading
    def placed(self) -> set[str]:
        """The topics that a placement judged known; their questions count as met, though not as answered."""
        return placed.known(self._reader())

    @_reading
    def held(self, moment: Moment) -> list[Row]:
        """The questions that are set aside now: suspended, or buried."""
        day = self.study_day(moment)
        rows = self._reader().execute(derived.PROGRESS.format(questions="hold") + " ORDER BY q.question")
        found = (Row(row[0], *derived.progress_of_row(row)) for row in rows)
        return [row for row in found if row.is_held(day)]

    @_reading
    def day_counts(self, day: int, topic: str | None = None) -> Tally:
        """What was done on study day ``day`` (in ``topic``, or in all)."""
        table = "day_total WHERE" if topic is None else "topic_day WHERE topic = :topic AND"
        query = f"SELECT {', '.join(Tally._fields)} FROM {table} day = :day"
        row = self._reader().execute(query, {"day": day, "topic": topic}).fetchone()
        return Tally() if row is None else Tally(*row)

    @_reading
    def load(self, first_day: int, last_day: int) -> dict[int, int]:
        """How many questions fall due on each of these days; days with none are left out."""
        rows = "SELECT due_day, questions FROM load WHERE due_day BETWEEN ? AND ? ORDER BY due_day"
        return dict(self._reader().execute(rows, (first_day, last_day)).fetchall())

    def events(self, question: str | None = None, last: int | None = None) -> Iterator[Event]:
        """Every event of the log (or of ``question``), those undone and the undos included, in order.

        ``last`` limits them to so many at the end.
        """
        query = f"SELECT {events.SELECT} FROM event e" + ("" if question is None else " WHERE e.question = :question")
        if last is not None:
            query = f"SELECT * FROM ({query} ORDER BY e.id DESC LIMIT :last) e"
        with faults.reading(self.path):
            for row in self._reader().execute(f"{query} ORDER BY e.id", {"question": question, "last": last}):
                yield events.from_row(row)

    @_reading
    def undone(self) -> set[str]:
        """The ids of the events that were taken back."""
        return {
            ids.to_text(row[0]) for row in self._reader().execute("SELECT undoes FROM event WHERE undoes IS NOT NULL")
        }

    @_reading
    def undoable(self, kinds: tuple[str, ...] = ("answer",)) -> Event | None:
        """The event that ``undo`` would take back."""
        last = self._last(self._reader(), kinds, 1)
        return last[0] if last else None

    @_reading
    def scheduler(self, question: str) -> Scheduler:
        """The scheduler of ``question``: the weights in force and the desired retention of its topic."""
        return self._scheduler(self._weights(self._reader()), question)

    @_reading
    def fitted_on(self, question: str) -> int | None:
        """The study day on which the weights in force for ``question`` were fitted; None for the defaults."""
        return derived.weights_day(self._reader(), topic_of(question))

    def preview(self, question: str, moment: Moment) -> dict[int, State]:
        """What each of the four grades would promise now."""
        row = self.state(question)
        load = self._balancer(self._reader())
        with faults.reading(self.path):
            return self.scheduler(question).preview(row.state if row else None, moment, key=question, load=load)

    @_reading
    def evidence_for(self, proofs: Iterable[str]) -> dict[str, Mark]:
        """The last evidence of each of ``proofs`` (``demo/check``); those without any are left out."""
        from kb.store import evidence as table

        return table.marks(self._reader(), proofs)

    @_reading
    def evidence_of(self, demo: str, parameters: Mapping[str, object] | None = None) -> Evidence | None:
        """The last recorded run of ``demo`` (with exactly these ``parameters``, if given)."""
        from kb.store import evidence as table

        return table.last(self._reader(), demo, parameters)

    def _reader(self) -> sqlite3.Connection:
        """A connection to read from: to the database, or to an empty one in memory while there is none."""
        if self._db is None:
            self._db = connection.open_to_read(self.path)
        if self._db is not None:
            return self._db
        if self._empty is None:
            self._empty = sqlite3.connect(":memory:", isolation_level=None)
            for script in schema.STEPS:
                self._empty.executescript(script)
        return self._empty

    @staticmethod
    def _last(db: sqlite3.Connection, kinds: tuple[str, ...], count: int) -> list[Event]:
        """The last ``count`` events of ``kinds`` that were not undone, the latest first."""
        marks = ", ".join("?" * len(kinds))
        query = (
            f"SELECT {events.SELECT} FROM event e WHERE e.kind IN ({marks}) "
            "AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) ORDER BY e.id DESC LIMIT ?"
        )
        return [events.from_row(row) for row in db.execute(query, (*kinds, max(count, 0)))]

    @staticmethod
    def _weights(db: sqlite3.Connection) -> derived.WeightsOf:
        return derived.weights_of(db.execute("SELECT topic, weights FROM weights").fetchall())

    def _scheduler(self, weights_of: derived.WeightsOf, question: str) -> Scheduler:
        weights, topic, settings = weights_of(question), topic_of(question), self.settings
        key = (topic, weights)
        if key not in self._schedulers:
            self._schedulers[key] = Scheduler(
                weights=weights,
                desired_retention=settings.retention.get(topic, settings.desired_retention),
                learning_steps=settings.learning_steps,
                relearning_steps=settings.relearning_steps,
                maximum_interval_days=settings.maximum_interval_days,
                fuzz=settings.fuzz,
                rollover_hour=settings.rollover_hour,
            )
        return self._schedulers[key]

    def _balancer(self, db: sqlite3.Connection) -> Balancer | None:
        return Balancer(db, self.settings.easy_days) if self.settings.balance else None

    def _rows(self, where: str, questions: Iterable[str] | None, values: dict[str, Any]) -> list[Row]:
        """Rows of state that satisfy ``where`` and are not held on day ``:day``, in the order they are due."""
        columns = ", ".join(f"s.{name}" for name in State._fields)
        query = (
            f"SELECT s.question, {columns}, h.suspended, h.buried_until FROM state s "
            f"LEFT JOIN hold h ON h.question = s.question WHERE ({where}) "
            "AND NOT coalesce(h.suspended, 0) AND coalesce(h.buried_until, :day) <= :day"
        )
        if questions is not None:
            query += " AND s.question IN (SELECT value FROM json_each(:questions))"
            values = {**values, "questions": events.to_json(list(questions))}
        rows = self._reader().execute(f"{query} ORDER BY s.due_ms, s.question", values)
        return [Row(row[0], *derived.progress_of_row(row)) for row in rows]
