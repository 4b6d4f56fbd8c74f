"""The kept parts of ``kb.store.insight``: a disposable file, done without where it cannot be read or written.

Of each topic it keeps what it was made from and the counts; under no name the counts of all topics, which change by
what a part changes, so that a look need not add up thousands of them.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple

FILE = "stats-2.db"  # another number when other things are counted
_TABLES = (
    "CREATE TABLE IF NOT EXISTS share (database TEXT, topic TEXT, stamp TEXT, day INTEGER, seen INTEGER, recall REAL, "
    "counts TEXT, PRIMARY KEY (database, topic)) WITHOUT ROWID",
    # change: how often the parts were saved; mark: the last event that was looked at
    "CREATE TABLE IF NOT EXISTS whole (database TEXT PRIMARY KEY, change INTEGER, mark BLOB, counts TEXT)",
)


class Moved(Exception):
    """What was kept is not what it was a moment ago: another process has changed it, or it is damaged."""


class Part(NamedTuple):
    """A topic's part: the ``stamp`` of what it was made from, the ``day`` that ``recall`` is of, the questions seen."""

    stamp: str
    day: int
    seen: int
    recall: float


class Kept:
    """The parts of one database, and what has changed of them."""

    def __init__(self, db: sqlite3.Connection, database: str) -> None:
        self._db = db
        self._database = database
        self.parts: dict[str, Part] = {}
        self.mark = b""
        """The last event up to which the log was searched for what makes a part wrong."""
        self.whole: tuple[int, ...] = ()
        self._change = 0
        self._made: dict[str, Sequence[int]] = {}
        self._touched: set[str] = set()
        with suppress(sqlite3.Error, ValueError, TypeError):
            self._load()

    def _load(self) -> None:
        query = "SELECT change, mark, counts FROM whole WHERE database = ?"
        found = self._db.execute(query, (self._database,)).fetchone()
        if found is not None:
            query = "SELECT topic, stamp, day, seen, recall FROM share WHERE database = ?"
            parts = {topic: Part(*row) for topic, *row in self._db.execute(query, (self._database,))}
            self._change, self.mark, whole = found[0], bytes(found[1]), tuple(json.loads(found[2]))
            self.parts, self.whole = parts, whole

    def counts(self, names: Iterable[str]) -> dict[str, Sequence[int]]:
        """The counts of the parts ``names``; raises Moved if they are not there any more."""
        query = "SELECT counts FROM share WHERE database = ? AND topic = ?"
        found: dict[str, Sequence[int]] = {}
        try:
            for name in names:
                found[name] = self._made.get(name) or json.loads(
                    self._db.execute(query, (self._database, name)).fetchone()[0]
                )
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise Moved from error
        return found

    def drop(self, names: Iterable[str]) -> None:
        """Take parts out."""
        for name, counts in self.counts(names).items():
            self.whole = tuple(one - other for one, other in zip(self.whole, counts, strict=True))
            del self.parts[name]
            self._made.pop(name, None)
            self._touched.add(name)

    def put(self, name: str, part: Part, counts: Sequence[int]) -> None:
        """Put a part in."""
        self.whole = tuple(one + other for one, other in zip(self.whole or [0] * len(counts), counts, strict=True))
        self.parts[name], self._made[name] = part, counts
        self._touched.add(name)

    def age(self, name: str, day: int, recall: float) -> None:
        """Make a part one of another day."""
        self.parts[name] = self.parts[name]._replace(day=day, recall=recall)
        self._touched.add(name)

    def save(self, mark: bytes) -> None:
        """Keep what has changed, unless another process has kept something meanwhile or the file cannot be written."""
        if not self._touched and mark == self.mark:
            return
        key = (self._database,)
        with suppress(sqlite3.Error):
            self._db.execute("BEGIN IMMEDIATE")
            row = self._db.execute("SELECT change FROM whole WHERE database = ?", key).fetchone()
            if (row[0] if row else 0) != self._change:
                self._db.execute("ROLLBACK")
                return
            if row is None:
                self._db.execute("DELETE FROM share WHERE database = ?", key)
            for name in self._touched:
                self._write(name)
            values = (self._database, self._change + 1, mark, json.dumps(self.whole))
            self._db.execute("INSERT OR REPLACE INTO whole VALUES (?, ?, ?, ?)", values)
            self._db.execute("COMMIT")

    def _write(self, name: str) -> None:
        part, key = self.parts.get(name), (self._database, name)
        if part is None:
            self._db.execute("DELETE FROM share WHERE database = ? AND topic = ?", key)
        elif name in self._made:
            values = (*key, *part, json.dumps(self._made[name]))
            self._db.execute("INSERT OR REPLACE INTO share VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        else:
            query = "UPDATE share SET day = ?, recall = ? WHERE database = ? AND topic = ?"
            self._db.execute(query, (part.day, part.recall, *key))

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def open(cache: str, path: str) -> Kept:
    """What was kept in the folder ``cache`` of the database at ``path``; nothing where the file cannot be read."""
    database = os.path.realpath(path)
    try:
        os.makedirs(cache, exist_ok=True)
        db = sqlite3.connect(os.path.join(cache, FILE), timeout=1.0, isolation_level=None)
        for table in _TABLES:
            db.execute(table)
        return Kept(db, database)
    except (sqlite3.Error, OSError):
        return nothing()


def nothing() -> Kept:
    """Nothing kept, and nothing to be kept."""
    return Kept(sqlite3.connect(":memory:", isolation_level=None), "")
