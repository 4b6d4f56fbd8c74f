"""The doctor finds what is wrong, names it, and does not find fault with what is right."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import pytest

from kb.config import Settings
from kb.memory import fsrs
from kb.memory.days import Moment
from kb.store import backups, doctor
from kb.store.doctor import Finding
from kb.store.store import Store

DAY = 86_400_000
KNOWN = {f"zero/{n}" for n in range(30)}


@pytest.fixture(scope="module")
def once_made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("made")
    with Store.open(str(home), Settings()) as store:
        for n in range(120):
            at = Moment(1_790_000_400_000 + n * DAY // 10, 60)
            store.record(f"zero/{n % 30}", 1 + n % 4, at, answer=1, seconds=n, cram=n % 11 == 0)
            if n % 7 == 0:
                store.undo(at)
        store.append("suspend", at, "zero/1")
        store.append("params", at, data={"weights": [w * 1.01 for w in fsrs.DEFAULT_WEIGHTS]})
    return home


@pytest.fixture
def made(home: Path, once_made: Path) -> Path:
    shutil.copytree(once_made, home, dirs_exist_ok=True)
    return home


def findings(home: Path, moment: Moment, known: Iterable[str] | None = None) -> dict[str, Finding]:
    found = doctor.examine(str(home), moment, set(known) if known is not None else None)
    assert len({finding.name for finding in found}) == len(found)
    return {finding.name: finding for finding in found}


@pytest.fixture
def after(noon: Moment) -> Moment:
    return Moment(noon.at_ms + 12 * DAY, 60)


def test_a_sound_database_passes_and_is_not_touched(made: Path, after: Moment) -> None:
    before = (made / "kb.db").read_bytes()
    found = findings(made, after, KNOWN)
    assert [name for name, finding in found.items() if not finding.ok] == []
    assert not any(doctor.WARNING in finding.detail for finding in found.values())
    expected = {"database", "integrity", "log", "state", "holds", "rollups", "load", "weights", "exams"}
    expected |= {"questions", "backups"}
    assert set(found) == expected
    assert (made / "kb.db").read_bytes() == before
    assert not (made / "kb.db-wal").exists()


def test_no_database_is_no_fault_and_none_is_made(home: Path, noon: Moment) -> None:
    found = findings(home, noon, KNOWN)
    assert all(finding.ok for finding in found.values())
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("statement", "check", "named"),
    [
        ("UPDATE state SET stability = stability * (1 + 2e-16) WHERE question = 'zero/5'", "state", "zero/5"),
        ("UPDATE state SET due_ms = due_ms + 1 WHERE question = 'zero/5'", "state", "zero/5"),
        ("DELETE FROM state WHERE question = 'zero/29'", "state", "zero/29"),
        ("DELETE FROM state WHERE question = 'zero/0'", "state", "zero/0"),
        (
            "INSERT INTO state SELECT 'zero/~', phase, step, 1, 1, 1, 1, 1, 1, 1, 1 FROM state LIMIT 1",
            "state",
            "zero/~",
        ),
        ("INSERT INTO state SELECT 'a/a', phase, step, 1, 1, 1, 1, 1, 1, 1, 1 FROM state LIMIT 1", "state", "a/a"),
        ("UPDATE state SET question = 'zero/5x' WHERE question = 'zero/5'", "state", "zero/5"),
        ("DELETE FROM hold", "holds", "zero/1"),
        ("INSERT INTO hold VALUES ('zero/3', 0, 30000)", "holds", "zero/3"),
        ("INSERT INTO hold VALUES ('nobody/x', 1, NULL)", "holds", "nobody/x"),
        ("UPDATE rollup SET took_ms = took_ms + 1 WHERE topic = 'zero'", "rollups", "zero on 2026-09-21"),
        ("UPDATE rollup SET answers = answers + 1 WHERE topic = ''", "rollups", "all on 2026-09-21"),
        ("UPDATE rollup SET answers = answers + 1 WHERE day < 0", "rollups", "zero on all days"),
        ("DELETE FROM rollup WHERE topic = '' AND day = 20717", "rollups", "all on 2026-09-21"),
        ("INSERT INTO rollup VALUES ('x', 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)", "rollups", "x on 1970-01-02"),
        ("UPDATE load SET questions = questions + 1", "load", "2026-"),
        ("DELETE FROM weights", "weights", "all"),
    ],
)
def test_what_differs_from_the_log_is_named_and_can_be_rebuilt(
    made: Path, after: Moment, statement: str, check: str, named: str
) -> None:
    db = sqlite3.connect(made / "kb.db")
    with db:
        assert db.execute(statement).rowcount > 0
    db.close()
    found = findings(made, after)
    assert [name for name, finding in found.items() if not finding.ok] == [check]
    assert named in found[check].detail and doctor.REBUILD in found[check].detail
    with Store.open(str(made), Settings()) as store:
        store.rebuild()
    assert all(finding.ok for finding in findings(made, after).values())


def test_a_log_that_can_be_changed_is_a_fault(made: Path, after: Moment) -> None:
    db = sqlite3.connect(made / "kb.db")
    db.execute("DROP TRIGGER event_is_never_deleted")
    db.close()
    found = findings(made, after)["log"]
    assert not found.ok and "event_is_never_deleted" in found.detail


def test_a_changed_log_shows_in_the_replay(made: Path, after: Moment) -> None:
    db = sqlite3.connect(made / "kb.db")
    with db:
        db.execute("DROP TRIGGER event_is_never_changed")
        db.execute(
            "UPDATE event SET grade = 5 - grade WHERE id = (SELECT max(id) FROM event WHERE question = 'zero/2')"
        )
    db.close()
    found = findings(made, after)
    assert not found["state"].ok and "zero/2" in found["state"].detail


def test_damage_inside_the_file_is_found(made: Path, after: Moment) -> None:
    data = bytearray((made / "kb.db").read_bytes())
    db = sqlite3.connect(made / "kb.db")
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'evidence_demo'").fetchone()
    db.close()
    data[(root - 1) * 4096 : root * 4096] = b"\x07" * 4096
    (made / "kb.db").write_bytes(data)
    found = findings(made, after)
    assert [name for name, finding in found.items() if not finding.ok] == ["integrity"]
    assert "damaged" in found["integrity"].detail
    assert (made / "kb.db").read_bytes() == data


def test_a_database_that_is_none_is_found(made: Path, after: Moment) -> None:
    (made / "kb.db").write_bytes(b"nonsense" * 100)
    found = findings(made, after)
    assert not found["database"].ok and "damaged" in found["database"].detail


def test_dangling_questions_are_named_as_a_warning(made: Path, after: Moment) -> None:
    found = findings(made, after, KNOWN - {"zero/1", "zero/2"})["questions"]
    assert found.ok
    assert found.detail.startswith("warning: 2 questions have progress but no topic any more: zero/1, zero/2")
    many = findings(made, after, set())["questions"]
    assert many.ok and "and 25 more" in many.detail


def test_undos_of_another_device_and_a_clock_ahead_are_warnings(made: Path, noon: Moment, after: Moment) -> None:
    with Store.open(str(made), Settings()) as store:
        undo = next(event for event in store.events() if event.kind == "undo")
        store.merge(
            [undo._replace(id="017f22e2-79b0-7cc3-98c4-dc0c0c07398f", undoes="017f22e2-79b0-7cc3-98c4-dc0c0c07398e")]
        )
    found = findings(made, noon)["log"]
    assert found.ok
    assert "1 undo of events that are not here" in found.detail
    assert "ahead of the clock" in found.detail
    assert "ahead of the clock" not in findings(made, after)["log"].detail


def test_a_backup_that_cannot_be_read_is_named(made: Path, after: Moment) -> None:
    assert "verified" in findings(made, after)["backups"].detail
    path = Path(backups.listing(str(made))[0])
    path.write_bytes(path.read_bytes()[:-100])
    found = findings(made, after)["backups"]
    assert not found.ok and path.name in found.detail
