"""Backups: copies made by SQLite's backup API (https://sqlite.org/backup.html), verified before they count.

Before the first writing of each study day the database is copied to ``backups/kb-DATE.db``; old ones are thinned out. A
copy is one file, without a write-ahead log, and is only ever read.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import date
from typing import NamedTuple

from kb.config import Settings
from kb.errors import KbError, StoreDamaged, StoreError, UsageError
from kb.memory.days import Moment, iso_date
from kb.store import connection, events, faults
from kb.store.schema import APPLICATION_ID, TABLES, VERSION

FOLDER = "backups"
_STALE_SECONDS = 24 * 3600
_DAMAGED = "damaged-"
_DAILY = re.compile(r"kb-(\d{4}-\d\d-\d\d)\.db")


class Summary(NamedTuple):
    """What is in a database: its file, size, version, how much is in it, and the ISO time of its last event."""

    path: str
    bytes: int
    version: int
    events: int
    questions: int
    last_at: str | None


def folder_of(home: str) -> str:
    """Where the backups of the data folder ``home`` are."""
    return os.path.join(home, FOLDER)


def listing(home: str) -> list[str]:
    """The backups of the data folder ``home``, in order of name."""
    try:
        names = sorted(os.listdir(folder_of(home)))
    except OSError:
        return []
    return [os.path.join(folder_of(home), name) for name in names if name.endswith(".db")]


def is_set_aside(path: str) -> bool:
    """Whether ``path`` is a damaged database that a restore kept as it was."""
    return os.path.basename(path).startswith(_DAMAGED)


def default_target(home: str, moment: Moment) -> str:
    """The file of a backup that was asked for at ``moment`` without naming one."""
    return _free(folder_of(home), f"manual-{_stamp(moment)}")


def make(home: str, target: str) -> Summary:
    """Copy the database of ``home`` to the new file ``target`` and verify the copy."""
    source_path = connection.path_of(home)
    if os.path.exists(target):
        raise UsageError(f"{target} exists already", cure="name another file")
    source = connection.open_to_read(source_path)
    if source is None:
        raise StoreError("there is no database yet", file=source_path, cure="answer a question first")
    with closing(source):
        return _copy(source, source_path, target)


def daily(home: str, day: int, settings: Settings) -> str | None:
    """Make the backup of study day ``day`` if there is none, and thin the older ones. Returns the new file's path."""
    target = os.path.join(folder_of(home), f"kb-{iso_date(day)}.db")
    if os.path.exists(target):
        return None
    source = connection.open_to_read(connection.path_of(home), check_bytes=0)
    if source is None:
        return None
    with closing(source):
        if source.execute("SELECT 1 FROM event UNION ALL SELECT 1 FROM evidence LIMIT 1").fetchone() is None:
            return None
        _copy(source, connection.path_of(home), target)
    thin(home, settings)
    return target


def thin(home: str, settings: Settings) -> list[str]:
    """Delete the daily backups that are not to be kept; returns them. Others than daily ones are left alone."""
    by_day = {}
    for path in listing(home):
        match = _DAILY.fullmatch(os.path.basename(path))
        if match:
            with suppress(ValueError):
                by_day[date.fromisoformat(match[1])] = path
    keep = kept(by_day, settings.backups_daily, settings.backups_weekly, settings.backups_monthly)
    gone = [path for day, path in sorted(by_day.items()) if day not in keep]
    for path in gone:
        os.unlink(path)
    _sweep(folder_of(home))
    return gone


def _sweep(folder: str) -> None:
    """Delete what copies that were killed long ago left behind."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if name.endswith(".partial"):
            with suppress(OSError):
                if time.time() - os.path.getmtime(path) > _STALE_SECONDS:
                    os.unlink(path)


def kept(days: Iterable[date], daily: int, weekly: int, monthly: int) -> set[date]:
    """Which days' backups are kept: the last ``daily`` ones, and the newest of the last so many weeks and months."""
    newest_first = sorted(days, reverse=True)

    def newest_of(key: Callable[[date], object], count: int) -> list[date]:
        firsts: dict[object, date] = {}
        for day in newest_first:
            firsts.setdefault(key(day), day)
        return list(firsts.values())[:count]

    weeks = newest_of(lambda day: day.isocalendar()[:2], weekly)
    months = newest_of(lambda day: (day.year, day.month), monthly)
    return {*newest_first[:daily], *weeks, *months}


def verify(path: str) -> Summary:
    """Prove that the file at ``path`` is a sound database of this kb or an older one; StoreError if not."""
    with closing(connection.open_copy(path)) as db, faults.reading(path):
        check(db, path)
        return _summary(db, path)


def check(db: sqlite3.Connection, path: str) -> None:
    """SQLite's full check of ``db``: pages, indexes, constraints, foreign keys."""
    try:
        found = [row[0] for row in db.execute("PRAGMA integrity_check(3)")]
        if found == ["ok"]:
            dangling = db.execute("PRAGMA foreign_key_check").fetchone()
            found = ["ok"] if dangling is None else [f"a row of {dangling[0]} refers to nothing in {dangling[2]}"]
    except sqlite3.Error as error:
        raise faults.translate(error, path) from None
    if found != ["ok"]:
        raise faults.damaged(path, "; ".join(line for text in found for line in text.splitlines()[-1:]))


