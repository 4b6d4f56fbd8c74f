"""The log: what is kept of an answer, that it is never changed, and that it can be written out and read back."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.config import Settings
from kb.errors import KbError, UsageError
from kb.memory.days import Moment
from kb.store import events, ids
from kb.store.events import Event, Promise
from kb.store.store import Store

_IMPORTS = (
    "import sys\nfrom kb.config import Settings\nfrom kb.memory.days import Moment\nfrom kb.store.store import Store\n"
)


def answer(store: Store, moment: Moment, question: str = "zero/a", grade: int = 3, **more: Any) -> Event:
    return store.record(question, grade, moment, answer="x", seed=7, seconds=1.5, correct=grade > 1, **more)


def test_an_answer_is_kept_with_all_that_belongs_to_it(store: Store, noon: Moment) -> None:
    given = store.record("zero/a", 3, noon, answer=["x", 2], seed=7, seconds=1.5, correct=True, hint=True)
    assert list(store.events()) == [given]
    line = given.as_json()
    assert line == {
        "id": given.id,
        "event": "answer",
        "at": "2026-09-21T15:20:00.000+01:00",
        "day": 20717,
        "device": given.device,
        "question": "zero/a",
        "grade": 3,
        "answer": ["x", 2],
        "seed": 7,
        "seconds": 1.5,
        "correct": True,
        "hint": True,
        "cram": False,
        "phase": "learning",
        "step": 1,
        "due": "2026-09-21T15:30:00.000+01:00",
        "due_day": 20717,
    }
    assert ids.time_of(ids.from_text(given.id)) == noon.at_ms
    assert (Path(store.home) / "device").read_text().strip() == given.device


def test_the_device_stays_the_same(store: Store, noon: Moment) -> None:
    first = answer(store, noon)
    store.close()
    code = f"{_IMPORTS}print(Store.open(sys.argv[1], Settings()).record('zero/b', 3, Moment(0, 0), answer=1).device)"
    again = subprocess.run([sys.executable, "-c", code, store.home], capture_output=True, text=True, check=True)
    assert again.stdout.strip() == first.device


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET grade = 4",
        "DELETE FROM event",
        "INSERT OR REPLACE INTO event SELECT * FROM event",
        "REPLACE INTO event SELECT * FROM event",
        "INSERT INTO event SELECT * FROM event",
    ],
)
def test_the_log_is_append_only_for_everybody(store: Store, noon: Moment, statement: str) -> None:
    answer(store, noon)
    db = sqlite3.connect(store.path, isolation_level=None)
    before = db.execute("SELECT * FROM event").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(statement)
    assert db.execute("SELECT * FROM event").fetchall() == before
    db.close()


def test_tables_are_strict_and_durable(store: Store, noon: Moment) -> None:
    answer(store, noon)
    assert store._db is not None
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert store._db.execute("PRAGMA foreign_keys").fetchone() == (1,)
    db = sqlite3.connect(store.path)
    strict = {name: strict for _, name, kind, _, _, strict in db.execute("PRAGMA table_list") if kind == "table"}
    db.close()
    ours = {name for name in strict if not name.startswith(("sqlite_", "_sqlite"))}
    assert ours == {
        "event",
        "state",
        "hold",
        "rollup",
        "load",
        "weights",
        "exam",
        "ask",
        "evidence",
        "proof",
    }
    assert all(strict[name] for name in ours)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=6,
)
some_events = st.builds(
    Event,
    id=st.integers(0, 2**47).map(lambda at_ms: ids.to_text(ids.next_id(at_ms, None))),
    kind=st.just("answer"),
    at_ms=st.integers(-(2**40), 2**44),
    offset_minutes=st.integers(-14 * 60, 14 * 60),
    day=st.integers(-1000, 100_000),
    device=st.text(min_size=1),
    question=st.text(min_size=1),
    grade=st.integers(1, 4),
    answer=json_values,
    seed=st.none() | st.integers(-(2**63), 2**63 - 1),
    took_ms=st.none() | st.integers(0, 10**9),
    correct=st.none() | st.booleans(),
    hint=st.booleans(),
    cram=st.booleans(),
    undoes=st.none(),
    data=st.none() | st.dictionaries(st.text(), json_values, max_size=3),
    promise=st.builds(Promise, st.just("review"), st.integers(0, 5), st.integers(0, 2**44), st.integers(0, 100_000)),
)


@given(some_events)
def test_a_line_of_the_log_reads_back_as_the_same_event(event: Event) -> None:
    line = events.to_json(event.as_json())
    line.encode()
    assert events.from_json(json.loads(line)) == event
    assert events.from_row(events.to_row(event)) == event


def test_answers_that_json_cannot_hold_are_kept_as_text(store: Store, noon: Moment) -> None:
    store.record("zero/a", 1, noon, answer={"x": [float("nan"), float("inf")]})
    store.record("zero/a", 1, noon, answer="half of a pair: \ud83d")
    first, second = store.events()
    assert first.answer == {"x": ["nan", "inf"]}
    assert second.answer == "half of a pair: \ud83d"
    for event in (first, second):
        events.to_json(event.as_json()).encode()


@pytest.mark.parametrize(
    ("question", "grade", "seed"),
    [("zero", 3, 1), ("/a", 3, 1), ("zero/", 3, 1), ("zero/a", 5, 1), ("zero/a", 3, 1 << 64)],
)
def test_nonsense_is_refused_and_not_stored(store: Store, noon: Moment, question: str, grade: int, seed: int) -> None:
    with pytest.raises(UsageError):
        store.record(question, grade, noon, answer=None, seed=seed)
    with pytest.raises(UsageError):
        store.record("zero/a", 0, noon, answer=None, cram=True)
    assert list(store.events()) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "x"},
        {"id": "017f22e2-79b0-4cc3-98c4-dc0c0c07398f"},
        {"event": None},
        {"at": "yesterday"},
        {"at": "2026-09-21T15:20:00"},
        {"day": "20717"},
        {"device": 3},
        {"question": 3},
        {"grade": True},
        {"seconds": "1"},
        {"seconds": float("inf")},
        {"due_day": None},
        {"data": [1]},
        {"data": {"until_day": "soon"}},
        {"undoes": "x"},
    ],
    ids=str,
)
def test_what_is_no_line_of_a_log_is_refused(store: Store, noon: Moment, change: dict[str, Any]) -> None:
    line = answer(store, noon).as_json()
    with pytest.raises(UsageError):
        store.merge([events.from_json(line | change)])
    with pytest.raises(UsageError):
        events.from_json({})
    assert len(list(store.events())) == 1


@pytest.mark.parametrize(
    "change",
    [{"grade": 5}, {"grade": None}, {"phase": "elsewhere"}, {"question": None}, {"seed": 1 << 64}, {"due": None}],
    ids=str,
)
def test_an_event_that_cannot_have_been_is_not_merged(store: Store, noon: Moment, change: dict[str, Any]) -> None:
    line = answer(store, noon).as_json() | {"id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"}
    with pytest.raises(KbError):
        store.merge([events.from_json(line | change)])
    assert len(list(store.events())) == 1


def test_weights_that_are_none_are_not_merged(store: Store, noon: Moment) -> None:
    fitted = store.append("params", noon, data={"weights": None})
    with pytest.raises(UsageError):
        store.merge([fitted._replace(id="017f22e2-79b0-7cc3-98c4-dc0c0c07398f", data={"weights": [1, 2]})])


def test_the_end_of_the_log_and_one_question(store: Store, noon: Moment) -> None:
    all_of_them = [answer(store, Moment(noon.at_ms + n, 60), f"zero/{'ab'[n % 2]}") for n in range(5)]
    assert list(store.events(last=2)) == all_of_them[-2:]
    assert list(store.events("zero/b")) == all_of_them[1::2]
    assert list(store.events("zero/b", last=1)) == [all_of_them[3]]
    assert list(store.events(last=0)) == []


def test_storing_an_answer_imports_nothing_heavy(home: Path, noon: Moment) -> None:
    """A process that finds the database made pays for sqlite3 alone."""
    with Store.open(str(home), Settings(backups=False)) as store:
        answer(store, noon)
    code = (
        f"{_IMPORTS}Store.open(sys.argv[1], Settings()).record('zero/b', 3, Moment(0, 0), answer=1)\n"
        "heavy = {'sqlite_utils', 'numpy', 'torch', 'click', 'rich', 'yaml', 'msgspec', 'uuid', 'shutil'}\n"
        "print(*sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(home)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
