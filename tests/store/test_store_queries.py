"""What is due, in steps, seen, held and new: by the store, and by the counts that load no topics."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.config import Settings
from kb.memory.days import Moment, day_start_ms
from kb.store.counts import counts
from kb.store.store import Row, Store

HOUR = 3_600_000
DAY = 24 * HOUR


def names(rows: list[Row]) -> list[str]:
    return [row.question for row in rows]


def later(moment: Moment, milliseconds: int) -> Moment:
    return Moment(moment.at_ms + milliseconds, moment.offset_minutes)


def make_index(path: Path, questions: list[str], includes: Sequence[tuple[str, str]] = ()) -> str:
    """An index of topics as ``kb.knowledge`` keeps it."""
    db = sqlite3.connect(path)
    db.executescript(
        "CREATE TABLE topic (name TEXT PRIMARY KEY, file TEXT, root TEXT, title TEXT) WITHOUT ROWID;"
        "CREATE TABLE question (name TEXT PRIMARY KEY, topic TEXT, position INTEGER) WITHOUT ROWID;"
        "CREATE TABLE includes (parent TEXT, child TEXT, PRIMARY KEY (parent, child)) WITHOUT ROWID;"
    )
    topics = {name.partition("/")[0] for name in questions} | {name for pair in includes for name in pair}
    db.executemany("INSERT INTO topic VALUES (?, '', '', '')", [(name,) for name in topics])
    db.executemany("INSERT INTO question VALUES (?, ?, 0)", [(name, name.partition("/")[0]) for name in questions])
    db.executemany("INSERT INTO includes VALUES (?, ?)", includes)
    db.commit()
    db.close()
    return str(path)


def test_steps_are_due_by_the_clock_and_reviews_by_the_study_day(store: Store, noon: Moment) -> None:
    store.record("zero/step", 1, noon, answer=1)  # back in a minute
    event = store.record("zero/review", 4, noon, answer=1)
    assert names(store.due(noon)) == []
    assert names(store.due(later(noon, 59_999))) == []
    assert names(store.due(later(noon, 60_000))) == ["zero/step"]
    assert event.promise is not None
    start = day_start_ms(event.promise.due_day, 60)
    assert names(store.due(Moment(start - 1, 60))) == ["zero/step"]
    assert set(names(store.due(Moment(start, 60)))) == {"zero/step", "zero/review"}
    # six hours further west that study day has not begun
    assert names(store.due(Moment(start, -300))) == ["zero/step"]
    assert names(store.learning(noon)) == ["zero/step"]


def test_due_comes_in_order_and_only_of_the_questions_asked_for(store: Store, noon: Moment) -> None:
    for n, name in enumerate("dbca"):
        store.record(f"zero/{name}", 1, later(noon, n * 1000), answer=1)
    after = later(noon, HOUR)
    assert names(store.due(after)) == ["zero/d", "zero/b", "zero/c", "zero/a"]
    assert names(store.due(after, ["zero/a", "zero/b", "svm/x"])) == ["zero/b", "zero/a"]
    assert store.due(after, []) == []


def test_held_questions_are_left_out_until_they_are_free(store: Store, noon: Moment) -> None:
    for name in ("suspended", "buried", "free"):
        store.record(f"zero/{name}", 1, noon, answer=1)
    store.append("suspend", noon, "zero/suspended")
    store.append("bury", noon, "zero/buried")
    after, tomorrow = later(noon, HOUR), later(noon, DAY)
    assert names(store.due(after)) == names(store.learning(after)) == ["zero/free"]
    assert names(store.held(after)) == ["zero/buried", "zero/suspended"]
    assert names(store.due(tomorrow)) == ["zero/buried", "zero/free"]
    assert names(store.held(tomorrow)) == ["zero/suspended"]
    row = store.state("zero/buried")
    assert row is not None and row.is_held(20_717) and not row.is_held(20_718)
    store.append("unsuspend", tomorrow, "zero/suspended")
    assert store.held(tomorrow) == []


def test_a_reset_makes_a_question_new(store: Store, noon: Moment) -> None:
    store.record("zero/a", 3, noon, answer=1)
    store.record("zero-2/a", 3, noon, answer=1)
    assert store.seen() == {"zero/a", "zero-2/a"}
    assert store.seen("zero") == {"zero/a"}
    assert store.seen("zero-2", "svm") == {"zero-2/a"}
    store.append("reset", noon, "zero/a")
    assert store.seen() == {"zero-2/a"}
    assert store.state("zero/a") is None
    assert store.day_counts(20_717).introduced == 2
    assert store.day_counts(20_717, "zero").introduced == 1


def test_retention_of_a_topic_and_the_preview(home: Path, noon: Moment) -> None:
    settings = Settings(backups=False, retention={"zero": 0.95}, fuzz=False)
    with Store.open(str(home), settings) as store:
        for question in ("zero/a", "svm/a"):
            store.record(question, 4, noon, answer=1)
        zero, svm = store.state("zero/a"), store.state("svm/a")
        assert zero is not None and zero.state is not None and svm is not None and svm.state is not None
        assert zero.state.interval_days < svm.state.interval_days
        tomorrow = later(noon, 3 * DAY)
        promised = store.preview("zero/a", tomorrow)
        event = store.record("zero/a", 3, tomorrow, answer=1)
        assert event.promise is not None and event.promise.due_day == promised[3].due_day
        assert store.preview("zero/new", noon)[4].phase == "review"


def test_a_crowded_day_is_avoided_within_the_fuzz(home: Path, noon: Moment) -> None:
    """A hundred questions lie on one day; of a hundred more that could go there, few do. So with easy days."""
    with Store.open(str(home), Settings(backups=False, fuzz=False)) as store:
        for n in range(100):
            store.record(f"zero/{n}", 4, noon, answer=1)
        ((crowded, _),) = store.load(0, 100_000).items()

    def added(settings: Settings) -> int:
        with Store.open(str(home), settings) as store:
            for n in range(100):
                promised = store.preview(f"svm/{n}", noon)[4]
                event = store.record(f"svm/{n}", 4, noon, answer=1)
                assert event.promise is not None and event.promise.due_day == promised.due_day
            on_it = store.load(crowded, crowded).get(crowded, 0)
            store.undo(noon, 100)
            return on_it

    plain, balanced = added(Settings(backups=False, balance=False)), added(Settings(backups=False))
    assert plain > 110
    assert balanced < 105
    weekday = (crowded + 3) % 7  # 0 is Monday
    with Store.open(str(home), Settings(backups=False)) as store:
        store.undo(noon, 100)  # nothing lies anywhere
    free, easy = added(Settings(backups=False)), added(Settings(backups=False, easy_days=(weekday,)))
    assert easy < free


def brute_counts(store: Store, questions: list[str], moment: Moment) -> dict[str, dict[str, int]]:
    """The definition, question by question."""
    day = store.study_day(moment)
    found: dict[str, dict[str, int]] = {}
    for name in questions:
        count = found.setdefault(name.partition("/")[0], {"due": 0, "learning": 0, "new": 0})
        row = store.state(name)
        if row is not None and row.is_held(day):
            continue
        if row is None or row.state is None:
            count["new"] += 1
        elif row.state.phase == "review":
            count["due"] += row.state.due_day <= day
        else:
            count["learning"] += 1
            count["due"] += row.state.due_ms <= moment.at_ms
    return found


@pytest.mark.parametrize("seed", range(3))
def test_counts_are_those_of_the_definition(store: Store, noon: Moment, tmp_path: Path, seed: int) -> None:
    chooser = random.Random(seed)
    questions = [f"{topic}/{n}" for topic in ("zero", "zero-2", "zero2", "svm") for n in range(12)]
    at = noon
    for _ in range(150):
        at = Moment(at.at_ms + chooser.randrange(2 * HOUR), chooser.choice([-300, 60, 540]))
        name = chooser.choice([*questions[:30], "gone/1"])
        kind = chooser.choice(["answer"] * 6 + ["suspend", "unsuspend", "bury"])
        if kind == "answer":
            store.record(name, chooser.randint(1, 4), at, answer=1)
        else:
            store.append(kind, at, name)
    index = make_index(tmp_path / "index.db", questions, [("all", "zero"), ("all", "deeper"), ("deeper", "svm")])
    for wait in (0, 3 * HOUR, 2 * DAY):
        now = later(at, wait)
        expected = brute_counts(store, questions, now)
        found = counts(store.path, index, now)
        assert {name: found["topics"][name] for name in expected} == expected
        assert set(found["topics"]) == {*expected, "all", "deeper"}
        for count in ("due", "learning", "new"):
            assert found[count] == sum(topic[count] for topic in expected.values())
        part = counts(store.path, index, now, ["all"])
        assert {name for name, numbers in part["topics"].items() if any(numbers.values())} <= {"zero", "svm"}
        assert part["new"] == expected["zero"]["new"] + expected["svm"]["new"]
        assert part["due"] == expected["zero"]["due"] + expected["svm"]["due"]
        assert part["topics"]["zero"] == expected["zero"]


def test_the_next_one_is_the_first_that_is_not_due_yet(store: Store, noon: Moment, tmp_path: Path) -> None:
    index = make_index(tmp_path / "index.db", ["zero/a", "zero/b", "svm/a"])
    assert counts(store.path, index, noon)["next_at"] is None
    store.record("gone/a", 1, noon, answer=1)
    store.record("zero/a", 3, noon, answer=1)
    event = store.record("zero/b", 4, noon, answer=1)
    assert counts(store.path, index, noon)["next_at"] == "2026-09-21T15:30:00+01:00"
    found = counts(store.path, index, later(noon, 600_000))
    assert event.promise is not None
    assert found["due"] == 1
    assert Moment(day_start_ms(event.promise.due_day, 60), 60).at_ms - noon.at_ms > 5 * DAY
    assert found["next_at"].endswith("T04:00:00+01:00")
    store.append("suspend", noon, "zero/b")
    assert counts(store.path, index, later(noon, 600_000))["next_at"] is None


def test_counts_of_no_database_make_none(tmp_path: Path, noon: Moment) -> None:
    index = make_index(tmp_path / "index.db", ["zero/a", "zero/b"])
    found = counts(str(tmp_path / "none" / "kb.db"), index, noon)
    assert found == {
        "due": 0,
        "learning": 0,
        "new": 2,
        "next_at": None,
        "topics": {"zero": {"due": 0, "learning": 0, "new": 2}},
    }
    assert not (tmp_path / "none").exists()


def test_counting_imports_nothing_heavy() -> None:
    code = (
        "import sys, kb.store.counts\n"
        "light = {'dataclasses', 'inspect', 'json', 'msgspec', 'click', 'yaml', 'sqlite_utils', 'numpy', 'tomllib'}\n"
        "print(*sorted(light & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_large_lists_of_questions_are_taken(store: Store, noon: Moment) -> None:
    """More than SQLite takes as parameters."""
    store.record("zero/a", 1, noon, answer=1)
    many = [f"zero/{n}" for n in range(100_000)] + ["zero/a"]
    assert names(store.due(later(noon, HOUR), many)) == ["zero/a"]
    assert list(store.states(many)) == ["zero/a"]
