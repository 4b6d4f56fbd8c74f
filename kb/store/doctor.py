"""Proves that the database is sound, and that the state and the rollups are what the log says."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterable
from contextlib import closing
from itertools import islice
from typing import NamedTuple

from kb.errors import KbError, StoreError
from kb.memory.days import Moment
from kb.store import backups, connection, derived, faults, ids
from kb.store.schema import DERIVED, VERSION

WARNING = "warning: "
"""In the detail of a finding that is no failure, but that somebody should read."""
NAMED = 5
"""How many offenders a check names."""
_AHEAD_MS = 86_400_000
REBUILD = "kb doctor --rebuild makes the state anew from the log"


class Finding(NamedTuple):
    """One check: whether it is ``ok``, and in a line what was found. A warning is ``ok``, and says so in ``detail``."""

    name: str
    ok: bool
    detail: str


def examine(home: str, moment: Moment, known_questions: Container[str] | None = None) -> list[Finding]:
    """Every check of the database and the backups of ``home``. Reads only.

    ``known_questions`` are those that topics have; questions of the log beyond them are named as dangling.
    """
    path = connection.path_of(home)
    try:
        db = connection.open_to_read(path, check_bytes=0)
    except StoreError as error:
        return [Finding("database", False, str(error)), _backups(home)]
    if db is None:
        return [Finding("database", True, f"there is none yet at {path}"), _backups(home)]
    with closing(db):
        findings = [Finding("database", True, f"{path}, version {VERSION}, SQLite {sqlite3.sqlite_version}")]
        findings.append(_guarded("integrity", path, lambda: _integrity(db, path)))
        if not findings[-1].ok:
            return [*findings, _backups(home)]
        db.execute("ATTACH '' AS replayed")  # a database of its own on disk, deleted when it is closed
        for table in DERIVED:
            db.execute(f"CREATE TABLE replayed.{table} AS SELECT * FROM main.{table} LIMIT 0")
        db.execute("BEGIN")  # one moment of the database, whatever others write meanwhile
        findings.append(_guarded("log", path, lambda: _log(db, moment)))
        findings += _replayed(db, path)
        if known_questions is not None:
            findings.append(_guarded("questions", path, lambda: _dangling(db, known_questions)))
    return [*findings, _backups(home)]


def _guarded(name: str, path: str, check: Callable[[], Finding]) -> Finding:
    try:
        with faults.reading(path):
            return check()
    except KbError as error:
        return Finding(name, False, str(error))


def _integrity(db: sqlite3.Connection, path: str) -> Finding:
    backups.check(db, path)
    return Finding("integrity", True, "every page, index, constraint and foreign key is sound")


def _log(db: sqlite3.Connection, moment: Moment) -> Finding:
    """Well-formed ids, undos that name an event, the triggers that keep it append-only, a clock that was right."""
    triggers = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    missing = {"event_is_never_changed", "event_is_never_deleted", "event_is_never_replaced"} - triggers
    if missing:
        return Finding("log", False, f"the triggers that keep it append-only are gone: {', '.join(sorted(missing))}")
    count = 0
    for (identifier,) in db.execute("SELECT id FROM event ORDER BY id"):
        count += 1
        if not ids.is_valid(identifier):
            return Finding("log", False, f"an event has an id that is no UUID of version 7: {identifier.hex()}")
    undone = "SELECT count(*) FROM event u WHERE u.undoes IS NOT NULL"
    (lost,) = db.execute(f"{undone} AND NOT EXISTS (SELECT 1 FROM event WHERE id = u.undoes)").fetchone()
    detail = f"{_count(count, 'event')}, append-only, in order"
    if lost:
        detail += "; " + WARNING + f"{_count(lost, 'undo', 'undos')} of events that are not here (another device's?)"
    last = db.execute("SELECT max(id) FROM event").fetchone()[0]
    if last is not None and ids.time_of(last) > moment.at_ms + _AHEAD_MS:
        detail += "; " + WARNING + "the last event lies more than a day ahead of the clock"
    return Finding("log", True, detail)


_SHOWN = {
    "state": "question",
    "hold": "question",
    "rollup": f"iif(topic = '{derived.EVERY_TOPIC}', 'all', topic) || ' on ' || "
    f"iif(day = {derived.EVERY_DAY}, 'all days', date(day * 86400, 'unixepoch'))",
    "load": "date(due_day * 86400, 'unixepoch')",
    "weights": "iif(topic = '', 'all', topic)",
    "exam": "name",
    "ask": "question",
}
"""How a row of a derived table is named."""
_CHECKS: dict[str, tuple[str, ...]] = {
    "state": ("state",),
    "holds": ("hold",),
    "rollups": ("rollup",),
    "load": ("load",),
    "weights": ("weights",),
    "exams": ("exam", "ask"),
}
"""The derived tables by the check that they belong to."""


def _replayed(db: sqlite3.Connection, path: str) -> list[Finding]:
    """The derived tables against those that a replay of the log makes, bit by bit."""
    try:
        with faults.reading(path):
            derived.rebuild(db, "replayed")
            return [_same(db, name, tables) for name, tables in _CHECKS.items()]
    except KbError as error:
        return [Finding("state", False, str(error))]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        return [Finding("state", False, f"the log cannot be replayed: {error!r}")]


def _same(db: sqlite3.Connection, name: str, tables: Iterable[str]) -> Finding:
    """Whether the ``tables`` have the same rows as the replayed ones. (No number in them is NaN or -0.0.)"""
    wrong: list[str] = []
    rows = 0
    for table in tables:
        ours, replayed = f"SELECT * FROM main.{table}", f"SELECT * FROM replayed.{table}"
        different = f"{ours} EXCEPT {replayed}", f"{replayed} EXCEPT {ours}"
        query = " UNION ".join(f"SELECT {_SHOWN[table]} FROM ({half})" for half in different)
        wrong += [str(entry) for (entry,) in db.execute(query)]
        rows += db.execute(f"SELECT count(*) FROM replayed.{table}").fetchone()[0]
    if not wrong:
        return Finding(name, True, f"{_count(rows, 'row')}, the same as a replay of the log gives, to the last bit")
    differ = _count(len(wrong), "row differs", "rows differ")
    return Finding(name, False, f"{differ} from what the log says: {_some(wrong)}; {REBUILD}")


def _dangling(db: sqlite3.Connection, known: Container[str]) -> Finding:
    names = db.execute("SELECT question FROM state UNION SELECT question FROM hold ORDER BY 1")
    lost = [name for (name,) in names if name not in known]
    if not lost:
        return Finding("questions", True, "every question that was answered is in a topic")
    have = "question has" if len(lost) == 1 else "questions have"
    return Finding("questions", True, WARNING + f"{len(lost)} {have} progress but no topic any more: {_some(lost)}")


def _backups(home: str) -> Finding:
    paths = backups.listing(home)
    wrong = []
    newest = ""
    for path in paths:
        if backups.is_set_aside(path):
            continue
        try:
            summary = backups.verify(path)
        except (KbError, OSError, sqlite3.Error) as error:
            wrong.append(str(error))
        else:
            newest = max(newest, summary.last_at or "")
    if wrong:
        return Finding("backups", False, f"{len(wrong)} of {len(paths)} cannot be read: {_some(wrong)}")
    if not paths:
        return Finding("backups", True, "none yet")
    until = f", the newest until {newest}" if newest else ""
    return Finding("backups", True, f"{_count(len(paths), 'backup')} verified{until}")


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - NAMED} more" if len(listed) > NAMED else ""
    return ", ".join(islice(listed, NAMED)) + more


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
