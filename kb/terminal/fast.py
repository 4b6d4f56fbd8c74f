"""What prompts and scripts call all day, without click: ``--version``, a plain ``due``, and ``kb`` alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from kb.memory.days import Moment


def run(arguments: Sequence[str]) -> int | None:
    """Run ``arguments`` if they are so plain that no parser is needed; None leaves them to click."""
    if list(arguments) == ["--version"]:
        from kb import __version__

        sys.stdout.write(f"kb {__version__}\n")
        return 0
    if not arguments:
        from kb.terminal.commands import home

        home.show(os.environ)
        return 0
    if arguments[0] == "due":
        topics = [word for word in arguments[1:] if word != "--json"]
        if not any(word.startswith("-") for word in topics):
            return due(os.environ, topics, "--json" in arguments)
    return None


def due(environment: Mapping[str, str], topics: Sequence[str], as_json: bool) -> int | None:
    """``kb due``: 0 once it is printed; None if a topic is not known by this very name."""
    from kb.knowledge import index
    from kb.terminal import duelist

    path = index.fresh(environment)
    known = _known(path, topics) if topics else []
    if known is None:
        return None
    counts = count(environment, path, known)
    if as_json:
        import json

        sys.stdout.write(json.dumps(counts, ensure_ascii=False) + "\n")
    else:
        duelist.write(counts, moment(environment), environment)
    return 0


def count(environment: Mapping[str, str], index_path: str, topics: Sequence[str] = ()) -> dict[str, object]:
    """What is due, in the shape of ``kb due --json``."""
    from kb.roots import data_home
    from kb.store import connection
    from kb.store.counts import counts

    home = data_home(environment)
    rollover = rollover_hour(home)
    return counts(connection.path_of(home), index_path, moment(environment), list(topics) or None, rollover)


def rollover_hour(home: str) -> int:
    """The hour at which study days begin, by the settings."""
    if not os.path.exists(os.path.join(home, "config.toml")):  # most people have none, and its reader costs a third
        return 4
    from kb import config

    return config.load(home).rollover_hour


def moment(environment: Mapping[str, str]) -> Moment:
    """Now; ``KB_NOW`` stands for it if it is set."""
    if environment.get("KB_NOW"):
        from kb.terminal.context import App

        now = App(environment).now()
        offset = now.utcoffset()
        return Moment(round(now.timestamp() * 1000), 0 if offset is None else round(offset.total_seconds() / 60))
    import time

    now_s = time.time()
    return Moment(int(now_s * 1000), time.localtime(now_s).tm_gmtoff // 60)


def _known(index_path: str, names: Sequence[str]) -> list[str] | None:
    """The topics that ``names`` and aliases stand for; None if one is not written as it is known."""
    import sqlite3

    from kb.knowledge.index import read_only

    connection = sqlite3.connect(read_only(index_path), uri=True)
    try:
        query = "SELECT name FROM topic WHERE name = ?1 UNION ALL SELECT topic FROM alias WHERE alias = ?1"
        found = [connection.execute(query, (name,)).fetchone() for name in names]
    finally:
        connection.close()
    return None if None in found else [name for (name,) in found]
