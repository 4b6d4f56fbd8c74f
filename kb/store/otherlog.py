"""The log of another device, from its database (or a backup of it) or from the lines of its ``kb log --json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

from kb.errors import KbError, UsageError
from kb.store import connection, events, faults
from kb.store.events import Event

_MAGIC = b"SQLite format 3\0"
LARGEST_LINE = 16 << 20
"""Characters; a longer line is no event."""


def read(path: str) -> Iterator[Event]:
    """The events in the file at ``path``. A fault raises KbError with the file and, in JSON Lines, the line."""
    try:
        with open(path, "rb") as file:
            is_database = file.read(len(_MAGIC)) == _MAGIC
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=path) from None
    yield from _of_database(path) if is_database else _of_lines(path)


def _of_database(path: str) -> Iterator[Event]:
    with closing(connection.open_copy(path)) as db, faults.reading(path):
        for row in db.execute(f"SELECT {events.SELECT} FROM event e ORDER BY e.id"):
            yield events.from_row(row)


def _of_lines(path: str) -> Iterator[Event]:
    with open(path, encoding="utf-8", errors="replace") as file:
        number = 0
        while text := file.readline(LARGEST_LINE):
            number += 1
            if not text.strip():
                continue
            try:
                line = json.loads(text)
                if not isinstance(line, dict):
                    raise UsageError("not an event of the log")
                yield events.from_json(line)
            except (ValueError, RecursionError):
                raise KbError("is not JSON", file=path, line=number, cure="make it with: kb log --json") from None
            except UsageError as error:
                cure = "make it with: kb log --json"
                raise KbError(error.message, file=path, line=number, cure=cure) from None
