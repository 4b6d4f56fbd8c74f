"""The fast lane to the index of topics: is the cache of this environment up to date? Answered by stat() alone.

The cache is one SQLite file that can be thrown away at any time. Which file it is depends on all that decides where
topics come from, so two environments (or two versions of kb) never write over each other's. Its plain tables
(``topic``, ``question``, ``includes``, ``requires``) are for whoever counts without loading topics.

This module is on the way of ``kb due``, so it imports next to nothing.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

from kb import __version__
from kb.roots import Root, builtin_root, cache_home, content_roots, data_home, path_entries

_LAYOUT = 1  # raise it when the tables of the cache change
_CODE = (
    "builder.py",
    "cache.py",
    "catalog.py",
    "document.py",
    "loader.py",
    "model.py",
    "scalars.py",
    "search.py",
    "shape.py",
)


def fresh(environment: Mapping[str, str], remake: Callable[[], str]) -> str:
    """The path of the up-to-date index; where it is missing, stale or damaged it is that of ``remake()``.

    ``remake`` opens the library, which makes the index anew, and returns its ``index_path``.
    """
    path = cache_file(environment)
    return path if is_fresh(path, environment) else remake()


def discard(environment: Mapping[str, str]) -> None:
    """Throw the cache of ``environment`` away: for a caller that found it damaged where ``fresh`` had not looked."""
    for suffix in ("", "-journal"):
        with suppress(OSError):
            os.unlink(cache_file(environment) + suffix)


def is_fresh(path: str, environment: Mapping[str, str]) -> bool:
    """Whether the cache at ``path`` tells of the topic files as they are now."""
    if not os.path.isfile(path):
        return False
    try:
        connection = sqlite3.connect(read_only(path), uri=True, timeout=5)
        try:
            known = pack_roots(connection, environment)
            if known is None:
                return False
            (state,) = connection.execute("SELECT value FROM meta WHERE key = 'state'").fetchone()
            for table in ("topic", "question", "includes"):  # a damaged page shows itself here, not to who counts
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        finally:
            connection.close()
    except (sqlite3.Error, TypeError):
        return False
    return bool(state) and state == state_of(scan(content_roots(environment, known)))


def pack_roots(connection: sqlite3.Connection, environment: Mapping[str, str]) -> list[Root] | None:
    """The roots of packs as they were noted, or None if packs have come, gone or changed since."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'packs'").fetchone()
    if row is None or row[0] != packs_stamp(environment):
        return None
    for file, stamp in connection.execute("SELECT file, stamp FROM pack_file"):
        if stamp_of(file) != stamp:
            return None
    return [Root(path, owner) for path, owner in connection.execute("SELECT path, owner FROM pack_root ORDER BY rowid")]


def packs_stamp(environment: Mapping[str, str]) -> str:
    """What decides which packs are installed: the names of all distributions on sys.path, and ``KB_LOAD_PLUGINS``."""
    allowed = environment.get("KB_LOAD_PLUGINS")
    if allowed is not None and not allowed.strip():
        return "none"
    names = []
    for folder in sys.path:
        try:
            listed = os.listdir(folder or ".")
        except OSError:
            continue
        names += sorted(f"{folder}/{name}" for name in listed if name.endswith(("-info", ".egg-link", ".pth")))
    return "\n".join([str(allowed), *names])


def scan(roots: Iterable[Root]) -> list[tuple[str, str, Root]]:
    """Path, stamp and root of every topic file, root by root, by name."""
    found = []
    for root in roots:
        try:
            with os.scandir(root.topics) as entries:
                listed = [entry for entry in entries if entry.name.endswith((".yaml", ".yml")) and entry.name[0] != "."]
        except OSError:
            continue
        listed.sort(key=lambda entry: entry.name)
        for entry in listed:
            try:
                status = entry.stat()
                stamp = f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"
            except OSError:
                stamp = "?"  # a link to nowhere
            found.append((entry.path, stamp, root))
    return found


def plugins_stamp(roots: Iterable[Root]) -> str:
    """What changes when the code of a plugin of ``roots`` does, or that of a question kind of kb's own.

    Only a file that was found faulty needs to know: a kind that it uses may have come, or may take its keys, since.
    """
    folders = [os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "questions")]
    folders += [root.plugins for root in roots]
    found = []
    for top in folders:
        for folder, inner, names in os.walk(top):
            inner[:] = sorted(name for name in inner if name[0] not in "._")
            paths = [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
            found += [f"{path}\t{stamp_of(path)}" for path in paths]
    return "\n".join(found)


def state_of(files: Iterable[tuple[str, str, Root]]) -> str:
    """All that ``scan`` found, as one text to compare."""
    return "\n".join(f"{path}\t{stamp}" for path, stamp, _ in files) or "no topics"


def stamp_of(path: str) -> str:
    """What changes when the file changes."""
    try:
        status = os.stat(path)
    except OSError:
        return "?"
    return f"{status.st_mtime_ns} {status.st_ctime_ns} {status.st_size}"


def cache_file(environment: Mapping[str, str]) -> str:
    """The file of this environment's cache."""
    here = os.path.dirname(os.path.abspath(__file__))
    view = [
        __version__,
        str(_LAYOUT),
        *(stamp_of(os.path.join(here, f"{name}.py")) for name in _CODE),
        sys.prefix,
        builtin_root(),
        data_home(environment),
        *path_entries(environment),
        repr(environment.get("KB_LOAD_PLUGINS")),
    ]
    checksum = zlib.crc32("\n".join(view).encode("utf-8", "surrogateescape"))
    return os.path.join(cache_home(environment), f"topics-{checksum:08x}.db")


def read_only(path: str) -> str:
    """The URI that opens the database at ``path`` for reading only."""
    quoted = path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
    return f"file:{quoted}?mode=ro"
