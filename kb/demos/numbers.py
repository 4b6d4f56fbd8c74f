"""Numbers as people read them."""

from __future__ import annotations

import math
from decimal import Decimal

from kb.demos.report import Check, Scalar

RELATION = {"<=": "≤", ">=": "≥", "==": "=", "≈": "≈"}


def say(value: Scalar, digits: int = 4) -> str:
    """``value`` with about ``digits`` significant digits; whole numbers in full, in groups of three."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else _tidy_exponent(f"{Decimal(value):.{digits - 1}e}")
    if not math.isfinite(value):
        return "NaN" if value != value else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    if digits >= 17:
        return _tidy_exponent(repr(value))  # the shortest text that is this very number
    size = abs(value)
    if size < 1e-3 or size >= 1e15:
        return _tidy_exponent(f"{value:.{digits - 1}e}")
    if value.is_integer():
        return f"{value:,.0f}"
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _tidy_exponent(text: str) -> str:
    mantissa, _, exponent = text.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def brief(value: float) -> str:
    """``value`` in at most nine characters, for where there is little room."""
    return say(value, 3) if abs(value) < 1e5 or not math.isfinite(value) else _tidy_exponent(f"{value:.2e}")


def statement(check: Check) -> str:
    """``measured relation expected``, with more digits where four of them would hide the difference."""
    digits, same = 4, check.measured == check.expected
    most = 7 if check.holds else 17
    while digits < most and not same and say(check.measured, digits) == say(check.expected, digits):
        digits += 1
    relation = RELATION.get(check.relation, check.relation)
    text = f"{say(check.measured, digits)} {relation} {say(check.expected, digits)}"
    if check.tolerance:
        text += f" ± {say(check.tolerance, 2)}"
    return text if check.holds else f"{text} does not hold"
