"""SQLite's errors in the words of kb."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from kb.errors import NotStored, StoreDamaged, StoreError

BUSY_SECONDS = 30.0
"""How long kb waits for another program that is writing."""

_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
_REASONS = {
    _BUSY: f"another program has kept the database locked for {BUSY_SECONDS:.0f} seconds",
    _LOCKED: "another program has locked the database",
    _READONLY: "the database is read-only",
    _IOERR: "the disk did not take the data (is it full?)",
    _CORRUPT: "the database is damaged",
    _FULL: "the disk is full",
    _CANTOPEN: "the database cannot be opened (is its folder writable?)",
    _NOTADB: "the database is damaged",
}
_CURES = {
    _BUSY: "try again when it has finished",
    _LOCKED: "try again when it has finished",
    _READONLY: "make the file and its folder writable",
    _IOERR: "make room on the disk",
    _FULL: "make room on the disk",
    _CANTOPEN: "make the folder writable",
}
RESTORE = "bring a backup back with: kb restore FILE"


def code(error: sqlite3.Error) -> int:
    """SQLite's primary result code of ``error`` (0 if it has none)."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def is_damage(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that the file is not a sound database."""
    return code(error) in (_CORRUPT, _NOTADB)


def is_refusal(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that the file or its folder cannot be written: read-only, or full."""
    return code(error) in (_READONLY, _CANTOPEN, _IOERR, _FULL)


def is_busy(error: sqlite3.Error) -> bool:
    """Whether ``error`` says that another connection holds a lock."""
    return code(error) in (_BUSY, _LOCKED)


def damaged(path: str, detail: str) -> StoreDamaged:
    """The error of a damaged database."""
    return StoreDamaged(f"the database is damaged ({detail}); nothing was changed", file=path, cure=RESTORE)


def translate(error: sqlite3.Error, path: str) -> StoreError:
    """``error`` of a reading as a StoreError."""
    if is_damage(error):
        return damaged(path, str(error))
    return StoreError(_REASONS.get(code(error), str(error)), file=path, cure=_CURES.get(code(error)))


def not_stored(error: sqlite3.Error | OSError, what: str, path: str) -> NotStored:
    """``error`` of a writing as NotStored: ``what`` says what was not stored."""
    if isinstance(error, OSError):
        return NotStored(f"{what} was NOT stored: {error.strerror}", file=path, cure=_CURES[_READONLY])
    reason = _REASONS.get(code(error), str(error))
    cure = RESTORE if is_damage(error) else _CURES.get(code(error))
    return NotStored(f"{what} was NOT stored: {reason}", file=path, cure=cure)


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Turns an error of SQLite inside the block into a StoreError."""
    try:
        yield
    except sqlite3.Error as error:
        raise translate(error, path) from None
