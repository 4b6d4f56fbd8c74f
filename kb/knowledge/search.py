"""Full-text search over topics, claims and questions: SQLite's FTS5, in the disposable cache.

Ranked by BM25 (Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009) as FTS5 computes
it, a hit in a heading weighing more than one in the text.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from kb.knowledge.cache import Cache
from kb.knowledge.model import Topic

MARK = ("\x02", "\x03")  # round the words that matched; no topic can hold them
_GAP = re.compile(r"\{\{.*?\}\}(?!\})", re.DOTALL)
_MAX_WORDS = 32
_WEIGHTS = "8.0, 1.0"  # of heading and text


class Hit(NamedTuple):
    """A place that matches. ``part`` is topic, body, claim, question or source, ``id`` which one of them.

    ``snippet`` is a piece of its text in which the words that matched stand between the two ``MARK`` characters;
    ``score`` is higher for a better match.
    """

    topic: str
    part: str
    id: str
    heading: str
    snippet: str
    score: float


def search(cache: Cache, topics: Callable[[], Iterable[Topic]], text: str, limit: int) -> list[Hit]:
    """The places in ``topics()`` that hold all words of ``text`` (or, if none does, any of them), best first.

    The last word counts as the beginning of one, as it may be while somebody types. The index is brought up to date
    first; it lives in ``cache``, or in memory where that cannot be written.
    """
    words = re.findall(r"[^\W_]+", text)[:_MAX_WORDS]
    if not words:
        return []
    try:
        _bring_up_to_date(cache.connection, cache.stamps(), topics)
        return _query(cache.connection, words, limit)
    except sqlite3.Error:
        memory = sqlite3.connect(":memory:", isolation_level=None)
        memory.execute("CREATE TABLE searchable (path TEXT PRIMARY KEY, stamp TEXT)")
        try:
            _bring_up_to_date(memory, {}, topics)
            return _query(memory, words, limit)
        finally:
            memory.close()


def _query(connection: sqlite3.Connection, words: list[str], limit: int) -> list[Hit]:
    quoted = [f'"{word}"' for word in words]  # letters and digits only, so nothing is FTS5's syntax
    quoted[-1] += "*"
    for operator in (" AND ", " OR "):
        rows = connection.execute(
            f"""SELECT place.topic, place.part, place.id, text.heading,
                       snippet(text, 1, '{MARK[0]}', '{MARK[1]}', '…', 24), -bm25(text, {_WEIGHTS})
                FROM text JOIN place ON place.rowid = text.rowid
                WHERE text MATCH ? ORDER BY bm25(text, {_WEIGHTS}), place.rowid LIMIT ?""",
            (operator.join(quoted), limit),
        ).fetchall()
        if rows:
            return [Hit(*row) for row in rows]
    return []


def _bring_up_to_date(
    connection: sqlite3.Connection, stamps: dict[str, str], topics: Callable[[], Iterable[Topic]]
) -> None:
    """Index what has changed since the last search, and drop what is gone."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    with suppress(sqlite3.OperationalError):  # another process may have been faster
        if "place" not in tables:
            connection.execute("CREATE TABLE place (path TEXT, topic TEXT, part TEXT, id TEXT)")
            connection.execute("CREATE INDEX place_path ON place (path)")
    if "text" not in tables:
        connection.execute(
            "CREATE VIRTUAL TABLE IF NOT EXISTS text "
            "USING fts5(heading, content, tokenize = 'porter unicode61 remove_diacritics 2')"
        )
    known = dict(connection.execute("SELECT path, stamp FROM searchable"))
    usable = {path for (path,) in connection.execute("SELECT file FROM topic")} if "topic" in tables else None
    if usable is not None and known == {path: stamps.get(path, "") for path in usable} and "" not in known.values():
        return
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        current: dict[str, str] = {}
        for topic in topics():
            stamp = current[topic.file] = stamps.get(topic.file, "")
            if stamp and known.get(topic.file) == stamp:
                continue
            _forget(connection, topic.file)
            for part, id, heading, content in _parts(topic):
                row = connection.execute("INSERT INTO place VALUES (?, ?, ?, ?)", (topic.file, topic.name, part, id))
                connection.execute(
                    "INSERT INTO text (rowid, heading, content) VALUES (?, ?, ?)", (row.lastrowid, heading, content)
                )
            connection.execute("INSERT OR REPLACE INTO searchable VALUES (?, ?)", (topic.file, stamp))
        for path in known.keys() - current.keys():
            _forget(connection, path)
            connection.execute("DELETE FROM searchable WHERE path = ?", (path,))


def _forget(connection: sqlite3.Connection, path: str) -> None:
    rows = connection.execute("SELECT rowid FROM place WHERE path = ?", (path,)).fetchall()
    connection.executemany("DELETE FROM text WHERE rowid = ?", rows)
    connection.execute("DELETE FROM place WHERE path = ?", (path,))


def _parts(topic: Topic) -> Iterator[tuple[str, str, str, str]]:
    """Part, id, heading and text of everything in ``topic`` that can be found."""
    names = " ".join([topic.name, topic.title, *topic.aliases, *topic.tags])
    yield "topic", topic.name, names, topic.summary
    heading, lines = topic.title, list[str]()
    for line in topic.body.splitlines():
        found = re.match(r"#{1,6}\s+(.+)", line)
        if found:
            if any(map(str.strip, lines)):
                yield "body", heading, heading, "\n".join(lines)
            heading, lines = found[1], []
        else:
            lines.append(line)
    if any(map(str.strip, lines)):
        yield "body", heading, heading, "\n".join(lines)
    for claim in topic.claims:
        yield (
            "claim",
            claim.id,
            claim.id.replace("-", " "),
            " ".join(filter(None, (claim.says, claim.quote, claim.why))),
        )
    for card in topic.questions:  # without answers and gaps: a search should not spoil the question
        yield "question", card.id, card.id.replace("-", " "), without_gaps(card.ask)
    for key, source in topic.sources.items():
        yield "source", key, source.title, f"{source.authors} {source.year} {source.venue or ''}"


def without_gaps(text: str) -> str:
    """The text of a cloze with a line in the place of each gap."""
    return _GAP.sub("____", text)
