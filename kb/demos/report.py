"""What a demo reports. A demo never prints: it fills a Report, and a Report has many renderings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from kb.errors import DemoError

T = TypeVar("T")
Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Metric:
    """A measured quantity. ``unit`` is "" for a pure number."""

    name: str
    value: Scalar
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """A statement that was tested: ``measured relation expected``; ``holds`` says whether it is so."""

    name: str
    measured: Scalar
    expected: Scalar
    relation: str  # "==", "≈" (within tolerance), "<=" or ">="
    holds: bool
    tolerance: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Lines over a common ``x``; ``log`` is "", "x", "y" or "xy"; ``dashed`` labels are references, not measured."""

    x: tuple[float, ...]
    series: tuple[tuple[float, ...], ...]
    labels: tuple[str, ...]
    log: str = ""
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""
    dashed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar a label; with several series the bars are stacked (``stacked``) or grouped."""

    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]
    stacked: bool = True
    title: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """A matrix of numbers, shape (rows, columns), drawn as a heat map."""

    pixels: tuple[tuple[float, ...], ...]
    title: str = ""
    xlabel: str = ""
    ylabel: str = ""


Figure = Curve | Bars | Image


class ProgressSink(Protocol):
    """Shows progress; the terminal draws a bar on stderr, everybody else nothing."""

    def __call__(self, items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]: ...


def _silent(items: Iterable[Any], total: int | None, label: str) -> Iterator[Any]:
    yield from items


@dataclass(slots=True)
class Report:
    """Collects what a demo measured and checked; every number is turned into a plain Python number."""

    on_progress: ProgressSink = _silent
    on_note: Callable[[str], None] | None = None
    metrics: list[Metric] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def metric(self, name: str, value: object, unit: str = "") -> None:
        """Report a measured ``value`` in ``unit``."""
        self._fresh(name, (metric.name for metric in self.metrics), "metric")
        self.metrics.append(Metric(name, plain(value), unit))

    def check(
        self,
        name: str,
        measured: object,
        expected: object = None,
        *,
        at_most: object = None,
        at_least: object = None,
        rtol: float = 0.0,
        atol: float = 0.0,
    ) -> bool:
        """Test ``measured`` against one of ``expected`` (within atol + rtol·|expected|), ``at_most``, ``at_least``.

        A NaN never holds. Returns whether the check holds.
        """
        given = [bound for bound in (expected, at_most, at_least) if bound is not None]
        if len(given) != 1:
            raise DemoError(f"check {name!r} needs exactly one of expected, at_most and at_least")
        if "/" in name or not name.strip():
            raise DemoError(f"a check's name is what a proof says after the slash; {name!r} is none")
        self._fresh(name, (check.name for check in self.checks), "check")
        value, bound = plain(measured), plain(given[0])
        tolerance = 0.0
        if at_most is not None or at_least is not None:
            if isinstance(value, str) or isinstance(bound, str):
                raise DemoError(f"check {name!r}: only numbers can be compared with a bound")
            relation = "<=" if at_most is not None else ">="
            holds = value <= bound if at_most is not None else value >= bound
        elif isinstance(value, str) or isinstance(bound, str) or isinstance(value, bool) or isinstance(bound, bool):
            relation, holds = "==", value == bound
        else:
            tolerance = atol + rtol * abs(bound) if math.isfinite(bound) else 0.0  # nothing is near infinity
            relation = "≈" if tolerance else "=="
            holds = abs(value - bound) <= tolerance if tolerance else value == bound
        self.checks.append(Check(name, value, bound, relation, bool(holds), tolerance))
        return bool(holds)

    def table(self, name: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Report a table of ``rows`` under ``columns``."""
        body = tuple(tuple(plain(cell) for cell in row) for row in rows)
        for row in body:
            if len(row) != len(columns):
                raise DemoError(f"table {name!r}: a row has {len(row)} cells for {len(columns)} columns")
        self.tables.append(Table(name, tuple(columns), body))

    def curve(
        self,
        x: Iterable[object],
        series: Mapping[str, Iterable[object]] | Sequence[Iterable[object]],
        labels: Sequence[str] = (),
        *,
        log: str | bool = "",
        title: str = "",
        xlabel: str = "",
        ylabel: str = "",
        dashed: Sequence[str] = (),
    ) -> None:
        """Plot ``series`` (a mapping label → values, or a list of them with ``labels``) over ``x``.

        ``log`` names the logarithmic axes: "", "x", "y" or "xy" (True is "xy"). ``dashed`` names the labels that
        are references (theory, a bound) rather than measurements; so are labels that start with "—".
        """
        if isinstance(series, Mapping):
            names, lines = tuple(series), [_numbers(line) for line in series.values()]
        else:
            lines = [_numbers(line) for line in series]
            names = tuple(labels) or tuple(f"series {n + 1}" for n in range(len(lines)))
        xs = _numbers(x)
        if len(names) != len(lines) or any(len(line) != len(xs) for line in lines):
            raise DemoError(f"curve {title!r}: every series needs a label and {len(xs)} values")
        axes = log if isinstance(log, str) else "xy" if log else ""
        if axes not in ("", "x", "y", "xy"):
            raise DemoError(f"curve {title!r}: log is one of '', 'x', 'y', 'xy', not {log!r}")
        references = tuple(name for name in names if name in dashed or name.startswith("—"))
        self.figures.append(Curve(xs, tuple(lines), names, axes, title, xlabel, ylabel, references))

    def bars(
        self,
        labels: Sequence[str],
        series: Mapping[str, Iterable[object]],
        *,
        stacked: bool = True,
        title: str = "",
        unit: str = "",
    ) -> None:
        """Draw one bar a label, stacked (or grouped) from ``series``: a mapping part → one value a label."""
        parts = tuple((name, _numbers(values)) for name, values in series.items())
        if any(len(values) != len(labels) for _, values in parts):
            raise DemoError(f"bars {title!r}: every part needs {len(labels)} values")
        self.figures.append(Bars(tuple(labels), parts, stacked, title, unit))

    def image(self, pixels: Iterable[Iterable[object]], title: str = "", xlabel: str = "", ylabel: str = "") -> None:
        """Draw a matrix of numbers, shape (rows, columns), as a heat map."""
        rows = tuple(_numbers(row) for row in pixels)
        if len({len(row) for row in rows}) != 1:
            raise DemoError(f"image {title!r}: the rows must be equally long, and there must be one")
        self.figures.append(Image(rows, title, xlabel, ylabel))

    def note(self, text: str) -> None:
        """Say something the reader must know to read the numbers right, in a sentence."""
        self.notes.append(text)
        if self.on_note is not None:
            self.on_note(text)

    def progress(self, items: Iterable[T], total: int | None = None, label: str = "") -> Iterator[T]:
        """Iterate over ``items`` while a bar shows how far it has come."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        return self.on_progress(items, total, label)

    def _fresh(self, name: str, taken: Iterable[str], what: str) -> None:
        if name in taken:
            raise DemoError(f"the demo reports two {what}s called {name!r}")


def plain(value: object) -> Scalar:
    """``value`` as a plain bool, int, float or str: NumPy and torch scalars are unwrapped."""
    if type(value) in (bool, int, float, str):
        return value  # type: ignore[return-value]
    for kind in (str, int, float):  # subclasses too: NumPy's float64 is a float, and an IntEnum an int
        if isinstance(value, kind):
            return kind(value)
    item = getattr(value, "item", None)
    if callable(item):
        try:
            inner = item()
        except (RuntimeError, ValueError):
            raise DemoError(f"a report takes single numbers, not a {type(value).__name__} of several") from None
        return plain(inner)
    raise DemoError(f"a report takes numbers, text and yes/no, not {type(value).__name__}")


def _numbers(values: Iterable[object]) -> tuple[float, ...]:
    tolist = getattr(values, "tolist", None)
    listed = tolist() if callable(tolist) else values
    try:
        return tuple(float(plain(value)) for value in listed)
    except (TypeError, ValueError):
        raise DemoError("a figure takes numbers only") from None


def finite(values: Iterable[float]) -> list[float]:
    """The finite ones of ``values``."""
    return [value for value in values if math.isfinite(value)]
