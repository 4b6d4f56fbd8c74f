"""Stores to test with: a fresh one, and the whole of what a store says as one value."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.config import Settings
from kb.memory.days import Moment
from kb.store.schema import DERIVED
from kb.store.store import Store

NOON = 1_790_000_400_000  # 2026-09-21T14:20Z
HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def noon() -> Moment:
    return Moment(NOON, 60)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(str(home), Settings(backups=False)) as opened:
        yield opened


@pytest.fixture(scope="session")
def derived() -> Callable[[Store], dict[str, list[tuple[Any, ...]]]]:
    """Every row of every derived table, floats to the last bit."""

    def rows(store: Store) -> dict[str, list[tuple[Any, ...]]]:
        with sqlite3.connect(store.path) as db:
            found = {table: db.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in DERIVED}
        db.close()
        return {table: [tuple(_bits(value) for value in row) for row in rows] for table, rows in found.items()}

    return rows


def _bits(value: Any) -> Any:
    return value.hex() if isinstance(value, float) else value
