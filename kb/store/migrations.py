"""Brings a database to the newest version. Imported only when one is behind: sqlite_utils is slow to import."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing

import sqlite_utils

from kb.store.schema import APPLICATION_ID, STEPS, statements


def migrations(steps: Sequence[str] = STEPS) -> sqlite_utils.Migrations:
    """The steps as migrations called v1, v2, ...; each sets the version in the file's header with its last breath."""
    found = sqlite_utils.Migrations("kb")
    for version, script in enumerate(steps, 1):
        register: Callable[..., object] = found(name=f"v{version}")
        register(_step(version, script))
    return found


def _step(version: int, script: str) -> Callable[[sqlite_utils.Database], None]:
    def step(db: sqlite_utils.Database) -> None:
        for statement in statements(script):
            db.conn.execute(statement)
        db.conn.execute(f"PRAGMA user_version = {version}")

    return step


def migrate(db: sqlite3.Connection, path: str, steps: Sequence[str] = STEPS) -> None:
    """Apply the steps that ``db`` lacks, all or none; a database with something in it is copied first.

    The write lock is taken before the version is read, so of two processes that find an old database one migrates it
    and the other finds it done.
    """
    version = _version(db)
    if 0 < version < len(steps):
        _keep(db, path, version)
    db.execute("BEGIN IMMEDIATE")
    try:
        if _version(db) < len(steps):
            migrations(steps).apply(sqlite_utils.Database(db, execute_plugins=False))
            db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    return version


def _keep(db: sqlite3.Connection, path: str, version: int) -> None:
    """Copy the database as the older kb left it to ``backups/before-upgrade-of-version-N.db``, if that is not there."""
    folder = os.path.join(os.path.dirname(path), "backups")
    target = os.path.join(folder, f"before-upgrade-of-version-{version}.db")
    if os.path.exists(target):
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)
    partial = f"{target}.{os.getpid()}.partial"
    with closing(sqlite3.connect(partial, isolation_level=None)) as copy:
        db.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
    os.replace(partial, target)
