"""Axes: from numbers to places on a scale, and the ticks that a person would put there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Axis(NamedTuple):
    """A scale from ``low`` to ``high``, in decades if ``log``."""

    low: float
    high: float
    log: bool

    @classmethod
    def over(cls, values: Sequence[float], log: bool) -> Axis | None:
        """The axis that holds all ``values`` that can be drawn on it; None if none can."""
        places = [place for value in values if (place := _place(value, log)) is not None]
        if not places:
            return None
        low, high = min(places), max(places)
        if high - low <= 1e-12 * max(abs(low), abs(high), 1e-300):
            pad = 0.5 if log else abs(low) * 0.1 or 1.0
            low, high = low - pad, high + pad
        return cls(low, high, log)

    def share(self, value: float) -> float | None:
        """Where ``value`` stands between the ends, 0 to 1; None if it cannot be drawn."""
        place = _place(value, self.log)
        return None if place is None else (place - self.low) / (self.high - self.low)

    def ticks(self, count: int, wanted: Sequence[float] = ()) -> list[tuple[float, str]]:
        """About ``count`` ticks as (share, label): on a log axis the ``wanted`` (measured) values if they are few."""
        if self.log and 2 <= len(set(wanted)) <= 10:
            return self._labelled(sorted(set(wanted)))
        if not self.log:
            counts = bool(wanted) and all(float(value).is_integer() for value in wanted)
            return self._labelled(nice(self.low, self.high, count, least=1.0 if counts else 0.0))
        if self.high - self.low < 1.0 and self.high < 15:
            return self._labelled(nice(10**self.low, 10**self.high, count))
        whole = range(math.ceil(self.low - 1e-9), math.floor(self.high + 1e-9) + 1)
        if len(whole) >= 3:
            step = max(1, math.ceil(len(whole) / max(count, 1)))
            return [((n - self.low) / (self.high - self.low), power_of_ten(n)) for n in whole if n % step == 0]
        exponents = range(math.floor(self.low), math.ceil(self.high) + 1)
        values = [digit * 10.0**n for n in exponents for digit in ((1, 2, 5) if count >= 4 else (1, 3))]
        inside = [value for value in values if -1e-9 <= (self.share(value) or 0.0) <= 1 + 1e-9]
        return self._labelled(inside)

    def _labelled(self, values: Sequence[float]) -> list[tuple[float, str]]:
        found = []
        for value, label in zip(values, labels(values, trim=self.log), strict=True):
            share = self.share(value)
            if share is not None and -1e-9 <= share <= 1 + 1e-9:
                found.append((share, label))
        return found


def _place(value: float, log: bool) -> float | None:
    if not math.isfinite(value) or (log and value <= 0):
        return None
    return math.log10(value) if log else value


def nice(low: float, high: float, count: int, least: float = 0.0) -> list[float]:
    """Round numbers (1, 2 or 5 times a power of ten apart, at least ``least``) between ``low`` and ``high``."""
    rough = max((high - low) / max(count, 1), least)
    if not rough > 0 or not math.isfinite(rough):
        return [low]
    size = 10.0 ** math.floor(math.log10(rough))
    if size == 0:
        return [low, high]
    step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    slack = 1e-6 * step  # far from zero the quotients above are rounded by more than that
    return [tick for n in range(first, last + 1) if low - slack <= (tick := n * step) <= high + slack]


def labels(values: Sequence[float], trim: bool = False) -> list[str]:
    """``values`` as tick labels, told apart; without trailing zeros if ``trim``, else all with as many decimals."""
    if not values:
        return []
    largest = max(abs(value) for value in values)
    gaps = [b - a for a, b in pairwise(values) if b > a]
    smallest = min((abs(value) for value in values if value), default=1.0)
    if largest >= 1e6 or (largest and largest < 1e-3):
        return [_scientific(value) for value in values]
    finest = min([*gaps, smallest])
    decimals = max(0, min(9, -math.floor(math.log10(finest) + 1e-9))) if finest else 0
    texts = [f"{value:.{decimals}f}" for value in values]
    while len(set(texts)) < len(set(values)) and decimals < 12:
        decimals += 1
        texts = [f"{value:.{decimals}f}" for value in values]
    return [text.rstrip("0").rstrip(".") if trim and "." in text else text for text in texts]


def _scientific(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.6g}".partition("e")
    if not exponent:
        mantissa, _, exponent = f"{value:.5e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{int(exponent)}"


def power_of_ten(exponent: int) -> str:
    """10 to ``exponent``: plain where that is short, else as 10ⁿ."""
    if -2 <= exponent <= 4:
        return f"{10.0**exponent:g}"
    return "10" + str(exponent).translate(_SUPERSCRIPT)
