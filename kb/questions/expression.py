"""A safe evaluator for the formulas that learners type and topic files contain.

The text is parsed by ``ast`` and walked; nothing is ever compiled or evaluated by Python. Only arithmetic, comparisons,
``and or not``, ``a if c else b``, whitelisted functions, whitelisted constants and the names of drawn parameters are
understood. The length, the depth, the size of every number on the way and the work of every function are bounded, so
that any text is answered in a few milliseconds, with a value or with an AnswerError.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import unicodedata
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kb.errors import AnswerError
from kb.questions.functions import CONSTANTS, FUNCTIONS, LIST_FUNCTIONS, MAX_BITS, TEXT_FUNCTIONS, Number

MAX_CHARACTERS = 1000
MAX_NODES = 400
MAX_DEPTH = 40
MAX_ITEMS = 10_000

_HUGE = 2**MAX_BITS

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class Expression:
    """A formula over ``names``, parsed once; raises AnswerError if it is none, or too long or deep.

    ``typed`` is for what a person typed as a number: thousands separators and decimal points are understood as people
    write them, and texts, lists and comparisons are not numbers.
    """

    __slots__ = ("_tree", "text", "used")

    def __init__(self, text: str, names: Collection[str] = (), *, typed: bool = False) -> None:
        self.text = text
        self._tree = _parse(tidy_typed(text) if typed else tidy(text), text)
        self.used = frozenset(_check(self._tree, frozenset(names), typed, text))

    def value(self, values: Mapping[str, Any] | None = None) -> Any:
        """The value, a finite number, a bool, a text or a list; AnswerError where it is not defined."""
        try:
            return _evaluate(self._tree, values or {})
        except AnswerError:
            raise
        except ZeroDivisionError:
            raise AnswerError(f"{_short(self.text)} divides by zero") from None
        except (OverflowError, MemoryError):
            raise AnswerError(f"{_short(self.text)} is too large") from None
        except (ValueError, TypeError, IndexError, KeyError, RecursionError, AttributeError):
            raise AnswerError(f"{_short(self.text)} is not defined") from None

    def number(self, values: Mapping[str, Any] | None = None) -> Number:
        """The value where it must be a number that a float can hold."""
        value = self.value(values)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise AnswerError(f"{_short(self.text)} is not a number")
        try:
            float(value)
        except OverflowError:
            raise AnswerError(f"{_short(self.text)} is too large") from None
        return value


def evaluate(text: str, values: Mapping[str, Any] | None = None) -> Any:
    """The value of ``text`` over ``values``.

    >>> evaluate("2^10 + n", {"n": 1})
    1025
    """
    return Expression(text, values or ()).value(values)


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
# patterns are compiled when they are first needed: a start of kb needs none of them
_SUPERSCRIPT_RUN = r"[⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+"
_SIGNS = str.maketrans(
    {
        "×": "*",
        "·": "*",
        "⋅": "*",
        "∗": "*",
        "∙": "*",
        "÷": "/",
        "∕": "/",
        "⁄": "/",
        "−": "-",
        "–": "-",
        "‐": "-",
        "‑": "-",
        "π": "pi",
        "≤": "<=",
        "≥": ">=",
        "≠": "!=",
        "’": "_",  # 1’000, as written in Switzerland
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
    }
)
_ROOT = r"√\s*(\d+(?:\.\d+)?|(?=\())"
_THOUSANDS = r"(?<![\w.,])\d{1,3}(?:([, ])\d{3})(?:\1\d{3})*(?![\d,])"
_DECIMAL_COMMA = r"(?<![\w.])\d+,\d+(?!\d*,)"
_TIMES = r"(?<=\d)\s*[xX]\s*(?=\d)"
_HEXADECIMAL = r"(?<![\w.])0[xX][0-9a-fA-F]+(?!\w)"


def tidy(text: str) -> str:
    """``text`` with the signs that people write (2^10, 3×4, 10⁹, √2, −1) as the parser knows them."""
    _check_length(text)
    if text.isascii():
        return _powers(text)
    text = re.sub(_SUPERSCRIPT_RUN, lambda run: "**(" + run.group().translate(_SUPERSCRIPTS) + ")", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS)
    text = re.sub(_ROOT, lambda root: f"sqrt({root.group(1)})" if root.group(1) else "sqrt", text)
    return _powers(text)


def tidy_typed(text: str) -> str:
    """As ``tidy``, and with thousands separators, a leading = or ≈ and "x" for times as a learner types them."""
    text = tidy(text.strip().lstrip("=≈~ ")).strip()
    if not re.search(r"[A-Za-z_]\s*\(", text):  # in a call a comma separates arguments
        text = re.sub(_THOUSANDS, lambda number: re.sub("[, ]", "", number.group()), text)
        comma = re.search(_DECIMAL_COMMA, text)
        if comma:
            raise AnswerError(
                f"{_short(comma.group())}: a comma separates thousands here",
                cure=f"write the decimal point: {comma.group().replace(',', '.')[:20]}",
            )
    if re.search(_TIMES, text) and not re.search(_HEXADECIMAL, text):
        text = re.sub(_TIMES, "*", text)
    return text


def _powers(text: str) -> str:
    if "^" not in text or '"' in text or "'" in text:
        return text
    return text.replace("^", "**")


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise AnswerError(f"that is {len(text)} characters long; a formula has at most {MAX_CHARACTERS}")


def _short(text: str) -> str:
    text = " ".join(text.split())
    return repr(text if len(text) <= 40 else text[:37] + "…")


def _parse(tidied: str, text: str) -> ast.expr:
    depth = 0
    for sign in tidied:
        depth += (sign in "([{") - (sign in ")]}")
        if depth > MAX_DEPTH:
            raise AnswerError(f"{_short(text)} is nested too deeply")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "1or 2" and its like make the tokenizer warn
            return ast.parse(tidied.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        raise AnswerError(f"{_short(text)} is not a number or a formula") from None


def _check(tree: ast.expr, names: frozenset[str], typed: bool, text: str) -> set[str]:
    """Refuse whatever is not whitelisted, before anything is worked out; the parameters that are used."""
    used: set[str] = set()
    count = 0
    stack: list[tuple[ast.expr, int]] = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise AnswerError(f"{_short(text)} is too long or nested too deeply")
        children: Sequence[ast.expr]
        match node:
            case ast.Constant(value=value):
                _check_constant(value, typed, text)
                children = ()
            case ast.Name(id=name):
                if name in names:
                    used.add(name)
                elif name not in CONSTANTS:
                    raise AnswerError(_unknown_name(name, names))
                children = ()
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                children = (operand,)
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY or isinstance(op, ast.Pow):
                children = (left, right)
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
                if name not in FUNCTIONS:
                    raise AnswerError(_unknown_name(name, names))
                children = args
            case ast.Compare(left=left, ops=ops, comparators=rest) if not typed and all(
                type(op) in _COMPARE for op in ops
            ):
                children = (left, *rest)
            case ast.BoolOp(values=parts) if not typed:
                children = parts
            case ast.IfExp(test=test, body=body, orelse=other) if not typed:
                children = (test, body, other)
            case ast.List(elts=items) | ast.Tuple(elts=items) if not typed:
                children = items
            case ast.Subscript(value=inner, slice=place) if not typed and not isinstance(place, ast.Slice):
                children = (inner, place)
            case _:
                raise AnswerError(f"{_short(text)} is not a number or a formula")
        stack.extend((child, depth + 1) for child in children)
    return used


def _check_constant(value: object, typed: bool, text: str) -> None:
    allowed = (int, float) if typed else (int, float, bool, str)
    if type(value) not in allowed:
        raise AnswerError(f"{_short(text)} is not a number")
    if isinstance(value, int | float) and not -_HUGE < value < _HUGE:
        raise AnswerError(f"{_short(text)} is too large")


def _unknown_name(name: str, names: Collection[str]) -> str:
    if name.lower() in {"inf", "infinity", "nan"}:
        return "the answer is a finite number"
    known = f"; known are {', '.join(sorted(names))}" if names else ""
    return f"{_short(name)} is no number, constant or function that I know{known}"


def _bounded(value: Any) -> Any:
    """``value`` if it is a value of the allowed kinds and sizes."""
    if isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        if value.bit_length() > MAX_BITS:
            raise OverflowError
        return value
    if isinstance(value, float):
        if value != value:
            raise ValueError
        if math.isinf(value):
            raise OverflowError
        return value
    if isinstance(value, list | tuple):
        if len(value) > MAX_ITEMS:
            raise OverflowError
        return value
    raise TypeError(type(value))  # complex numbers among others


def _number(value: Any) -> Any:
    if not isinstance(value, int | float):
        raise TypeError(type(value))
    return value


def _power(base: Number, exponent: Number) -> Any:
    if isinstance(base, int) and isinstance(exponent, int):
        if abs(base) > 1 and abs(exponent) * (abs(base).bit_length() - 1) > MAX_BITS:
            if exponent < 0:
                return 0.0
            raise OverflowError
        if abs(base) <= 1 and abs(exponent) > 2:
            exponent = (2 + exponent % 2) * (1 if exponent > 0 else -1)  # the same by parity, and cheap
    return base**exponent


def _evaluate(node: ast.expr, values: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _bounded(values[name]) if name in values else CONSTANTS[name]
        case ast.UnaryOp(op=op, operand=operand):
            inner = _evaluate(operand, values)
            return _UNARY[type(op)](inner if isinstance(op, ast.Not) else _number(inner))
        case ast.BinOp(left=left, op=op, right=right):
            a, b = _number(_evaluate(left, values)), _number(_evaluate(right, values))
            return _bounded(_power(a, b) if isinstance(op, ast.Pow) else _BINARY[type(op)](a, b))
        case ast.Call(func=ast.Name(id=name), args=args):
            given = [_evaluate(argument, values) for argument in args]
            for argument in given:
                if not isinstance(argument, int | float):
                    wanted = TEXT_FUNCTIONS if isinstance(argument, str) else LIST_FUNCTIONS
                    if name not in wanted:
                        raise TypeError(name)
            return _bounded(FUNCTIONS[name](*given))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            a = _evaluate(left, values)
            for comparison, other in zip(ops, rest, strict=True):
                b = _evaluate(other, values)
                if not _COMPARE[type(comparison)](a, b):
                    return False
                a = b
            return True
        case ast.BoolOp(op=op, values=parts):
            result: Any = None
            for part in parts:
                result = _evaluate(part, values)
                if bool(result) == isinstance(op, ast.Or):
                    break
            return result
        case ast.IfExp(test=test, body=body, orelse=other):
            return _evaluate(body if _evaluate(test, values) else other, values)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_evaluate(item, values) for item in items]
        case ast.Subscript(value=inner, slice=place):
            return _bounded(_evaluate(inner, values)[_evaluate(place, values)])
    raise TypeError(type(node))
