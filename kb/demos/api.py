"""What a demo is, as data: registering one imports nothing heavy, running it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kb.errors import UnknownName, UsageError

Value = bool | int | float | str


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
        object.__setattr__(self, "choices", tuple(self.choices))
        if not self.name.replace("-", "_").isidentifier():
            raise UsageError(f"a parameter's name must be a Python name, not {self.name!r}")
        if not isinstance(self.default, bool | int | float | str):
            raise UsageError(f"parameter {self.name!r}: the default must be a bool, int, float or str")
        self.convert(self.default)

    @property
    def key(self) -> str:
        """The name as a Python argument."""
        return self.name.replace("-", "_")

    def convert(self, value: object) -> Value:
        """``value`` (often text from a command line or YAML) as this parameter's type, within its limits."""
        kind = type(self.default)
        result: Value
        try:
            if kind is bool:
                result = _as_bool(value)
            elif kind is int and isinstance(value, float) and not value.is_integer():
                raise ValueError(value)
            else:
                result = kind(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            raise UsageError(f"parameter {self.name!r} takes {_ARTICLE[kind]}, not {value!r}") from None
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
            return f"from {self.min:g} to {self.max:g}"
        if self.min is not None:
            return f"at least {self.min:g}"
        if self.max is not None:
            return f"at most {self.max:g}"
        return "a number"


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


def _as_bool(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in _WORDS:
        return _WORDS[str(value).lower()]
    raise ValueError(value)


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
