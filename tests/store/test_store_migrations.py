"""Migrations: applied once, all or none, and with a copy of what was there before."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from kb.memory.days import Moment
from kb.store import backups, schema
from kb.store.migrations import migrate
from kb.store.store import Store

NEXT = "ALTER TABLE hold ADD COLUMN reason TEXT;\nCREATE TABLE note (text TEXT) STRICT;\n"
BROKEN = "CREATE TABLE half (x TEXT) STRICT;\nCREATE TABLE event (x TEXT) STRICT;\n"


@pytest.fixture
def old(store: Store, noon: Moment) -> sqlite3.Connection:
    """A connection to a database of this version, with an answer in it, that a later kb opens."""
    store.record("zero/a", 3, noon, answer=1)
    return store._db  # type: ignore[return-value]


def dump(db: sqlite3.Connection) -> list[str]:
    return [*db.iterdump(), str(db.execute("PRAGMA user_version").fetchone())]


def test_the_database_is_made_by_migrations_that_are_on_record(old: sqlite3.Connection) -> None:
    assert old.execute("PRAGMA user_version").fetchone() == (schema.VERSION,)
    names = [
        name for (name,) in old.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'kb' ORDER BY id")
    ]
    assert names == [f"v{version}" for version in range(1, schema.VERSION + 1)]


def test_an_old_database_is_brought_up_and_a_copy_kept(old: sqlite3.Connection, home: Path) -> None:
    migrate(old, str(home / "kb.db"), (*schema.STEPS, NEXT))
    assert old.execute("PRAGMA user_version").fetchone() == (schema.VERSION + 1,)
    assert old.execute("SELECT count(*) FROM note").fetchone() == (0,)
    assert old.execute("SELECT count(*) FROM event").fetchone() == (1,)
    (copy,) = backups.listing(str(home))
    assert Path(copy).name == f"before-upgrade-of-version-{schema.VERSION}.db"
    assert backups.verify(copy).events == 1
    before = dump(old)
    migrate(old, str(home / "kb.db"), (*schema.STEPS, NEXT))  # a second time there is nothing to do
    assert dump(old) == before


def test_a_migration_that_fails_leaves_everything_as_it_was(old: sqlite3.Connection, home: Path) -> None:
    before = dump(old)
    with pytest.raises(sqlite3.OperationalError, match="event already exists"):
        migrate(old, str(home / "kb.db"), (*schema.STEPS, NEXT, BROKEN))
    assert dump(old) == before


def test_a_script_is_cut_into_its_statements() -> None:
    script = "-- one; two\nCREATE TABLE a (b TEXT);\nCREATE TRIGGER t BEFORE DELETE ON a\nBEGIN SELECT 1; END;\n"
    assert [line.splitlines()[-1] for line in schema.statements(script)] == [
        "CREATE TABLE a (b TEXT);",
        "BEGIN SELECT 1; END;",
    ]
