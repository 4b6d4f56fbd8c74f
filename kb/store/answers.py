"""The log as the material that weights are fitted to and statistics are made from."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

from kb.memory.history import Answer
from kb.store import connection, faults

_ANSWERS = """
    SELECT e.question, e.grade, e.day, e.kind FROM event e
    WHERE (e.kind = 'answer' AND e.cram IS NOT 1 OR e.kind = 'reset')
    AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) {where} ORDER BY e.id
"""
_TOPIC = "substr(e.question, 1, instr(e.question, '/') - 1)"


def read(home: str, topics: Sequence[str] | None = None) -> list[Answer]:
    """The answers that count (neither undone nor crammed), of all topics or of ``topics``, in the order of the log.

    A question that was reset begins anew: its answers from then on bear another name.
    """
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        return []
    with closing(db), faults.reading(path):
        return _fetch(db, topics)


def _fetch(db: sqlite3.Connection, topics: Sequence[str] | None) -> list[Answer]:
    where = "" if topics is None else f"AND {_TOPIC} IN ({', '.join('?' * len(topics))})"
    resets: dict[str, int] = {}
    found = []
    for question, grade, day, kind in db.execute(_ANSWERS.format(where=where), tuple(topics or ())):
        if kind == "reset":
            resets[question] = resets.get(question, 0) + 1
            continue
        name = f"{question}#{resets[question]}" if question in resets else question
        found.append(Answer(name, grade, day))
    return found


def count(home: str) -> int:
    """How many answers count, from the rollups."""
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        return 0
    with closing(db), faults.reading(path):
        (total,) = db.execute("SELECT coalesce(sum(answers), 0) FROM day_total").fetchone()
    return int(total)


def known_ids(home: str, topic: str) -> set[bytes]:
    """The ids of the events of ``topic``."""
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        return set()
    within = "SELECT id FROM event WHERE question >= ? || '/' AND question < ? || '0'"  # "0" comes after "/"
    with closing(db), faults.reading(path):
        return {identifier for (identifier,) in db.execute(within, (topic, topic))}
