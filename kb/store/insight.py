"""What memory looks like from the answers themselves: retention by age, calibration, answer times, the memories now.

Each topic's share of it is kept in a disposable file in the cache folder and made again when the topic has got new
events; so the cost of looking follows what has happened since, not the length of the log.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import closing
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from kb.memory import fsrs
from kb.memory.days import elapsed_days
from kb.memory.fsrs import AGAIN
from kb.store import connection, derived, events, faults, fold
from kb.store import insightcache as cached
from kb.store.derived import WeightsOf

AGE_DAYS = (1, 2, 4, 8, 16, 31, 61, 121, 366)
"""Retention is told by the days since the answer before; each class begins at its number."""
STABILITY_DAYS = (0, 1, 3, 7, 14, 30, 90, 180, 365)
SECONDS = (0, 2, 5, 10, 15, 20, 30, 60, 120)
CALIBRATION_BINS = 20
DIFFICULTY_BINS = 9

_LAYOUT = (len(AGE_DAYS), 2), (CALIBRATION_BINS, 3), (len(SECONDS), 2), (len(STABILITY_DAYS), 1), (DIFFICULTY_BINS, 1)
_PLACES = [sum(rows * columns for rows, columns in _LAYOUT[:n]) for n in range(len(_LAYOUT) + 1)]
_BILLION = 1_000_000_000
"""What was foreseen is summed in billionths: whole numbers can be added and taken away without a trace."""


class Share(NamedTuple):
    """Of a topic: how many questions have been ``seen``, and how many of them one expects to be remembered."""

    seen: int
    recall: float


class Insight(NamedTuple):
    """Counts by class, of all topics that were looked at.

    ``age`` and ``calibration`` are rows of answers, those recalled, and (calibration) the sum of what was foreseen;
    ``seconds`` are rows of answers that passed and that failed; ``stability`` and ``difficulty`` count questions.
    ``topics`` has the share of each topic on the day it was made for.
    """

    age: Sequence[Sequence[int]]
    calibration: Sequence[tuple[int, int, float]]
    seconds: Sequence[Sequence[int]]
    stability: Sequence[int]
    difficulty: Sequence[int]
    topics: dict[str, Share]

    @property
    def seen(self) -> int:
        """How many questions have been answered."""
        return sum(share.seen for share in self.topics.values())

    @property
    def recall(self) -> float:
        """The expected number of questions that are remembered, of those ``seen``."""
        return sum(share.recall for share in self.topics.values())


def _insight(counts: Sequence[int], topics: dict[str, Share]) -> Insight:
    """The insight whose numbers stand in ``counts``, one after another."""
    tables = []
    for (rows, columns), start in zip(_LAYOUT, _PLACES, strict=False):
        table = [tuple(counts[start + n * columns : start + (n + 1) * columns]) for n in range(rows)]
        tables.append(table)
    age, calibration, seconds, stability, difficulty = tables
    foreseen = [(answers, recalled, billionths / _BILLION) for answers, recalled, billionths in calibration]
    return Insight(age, foreseen, seconds, [n for (n,) in stability], [n for (n,) in difficulty], topics)


NOTHING: tuple[int, ...] = (0,) * _PLACES[-1]
"""The counts where nothing was answered."""


def read(home: str, cache: str, day: int, topics: Sequence[str] | None = None) -> Insight:
    """What is seen on study day ``day`` of ``topics`` (None: of all that have an answer)."""
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        return _insight(NOTHING, {})
    with closing(db), faults.reading(path):
        db.execute("BEGIN")
        try:
            return _look(db, cached.open(cache, path), day, topics)
        except cached.Moved:
            return _look(db, cached.nothing(), day, topics)


def _look(db: sqlite3.Connection, parts: cached.Kept, day: int, topics: Sequence[str] | None) -> Insight:
    with closing(parts) as kept:
        stamps = _stamps(db)
        chosen = list(stamps) if topics is None else [topic for topic in topics if topic in stamps]
        _bring_up(db, kept, stamps, chosen, day)
        shares = {name: Share(kept.parts[name].seen, kept.parts[name].recall) for name in chosen}
        counts = kept.whole or NOTHING if topics is None else _sum(kept.counts(chosen).values())
        return _insight(counts, shares)


def _bring_up(
    db: sqlite3.Connection, kept: cached.Kept, stamps: dict[str, str], chosen: Sequence[str], day: int
) -> None:
    """Make again the kept parts of ``chosen`` that are not those of ``stamps`` and ``day``."""
    last = db.execute("SELECT max(id) FROM event").fetchone()[0] or b""
    # a part that a reset has made wrong goes at once: the mark says up to where the log was searched for them
    gone = {name for name in kept.parts if name not in stamps} | _begun_anew(db, kept.mark)
    kept.drop(name for name in gone if name in kept.parts)
    stale = [name for name in chosen if name not in kept.parts or kept.parts[name].stamp != stamps[name]]
    aged = [name for name in chosen if name in kept.parts and kept.parts[name].day != day]
    weights = derived.weights_of(db.execute("SELECT topic, weights FROM weights").fetchall())
    kept.drop(name for name in stale if name in kept.parts)
    for name in stale:
        seen, counts = _made(db, name, weights)
        kept.put(name, cached.Part(stamps[name], day, seen, _recall(db, name, weights, day)), counts)
    for name in aged:
        if name in kept.parts and kept.parts[name].day != day:
            kept.age(name, day, _recall(db, name, weights, day))
    kept.save(last)


def _sum(parts: Iterable[Sequence[int]]) -> tuple[int, ...]:
    return tuple(map(sum, zip(NOTHING, *parts, strict=True)))


def _stamps(db: sqlite3.Connection) -> dict[str, str]:
    """For each topic a text that changes when its answers, its state, or the weights do."""
    in_force = events.to_json([(topic, event.hex()) for topic, event in db.execute("SELECT topic, event FROM weights")])
    stamps = {}
    for topic, *amounts in db.execute("SELECT * FROM topic_total ORDER BY topic"):
        stamps[topic] = f"{amounts} {in_force}"
    return stamps


def _begun_anew(db: sqlite3.Connection, since: bytes) -> set[str]:
    """Topics with a reset (or something undone) after the event ``since``: a reset changes no tally."""
    query = "SELECT question FROM event WHERE id > ? AND kind IN ('reset', 'undo') AND question IS NOT NULL"
    return {fold.topic_of(question) for (question,) in db.execute(query, (since,))}


_OF_TOPIC = (
    f"SELECT {events.FOLDED} FROM event e WHERE e.question >= ? || '/' AND e.question < ? || '0' "
    "AND e.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) ORDER BY e.question, e.id"
)


def _made(db: sqlite3.Connection, topic: str, weights_of: WeightsOf) -> tuple[int, list[int]]:
    """How many questions of ``topic`` were seen, and its counts, from its events."""
    age, calibration, seconds, stability, difficulty, _ = _PLACES
    counts = list(NOTHING)
    seen = 0
    for question, rows in groupby(db.execute(_OF_TOPIC, (topic, topic)), key=itemgetter(0)):
        w, progress = weights_of(question), fold.NEW
        for event in map(events.from_folded, rows):
            if event.kind == "answer" and not event.cram and event.grade is not None:
                passed = event.grade != AGAIN
                if event.took_ms is not None:
                    counts[seconds + 2 * (bisect_right(SECONDS, event.took_ms / 1000) - 1) + (not passed)] += 1
                state = progress.state
                elapsed = 0 if state is None else elapsed_days(state.last_day, event.day)
                if state is not None and elapsed >= 1:
                    foreseen = fsrs.retrievability(elapsed, state.stability, w)
                    row = calibration + 3 * min(int(foreseen * CALIBRATION_BINS), CALIBRATION_BINS - 1)
                    counts[row] += 1
                    counts[row + 1] += passed
                    counts[row + 2] += round(foreseen * _BILLION)
                    if state.phase == "review":
                        row = age + 2 * (bisect_right(AGE_DAYS, elapsed) - 1)
                        counts[row] += 1
                        counts[row + 1] += passed
            progress = fold.step(progress, event, w)
        if progress.state is not None:
            seen += 1
            counts[stability + bisect_right(STABILITY_DAYS, progress.state.stability) - 1] += 1
            counts[difficulty + min(max(int(progress.state.difficulty), 1), DIFFICULTY_BINS) - 1] += 1
    return seen, counts


_STRENGTHS = "SELECT last_day, stability FROM state WHERE question >= ? || '/' AND question < ? || '0'"
_RECALL = (  # fsrs.retrievability, where the questions are
    "SELECT total(pow(1.0 + ? * max(? - last_day, 0) / stability, ?)) FROM state "
    "WHERE question >= ? || '/' AND question < ? || '0'"
)


def _recall(db: sqlite3.Connection, topic: str, weights_of: WeightsOf, day: int) -> float:
    """How many of the questions of ``topic`` are expected to be remembered on ``day``."""
    w = weights_of(f"{topic}/")
    try:
        values = (fsrs.forgetting_factor(w), day, -w[20], topic, topic)
        return float(db.execute(_RECALL, values).fetchone()[0])
    except sqlite3.OperationalError:  # an SQLite without the mathematical functions
        rows = db.execute(_STRENGTHS, (topic, topic))
        return sum(fsrs.retrievability(elapsed_days(last_day, day), stability, w) for last_day, stability in rows)


def as_json(found: Insight) -> dict[str, Any]:
    """An insight with its classes named and its shares computed; empty classes of the calibration are left out."""
    return {
        "retention_by_age": [
            {"days": days, "reviews": int(count), "retained": int(kept), "rate": kept / count if count else None}
            for days, (count, kept) in zip(classes(AGE_DAYS, whole=True), found.age, strict=True)
        ],
        "calibration": [
            {"predicted": foreseen / count, "actual": kept / count, "answers": int(count)}
            for count, kept, foreseen in found.calibration
            if count
        ],
        "answer_seconds": [
            {"seconds": seconds, "passed": int(passed), "failed": int(failed)}
            for seconds, (passed, failed) in zip(classes(SECONDS), found.seconds, strict=True)
        ],
        "stability": [
            {"days": days, "questions": int(count)}
            for days, count in zip(classes(STABILITY_DAYS), found.stability, strict=True)
        ],
        "difficulty": [{"difficulty": n, "questions": int(count)} for n, count in enumerate(found.difficulty, 1)],
        "recall": found.recall / found.seen if found.seen else None,
    }


def classes(starts: Sequence[int], whole: bool = False) -> list[str]:
    """The names of the classes that begin at ``starts``; of ``whole`` numbers the ends are said too."""
    names = []
    for start, after in pairwise(starts):
        end = after - 1 if whole else after
        names.append(f"{start}" if whole and end == start else f"{start}–{end}")
    return [*names, f"{starts[-1]}+" if whole else f"over {starts[-1]}"]
