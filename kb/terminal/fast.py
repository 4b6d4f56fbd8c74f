"""What is called all day, without click: ``--version``, ``kb`` alone, and ``due`` and ``quiz`` without options."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence


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
    names = [word for word in arguments[1:] if word != "--json"]
    if any(word.startswith("-") for word in names):
        return None
    if arguments[0] == "due":
        return due(os.environ, names, "--json" in arguments)
    if arguments[0] == "quiz":
        return quiz(os.environ, names, "--json" in arguments)
    return None


def quiz(environment: Mapping[str, str], names: Sequence[str], as_json: bool) -> int:
    """``kb quiz`` without wishes."""
    from kb.terminal.context import App
    from kb.terminal.hold import hold, plan_of

    with App(environment) as app:
        return hold(app, plan_of(names), as_json=as_json) or 0


def due(environment: Mapping[str, str], topics: Sequence[str], as_json: bool) -> int | None:
    """``kb due``: 0 once it is printed; None if a topic is not known by this very name."""
    from kb.terminal import duelist, glance

    path = glance.index_path(environment)
    known = _known(path, topics) if topics else []
    if known is None:
        return None
    counts = glance.count(environment, path, known)
    if as_json:
        sys.stdout.write(duelist.as_json(counts) + "\n")
    else:
        duelist.write(counts, glance.moment(environment), environment)
    return 0


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
