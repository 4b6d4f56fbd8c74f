"""Comparing what an answer in code returned with what the reference returned, as data.

The rules. Numbers agree within the tolerance; NaN agrees with NaN, an infinity with itself; two whole numbers must be
equal. A bool agrees with a bool only. Shapes must be equal; a nested list or tuple, an array and a tensor of one
shape and values agree, and so do precisions (float32 and float64), unless the card compares ``dtype``. Texts, bytes,
None and the keys of dicts must be equal.

A tolerance ``t`` allows ``t · max(1, |expected|)``, a percentage that part of the expected value. Without one it is
1e-7 for Python's floats and float64, 1e-5 for float32, and 1e-2 for the halves.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kb.questions.number import Tolerance

MAX_DEPTH = 60

_DTYPE = re.compile("(?:b?float|u?int|complex|bool|str|bytes)[0-9a-z_]*")


@dataclass(frozen=True, slots=True)
class Array:
    """An array or tensor: its values row by row."""

    library: str
    dtype: str
    shape: tuple[int, ...]
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """A dtype, a given function, or (``data`` is False) something that is no data."""

    name: str
    data: bool = True


@dataclass(frozen=True, slots=True)
class Raised:
    """The answer raised an exception, on ``line`` of its source."""

    kind: str
    message: str
    line: int | None


def read(node: Any, depth: int = 0) -> Any:
    """The value of a node of ``kb.questions.judge``; raises ValueError for whatever is none (its source is hostile)."""
    if depth > MAX_DEPTH or not isinstance(node, list) or not node:
        raise ValueError("not a value")
    try:
        match node:
            case ["n"]:
                return None
            case ["b", bool(value)] | ["s", str(value)]:
                return value
            case ["i", str(text)]:
                return int(text, 16)
            case ["f", str(text)]:
                return float.fromhex(text)
            case ["c", str(real), str(imaginary)]:
                return complex(float.fromhex(real), float.fromhex(imaginary))
            case ["y", str(text)]:
                return base64.b64decode(text, validate=True)
            case ["l", list(items)]:
                return [read(item, depth + 1) for item in items]
            case ["S", list(items)]:
                return Members(tuple(read(item, depth + 1) for item in items))
            case ["t", list(items)]:
                return tuple(read(item, depth + 1) for item in items)
            case ["d", list(pairs)]:
                return Pairs(tuple((read(key, depth + 1), read(value, depth + 1)) for key, value in pairs))
            case ["a", ("numpy" | "torch") as library, str(dtype), list(shape), list(values)] if _DTYPE.fullmatch(
                dtype
            ):
                return _read_array(library, dtype, shape, values)
            case ["D", ("numpy" | "torch") as library, str(name)] if _DTYPE.fullmatch(name):
                return Named(f"{library}.{name}")
            case ["g", str(name)]:
                return Named(name)
            case ["o", str(name)]:
                return Named(name, data=False)
            case ["x", str(kind), str(message), int() | None as line]:
                return Raised(kind, message, line)
    except (ValueError, OverflowError, TypeError, binascii.Error):
        pass
    raise ValueError("not a value")


@dataclass(frozen=True, slots=True)
class Pairs:
    """A dict, its keys perhaps not hashable here."""

    items: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A set, its members in the order of their nodes."""

    items: tuple[Any, ...]


def _read_array(library: str, dtype: str, shape: list[Any], values: list[Any]) -> Array:
    if not all(type(size) is int and size >= 0 for size in shape) or math.prod(shape) != len(values):
        raise ValueError("not an array")
    read_values: list[Any] = []
    for value in values:
        if type(value) in (bool, int):
            read_values.append(value)
        elif isinstance(value, str):
            read_values.append(float.fromhex(value))
        else:
            real, imaginary = value
            read_values.append(complex(float.fromhex(real), float.fromhex(imaginary)))
    return Array(library, dtype, tuple(shape), tuple(read_values))


_DEFAULT = 1e-7
_COARSE = {"float32": 1e-5, "complex64": 1e-5, "float16": 1e-2, "bfloat16": 1e-2}


