"""Opening the database: looks before it touches, waits for others, and never makes a file in order to read."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from typing import NamedTuple, NoReturn, TypeVar

from kb.errors import StoreError, StoreTooNew
from kb.store import faults
from kb.store.schema import APPLICATION_ID, TABLES, VERSION, VIEWS

T = TypeVar("T")

FILE = "kb.db"

CHECKED_ON_OPENING = 1 << 19
"""Bytes up to which a database is checked page by page whenever it is opened: some 4 milliseconds."""
CHECKED_BEFORE_WRITING = 1 << 24
"""Bytes up to which it is checked so before the first write of a process; the daily backup checks larger ones."""


def path_of(home: str) -> str:
    """Where the database of the data folder ``home`` is."""
    return os.path.join(home, FILE)


def has_wal(path: str) -> bool:
    """Whether a write-ahead log with something in it lies beside the database."""
    try:
        return os.path.getsize(f"{path}-wal") > 0
    except OSError:
        return False


def inspect(path: str, check_bytes: int) -> bool:
    """Whether there is a database with something in it at ``path`` (a missing or an empty file is none).

    Looks through a connection that leaves no trace, whatever it finds; a file of up to ``check_bytes`` is checked page
    by page. Raises StoreTooNew or StoreDamaged.

    The file is never opened but by SQLite: a process that closes a file of its own gives up all the locks that its
    connections hold on it, and another process would take the write-ahead log away under them
    (https://sqlite.org/howtocorrupt.html, section 2.2).
    """
    try:
        before = _stamp(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", file=path) from None
    hot = has_wal(path)
    if before.size == 0 and not hot:
        return False
    try:
        with faults.reading(path), closing(_connect(path, "ro" if hot else "ro&immutable=1")) as db:
            if _version(db, path) == 0:  # a process was killed between making the file and its tables
                return False
            if not hot:
                _refuse_truncated(db, path, before.size)
            if before.size <= check_bytes:
                quick_check(db, path)
    except StoreError:
        # an immutable connection takes no locks: another process may have begun to write under its eyes
        if hot or not (has_wal(path) or _stamp(path) != before):
            raise
    return True


def open_to_read(path: str, check_bytes: int = CHECKED_ON_OPENING) -> sqlite3.Connection | None:
    """A connection to the database at ``path``, or None if there is none yet.

    Nothing is created, but for SQLite's own files beside the database while it is open. Where these cannot be written
    (a read-only folder, a full disk), the file is read as it is.
    """
    if not inspect(path, check_bytes):
        return None
    with faults.reading(path):
        try:
            return _ready(_connect(path, "rw"), path)
        except sqlite3.Error as error:
            if not faults.is_refusal(error) or has_wal(path):
                raise
            return _ready(_connect(path, "ro&immutable=1"), path)


def open_to_write(path: str) -> sqlite3.Connection:
    """A connection to the database at ``path``, which is made, or brought to this version, if need be.

    Raises StoreTooNew, StoreDamaged (nothing touched), sqlite3.Error or OSError.
    """
    if not inspect(path, CHECKED_BEFORE_WRITING):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    return _ready(_connect(path, "rwc"), path, writing=True)


def _ready(db: sqlite3.Connection, path: str, writing: bool = False) -> sqlite3.Connection:
    """``db``, brought to this version and into WAL mode; closed if that fails."""
    try:
        behind = _patiently(lambda: _version(db, path)) < VERSION
        if behind or (writing and db.execute("PRAGMA journal_mode").fetchone()[0] != "wal"):
            _patiently(lambda: db.execute("PRAGMA journal_mode = WAL"))
        if behind:
            from kb.store.migrations import migrate  # slow to import

            _patiently(lambda: migrate(db, path))
    except BaseException:
        db.close()
        raise
    return db


def open_copy(path: str) -> sqlite3.Connection:
    """A connection to a database that nobody writes to (a backup): leaves no trace beside it."""
    if not inspect(path, check_bytes=0):
        raise faults.damaged(path, "it is not a database of kb")
    with faults.reading(path):
        return _connect(path, "ro" if has_wal(path) else "ro&immutable=1")


def quick_check(db: sqlite3.Connection, path: str) -> None:
    """Raise StoreDamaged if a page of the database is not sound."""
    try:
        found = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise faults.translate(error, path) from None
    if found != "ok":
        raise faults.damaged(path, found.splitlines()[-1])


def _connect(path: str, mode: str) -> sqlite3.Connection:
    quoted = os.path.abspath(path).replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    uri = f"file:{quoted}?mode={mode}"
    db = sqlite3.connect(uri, uri=True, timeout=faults.BUSY_SECONDS, isolation_level=None)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _version(db: sqlite3.Connection, path: str) -> int:
    """The database's version; refuses a newer one and one that is not kb's."""
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        _refuse_newer(str(version), path)
    if version == 0:
        foreign = db.execute("SELECT count(*) FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\'").fetchone()[0]
    else:
        foreign = db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID
        # reads the schema: damage of the first page shows here
        there = {name for (name,) in db.execute("SELECT name FROM sqlite_master")}
        if not foreign:
            _refuse_other_tables(db, version, there, path)
    if foreign:
        raise faults.damaged(path, "it is not a database of kb")
    return version


def _refuse_other_tables(db: sqlite3.Connection, version: int, there: set[str], path: str) -> None:
    """Look whether the tables are those of ``version``: no step of a newer kb was taken, and none of them is gone."""
    if "_sqlite_migrations" in there:
        steps = {f"v{number}" for number in range(1, VERSION + 1)}
        for (name,) in db.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'kb'"):
            if name not in steps:
                _refuse_newer(name, path)
    missing = [name for name in (*TABLES, *VIEWS) if name not in there]
    if version == VERSION and missing:
        raise faults.damaged(path, f"the table {missing[0]} is missing")


class _Stamp(NamedTuple):
    changed_ns: int
    size: int


def _stamp(path: str) -> _Stamp:
    found = os.stat(path)
    return _Stamp(found.st_mtime_ns, found.st_size)


def _refuse_truncated(db: sqlite3.Connection, path: str, size: int) -> None:
    pages = db.execute("PRAGMA page_count").fetchone()[0] * db.execute("PRAGMA page_size").fetchone()[0]
    if size < pages:
        raise faults.damaged(path, f"{pages - size} bytes are missing at its end")


def _refuse_newer(version: str, path: str) -> NoReturn:
    message = f"the database was written by a newer kb (version {version}; this one knows {VERSION})"
    raise StoreTooNew(f"{message}; nothing was changed", file=path, cure="update kb")


def _patiently(action: Callable[[], T]) -> T:
    """Do ``action``, again and again while another process makes the database too.

    SQLite's own waiting does not cover the change to WAL: two processes that both want it would wait for each other.
    """
    deadline = time.monotonic() + faults.BUSY_SECONDS
    while True:
        try:
            return action()
        except sqlite3.OperationalError as error:
            if not faults.is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
