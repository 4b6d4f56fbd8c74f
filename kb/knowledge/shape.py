"""Holds a document's values against msgspec types and finds every misfit, each with its place and its cure."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Container, Iterable
from functools import lru_cache
from typing import Any

import msgspec

from kb.knowledge.builder import MAX_FAULTS, Unreadable
from kb.knowledge.document import Document
from kb.knowledge.faults import Fault, Pointer, did_you_mean
from kb.knowledge.scalars import kind_of

_WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "nothing",
}


class Shape:
    """Checks the values of one document; what is wrong collects in ``faults``."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[Fault] = []

    def fault(self, rule: str, message: str, cure: str | None, pointer: Pointer, *, key: bool = False) -> None:
        """Note a fault at ``pointer``, or at its key."""
        if len(self.faults) < MAX_FAULTS:
            self.faults.append(self.document.fault(rule, message, cure, pointer, key=key))
        else:
            raise Unreadable(self.document.fault("faults", f"has more than {MAX_FAULTS} faults", None, pointer))

    def struct(
        self,
        value: Any,
        struct: type[msgspec.Struct],
        pointer: Pointer,
        *,
        leave: Container[str] = (),
        others: Iterable[str] = (),
    ) -> dict[str, Any]:
        """The fields of ``struct`` found in the mapping ``value``, but for those that do not fit.

        The fields in ``leave`` are not looked for; the keys in ``others`` are allowed beside it.
        """
        if not isinstance(value, dict):
            self.misfit("a mapping", value, pointer)
            return {}
        fields = {name: field for name, field in _fields(struct).items() if name not in leave}
        known = {*fields, *others}
        for key in value:
            if key not in known:
                cure = did_you_mean(key, known) or f"the keys are: {', '.join(sorted(known))}"
                self.fault("unknown-key", f"there is no key {key!r} here", cure, (*pointer, key), key=True)
        for name, field in fields.items():
            if name not in value and field.required:
                self.fault("missing-key", f"the key {name!r} is missing", f"write {name}: …", pointer)
        found = {}
        for name, field in fields.items():
            if name in value and self.fits(value[name], field.type, (*pointer, name)):
                if field.required and isinstance(value[name], str) and not value[name].strip():
                    self.fault("empty", f"{name!r} is empty", "write it", (*pointer, name))
                found[field.name] = value[name]
        return found

    def fits(self, value: Any, wanted: Any, pointer: Pointer) -> bool:
        """Whether ``value`` is of the type ``wanted``; every misfit within it is noted."""
        before = len(self.faults)
        inner = _one_type(wanted)
        origin, arguments = typing.get_origin(inner), typing.get_args(inner)
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            if not inner.__struct_config__.tag:
                self.struct(value, inner, pointer)
        elif origin is list and isinstance(value, list):
            for index, item in enumerate(value):
                self.fits(item, arguments[0], (*pointer, index))
        elif origin is dict and isinstance(value, dict):
            for key, item in value.items():
                self.fits(item, arguments[1], (*pointer, key))
        if len(self.faults) > before:
            return False
        try:
            msgspec.convert(value, wanted, strict=True)
        except msgspec.ValidationError as error:
            self._translate(str(error), value, wanted, pointer)
            return False
        return True

    def misfit(self, expected: str, value: Any, pointer: Pointer) -> None:
        """Note that ``value`` should be ``expected``, in the words of someone who wrote YAML."""
        plain = self.document.plain(pointer)
        quotable = plain and not isinstance(value, str | list | dict) and "text" in expected
        what = f"{_name(pointer)} must be {expected}"
        if value is None and not plain:
            self.fault("type", f"{what}, and it is empty", "write it, or leave the key out", pointer)
        elif quotable:
            self.fault("type", f"{what}, but an unquoted {plain} is {kind_of(value)}", f'write "{plain}"', pointer)
        else:
            cure = "write [a, b], or lines that begin with -" if expected == "a list" else None
            self.fault("type", f"{what}, not {kind_of(value)}", cure, pointer)

    def _translate(self, message: str, value: Any, wanted: Any, pointer: Pointer) -> None:
        text, _, trail = message.partition(" - at `$")
        for step in re.findall(r"\.([^.\[`]+)|\[([0-9]+)\]|(\[\.\.\.\])", trail):
            if step[2] or not isinstance(value, dict | list):
                break  # inside an unnamed place of a mapping: the nearest place above has to do
            at: str | int = step[0] or int(step[1])
            value, pointer = value[at], (*pointer, at)  # type: ignore[index]
        expected = re.fullmatch(r"Expected `([^`]+)`(?:, got `[^`]+`)?", text)
        if expected:
            names = [_WORDS.get(name.strip(), name.strip()) for name in expected[1].split("|")]
            names = [name for name in dict.fromkeys(names) if name != "nothing"]
            if "a whole number" in names and "a number" in names:
                names.remove("a whole number")
            self.misfit(" or ".join(names), value, pointer)
            return
        choices = [str(choice) for choice in _choices(wanted)]
        if "enum value" in text and choices:
            cure = did_you_mean(str(value), choices) or f"one of: {', '.join(choices)}"
            self.fault("value", f"{_name(pointer)} cannot be {value!r}", cure, pointer)
            return
        self.fault("value", f"{_name(pointer)}: {text[:1].lower()}{text[1:].replace('`', '')}", None, pointer)


def _name(pointer: Pointer) -> str:
    """The value's name in a message: its key, and the number of the item if it is one of a list."""
    if not pointer:
        return "the file"
    if isinstance(pointer[-1], int):
        key = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "the list")
        return f"item {pointer[-1] + 1} of {key!r}"
    return repr(pointer[-1])


@lru_cache(maxsize=256)
def _fields(struct: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of ``struct`` by the keys they have in a file; msgspec works them out anew each time."""
    return {field.encode_name: field for field in msgspec.structs.fields(struct)}


def _one_type(wanted: Any) -> Any:
    """``X`` for ``X``, ``X | None`` and an annotated ``X``."""
    if typing.get_origin(wanted) is typing.Annotated:
        wanted = typing.get_args(wanted)[0]
    if typing.get_origin(wanted) in (typing.Union, types.UnionType):
        left = [part for part in typing.get_args(wanted) if part is not type(None)]
        return left[0] if len(left) == 1 else wanted
    return wanted


def _choices(wanted: Any) -> tuple[Any, ...]:
    inner = _one_type(wanted)
    return typing.get_args(inner) if typing.get_origin(inner) is typing.Literal else ()
