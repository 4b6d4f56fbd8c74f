"""Evening out the days: within the range that fuzz leaves, a question goes to a day with little on it.

The weights of the days are those of Anki's load balancer: 1 for an empty day, else n^(−2.15)·interval^(−3), where n
is what lies on it. Easy days count as fuller than they are; a day with a question about the same claim is avoided.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from math import floor

from kb.memory.days import weekday

LONGEST_BALANCED_DAYS = 90
"""What lies on the days further ahead is not known well enough to balance it."""


@dataclass(frozen=True, slots=True)
class Load:
    """What lies on each study day: ``due`` questions, and whether a sibling is among them.

    ``easy_days`` are weekdays (0 is Monday) that get ``easy_share`` of an ordinary day; 0 keeps them free where the
    range of the fuzz allows it.
    """

    due: Mapping[int, int] = field(default_factory=dict)
    easy_days: Container[int] = ()
    easy_share: float = 0.5
    sibling_days: Container[int] = ()

    def pick(self, today: int, low: int, high: int, u: float) -> int:
        """An interval from ``low`` to ``high`` days, drawn by ``u`` in [0, 1) with the weights of their days."""
        if high > LONGEST_BALANCED_DAYS:
            return low + floor(u * (high - low + 1))
        weights = [self._weight(today + interval, interval) for interval in range(low, high + 1)]
        target = u * sum(weights)
        for interval, weight in enumerate(weights, low):
            target -= weight
            if target < 0:
                return interval
        return high  # the sum was rounded

    def _weight(self, day: int, interval: int) -> float:
        due = float(self.due.get(day, 0))
        if weekday(day) in self.easy_days:
            due = (due + 1) / self.easy_share if self.easy_share > 0 else 1e6
        weight = 1.0 if due <= 0 else due**-2.15 * interval**-3.0
        return weight * 1e-3 if day in self.sibling_days else weight
