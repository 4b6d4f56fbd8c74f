"""The disposable cache of parsed topics: one SQLite file, keyed by path, times and size of each topic file.

Nothing is lost with it, and nothing may be hurt by it: a cache that is damaged is made anew, and one that cannot be
written gives way to a temporary file. Topics are stored as msgpack, so that a warm start does without YAML.
"""

from __future__ import annotations

import atexit
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from kb.knowledge.catalog import Catalog, Entry
from kb.knowledge.model import Topic
from kb.roots import Root

_TABLES = (
    "meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "pack_root (path TEXT, owner TEXT)",
    "pack_file (file TEXT, stamp TEXT)",
    "file (path TEXT PRIMARY KEY, stamp TEXT, entry BLOB, topic BLOB)",
    "topic (name TEXT PRIMARY KEY, file TEXT, root TEXT, title TEXT) WITHOUT ROWID",
    "question (name TEXT PRIMARY KEY, topic TEXT, position INTEGER) WITHOUT ROWID",
    "alias (alias TEXT PRIMARY KEY, topic TEXT) WITHOUT ROWID",
    "includes (parent TEXT, child TEXT, PRIMARY KEY (parent, child)) WITHOUT ROWID",
    "requires (topic TEXT, needs TEXT, PRIMARY KEY (topic, needs)) WITHOUT ROWID",
    "searchable (path TEXT PRIMARY KEY, stamp TEXT) WITHOUT ROWID",
)
_OLD_SECONDS = 30 * 24 * 3600


class Parsed(NamedTuple):
    """A file that was just read: ``topic`` is None if it has faults, ``stamp`` empty if it may not be trusted again."""

    path: str
    stamp: str
    entry: Entry
    topic: Topic | None


class State(NamedTuple):
    """What the cache was made from: see ``kb.knowledge.index``."""

    files: str
    packs: str
    plugins: str
    pack_roots: Sequence[Root]
    pack_files: Sequence[tuple[str, str]]