def restore(home: str, file: str, moment: Moment) -> tuple[Summary, str | None]:
    """Make the database of ``home`` what is in ``file``, having verified that.

    What was there before is kept: returns what was restored, and the file that holds the replaced database (None if
    there was none). Refuses a ``file`` that is damaged or of a newer kb, and a database of a newer kb; then nothing is
    touched.
    """
    path = connection.path_of(home)
    if os.path.exists(path) and os.path.exists(file) and os.path.samefile(path, file):
        raise UsageError(f"{file} is the database itself", cure="name a backup")
    summary = _verified(file)
    stamp = _stamp(moment)
    try:
        current = connection.open_to_read(path)
        if current is not None:
            with closing(current):
                check(current, path)
    except StoreDamaged:
        kept_at: str | None = _free(folder_of(home), f"{_DAMAGED}{stamp}")
        _replace(file, path, kept_at)
    else:
        kept_at = None if current is None else _free(folder_of(home), f"replaced-{stamp}")
        if kept_at is None:
            _replace(file, path, None)
        else:
            make(home, kept_at)
            _overwrite(file, path)
    connection.open_to_write(path).close()  # brings an older one to this version
    return summary, kept_at


def _verified(file: str) -> Summary:
    if not os.path.isfile(file):
        raise UsageError(f"there is no file {file}", cure="see: kb backup --list")
    try:
        return verify(file)
    except StoreDamaged as error:
        message = error.message.replace("the database", "this backup")
        raise StoreDamaged(message, file=error.file, cure="take another one; see: kb backup --list") from None


def _overwrite(file: str, path: str) -> None:
    """Copy ``file`` into the living database, in one transaction: other processes that have it open see it change."""
    try:
        with closing(connection.open_copy(file)) as source, closing(connection.open_to_write(path)) as target:
            source.backup(target)
    except sqlite3.Error as error:
        raise faults.not_stored(error, "the backup", path) from None


def _replace(file: str, path: str, kept_at: str | None) -> None:
    """Put a copy of ``file`` where a damaged database is (kept at ``kept_at``, byte by byte as it is), or none."""
    staged = f"{path}.restored"
    with suppress(FileNotFoundError):
        os.unlink(staged)
    with closing(connection.open_copy(file)) as source:
        _copy(source, file, staged)
    try:
        if kept_at is not None:
            os.makedirs(os.path.dirname(kept_at), mode=0o700, exist_ok=True)
            for suffix in ("", "-wal"):
                if os.path.exists(path + suffix):
                    os.link(path + suffix, kept_at + suffix)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(path + suffix)
        os.replace(staged, path)
    except OSError as error:
        raise KbError(f"the backup was not restored: {error.strerror}", file=path) from None
    _sync_folder(os.path.dirname(path))


def _copy(source: sqlite3.Connection, source_path: str, target: str) -> Summary:
    """Copy a database to the new file ``target``, which appears there whole and verified or not at all."""
    partial = f"{target}.{os.getpid()}.partial"  # two processes may make the same one
    try:
        os.makedirs(os.path.dirname(os.path.abspath(target)), mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            os.unlink(partial)
        with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
            source.execute("BEGIN")  # the counts below are those of the copied moment
            try:
                source.backup(copy)
                wanted = _counts(source)
            finally:
                source.execute("COMMIT")
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA foreign_keys = ON")
            check(copy, partial)
            if _counts(copy) != wanted:
                raise faults.damaged(source_path, "its copy has another number of rows")
            summary = _summary(copy, target)._replace(bytes=os.path.getsize(partial))
        os.replace(partial, target)
        _sync_folder(os.path.dirname(os.path.abspath(target)))
        return summary
    except sqlite3.Error as error:
        raise faults.not_stored(error, f"the backup {target}", source_path) from None
    except OSError as error:
        raise KbError(f"the backup was not made: {error.strerror}", file=target) from None
    finally:
        with suppress(OSError):
            os.unlink(partial)


def _counts(db: sqlite3.Connection) -> dict[str, int]:
    present = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES if table in present}


def _summary(db: sqlite3.Connection, path: str) -> Summary:
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID or version > VERSION:
        raise faults.damaged(path, "it is not a database of kb")
    counted = _counts(db)
    last = db.execute("SELECT at_ms, offset_minutes FROM event ORDER BY id DESC LIMIT 1").fetchone()
    size = os.path.getsize(path) if os.path.exists(path) else 0
    return Summary(path, size, version, counted["event"], counted["state"], None if last is None else events.iso(*last))


def _free(folder: str, stem: str) -> str:
    """A file of that name which does not exist yet."""
    names = [f"{stem}.db", *(f"{stem}-{n}.db" for n in range(2, 1000))]
    return next(path for name in names if not os.path.exists(path := os.path.join(folder, name)))


def _stamp(moment: Moment) -> str:
    """Local time as part of a file's name: ``20261123-101500``."""
    return events.iso(*moment)[:19].replace("-", "").replace(":", "").replace("T", "-")


def _sync_folder(folder: str) -> None:
    """Make a rename durable; not every system lets a folder be opened."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def describe(summary: Summary) -> str:
    """What is in it, in words."""
    until = f", the last {summary.last_at[:16].replace('T', ' ')}" if summary.last_at else ""
    return f"{summary.events:,} events{until}, {summary.questions:,} questions with progress, {summary.bytes:,} bytes"
