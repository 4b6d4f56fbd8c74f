"""How fast the store is, and that it stays so: python bench/store.py [--large] > bench/store.md

Recording an answer (durable when it returns) against a bare durable insert, both in WAL mode with synchronous=FULL on
the same disk, in turns, while the store grows. Then what reads it: counts, statistics, undo, replay, backup. The
database is filled through SQL; ``--large`` goes on to a million questions and ten million answers (half an hour, 6 GB
of disk). Exit code 1 if a ratio is over the budget.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from kb.config import Settings
from kb.memory.days import Moment
from kb.store import backups, connection, derived, doctor, events, ids, stats
from kb.store.counts import counts
from kb.store.events import Event, Promise
from kb.store.store import Store

SIZES = ((100, 1_000), (1_000, 10_000), (10_000, 100_000), (100_000, 1_000_000))
LARGE = (1_000_000, 10_000_000)
BUDGET = 1.5
ROUNDS = 400
TOPIC_SIZE = 25
START_MS, DAY_MS = 1_700_000_000_000, 86_400_000
SETTINGS = Settings(backups=False)


class Cost(NamedTuple):
    """Milliseconds of wall time and of CPU time of one operation."""

    wall: float
    cpu: float


def name_of(question: int) -> str:
    return f"topic-{question // TOPIC_SIZE}/question-{question}"


def history(questions: int, answers: int) -> Iterator[tuple[object, ...]]:
    """Rows of ``event``: every question answered equally often, evenly over three years."""
    span = 3 * 365 * DAY_MS
    for n in range(answers):
        at_ms = START_MS + n * span // answers
        day = at_ms // DAY_MS
        promise = Promise("review", 0, at_ms + 30 * DAY_MS, day + 1 + n * 7919 % 60)
        identifier = ids.to_text(ids.next_id(at_ms, None, random=lambda size: n.to_bytes(size, "big")))  # noqa: B023
        event = Event(
            *(identifier, "answer", at_ms, 60, day, "bench", name_of(n * 7919 % questions), 3),
            *("an answer", n, 4000, True),
            promise=promise,
        )
        yield events.to_row(event)


def fill(home: str, questions: int, answers: int) -> None:
    """A store of that size; the indexes are made afterwards, which is quicker."""
    with Store.open(home, SETTINGS) as store:
        store.rebuild()
    db = sqlite3.connect(connection.path_of(home), isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA cache_size = -500000")
    kept = db.execute("SELECT name, sql FROM sqlite_master WHERE name IN ('event_question', 'event_is_never_replaced')")
    made = kept.fetchall()
    db.execute("BEGIN")
    db.execute("DROP INDEX event_question")
    db.execute("DROP TRIGGER event_is_never_replaced")
    db.executemany(events.INSERT, history(questions, answers))
    for _, statement in made:
        db.execute(statement)
    derived.rebuild(db)
    db.execute("COMMIT")
    db.close()


def once(action: Callable[[], object]) -> Cost:
    """What ``action`` costs."""
    wall, cpu = time.perf_counter(), time.process_time()
    action()
    return Cost(1000 * (time.perf_counter() - wall), 1000 * (time.process_time() - cpu))


def median(costs: list[Cost]) -> Cost:
    """The median of each."""
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


def recording(home: str, questions: int) -> tuple[Cost, Cost]:
    """The cost of a bare durable insert and of an answer, measured in turns."""
    bare = sqlite3.connect(os.path.join(home, "bare.db"), isolation_level=None)
    bare.execute("PRAGMA journal_mode = WAL")
    bare.execute("PRAGMA synchronous = FULL")
    bare.execute(
        "CREATE TABLE answer (id INTEGER PRIMARY KEY, at_ms INTEGER, question TEXT, grade INTEGER, answer TEXT)"
    )
    now = START_MS + 4 * 365 * DAY_MS

    def insert(n: int) -> None:
        row = (now + n, name_of(n * 104_729 % questions), 3, '"an answer"')
        bare.execute("INSERT INTO answer (at_ms, question, grade, answer) VALUES (?, ?, ?, ?)", row)

    bares, records = [], []
    with Store.open(home, SETTINGS) as store:

        def record(n: int) -> None:
            question = name_of(n * 104_729 % questions)
            store.record(question, 3, Moment(now + n, 60), answer="an answer", seed=n, seconds=4, correct=True)

        for n in range(-20, ROUNDS):  # the first ones warm up
            bares.append(once(partial(insert, n)))
            records.append(once(partial(record, n)))
    bare.close()
    return median(bares[20:]), median(records[20:])


def index_of(home: str, questions: int) -> str:
    path = os.path.join(home, "index.db")
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE topic (name TEXT PRIMARY KEY) WITHOUT ROWID;"
        "CREATE TABLE question (name TEXT PRIMARY KEY, topic TEXT, position INTEGER) WITHOUT ROWID;"
        "CREATE TABLE includes (parent TEXT, child TEXT, PRIMARY KEY (parent, child)) WITHOUT ROWID;"
    )
    db.executemany("INSERT INTO topic VALUES (?)", [(f"topic-{n}",) for n in range(-(-questions // TOPIC_SIZE))])
    rows = ((name_of(n), f"topic-{n // TOPIC_SIZE}", n) for n in range(questions))
    db.executemany("INSERT INTO question VALUES (?, ?, ?)", rows)
    db.commit()
    db.close()
    return path


def reading(home: str, questions: int) -> dict[str, float]:
    """Milliseconds of CPU time of what reads the store, and of what works on all of it at once."""
    now = Moment(START_MS + 4 * 365 * DAY_MS, 60)
    day, index, path = now.at_ms // DAY_MS, index_of(home, questions), connection.path_of(home)
    with Store.open(home, SETTINGS) as store:
        found = {
            "counts": median([once(lambda: counts(path, index, now)) for _ in range(10)]),
            "stats": median([once(lambda: stats.read(home, day)) for _ in range(10)]),
            "undo": median([once(lambda: store.undo(now)) for _ in range(20)]),
            "rebuild": once(store.rebuild),
        }
    found["backup"] = once(lambda: backups.make(home, os.path.join(home, "copy.db")))
    assert all(finding.ok for finding in doctor.examine(home, now))
    return {name: cost.cpu for name, cost in found.items()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Measure the store.")
    parser.add_argument("--large", action="store_true", help="go on to a million questions and ten million answers")
    parser.add_argument("--smallest", action="store_true", help="only the two smallest sizes: does it run at all?")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    sizes = SIZES[:2] if options.smallest else SIZES + ((LARGE,) if options.large else ())
    rows = []
    for questions, answers in sizes:
        print(f"{questions:,} questions, {answers:,} answers", file=sys.stderr)
        with tempfile.TemporaryDirectory(prefix="kb-bench-") as home:
            fill(home, questions, answers)
            megabytes = os.path.getsize(connection.path_of(home)) / 1e6
            bare, record = recording(home, questions)
            rows.append(
                {
                    "questions": questions,
                    "answers": answers,
                    "megabytes": megabytes,
                    "bare_ms": bare.wall,
                    "record_ms": record.wall,
                    "ratio": record.wall / bare.wall,
                    "bare_cpu_ms": bare.cpu,
                    "record_cpu_ms": record.cpu,
                    **{f"{name}_ms": value for name, value in reading(home, questions).items()},
                }
            )
            shutil.rmtree(home, ignore_errors=True)
    flags = "".join(f" --{name}" for name in ("large", "smallest") if getattr(options, name))
    print(json.dumps(rows, indent=1) if options.json else table(rows, flags))
    return 0 if all(row["ratio"] <= BUDGET for row in rows) else 1


def table(rows: list[dict[str, float]], flags: str) -> str:
    """The rows as Markdown."""
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    recorded = ("bare_ms", "record_ms", "ratio", "bare_cpu_ms", "record_cpu_ms")
    read = ("counts_ms", "stats_ms", "undo_ms", "rebuild_ms", "backup_ms")
    lines = [
        "# The store, measured",
        "",
        f"`python bench/store.py{flags}` on {machine}, SQLite {sqlite3.sqlite_version}. Milliseconds, the median of",
        f"{ROUNDS} turns. History: every question answered equally often over three years.",
        "",
        "An answer, durable, with the state and the rollups folded in, against a bare insert of the same text into a",
        f"table of its own; both WAL and synchronous=FULL, in turns on the same disk. Budget of the ratio: {BUDGET}.",
        "",
        "| questions | answers | MB | bare insert | an answer | ratio | CPU of bare | CPU of answer |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(row, ("megabytes", *recorded), ".3g") for row in rows),
        "",
        *_over(rows),
        "CPU time of what reads the store, and of what works on all of it at once:",
        "",
        "| questions | answers | counts (`kb due`) | `kb stats` | undo | replay of the log | verified backup |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *(_row(row, read, ",.1f") for row in rows),
    ]
    return "\n".join(lines)


def _over(rows: list[dict[str, float]]) -> list[str]:
    """Where the budget is exceeded: what an answer costs more, and on how slow a disk it would be kept."""
    over = [row for row in rows if row["ratio"] > BUDGET]
    if not over:
        return []
    more = max(row["record_ms"] - row["bare_ms"] for row in over)
    slow = more / (BUDGET - 1)
    return [
        f"**Over the budget in {len(over)} of {len(rows)} rows.** An answer takes up to {more:.2f} ms more than the",
        f"bare insert, nearly all of it CPU. A disk that needs {slow:.1f} ms or more for a durable write would keep",
        f"the budget; this one needs {over[-1]['bare_ms']:.2f} ms.",
        "",
    ]


def _row(row: dict[str, float], names: tuple[str, ...], form: str) -> str:
    cells = [f"{row['questions']:,}", f"{row['answers']:,}", *(format(row[name], form) for name in names)]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
