"""Brings a database to the newest version. Imported only when one is behind: sqlite_utils is slow to import."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import sqlite_utils

from kb.store.schema import APPLICATION_ID, STEPS, VERSION, statements

migrations = sqlite_utils.Migrations("kb")


def _register(version: int, script: str) -> None:
    def step(db: sqlite_utils.Database) -> None:
        for statement in statements(script):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {version}")

    register: Callable[..., object] = migrations(name=f"v{version}")
    register(step)


for _version, _script in enumerate(STEPS, 1):
    _register(_version, _script)


def migrate(db: sqlite3.Connection) -> None:
    """Apply the steps that ``db`` lacks, all or none.

    The write lock is taken before the version is read, so of two processes that find an old database one migrates it
    and the other finds it done.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        if db.execute("PRAGMA user_version").fetchone()[0] < VERSION:
            migrations.apply(sqlite_utils.Database(db, execute_plugins=False))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
