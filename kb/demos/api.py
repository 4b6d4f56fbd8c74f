"""What a demo is, as data: registering one imports nothing heavy, running it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.errors import UnknownName, UsageError

Value = bool | int | float | str

DEVICES = ("cpu", "cuda", "mps")
OPTIONS = ("json", "save", "record", "no-record", "debug", "help")  # what ``kb demo NAME`` takes besides parameters


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a demo; it becomes the option ``--name``.

    The type is that of ``default`` (bool, int, float or str). A bool becomes ``--name/--no-name``.
    """

    name: str
    default: Value
    choices: tuple[Value, ...] = ()
    min: float | None = None
    max: float | None = None
    help: str = ""

    def __post_init__(self) -> None:
        if not self.name.replace("-", "_").isidentifier():
            raise UsageError(f"a parameter's name must be a Python name, not {self.name!r}")
        if not isinstance(self.default, bool | int | float | str):
            raise UsageError(f"parameter {self.name!r}: the default must be a bool, int, float or str")
        if self.name.replace("_", "-") in OPTIONS:
            raise UsageError(f"a parameter cannot be called {self.name!r}: every demo has that option")
        try:
            choices = tuple(_CONVERSIONS[self.type](choice) for choice in self.choices)
        except _NO_VALUE:
            raise UsageError(f"parameter {self.name!r}: the choices must be of the default's type") from None
        object.__setattr__(self, "choices", choices)
        object.__setattr__(self, "default", self.convert(self.default))

    @property
    def type(self) -> type[Value]:
        """bool, int, float or str, as the default is."""
        return next(kind for kind in (bool, int, float, str) if isinstance(self.default, kind))

    @property
    def key(self) -> str:
        """The name as a Python argument."""
        return self.name.replace("-", "_")

    def convert(self, value: object) -> Value:
        """``value`` (often text from a command line or YAML) as this parameter's type, within its limits."""
        try:
            result = _CONVERSIONS[self.type](value)
        except _NO_VALUE:
            raise UsageError(f"parameter {self.name!r} takes {_ARTICLE[self.type]}, not {value!r}") from None
        if self.choices and result not in self.choices:
            allowed = ", ".join(str(choice) for choice in self.choices)
            raise UsageError(f"parameter {self.name!r} is one of {allowed}; {value!r} is not")
        if isinstance(result, int | float) and not isinstance(result, bool):
            low = self.min is not None and not result >= self.min
            high = self.max is not None and not result <= self.max
            if low or high or result != result:
                raise UsageError(f"parameter {self.name!r} must be {self.limits}, not {value!r}")
        return result

    @property
    def limits(self) -> str:
        """The allowed range in words."""
        if self.min is not None and self.max is not None:
            return f"from {self.min} to {self.max}"
        if self.min is not None:
            return f"at least {self.min}"
        if self.max is not None:
            return f"at most {self.max}"
        return "a number"


def _as_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    return _WORDS[str(value).lower()]


def _as_int(value: object) -> int:
    """A whole number, also one that is written as 1e6 or 4.0."""
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise ValueError(value)
    return int(value)


def _as_float(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(value)
    return float(value)


_NO_VALUE = (TypeError, ValueError, OverflowError, KeyError)
_CONVERSIONS: dict[type[Value], Callable[[object], Value]] = {bool: _as_bool, int: _as_int, float: _as_float, str: str}
_ARTICLE = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}
_WORDS = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo: ``run`` is ``"module:function"``, the module standing beside the one that registers it.

    ``summary`` is one line that says what will be shown; ``devices`` lists where it can run. A demo that
    declares devices gets ``device`` among its keyword arguments, as a string such as ``"cpu"`` or ``"cuda"``.
    """

    name: str
    run: str | Callable[..., object]
    topic: str = ""
    summary: str = ""
    devices: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()
    extra: str = field(default="demos", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "devices", tuple(self.devices))
        object.__setattr__(self, "params", tuple(self.params))
        for device in self.devices:
            if device not in DEVICES:
                raise UsageError(f"demo {self.name!r}: devices are {', '.join(DEVICES)}, not {device!r}")
        if not all(isinstance(param, Param) for param in self.params):
            raise UsageError(f"demo {self.name!r}: params are made by Param(name, default)")
        keys = [param.key for param in self.params]
        for key in keys:
            if keys.count(key) > 1:
                raise UsageError(f"demo {self.name!r} has two parameters called {key!r}")
            if key == "device" and self.devices:
                raise UsageError(f"demo {self.name!r}: 'device' comes from devices=, not from a Param")

    def arguments(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Every parameter's value: those ``given`` (checked and converted) and the defaults of the rest."""
        by_key = {param.key: param for param in self.params}
        values: dict[str, Any] = {param.key: param.default for param in self.params}
        for name, value in given.items():
            key = name.replace("-", "_")
            if key not in by_key:
                raise UnknownName(f"parameter of demo {self.name!r}", name, by_key)
            values[key] = by_key[key].convert(value)
        return values