class Cache:
    """An open cache; ``path`` is the file it is in. Reading never raises: what cannot be read isn't there."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.connection = _opened(path) or self._elsewhere()

    def close(self) -> None:
        """Close the file."""
        self.connection.close()

    def __del__(self) -> None:
        with suppress(AttributeError, sqlite3.Error):
            self.connection.close()

    def stamps(self) -> dict[str, str]:
        """The stamp of each file when it was parsed."""
        return dict(self._rows("SELECT path, stamp FROM file"))

    def entries(self) -> dict[str, Entry]:
        """The entry of each file, by path."""
        decoder = msgspec.msgpack.Decoder(Entry)
        return {
            path: entry for path, blob in self._rows("SELECT path, entry FROM file") if (entry := _as(decoder, blob))
        }

    def catalog(self) -> Catalog | None:
        """The catalog as it was written."""
        decoder = msgspec.msgpack.Decoder(Catalog)
        rows = list(self._rows("SELECT value FROM meta WHERE key = 'catalog'"))
        return _as(decoder, rows[0][0]) if rows else None

    def plugins(self) -> str | None:
        """The stamp of the plugins that were there when the faulty files were read."""
        rows = list(self._rows("SELECT value FROM meta WHERE key = 'plugins'"))
        return rows[0][0] if rows else None

    def topics(self, paths: Iterable[str] | None = None) -> Iterator[Topic]:
        """The topics that were parsed from ``paths``, or all."""
        decoder = msgspec.msgpack.Decoder(Topic)
        if paths is None:
            rows = self._rows("SELECT topic FROM file WHERE topic IS NOT NULL")
        else:
            rows = (row for path in paths for row in self._rows("SELECT topic FROM file WHERE path = ?", path))
        for (blob,) in rows:
            topic = _as(decoder, blob)
            if topic is not None:
                yield topic

    def write(self, parsed: Sequence[Parsed], gone: Iterable[str], catalog: Catalog, state: State) -> None:
        """Take in what was parsed, drop the files that are gone and note the new state, in one transaction."""
        try:
            self._write(parsed, gone, catalog, state)
        except sqlite3.Error as error:
            damaged = type(error) is sqlite3.DatabaseError
            self.connection.close()
            if damaged:
                _remove(self.path)
            self.connection = self._elsewhere()
            with suppress(sqlite3.Error):
                self._write(parsed, (), catalog, state)

    def _write(self, parsed: Sequence[Parsed], gone: Iterable[str], catalog: Catalog, state: State) -> None:
        encode = msgspec.msgpack.Encoder().encode
        with self.connection as db:
            db.execute("BEGIN IMMEDIATE")
            db.executemany("DELETE FROM file WHERE path = ?", [(path,) for path in gone])
            db.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)",
                [
                    (path, stamp, encode(entry), encode(topic) if topic else None)
                    for path, stamp, entry, topic in parsed
                ],
            )
            for table in ("topic", "question", "alias", "includes", "requires", "pack_root", "pack_file"):
                db.execute(f"DELETE FROM {table}")
            topics = catalog.topics.values()
            db.executemany("INSERT INTO topic VALUES (?, ?, ?, ?)", [(t.name, t.file, t.root, t.title) for t in topics])
            db.executemany(
                "INSERT INTO question VALUES (?, ?, ?)",
                [(f"{t.name}/{id}", t.name, position) for t in topics for position, id in enumerate(t.questions)],
            )
            db.executemany("INSERT INTO alias VALUES (?, ?)", catalog.aliases.items())
            db.executemany("INSERT OR IGNORE INTO includes VALUES (?, ?)", _pairs(catalog.includes))
            db.executemany("INSERT OR IGNORE INTO requires VALUES (?, ?)", _pairs(catalog.requires))
            db.executemany("INSERT INTO pack_root VALUES (?, ?)", state.pack_roots)
            db.executemany("INSERT INTO pack_file VALUES (?, ?)", state.pack_files)
            db.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                [
                    ("catalog", encode(catalog)),
                    ("state", state.files),
                    ("packs", state.packs),
                    ("plugins", state.plugins),
                ],
            )
        _prune(self.path)

    def _elsewhere(self) -> sqlite3.Connection:
        """A new cache in a temporary file, or in memory where not even that can be written."""
        import tempfile  # slow to import, and hardly ever needed

        with suppress(OSError):
            folder = tempfile.TemporaryDirectory(prefix="kb-", ignore_cleanup_errors=True)
            atexit.register(folder.cleanup)
            self.path = os.path.join(folder.name, "topics.db")
            if connection := _opened(self.path):
                return connection
        self.path = ":memory:"
        connection = sqlite3.connect(self.path)
        _create(connection)
        return connection

    def _rows(self, query: str, *values: object) -> Iterator[Any]:
        try:
            yield from self.connection.execute(query, values)
        except sqlite3.Error as error:
            if type(error) is sqlite3.DatabaseError:  # damaged: away with it, the next start makes it anew
                _remove(self.path)


def _opened(path: str) -> sqlite3.Connection | None:
    """The cache at ``path``, made if need be; None if it cannot be had."""
    for _ in range(2):
        connection = None
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            connection = sqlite3.connect(path, timeout=5, isolation_level=None)
            _create(connection)
            return connection
        except OSError:
            return None
        except sqlite3.Error as error:
            if connection is not None:
                connection.close()
            if type(error) is not sqlite3.DatabaseError:
                return None
            _remove(path)
    return None


def _create(connection: sqlite3.Connection) -> None:
    there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    missing = [table for table in _TABLES if table.split()[0] not in there]
    if missing:
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in missing:
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")


def _remove(path: str) -> None:
    for suffix in ("", "-journal"):
        with suppress(OSError):
            os.unlink(path + suffix)


def _prune(path: str) -> None:
    """Remove the caches of versions and environments that have not been written for long."""
    folder = os.path.dirname(path)
    oldest = time.time() - _OLD_SECONDS
    with suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            ours = entry.name.startswith("topics-") and entry.name.endswith(".db")
            if ours and entry.path != path and entry.stat().st_mtime < oldest:
                _remove(entry.path)


def _pairs(graph: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, other) for name, others in graph.items() for other in others]


def _as(decoder: msgspec.msgpack.Decoder[Any], blob: object) -> Any:
    """What ``blob`` decodes to, or None if it cannot be decoded."""
    try:
        return decoder.decode(blob)  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError, ValueError):
        return None
