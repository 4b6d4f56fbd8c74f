"""Backups: verified copies, thinned by age; what a restore takes, refuses and keeps."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.config import Settings
from kb.errors import KbError, StoreDamaged, StoreError, StoreTooNew, UsageError
from kb.memory.days import Moment
from kb.store import backups, schema
from kb.store.store import Store

DAY = 86_400_000
Derived = Callable[[Store], dict[str, list[tuple[Any, ...]]]]


def later(moment: Moment, milliseconds: int) -> Moment:
    return Moment(moment.at_ms + milliseconds, moment.offset_minutes)


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_backup_is_one_verified_file_with_everything_in_it(
    store: Store, home: Path, noon: Moment, tmp_path: Path
) -> None:
    given = [store.record(f"zero/{n}", 3, noon, answer=1) for n in range(20)]
    target = tmp_path / "stick" / "kb.db"
    summary = backups.make(str(home), str(target))
    assert (summary.events, summary.questions, summary.version) == (20, 20, schema.VERSION)
    assert summary.last_at == "2026-09-21T15:20:00.000+01:00"
    assert summary.bytes == target.stat().st_size
    assert files(target.parent) == ["kb.db"]
    before = target.read_bytes()
    assert backups.verify(str(target)) == summary
    assert (files(target.parent), target.read_bytes()) == (["kb.db"], before)
    other = tmp_path / "other"
    other.mkdir()
    (other / "kb.db").write_bytes(before)  # as it would be copied by hand
    with Store.open(str(other), Settings(backups=False)) as copy:
        assert list(copy.events()) == given
        copy.record("zero/more", 3, noon, answer=1)
        assert copy._db is not None and copy._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_backup_never_writes_over_a_file(store: Store, home: Path, noon: Moment, tmp_path: Path) -> None:
    store.record("zero/a", 3, noon, answer=1)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        backups.make(str(home), str(tmp_path / "mine"))
    assert (tmp_path / "mine").read_text() == "mine"
    first = backups.default_target(str(home), noon)
    backups.make(str(home), first)
    assert backups.default_target(str(home), noon) != first


def test_there_is_nothing_to_back_up_without_a_database(home: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no database yet"):
        backups.make(str(home), str(tmp_path / "x.db"))
    assert files(home) == [] and not (tmp_path / "x.db").exists()


def test_a_damaged_database_gives_no_backup(store: Store, home: Path, noon: Moment, tmp_path: Path) -> None:
    store.record("zero/a", 3, noon, answer="x" * 900_000)  # too large to be checked when it is opened
    store.close()
    data = bytearray((home / "kb.db").read_bytes())
    db = sqlite3.connect(home / "kb.db")
    (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'event_question'").fetchone()
    db.close()
    data[(root - 1) * 4096 : root * 4096] = bytes(range(256)) * 16
    (home / "kb.db").write_bytes(data)
    with pytest.raises(StoreError):
        backups.make(str(home), str(tmp_path / "x.db"))
    assert not list(tmp_path.glob("x.db*"))


# --- every day --------------------------------------------------------------------------------------------------------


def test_one_backup_a_day_before_the_first_answer(home: Path, noon: Moment) -> None:
    settings = Settings()
    for day in range(3):
        with Store.open(str(home), settings) as store:
            for n in range(4):
                store.record("zero/a", 3, later(noon, day * DAY + n), answer=1)
            assert store.notices == []
    assert [os.path.basename(path) for path in backups.listing(str(home))] == ["kb-2026-09-22.db", "kb-2026-09-23.db"]
    assert [backups.verify(path).events for path in backups.listing(str(home))] == [4, 8]


def test_a_long_sitting_backs_up_when_the_day_turns(home: Path, noon: Moment) -> None:
    with Store.open(str(home), Settings()) as store:
        store.record("zero/a", 3, noon, answer=1)
        store.record("zero/a", 3, later(noon, DAY), answer=1)
        store.append("suspend", later(noon, 2 * DAY), "zero/a")
    assert len(backups.listing(str(home))) == 2


def test_backups_can_be_switched_off(home: Path, noon: Moment) -> None:
    with Store.open(str(home), Settings(backups=False)) as store:
        store.record("zero/a", 3, noon, answer=1)
        store.record("zero/a", 3, later(noon, DAY), answer=1)
    assert backups.listing(str(home)) == []


def test_an_answer_is_stored_though_its_backup_fails(home: Path, noon: Moment) -> None:
    (home / "backups").write_text("a file in place of the folder")
    with Store.open(str(home), Settings()) as store:
        store.record("zero/a", 3, noon, answer=1)
        store.record("zero/a", 3, later(noon, DAY), answer=1)
        store.record("zero/a", 3, later(noon, DAY), answer=1)
        assert len(list(store.events())) == 3
        (notice,) = store.notices
    assert "today's backup could not be made" in notice


@given(
    days=st.lists(st.dates(date(2020, 1, 1), date(2030, 1, 1)), unique=True, max_size=60),
    daily=st.integers(1, 10),
    weekly=st.integers(0, 5),
    monthly=st.integers(0, 13),
)
def test_thinning_keeps_what_it_promises(days: list[date], daily: int, weekly: int, monthly: int) -> None:
    keep = backups.kept(days, daily, weekly, monthly)
    assert keep <= set(days)
    assert set(sorted(days)[-daily:]) <= keep
    assert len(keep) <= daily + weekly + monthly
    assert len({day.isocalendar()[:2] for day in keep}) >= min(weekly, len({day.isocalendar()[:2] for day in days}))
    assert len({(day.year, day.month) for day in keep}) >= min(monthly, len({(day.year, day.month) for day in days}))


def test_a_year_of_days_thins_to_a_week_a_month_and_a_year() -> None:
    """Thinned every day, as it is in use: nothing that is wanted later may be deleted earlier."""
    keep: set[date] = set()
    today = date(2026, 12, 31)
    for n in range(400, -1, -1):
        keep = backups.kept({*keep, today - timedelta(n)}, 7, 4, 12)
    months = {
        date(2026, month, 31 if month in (1, 3, 5, 7, 8, 10, 12) else 28 if month == 2 else 30)
        for month in range(1, 13)
    }
    week = {date(2026, 12, day) for day in range(25, 32)}
    assert keep == week | {date(2026, 12, 13), date(2026, 12, 20), date(2026, 12, 27)} | months


def test_only_daily_backups_are_thinned(home: Path) -> None:
    folder = home / "backups"
    folder.mkdir()
    for n in range(1, 29):
        (folder / f"kb-2026-02-{n:02}.db").touch()
    for name in ("manual-20200101-000000.db", "replaced-20200101-000000.db", "kb-2020-13-77.db", "mine.txt"):
        (folder / name).touch()
    gone = backups.thin(str(home), Settings(backups_daily=2, backups_weekly=0, backups_monthly=0))
    assert len(gone) == 26
    assert files(folder) == [
        "kb-2020-13-77.db",
        "kb-2026-02-27.db",
        "kb-2026-02-28.db",
        "manual-20200101-000000.db",
        "mine.txt",
        "replaced-20200101-000000.db",
    ]


# --- restoring --------------------------------------------------------------------------------------------------------


@pytest.fixture
def backup(store: Store, home: Path, noon: Moment, tmp_path: Path) -> str:
    """A backup of three answers; two more came after it."""
    for n in range(3):
        store.record("zero/a", 3, later(noon, n), answer=n)
    target = str(tmp_path / "backup.db")
    backups.make(str(home), target)
    for n in range(3, 5):
        store.record("zero/a", 3, later(noon, n), answer=n)
    return target


def test_a_restore_brings_the_backup_back_and_keeps_what_it_replaces(
    store: Store, home: Path, noon: Moment, backup: str
) -> None:
    summary, kept_at = backups.restore(str(home), backup, noon)
    assert summary.events == 3
    assert kept_at == str(home / "backups" / "replaced-20260921-152000.db")
    assert [event.answer for event in store.events()] == [0, 1, 2]  # also in a store that was open
    store.record("zero/a", 3, later(noon, 9), answer=9)
    backups.restore(str(home), kept_at, noon)
    assert [event.answer for event in store.events()] == [0, 1, 2, 3, 4]


def test_a_restore_where_there_is_nothing_yet(tmp_path: Path, noon: Moment, backup: str) -> None:
    home = tmp_path / "new"
    assert backups.restore(str(home), backup, noon)[1] is None
    with Store.open(str(home), Settings(backups=False)) as store:
        assert len(list(store.events())) == 3
        store.record("zero/a", 3, noon, answer=1)


def test_a_restore_keeps_a_damaged_database_byte_by_byte(store: Store, home: Path, noon: Moment, backup: str) -> None:
    store.close()
    damaged = b"damaged" * 1000
    (home / "kb.db").write_bytes(damaged)
    summary, kept_at = backups.restore(str(home), backup, noon)
    assert kept_at is not None
    assert Path(kept_at).read_bytes() == damaged
    assert len(list(store.events())) == summary.events == 3
    assert not list(home.glob("*.restored*"))


BAD: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "no database": lambda data: b"hello" * 100,
    "truncated": lambda data: data[:-4096],
    "garbage in it": lambda data: data[:8192] + b"\xff" * 4096 + data[12288:],
}


@pytest.mark.parametrize("how", BAD)
def test_a_bad_backup_is_refused_and_nothing_is_touched(
    store: Store, home: Path, noon: Moment, backup: str, how: str
) -> None:
    Path(backup).write_bytes(BAD[how](Path(backup).read_bytes()))
    store.close()
    before = {name: (home / name).read_bytes() for name in files(home)}
    with pytest.raises(KbError):
        backups.restore(str(home), backup, noon)
    assert {name: (home / name).read_bytes() for name in files(home)} == before


def test_backups_that_are_not_kb_s_or_newer_or_missing_are_refused(
    store: Store, home: Path, noon: Moment, backup: str, tmp_path: Path
) -> None:
    db = sqlite3.connect(backup)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreTooNew):
        backups.restore(str(home), backup, noon)
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE bookmarks (url)")
    other.close()
    with pytest.raises(StoreDamaged, match="not a database of kb"):
        backups.restore(str(home), str(tmp_path / "other.db"), noon)
    with pytest.raises(UsageError, match="no file"):
        backups.restore(str(home), str(tmp_path / "missing.db"), noon)
    with pytest.raises(UsageError, match="the database itself"):
        backups.restore(str(home), str(home / "kb.db"), noon)
    assert len(list(store.events())) == 5


def test_a_database_of_a_newer_kb_is_not_replaced(store: Store, home: Path, noon: Moment, backup: str) -> None:
    store.close()
    db = sqlite3.connect(home / "kb.db")
    db.execute("PRAGMA user_version = 99")
    db.close()
    before = (home / "kb.db").read_bytes()
    with pytest.raises(StoreTooNew):
        backups.restore(str(home), backup, noon)
    assert (home / "kb.db").read_bytes() == before
