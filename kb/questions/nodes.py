"""Values as data, to be sent between a sandbox and kb: nodes, lists that begin with a letter.

Runs inside the sandbox too, so nothing of kb is imported.
"""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Iterable, Iterator, KeysView, ValuesView
from typing import Any

MAX_DEPTH = 40
MAX_ELEMENTS = 1_000_000

Node = list[Any]


class Unsendable(Exception):
    """A value that is no data: a function, a module, an object of a class of one's own."""


def encode(value: Any, given: dict[str, Any] | None = None, depth: int = 0) -> Node:
    """``value`` as a node; only exact types of data pass, so that no method of the value is ever trusted.

    n None, b bool, i int (hexadecimal), f float (hexadecimal), c complex, s text, y bytes, l list, t tuple, d dict,
    S set, a array or tensor, D dtype, g a name defined in ``given``. Raises Unsendable.
    """
    if depth > MAX_DEPTH:
        raise Unsendable("a value nested too deeply")
    kind = type(value)
    if value is None:
        return ["n"]
    if kind is bool:
        return ["b", value]
    if kind is int:
        return ["i", hex(value)]
    if kind is float:
        return ["f", value.hex()]
    if kind is complex:
        return ["c", value.real.hex(), value.imag.hex()]
    if kind is str:
        return ["s", value.encode("utf-8", "replace").decode()]
    if kind in (bytes, bytearray):
        return ["y", base64.b64encode(value).decode()]
    if kind in (list, tuple):
        _check_size(len(value))
        return ["l" if kind is list else "t", [encode(item, given, depth + 1) for item in value]]
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # a named tuple
        return ["t", [encode(item, given, depth + 1) for item in tuple.__iter__(value)]]
    if isinstance(value, dict):
        _check_size(len(value))
        return ["d", [[encode(k, given, depth + 1), encode(v, given, depth + 1)] for k, v in dict.items(value)]]
    if kind in (set, frozenset):
        _check_size(len(value))
        return ["S", sorted((encode(item, given, depth + 1) for item in value), key=json.dumps)]
    array = _encode_array(value)
    if array is not None:
        return array
    if isinstance(value, range | Iterator | ValuesView | KeysView):
        return ["l", [encode(item, given, depth + 1) for item in _taken(value)]]
    name = getattr(value, "__name__", "")
    if given and isinstance(name, str) and given.get(name) is value:
        return ["g", name]
    raise Unsendable(f"a value of type {kind.__name__}")


def _taken(items: Iterable[Any]) -> list[Any]:
    """The items of an iterator, which may be endless."""
    taken: list[Any] = []
    for item in items:
        taken.append(item)
        _check_size(len(taken))
    return taken


def _check_size(count: int) -> None:
    if count > MAX_ELEMENTS:
        raise Unsendable(f"more than {MAX_ELEMENTS} values")


def _encode_array(value: Any) -> Node | None:
    """An array of NumPy or a tensor of torch, widened to what Python's ``array`` can read; None if it is neither."""
    numpy: Any = sys.modules.get("numpy")
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.dtype):
        return ["D", "torch", str(value).rpartition(".")[2]]
    if numpy is not None and (
        isinstance(value, numpy.dtype) or (isinstance(value, type) and issubclass(value, numpy.generic))
    ):
        return ["D", "numpy", numpy.dtype(value).name]
    if torch is not None and isinstance(value, torch.Tensor):
        name = str(value.dtype).rpartition(".")[2]
        tensor = torch.Tensor.detach(value).to("cpu")
        if tensor.layout is not torch.strided:
            tensor = tensor.to_dense()
        if tensor.is_complex():
            tensor = tensor.resolve_conj().to(torch.complex128)
        elif tensor.dtype == torch.bool:
            pass
        elif tensor.is_floating_point():
            tensor = tensor.to(torch.float64)
        else:
            tensor = tensor.to(torch.int64)
        _check_size(tensor.numel())
        return _array("torch", name, tuple(tensor.shape), tensor.resolve_neg().contiguous().flatten().tolist())
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        array = numpy.asarray(value)
        if array.dtype.kind == "U":
            return encode(array.tolist())
        if array.dtype.kind not in "biufc" or array.dtype.itemsize > 16:
            raise Unsendable(f"an array of {array.dtype}")
        _check_size(array.size)
        return _array("numpy", array.dtype.name, array.shape, array.reshape(-1).tolist())
    return None


def _array(library: str, dtype: str, shape: Iterable[int], values: list[Any]) -> Node:
    """An array node: whole numbers and bools as they are, floats in hexadecimal, row by row."""
    if values and isinstance(values[0], float):
        values = [value.hex() for value in values]
    elif values and isinstance(values[0], complex):
        values = [[value.real.hex(), value.imag.hex()] for value in values]
    return ["a", library, dtype, list(shape), values]


def decode(node: Node, given: dict[str, Any] | None = None) -> Any:
    """The value of a node, each time a new one."""
    letter, *rest = node
    if letter == "n":
        return None
    if letter in "bs":
        return rest[0]
    if letter == "i":
        return int(rest[0], 16)
    if letter == "f":
        return float.fromhex(rest[0])
    if letter == "c":
        return complex(*map(float.fromhex, rest))
    if letter == "y":
        return base64.b64decode(rest[0])
    if letter in "ltS":
        return {"l": list, "t": tuple, "S": set}[letter](decode(item, given) for item in rest[0])
    if letter == "d":
        return {decode(key, given): decode(value, given) for key, value in rest[0]}
    if letter == "g":
        return (given or {})[rest[0]]
    if letter == "D":
        library = importlib.import_module(rest[0])
        return getattr(library, rest[1]) if rest[0] == "torch" else library.dtype(rest[1])
    if letter == "a":
        return _decode_array(*rest)
    return Opaque(rest[0])


def _decode_array(library: str, dtype: str, shape: list[int], values: list[Any]) -> Any:
    if values and isinstance(values[0], str):
        values = [float.fromhex(value) for value in values]
    elif values and isinstance(values[0], list):
        values = [complex(*map(float.fromhex, value)) for value in values]
    if library == "torch":
        torch: Any = importlib.import_module("torch")
        wide = torch.float64 if values and isinstance(values[0], float) else None
        return torch.tensor(values, dtype=wide).to(getattr(torch, dtype)).reshape(shape)
    numpy: Any = importlib.import_module("numpy")
    return numpy.array(values, dtype=dtype).reshape(shape)


class Opaque:
    """Stands for a result that is no data."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"
