"""The store: the log of what happened, and what follows from it.

Everything that is written goes through ``Store._transaction``: one transaction, durable when it returns, or NotStored
and nothing changed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.config import Settings
from kb.errors import KbError, NotStored, StoreError, UsageError
from kb.memory.days import Moment
from kb.store import connection, derived, device, events, exams, faults, fold, ids, placed
from kb.store.events import Event, Promise
from kb.store.fold import topic_of
from kb.store.reader import Reader, Row

if TYPE_CHECKING:
    from kb.demos.evidence import Evidence

__all__ = ["Row", "Store"]

_SEED_LIMIT = 1 << 63


class _Facts(NamedTuple):
    """What is kept of an answer besides its grade, in the order of the fields of an Event."""

    answer: Any
    seed: int | None
    took_ms: int | None
    correct: bool | None
    hint: bool


class Store(Reader):
    """The database of one data folder. Several processes may have it open; each sees what the others have stored."""

    def __init__(self, home: str, settings: Settings) -> None:
        super().__init__(home, settings)
        self.notices: list[str] = []
        """What a person should be told (a daily backup that failed), for whoever shows things."""
        self._writable = False
        self._backed_up_on: int | None = None

    def close(self) -> None:
        super().close()
        self._writable = False

    # --- writing ---------------------------------------------------------------------------------------------------

    def record(
        self,
        question: str,
        grade: int,
        moment: Moment,
        *,
        answer: Any,
        seed: int | None = None,
        seconds: float | None = None,
        correct: bool | None = None,
        hint: bool = False,
        cram: bool = False,
    ) -> Event:
        """Store an answer with its grade (1..4) and say what it promises. Durable when it returns, else NotStored.

        ``answer`` is a JSON value. ``cram`` leaves the schedule alone; the answer is in the log and the counts.
        """
        _check_question(question)
        if seed is not None and not -_SEED_LIMIT <= seed < _SEED_LIMIT:
            raise UsageError(f"a seed is a 64-bit number, not {seed}")
        took_ms = None if seconds is None else max(0, round(seconds * 1000))
        facts = _Facts(answer, seed, took_ms, correct, hint)
        with self._transaction(f"the answer to {question}", moment) as db:
            return self._record(db, question, grade, moment, cram, facts)

    def regrade(self, grade: int, moment: Moment) -> Event:
        """Give the last answer another grade: an undo and a new answer, together or not at all."""
        with self._transaction("the new grade", moment) as db:
            last = self._last(db, ("answer",), 1)
            if not last:
                raise UsageError("there is no answer to regrade")
            old = last[0]
            self._undo(db, moment, last)
            facts = _Facts(old.answer, old.seed, old.took_ms, old.correct, old.hint)
            return self._record(db, str(old.question), grade, moment, old.cram, facts)

    def undo(self, moment: Moment, steps: int = 1, kinds: tuple[str, ...] = ("answer",)) -> list[Event]:
        """Take back the last ``steps`` answers of whichever sitting (or events of other ``kinds``), the latest first.

        They stay in the log; the undo is an event too. Returns those taken back, fewer if there are no more.
        """
        with self._transaction("the undo", moment) as db:
            taken = self._last(db, kinds, steps)
            self._undo(db, moment, taken)
            return taken

    def append(
        self, kind: str, moment: Moment, question: str | None = None, data: Mapping[str, Any] | None = None
    ) -> Event:
        """Append an event of another kind than answer and undo: suspend, unsuspend, bury, unbury, reset, params, exam,
        placed.

        A bury lasts until the next study day, or until ``data["until_day"]``. The data of params are ``weights`` (21
        numbers, or None for the defaults) and optionally the ``topic`` that they are for; those of an exam are the
        fields of ``kb.store.exams.Exam`` (a day of None drops the plan), those of placed are in ``kb.store.placed``.
        """
        if kind not in events.KINDS or kind in ("answer", "undo"):
            raise UsageError(f"no event of kind {kind!r} can be appended")
        day = self.study_day(moment)
        if kind == "params":
            data = _checked_params(data)
        elif kind in exams.KINDS:
            data = exams.checked(kind, data)
        elif kind == placed.KIND:
            data = placed.checked(data)
        elif question is None:
            raise UsageError(f"a {kind} needs a question")
        else:
            _check_question(question)
        if kind == "bury":
            data = {"until_day": day + 1, **(data or {})}
        about = "the plan of the exam" if kind in exams.KINDS else "the change of the weights"
        about = "the placement" if kind == placed.KIND else about
        what = f"the {kind} of {question}" if question else about
        with self._transaction(what, moment) as db:
            event = Event(self._next_id(db, moment), kind, *moment, day, self._device(), question=question, data=data)
            self._insert(db, [event])
            return event

    def merge(self, incoming: Iterable[Event]) -> int:
        """Take in events of another device, in any order; those that are here already are passed over.

        Returns how many were new. The outcome depends only on which events there are.
        """
        batch = {event.id: event for event in incoming}
        for event in batch.values():
            if event.kind == "params":
                _checked_params(event.data)
            elif event.kind in exams.KINDS:
                exams.checked(event.kind, event.data)
            elif event.kind == placed.KIND:
                placed.checked(event.data)
        with self._transaction("the other log", None) as db:
            fresh = []
            for identifier, event in batch.items():
                row = db.execute(
                    f"SELECT {events.SELECT} FROM event e WHERE e.id = ?", (ids.from_text(identifier),)
                ).fetchone()
                if row is None:
                    fresh.append(event)
                elif events.to_row(events.from_row(row)) != events.to_row(event):
                    raise StoreError(f"event {identifier} differs from the one that is here", file=self.path)
            self._insert(db, sorted(fresh))
            return len(fresh)

    def rebuild(self) -> None:
        """Throw the state and the rollups away and make them again from the log."""
        with self._transaction("the rebuilt state", None) as db:
            derived.rebuild(db)

    def evidence_add(self, evidence: Evidence) -> None:
        """Keep what a run of a demo measured and proved."""
        from kb.store import evidence as table

        with self._transaction(f"the evidence of {evidence.demo}", None) as db:
            table.add(db, evidence)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _writer(self) -> sqlite3.Connection:
        if self._db is None or not self._writable:
            self.close()
            self._db = connection.open_to_write(self.path)
            self._writable = True
        return self._db

    @contextmanager
    def _transaction(self, what: str, moment: Moment | None) -> Iterator[sqlite3.Connection]:
        """A write transaction; ``what`` is said to be NOT stored if it cannot be committed."""
        try:
            try:
                db = self._writer()
            except StoreError as error:
                raise NotStored(f"{what} was NOT stored: {error.message}", file=error.file, cure=error.cure) from None
            if moment is not None:
                self._back_up_daily(moment)
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
        except (sqlite3.Error, OSError) as error:
            raise faults.not_stored(error, what, self.path) from None

    def _back_up_daily(self, moment: Moment) -> None:
        """Before the first writing of a study day, keep a copy of the database as it was."""
        day = self.study_day(moment)
        if self._backed_up_on == day or not self.settings.backups:
            return
        self._backed_up_on = day
        from kb.store import backups

        try:
            backups.daily(self.home, day, self.settings)
        except (KbError, OSError, sqlite3.Error) as error:
            self.notices.append(f"today's backup could not be made: {error}")

    def _record(
        self, db: sqlite3.Connection, question: str, grade: int, moment: Moment, cram: bool, facts: _Facts
    ) -> Event:
        before, last_id, is_fitted, is_examined = derived.before_answer(db, question)
        scheduler = self._scheduler(self._weights(db) if is_fitted else derived.default_weights, question)
        promise = None
        if not cram:
            state = scheduler.review(before.state, grade, moment, key=question, load=self._balancer(db))
            promise = Promise(state.phase, state.step, state.due_ms, state.due_day)
        elif grade not in (1, 2, 3, 4):
            raise UsageError(f"a grade is 1 (Again), 2 (Hard), 3 (Good) or 4 (Easy), not {grade!r}")
        identifier = ids.to_text(ids.next_id(moment.at_ms, last_id))
        day = self.study_day(moment)
        event = Event(
            *(identifier, "answer", *moment, day, self._device(), question, grade, *facts, cram, promise),
        )
        db.execute(events.INSERT, events.to_row(event))
        # its id is the highest, so it is the question's last event: one step of the fold brings the tables up to it
        amount = fold.tally(before, event)
        if amount is not None:
            derived.add_tally(db, (event.day, topic_of(question)), amount)
        derived.put(db, question, before, fold.step(before, event, scheduler.weights))
        if is_examined:
            exams.refresh(db, lambda _: scheduler.weights, [question])
        return event

    def _undo(self, db: sqlite3.Connection, moment: Moment, taken: Iterable[Event]) -> None:
        undos = []
        last = None
        for event in taken:
            last = self._next_id(db, moment, last)
            undos.append(
                Event(
                    *(last, "undo", *moment, self.study_day(moment), self._device()),
                    question=event.question,
                    undoes=event.id,
                )
            )
        self._insert(db, undos)

    def _insert(self, db: sqlite3.Connection, fresh: list[Event]) -> None:
        """Insert events, wherever they belong in the order, and bring the derived tables up to them."""
        touched = {event.question for event in fresh if event.question is not None}
        params = {event.id for event in fresh if event.kind == "params"}
        if params or self._undoes_params(db, fresh):
            # other weights change the memory of every question
            touched |= {name for (name,) in db.execute("SELECT question FROM state")}

        def change() -> derived.WeightsOf:
            db.executemany(events.INSERT, [events.to_row(event) for event in fresh])
            derived.put_weights(db, derived.weights_in_log(db))
            return self._weights(db)

        derived.refolded(db, touched, self._weights(db), change)
        before, now = sorted(exams.read(db)), exams.in_log(db)
        if now != before:
            exams.put(db, now)
        exams.refresh(db, self._weights(db), touched if now == before else None)

    @staticmethod
    def _undoes_params(db: sqlite3.Connection, fresh: list[Event]) -> bool:
        targets = [ids.from_text(event.undoes) for event in fresh if event.undoes is not None]
        query = "SELECT 1 FROM event WHERE id = ? AND kind = 'params'"
        return any(db.execute(query, (target,)).fetchone() for target in targets)

    def _next_id(self, db: sqlite3.Connection, moment: Moment, after: str | None = None) -> str:
        last = ids.from_text(after) if after else db.execute("SELECT max(id) FROM event").fetchone()[0]
        return ids.to_text(ids.next_id(moment.at_ms, last))

    def _device(self) -> str:
        return device.identity(self.home)


def _check_question(question: str) -> None:
    topic, slash, name = question.partition("/")
    if not (topic and slash and name):
        raise UsageError(f"{question!r} is not a question", cure="a question is called topic/id")


def _checked_params(data: Mapping[str, Any] | None) -> Mapping[str, Any]:
    from kb.memory import fsrs

    data = dict(data or {})
    if data.get("weights") is not None:
        data["weights"] = list(fsrs.check_weights(data["weights"]))
    return data
