"""The functions and constants that a formula may use, each in bounded time and memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from kb.errors import AnswerError

MAX_BITS = 4096  # of any whole number in a formula; the largest float has 1024

Number = int | float


def _mean(items: Sequence[Number]) -> float:
    return math.fsum(items) / len(items)


def _dot(left: Sequence[Number], right: Sequence[Number]) -> Number:
    if len(left) != len(right):
        raise AnswerError(f"dot needs two lists of one length, not {len(left)} and {len(right)} numbers")
    return sum(a * b for a, b in zip(left, right, strict=True))


def _factorial(n: Number) -> int:
    if not 0 <= n <= 500:
        raise AnswerError("factorial takes whole numbers from 0 to 500")
    return math.factorial(_whole(n, "factorial"))


def _comb(n: Number, k: Number) -> int:
    n, k = _whole(n, "comb"), _whole(k, "comb")
    if min(k, abs(n - k)) * n.bit_length() > MAX_BITS:
        raise AnswerError("comb: the result is too large")
    return math.comb(n, k)


def _perm(n: Number, k: Number) -> int:
    n, k = _whole(n, "perm"), _whole(k, "perm")
    if k * n.bit_length() > MAX_BITS:
        raise AnswerError("perm: the result is too large")
    return math.perm(n, k)


def _round(value: Number, digits: Number = 0) -> Number:
    if not -20 <= digits <= 20:
        raise AnswerError("round keeps at most 20 digits")
    return round(value, _whole(digits, "round")) if digits else round(value)


def _whole(value: Number, function: str) -> int:
    if int(value) != value:
        raise AnswerError(f"{function} takes whole numbers")
    return int(value)


def _argmax(items: Sequence[Number]) -> int:
    return max(range(len(items)), key=lambda place: items[place])


def _argmin(items: Sequence[Number]) -> int:
    return min(range(len(items)), key=lambda place: items[place])


# Each takes numbers, or lists where the name says so, in time bounded by the bounds above.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "acos": math.acos,
    "argmax": _argmax,
    "argmin": _argmin,
    "asin": math.asin,
    "atan": math.atan,
    "atan2": math.atan2,
    "ceil": math.ceil,
    "comb": _comb,
    "cos": math.cos,
    "cosh": math.cosh,
    "dot": _dot,
    "erf": math.erf,
    "erfc": math.erfc,
    "exp": math.exp,
    "expm1": math.expm1,
    "factorial": _factorial,
    "float": float,
    "floor": math.floor,
    "gcd": math.gcd,
    "hypot": math.hypot,
    "int": int,
    "isqrt": math.isqrt,
    "lcm": math.lcm,
    "len": len,
    "ln": math.log,
    "log": math.log,
    "log10": math.log10,
    "log1p": math.log1p,
    "log2": math.log2,
    "max": max,
    "mean": _mean,
    "min": min,
    "norm": lambda items: math.hypot(*items),
    "perm": _perm,
    "prod": math.prod,
    "round": _round,
    "sin": math.sin,
    "sinh": math.sinh,
    "sorted": sorted,
    "sqrt": math.sqrt,
    "sum": sum,
    "tan": math.tan,
    "tanh": math.tanh,
}
CONSTANTS: dict[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}

TEXT_FUNCTIONS = frozenset({"len"})  # the only ones that may see a text
LIST_FUNCTIONS = frozenset({"argmax", "argmin", "dot", "len", "max", "mean", "min", "norm", "prod", "sorted", "sum"})