@dataclass(frozen=True, slots=True)
class Closeness:
    """How near numbers must be, and whether dtypes are compared."""

    tolerance: Tolerance | None = None
    dtype: bool = False

    def near(self, expected: Any, got: Any, coarse: float = _DEFAULT) -> bool:
        """Whether two numbers agree; ``coarse`` is the allowance where the card gives none."""
        if isinstance(expected, bool) or isinstance(got, bool):
            return expected is got
        if isinstance(expected, int) and isinstance(got, int):
            return expected == got
        if isinstance(expected, complex) or isinstance(got, complex):
            a, b = complex(expected), complex(got)
            return self.near(a.real, b.real, coarse) and self.near(a.imag, b.imag, coarse)
        try:
            a, b = float(expected), float(got)
        except OverflowError:
            return bool(expected == got)
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        if math.isinf(a) or math.isinf(b):
            return a == b
        if self.tolerance is None:
            allowed = coarse * max(1.0, abs(a))
        else:
            allowed = max(self.tolerance.absolute * max(1.0, abs(a)), self.tolerance.relative * abs(a))
        return abs(a - b) <= allowed


def difference(expected: Any, got: Any, closeness: Closeness, where: str = "") -> str | None:
    """What tells ``got`` from ``expected``, in a line; None if they agree. ``where`` is the place inside the result."""
    at = f"at {where}, " if where else ""
    if isinstance(got, Raised):
        line = f" (line {got.line})" if got.line else ""
        return f"{got.kind}: {got.message}{line}" if got.message else f"{got.kind}{line}"
    if isinstance(got, Named) and not got.data:
        return f"{at}{got.name} is no number, sequence, array, tensor, dict, text or None"
    if isinstance(expected, Array) or isinstance(got, Array):
        return _arrays(expected, got, closeness, at)
    if isinstance(expected, list | tuple):
        if not isinstance(got, list | tuple):
            return f"{at}{_kind(got)} where {_kind(expected)} is expected"
        if len(expected) != len(got):
            return f"{at}{len(got)} items where {len(expected)} are expected"
        for place, (a, b) in enumerate(zip(expected, got, strict=True)):
            fault = difference(a, b, closeness, f"{where}[{place}]")
            if fault:
                return fault
        return None
    if isinstance(expected, Members) and isinstance(got, Members):
        return difference(expected.items, got.items, closeness, where)
    if isinstance(expected, Pairs):
        return _dicts(expected, got, closeness, where, at)
    if _is_number(expected) and _is_number(got):
        if closeness.near(expected, got):
            return None
        if isinstance(expected, bool) is not isinstance(got, bool):
            return f"{at}{_kind(got)} where {_kind(expected)} is expected"
        return f"{at}{_off(expected, got)}"
    if type(expected) is not type(got):
        return f"{at}{_kind(got)} where {_kind(expected)} is expected"
    return None if expected == got else f"{at}not the same {_kind(expected).removeprefix('a ')}"


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | complex)


def _off(expected: Any, got: Any) -> str:
    """How far a number is off, in words."""
    gap = _gap(expected, got)
    if gap < math.inf:
        return f"off by {gap:.3g}"
    return f"{_scalar(got)} where {_scalar(expected)} is expected"


def _arrays(expected: Any, got: Any, closeness: Closeness, at: str) -> str | None:
    a, b = _as_array(expected), _as_array(got)
    if a is None or b is None:
        return f"{at}{_kind(got)} where {_kind(expected)} is expected"
    if a.shape != b.shape:
        return f"{at}shape {_shape(b.shape)} where {_shape(a.shape)} is expected"
    if closeness.dtype and a.dtype != b.dtype:
        return f"{at}dtype {b.dtype or 'of Python'} where {a.dtype} is expected"
    coarse = max(_COARSE.get(a.dtype, _DEFAULT), _COARSE.get(b.dtype, _DEFAULT))
    off = [
        place for place, pair in enumerate(zip(a.values, b.values, strict=True)) if not closeness.near(*pair, coarse)
    ]
    if not off:
        return None
    first = off[0]
    if isinstance(a.values[first], bool) is not isinstance(b.values[first], bool):
        return f"{at}{_kind(b.values[first])}s where {_kind(a.values[first])}s are expected"
    worst = max(off, key=lambda place: _gap(a.values[place], b.values[place]))
    if not a.shape:
        return f"{at}{_off(a.values[worst], b.values[worst])}"
    values = f"{len(off)} of {len(a.values)} values differ, most" if len(off) > 1 else "one value differs,"
    place = list(_place(worst, a.shape))
    return f"{at}{values} at {place}: {_off(a.values[worst], b.values[worst])}"


