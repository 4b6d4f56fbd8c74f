"""What lies on the days ahead, for the scheduler to even out."""

from __future__ import annotations

import sqlite3
from collections.abc import Container

from kb.memory.load import LONGEST_BALANCED_DAYS, Load


class Balancer:
    """Looks at the days within the range of the fuzz, and only at these (``kb.memory.scheduler.Balancer``)."""

    def __init__(self, db: sqlite3.Connection, easy_days: Container[int]) -> None:
        self._db = db
        self._easy_days = easy_days

    def pick(self, today: int, low: int, high: int, u: float) -> int:
        """An interval from ``low`` to ``high`` days, drawn by ``u``: rather on a day with little on it."""
        due: dict[int, int] = {}
        if low < high <= LONGEST_BALANCED_DAYS:
            query = "SELECT due_day, questions FROM load WHERE due_day BETWEEN ? AND ?"
            due = dict(self._db.execute(query, (today + low, today + high)).fetchall())
        return Load(due, self._easy_days).pick(today, low, high, u)
