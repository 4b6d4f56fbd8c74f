"""Drawing the parameters of a question from its seed: the same seed gives the same values everywhere.

.. code-block:: yaml

    draw:
      psi: [1.5e9, 7.5e9, 70e9]               # one of these: numbers, texts or lists
      k: {from: 1, to: 9}                     # whole numbers, both ends included
      lr: {from: 0.1, to: 0.9, step: 0.1}     # decimal steps, drawn without rounding noise
      ranks: {from: 2, to: 1024, factor: 2}   # 2, 4, 8, … 1024
      x: {shape: [2, 3], from: -3, to: 3}     # a small tensor, as nested lists
      n: {value: 2 * k + 1}                   # worked out of those above it
    where: psi > 2e9 and k < 5                # drawn again until it holds
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from random import Random
from typing import Any

from kb.errors import AnswerError
from kb.questions.expression import Expression
from kb.questions.functions import CONSTANTS

MAX_TRIES = 1000
MAX_ELEMENTS = 1000
MAX_STEPS = 10**9

_NUMBER = r"[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+|(?:\^|\*\*)\d+)?"


class Stream:
    """Random numbers from a seed and a label.

    Only ``Random.random`` is used: Python promises its sequence for ever, and not that of ``shuffle`` or ``randint``.
    """

    def __init__(self, seed: int, label: str) -> None:
        digest = hashlib.sha256(f"{seed}/{label}".encode()).digest()
        self._random = Random(int.from_bytes(digest[:8], "big"))

    def below(self, count: int) -> int:
        """A whole number from 0 to ``count`` - 1."""
        return min(int(self._random.random() * count), count - 1)

    def permutation(self, count: int) -> list[int]:
        """The numbers from 0 to ``count`` - 1 in random order (Fisher and Yates, from the end)."""
        places = list(range(count))
        for last in range(count - 1, 0, -1):
            other = self.below(last + 1)
            places[last], places[other] = places[other], places[last]
        return places


class DrawFault(ValueError):
    """What is wrong with a ``draw`` or ``where``; ``name`` is the parameter, None for ``where``."""

    def __init__(self, name: str | None, message: str) -> None:
        super().__init__(message)
        self.name = name


Drawer = Callable[[Stream, Mapping[str, Any]], Any]


class Parameters:
    """The ``draw`` and ``where`` of a card, checked; raises DrawFault."""

    def __init__(self, draw: Mapping[str, Any], where: str | bool | None = None) -> None:
        self._drawers: dict[str, Drawer] = {}
        for name, rule in draw.items():
            if not isinstance(name, str) or not name.isidentifier() or name in CONSTANTS or iskeyword(name):
                raise DrawFault(str(name), f"{name!r} cannot be the name of a parameter")
            self._drawers[name] = _drawer(name, rule, tuple(self._drawers))
        self.names = frozenset(self._drawers)
        self._where: Expression | None = None
        self.used = {name for rule in draw.values() if isinstance(rule, dict) for name in _names(rule.get("value"))}
        if where is not None:
            try:
                self._where = Expression(str(where), self.names)
            except AnswerError as error:
                raise DrawFault(None, str(error)) from None
            self.used |= self._where.used

    def draw(self, seed: int, accept: Callable[[Mapping[str, Any]], bool] | None = None) -> dict[str, Any]:
        """The parameters for ``seed``: the first of its draws that ``where`` and ``accept`` agree to.

        Raises DrawFault if none of many does.
        """
        if not self._drawers and accept is None:
            return {}
        stream = Stream(seed, "draw")
        for _ in range(MAX_TRIES if self._drawers else 1):
            values: dict[str, Any] = {}
            for name, drawer in self._drawers.items():
                try:
                    values[name] = drawer(stream, values)
                except AnswerError as error:
                    raise DrawFault(name, str(error)) from None
            if self._holds(values) and (accept is None or accept(values)):
                return values
        raise DrawFault(None, f"none of {MAX_TRIES} draws fulfils the conditions")

    def _holds(self, values: Mapping[str, Any]) -> bool:
        if self._where is None:
            return True
        try:
            return bool(self._where.value(values))
        except AnswerError as error:
            raise DrawFault(None, str(error)) from None


def _names(formula: Any) -> list[str]:
    return re.findall(r"[A-Za-z_]\w*", str(formula))


def number(value: Any) -> Any:
    """``value`` with numbers that YAML reads as text (``7.5e9``, ``1e-3``, ``2^20``) as numbers."""
    if isinstance(value, list):
        return [number(item) for item in value]
    if not isinstance(value, str) or not re.fullmatch(_NUMBER, value):
        return value
    try:
        return Expression(value).number()
    except AnswerError:
        return value


def _drawer(name: str, rule: Any, before: tuple[str, ...]) -> Drawer:
    if isinstance(rule, list):
        if not rule:
            raise DrawFault(name, "there is nothing to draw from")
        choices = [number(item) for item in rule]
        if any(isinstance(choice, dict) or choice is None for choice in choices):
            raise DrawFault(name, "a choice is a number, a text or a list of them")
        return lambda stream, _: choices[stream.below(len(choices))]
    if not isinstance(rule, dict):
        raise DrawFault(name, "a parameter is a list of choices or {from: …, to: …}")
    if "value" in rule:
        _only(name, rule, {"value"})
        try:
            formula = Expression(str(rule["value"]), before)
        except AnswerError as error:
            raise DrawFault(name, str(error)) from None
        return lambda _, values: formula.value(values)
    if "shape" in rule:
        shape = rule["shape"]
        if (
            not isinstance(shape, list)
            or not 1 <= len(shape) <= 4
            or not all(type(size) is int and size > 0 for size in shape)
            or math.prod(shape) > MAX_ELEMENTS
        ):
            raise DrawFault(name, f"shape is a list of one to four sizes, at most {MAX_ELEMENTS} numbers in all")
        rest = {key: value for key, value in rule.items() if key != "shape"}
        element = _drawer(name, rest["values"] if set(rest) == {"values"} else rest, before)
        return lambda stream, values: _tensor(shape, element, stream, values)
    return _range(name, rule)


def _tensor(shape: list[int], element: Drawer, stream: Stream, values: Mapping[str, Any]) -> Any:
    if not shape:
        return element(stream, values)
    return [_tensor(shape[1:], element, stream, values) for _ in range(shape[0])]


def _range(name: str, rule: Mapping[str, Any]) -> Drawer:
    _only(name, rule, {"from", "to", "step", "factor"})
    given = {key: number(value) for key, value in rule.items()}
    for key in ("from", "to"):
        if key not in given:
            raise DrawFault(name, f"{key!r} is missing: a range is {{from: …, to: …, step: …}}")
    for key, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise DrawFault(name, f"{key!r} must be a number, not {value!r}")
    low, high = given["from"], given["to"]
    if high < low:
        raise DrawFault(name, f"the range from {low} to {high} is empty")
    if "factor" in given:
        return _geometric(name, given)
    whole = isinstance(low, int) and isinstance(given.get("step", 1), int)
    if "step" not in given and not (whole and isinstance(high, int)):
        raise DrawFault(name, "a range of decimal numbers needs a step")
    step = given.get("step", 1)
    if step <= 0:
        raise DrawFault(name, "the step must be above 0")
    count = math.floor((high - low) / step + 1e-9) + 1
    if count > MAX_STEPS:
        raise DrawFault(name, f"a range has at most {MAX_STEPS} steps")
    digits = max(_decimals(low), _decimals(step))

    def draw(stream: Stream, _: Mapping[str, Any]) -> int | float:
        value = low + stream.below(count) * step
        return value if whole else round(float(value), digits)

    return draw


def _geometric(name: str, given: Mapping[str, Any]) -> Drawer:
    low, high, factor = given["from"], given["to"], given["factor"]
    if "step" in given or low <= 0 or factor <= 1:
        raise DrawFault(name, "a range by factor starts above 0, has a factor above 1 and no step")
    terms = [low]
    while terms[-1] * factor <= high * (1 + 1e-12) and len(terms) < MAX_ELEMENTS:
        terms.append(terms[-1] * factor)
    return lambda stream, _: terms[stream.below(len(terms))]


def _decimals(value: int | float) -> int:
    """How many decimal places ``value`` is written with."""
    mantissa, _, exponent = repr(float(value)).partition("e")
    places = len(mantissa.partition(".")[2].rstrip("0")) - int(exponent or 0)
    return max(places, 0)


def _only(name: str, rule: Mapping[str, Any], allowed: set[str]) -> None:
    for key in rule:
        if key not in allowed:
            raise DrawFault(name, f"{key!r} is not known here; known are {', '.join(sorted(allowed))}")