def _gap(expected: Any, got: Any) -> float:
    try:
        gap = float(abs(expected - got))
    except OverflowError:
        return math.inf
    return math.inf if math.isnan(gap) else gap


def _place(flat: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The indices of the value at ``flat``, counted row by row."""
    place: list[int] = []
    for size in reversed(shape):
        flat, index = divmod(flat, size)
        place.append(index)
    return tuple(reversed(place))


def _as_array(value: Any) -> Array | None:
    """A number or a nested list of numbers as an array; None where it is ragged or holds something else."""
    if isinstance(value, Array):
        return value
    if _is_number(value):
        return Array("", "", (), (value,))
    if not isinstance(value, list | tuple):
        return None
    rows = [_as_array(item) for item in value]
    if not rows:
        return Array("", "", (0,), ())
    shape = rows[0].shape if rows[0] is not None else ()
    values: list[Any] = []
    for row in rows:
        if row is None or row.shape != shape:
            return None
        values += row.values
    return Array("", "", (len(rows), *shape), tuple(values))


def _dicts(expected: Pairs, got: Any, closeness: Closeness, where: str, at: str) -> str | None:
    if not isinstance(got, Pairs):
        return f"{at}{_kind(got)} where {_kind(expected)} is expected"
    left, right = ({show(key): value for key, value in pairs.items} for pairs in (expected, got))
    for key in left:
        if key not in right:
            return f"{at}the key {key} is missing"
    for key in right:
        if key not in left:
            return f"{at}the key {key} is not expected"
    for key, value in left.items():
        fault = difference(value, right[key], closeness, f"{where}[{key}]")
        if fault:
            return fault
    return None


def _kind(value: Any) -> str:
    if isinstance(value, Array):
        return f"a {value.library} array of shape {_shape(value.shape)}"
    if isinstance(value, Named):
        return value.name
    names = {
        type(None): "None",
        Pairs: "a dict",
        Members: "a set",
        str: "a text",
        int: "a whole number",
        float: "a float",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def show(value: Any, limit: int = 400) -> str:
    """``value`` as Python would write it, shortened to about ``limit`` characters."""
    text = _shown(value)
    return text if len(text) <= limit else text[: limit - 2] + " …"


_SOME = 12  # items of a row that are written out


def _shown(value: Any) -> str:
    match value:
        case Array():
            dtype = f", {value.dtype}" if value.dtype not in ("float64", "int64", "bool") else ""
            name = {"torch": "tensor", "numpy": "array"}.get(value.library, "array")
            rows = _rows(value.shape, iter(value.values))
            return f"{name}({rows}{dtype})"
        case Named():
            return value.name if value.data else f"<{value.name}>"
        case Raised():
            return f"{value.kind}: {value.message}" if value.message else value.kind
        case Pairs():
            return "{" + ", ".join(f"{_shown(key)}: {_shown(item)}" for key, item in islice(value.items, 30)) + "}"
        case Members():
            return "{" + ", ".join(_shown(item) for item in islice(value.items, 30)) + "}" if value.items else "set()"
        case list() | tuple():
            items = [_shown(item) for item in value[:_SOME]] + (["…"] if len(value) > _SOME else [])
            if isinstance(value, list):
                return f"[{', '.join(items)}]"
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        case float():
            return repr(value)
        case int() if value.bit_length() > 512:
            return f"{hex(value)[:20]}… ({value.bit_length()} bits)"
    return repr(value)


def _rows(shape: tuple[int, ...], values: Any) -> str:
    if not shape:
        return _scalar(next(values))
    rows = [_rows(shape[1:], values) for _ in range(shape[0])]
    kept = rows if len(rows) <= _SOME else [*rows[: _SOME // 2], "…", *rows[-_SOME // 2 :]]
    return f"[{', '.join(kept)}]"


def _scalar(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
