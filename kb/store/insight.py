"""What memory looks like from the answers themselves: retention by age, calibration, answer times, the memories now.

Each topic's share of it is kept in a disposable file in the cache folder and made again when the topic has got new
events; so the cost of looking follows what has happened since, not the length of the log.
"""

from __future__ import annotations

import json
import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any, NamedTuple

from kb.memory import fsrs
from kb.memory.days import elapsed_days
from kb.memory.fsrs import AGAIN
from kb.store import connection, derived, events, faults, fold
from kb.store.derived import WeightsOf

FILE = "stats.db"
_MARK = "/"  # no topic: under it stands the last event that was looked at
_VERSION = 1

AGE_DAYS = (1, 2, 4, 8, 16, 31, 61, 121, 366)
"""Retention is told by the days since the answer before; each class begins at its number."""
STABILITY_DAYS = (0, 1, 3, 7, 14, 30, 90, 180, 365)
SECONDS = (0, 2, 5, 10, 15, 20, 30, 60, 120)
CALIBRATION_BINS = 20
DIFFICULTY_BINS = 9


class Insight(NamedTuple):
    """Counts by class, so that those of several topics add up.

    ``age`` and ``calibration`` are rows of answers, those recalled, and (calibration) the sum of what was foreseen;
    ``seconds`` are rows of answers that passed and that failed; ``stability`` and ``difficulty`` count questions.
    ``recall`` is the expected number of questions that are remembered on the day it was made for, of those ``seen``.
    """

    age: tuple[tuple[float, ...], ...] = ((0.0, 0.0),) * len(AGE_DAYS)
    calibration: tuple[tuple[float, ...], ...] = ((0.0, 0.0, 0.0),) * CALIBRATION_BINS
    seconds: tuple[tuple[float, ...], ...] = ((0.0, 0.0),) * len(SECONDS)
    stability: tuple[float, ...] = (0.0,) * len(STABILITY_DAYS)
    difficulty: tuple[float, ...] = (0.0,) * DIFFICULTY_BINS
    seen: float = 0.0
    recall: float = 0.0


def total(parts: Iterable[Insight]) -> Insight:
    """The sum of ``parts``."""
    result = Insight()
    for part in parts:
        result = Insight(*(_add(one, other) for one, other in zip(result, part, strict=True)))
    return result


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, tuple | list):
        return tuple(_add(left, right) for left, right in zip(one, other, strict=True))
    return one + other


class _Kept(NamedTuple):
    """A topic's part and what it was made from."""

    stamp: str
    day: int
    insight: Insight


def read(home: str, cache: str, day: int, topics: Sequence[str] | None = None) -> dict[str, Insight]:
    """By topic (of ``topics``, or all that have an answer), what is seen on study day ``day``; ``""`` is their sum."""
    path = connection.path_of(home)
    db = connection.open_to_read(path)
    if db is None:
        return {"": Insight()}
    with closing(db), faults.reading(path):
        db.execute("BEGIN")
        stamps = _stamps(db)
        if not stamps:
            return {"": Insight()}
        kept, whole = _load(cache, path)
        chosen = list(stamps) if topics is None else [topic for topic in topics if topic in stamps]
        anew = _begun_anew(db, mark.stamp if (mark := kept.pop(_MARK, None)) else "")
        kept = {name: part for name, part in kept.items() if name not in anew}
        last = db.execute("SELECT max(id) FROM event").fetchone()[0] or b""
        stale = [name for name in chosen if name not in kept or kept[name].stamp != stamps[name]]
        aged = [name for name in chosen if name not in stale and kept[name].day != day]
        if stale or aged:
            weights = derived.weights_of(db.execute("SELECT topic, weights FROM weights").fetchall())
            for name in stale:
                kept[name] = _Kept(stamps[name], day, _made(db, name, weights, day))
            for name in aged:
                recall = _recall(db, name, weights, day)
                kept[name] = _Kept(stamps[name], day, kept[name].insight._replace(recall=recall))
    everything = _stamp_of_all(stamps, day)
    is_new = bool(stale or aged) or (topics is None and (whole is None or whole.stamp != everything))
    if topics is None and whole is not None and not is_new:
        found = whole.insight
    else:
        found = total(kept[name].insight for name in chosen)
    if is_new:
        changed = {name: kept[name] for name in (*stale, *aged)}
        if topics is None:  # only then has every topic that was begun anew been made again
            changed |= {"": _Kept(everything, day, found), _MARK: _Kept(last.hex(), day, Insight())}
        _save(cache, path, changed)
    return {**{name: kept[name].insight for name in chosen}, "": found}


def _stamps(db: sqlite3.Connection) -> dict[str, str]:
    """For each topic a text that changes when its answers, its state, or the weights do."""
    in_force = events.to_json([(topic, event.hex()) for topic, event in db.execute("SELECT topic, event FROM weights")])
    stamps = {}
    for topic, *amounts in db.execute("SELECT * FROM topic_total ORDER BY topic"):
        stamps[topic] = f"{_VERSION} {amounts} {in_force}"
    return stamps


