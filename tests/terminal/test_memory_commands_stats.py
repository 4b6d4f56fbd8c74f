"""The pictures of memory: what is counted, that a kept part is made again when it must be, and what is written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from kb.config import Settings
from kb.memory import fsrs
from kb.memory.days import DAY_MS, Moment
from kb.store import insight, insightcache
from kb.store.store import Store

RunKb = Callable[..., CompletedProcess[str]]
NOON = 20_000 * DAY_MS + 12 * 3_600_000


def at(day: int) -> Moment:
    return Moment(NOON + day * DAY_MS, 0)


def answer(store: Store, question: str, grade: int, day: int, seconds: float = 7) -> None:
    store.record(question, grade, at(day), answer="x", seconds=seconds)


@pytest.fixture
def store(home: Path) -> Store:
    store = Store.open(str(home), Settings(backups=False, learning_steps=(), relearning_steps=(), fuzz=False))
    answer(store, "zero/a", 3, 0)
    answer(store, "zero/a", 3, 2)
    answer(store, "zero/a", 1, 10, seconds=30)
    answer(store, "ddp/b", 3, 0)
    return store


def test_answers_are_counted_in_their_classes(store: Store, home: Path, tmp_path: Path) -> None:
    found = insight.read(str(home), str(tmp_path / "cache"), 20_020)
    whole, w = found, fsrs.DEFAULT_WEIGHTS
    assert set(found.topics) == {"zero", "ddp"} and whole.seen == 2
    assert [row for row in whole.age if row[0]] == [(1, 1), (1, 0)]
    assert whole.seconds[2] == (3, 0) and whole.seconds[6] == (0, 1)
    after_first = fsrs.first(3, w)
    after_second = fsrs.after(after_first, 3, 2, w)
    after_third = fsrs.after(after_second, 1, 8, w)
    foreseen = [fsrs.retrievability(2, after_first.stability, w), fsrs.retrievability(8, after_second.stability, w)]
    assert sum(row[0] for row in whole.calibration) == 2 and sum(row[1] for row in whole.calibration) == 1
    assert sum(row[2] for row in whole.calibration) == pytest.approx(sum(foreseen))
    remembered = [fsrs.retrievability(10, after_third.stability, w), fsrs.retrievability(20, after_first.stability, w)]
    assert whole.recall == pytest.approx(sum(remembered))


def test_what_was_kept_is_what_a_fresh_look_sees(store: Store, home: Path, tmp_path: Path) -> None:
    kept = str(tmp_path / "kept")

    def same(day: int, number: list[int] = [0]) -> None:  # noqa: B006
        number[0] += 1
        for topics in (["ddp"], None) if number[0] % 2 else (None, ["zero"]):
            fresh = insight.read(str(home), str(tmp_path / f"fresh{number[0]}{topics}"), day, topics)
            seen = insight.read(str(home), kept, day, topics)
            assert json.dumps(seen) == json.dumps(fresh)

    same(20_020)
    same(20_021)  # a day later
    answer(store, "ddp/b", 3, 21)
    same(20_021)
    store.undo(at(21))
    same(20_021)
    store.append("reset", at(21), "zero/a")
    same(20_021)
    store.append("params", at(21), data={"weights": [1.0, *fsrs.DEFAULT_WEIGHTS[1:]]})
    same(20_021)
    store.undo(at(21), kinds=("params",))
    same(20_021)


def test_a_cache_that_is_broken_is_done_without(store: Store, home: Path, tmp_path: Path) -> None:
    expected = insight.read(str(home), str(tmp_path / "cache"), 20_020)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / insightcache.FILE).write_bytes(b"no database" * 100)
    assert insight.read(str(home), str(tmp_path / "broken"), 20_020) == expected
    (tmp_path / "file").write_text("")
    assert insight.read(str(home), str(tmp_path / "file"), 20_020) == expected


def test_two_that_look_at_once_see_the_same_and_keep_one_whole(store: Store, home: Path, tmp_path: Path) -> None:
    cache = str(tmp_path / "cache")
    expected = insight.read(str(home), cache, 20_020)
    path = str(home / "kb.db")
    slow = insightcache.open(cache, path)  # has read, and will save when the other has saved
    answer(store, "ddp/b", 3, 21)
    insight.read(str(home), cache, 20_021)
    slow.drop(["ddp"])
    slow.save(b"later")
    slow.close()
    assert (
        insight.read(str(home), cache, 20_021) == insight.read(str(home), str(tmp_path / "fresh"), 20_021) != expected
    )
    with sqlite3.connect(tmp_path / "cache" / insightcache.FILE) as db:
        db.execute("UPDATE share SET counts = 'rubbish'")
    answer(store, "ddp/b", 1, 22)
    assert insight.read(str(home), cache, 20_022) == insight.read(str(home), str(tmp_path / "fresh2"), 20_022)


def test_without_an_answer_there_is_nothing(home: Path, tmp_path: Path) -> None:
    assert insight.read(str(home), str(tmp_path / "cache"), 20_020) == insight.read(str(home), str(tmp_path), 20_021)
    assert not (home / "kb.db").exists()


@pytest.mark.slow
def test_stats_tells_and_draws_all_of_it(store: Store, home: Path, tmp_path: Path, run_kb: RunKb) -> None:
    pytest.importorskip("matplotlib")
    for n in range(40):
        answer(store, f"self-attention/q{n}", 3, 0)
        answer(store, f"self-attention/q{n}", 3 if n % 4 else 1, 3 + n % 20)
    now = {"KB_NOW": "2024-11-10T12:00:00+00:00"}
    result = run_kb("stats", "--json", "--save", str(tmp_path / "png"), env=now)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert {"retention_by_age", "calibration", "answer_seconds", "stability", "difficulty", "mastery"} <= told.keys()
    assert sum(row["questions"] for row in told["stability"]) == 42
    assert {row["topic"] for row in told["mastery"] if row["seen"]} == {"zero", "ddp", "self-attention"}
    written = result.stderr.split()
    assert len(written) == 7
    assert all(Path(file).read_bytes().startswith(b"\x89PNG") for file in written)
    shown = run_kb("stats", "--all", env=now).stdout
    for title in ("Answers a day", "True retention by", "Calibration", "by the time they took", "what you know today"):
        assert title in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_folder_that_cannot_be_written_is_one_line(store: Store, tmp_path: Path, run_kb: RunKb) -> None:
    (tmp_path / "file").write_text("")
    result = run_kb("stats", "--save", str(tmp_path / "file"))
    assert result.returncode == 1 and result.stderr.count("\n") == 1