def _begun_anew(db: sqlite3.Connection, since: str) -> set[str]:
    """Topics with a reset (or something undone) after the event ``since``: a reset changes no tally."""
    query = "SELECT question FROM event WHERE id > ? AND kind IN ('reset', 'undo') AND question IS NOT NULL"
    return {fold.topic_of(question) for (question,) in db.execute(query, (bytes.fromhex(since),))}


def _stamp_of_all(stamps: dict[str, str], day: int) -> str:
    from hashlib import blake2b

    return blake2b(f"{day} {stamps}".encode(), digest_size=16).hexdigest()


_OF_TOPIC = (
    f"SELECT {events.FOLDED} FROM event e WHERE e.question >= ? || '/' AND e.question < ? || '0' "
    "AND e.kind <> 'undo' AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) ORDER BY e.question, e.id"
)


def _made(db: sqlite3.Connection, topic: str, weights_of: WeightsOf, day: int) -> Insight:
    """The insight of ``topic`` from its events."""
    age = [[0.0, 0.0] for _ in AGE_DAYS]
    calibration = [[0.0, 0.0, 0.0] for _ in range(CALIBRATION_BINS)]
    seconds = [[0.0, 0.0] for _ in SECONDS]
    stability, difficulty = [0.0] * len(STABILITY_DAYS), [0.0] * DIFFICULTY_BINS
    seen = recall = 0.0
    for question, rows in groupby(db.execute(_OF_TOPIC, (topic, topic)), key=itemgetter(0)):
        w, progress = weights_of(question), fold.NEW
        for event in map(events.from_folded, rows):
            if event.kind == "answer" and not event.cram and event.grade is not None:
                passed = event.grade != AGAIN
                if event.took_ms is not None:
                    seconds[bisect_right(SECONDS, event.took_ms / 1000) - 1][not passed] += 1
                state = progress.state
                elapsed = 0 if state is None else elapsed_days(state.last_day, event.day)
                if state is not None and elapsed >= 1:
                    foreseen = fsrs.retrievability(elapsed, state.stability, w)
                    row = calibration[min(int(foreseen * CALIBRATION_BINS), CALIBRATION_BINS - 1)]
                    row[0], row[1], row[2] = row[0] + 1, row[1] + passed, row[2] + foreseen
                    if state.phase == "review":
                        of_age = age[bisect_right(AGE_DAYS, elapsed) - 1]
                        of_age[0], of_age[1] = of_age[0] + 1, of_age[1] + passed
            progress = fold.step(progress, event, w)
        if progress.state is not None:
            seen += 1
            now = progress.state
            stability[bisect_right(STABILITY_DAYS, now.stability) - 1] += 1
            difficulty[min(max(int(now.difficulty), 1), DIFFICULTY_BINS) - 1] += 1
            recall += fsrs.retrievability(elapsed_days(now.last_day, day), now.stability, w)
    age_rows, calibration_rows, second_rows = (tuple(map(tuple, table)) for table in (age, calibration, seconds))
    return Insight(age_rows, calibration_rows, second_rows, tuple(stability), tuple(difficulty), seen, recall)


def _recall(db: sqlite3.Connection, topic: str, weights_of: WeightsOf, day: int) -> float:
    """How many of the questions of ``topic`` are expected to be remembered on ``day``."""
    w = weights_of(f"{topic}/")
    rows = db.execute(
        "SELECT last_day, stability FROM state WHERE question >= ? || '/' AND question < ? || '0'", (topic, topic)
    )
    return sum(fsrs.retrievability(elapsed_days(last_day, day), stability, w) for last_day, stability in rows)


# --- the cache -----------------------------------------------------------------------------------------------------


def _open(cache: str) -> sqlite3.Connection:
    os.makedirs(cache, exist_ok=True)
    db = sqlite3.connect(os.path.join(cache, FILE), timeout=1.0, isolation_level=None)
    db.execute(
        "CREATE TABLE IF NOT EXISTS part (database TEXT, topic TEXT, stamp TEXT, day INTEGER, insight TEXT, "
        "PRIMARY KEY (database, topic)) WITHOUT ROWID"
    )
    return db


def _load(cache: str, path: str) -> tuple[dict[str, _Kept], _Kept | None]:
    """What was kept of the database at ``path``, and the sum of all; nothing where the cache cannot be read."""
    try:
        with closing(_open(cache)) as db:
            query = "SELECT topic, stamp, day, insight FROM part WHERE database = ?"
            rows = db.execute(query, (os.path.realpath(path),)).fetchall()
        kept = {topic: _Kept(stamp, day, Insight(*json.loads(text))) for topic, stamp, day, text in rows}
    except (sqlite3.Error, OSError, ValueError, TypeError):
        return {}, None
    return kept, kept.pop("", None)


def _save(cache: str, path: str, changed: dict[str, _Kept]) -> None:
    """Keep what was made; a cache that cannot be written is done without."""
    database = os.path.realpath(path)
    rows = [(database, name, part.stamp, part.day, json.dumps(part.insight)) for name, part in changed.items()]
    with suppress(sqlite3.Error, OSError), closing(_open(cache)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?)", rows)
        db.execute("COMMIT")


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
