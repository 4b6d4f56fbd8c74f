"""A report's figures as PNG, by matplotlib's Agg canvas: no window, no global state."""

from __future__ import annotations

import math
import warnings
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.ticker import FuncFormatter, NullLocator

from kb.demos.numbers import say
from kb.demos.report import Bars, Curve, Figure, Image, finite

# Okabe and Ito's colours, which the colour-blind tell apart; line styles and markers differ too.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000", "#F0E442")
MARKERS = "os^Dv<>P"
HATCHES = ("", "//", "..", "xx", "\\\\", "++")
INCHES = (7.0, 4.4)
DOTS_PER_INCH = 150


def write(figure: Figure, path: str, caption: str = "") -> None:
    """Draw ``figure`` into the PNG file ``path``, with a small ``caption`` below that says where it comes from."""
    canvas = Canvas(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(canvas)
    axes = canvas.add_subplot()
    if isinstance(figure, Curve):
        _curve(figure, axes)
    elif isinstance(figure, Bars):
        _bars(figure, axes)
    else:
        _image(figure, axes, canvas)
    if figure.title:
        axes.set_title(figure.title, fontsize=11, fontweight="bold", loc="left", parse_math=False, wrap=True)
    if caption:
        canvas.supxlabel(caption, fontsize=6, color="#777777", x=0.99, ha="right", parse_math=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a glyph that the font lacks is drawn as a box, not told on stderr
        canvas.savefig(path, format="png", metadata={"Software": "kb"})


def _frame(axes: Any) -> None:
    axes.grid(True, color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _curve(figure: Curve, axes: Any) -> None:
    _frame(axes)
    axes.set_xscale("log" if "x" in figure.log else "linear")
    axes.set_yscale("log" if "y" in figure.log else "linear")
    few = len(figure.x) <= 30
    drawn = 0
    for n, (label, values) in enumerate(zip(figure.labels, figure.series, strict=True)):
        xs, ys = _drawable(figure, values)
        drawn += len(finite(ys))
        reference = label in figure.dashed
        over = sum(_same(values, later) for later in figure.series[n + 1 :])  # it shows as a rim around those
        axes.plot(
            xs,
            ys,
            label=label,
            color=COLOURS[n % len(COLOURS)],
            linestyle=((0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))[n % 3] if reference else "-",
            linewidth=1.2 if reference else 1.8 + 2 * over,
            alpha=0.8 if reference else 1.0,
            marker=MARKERS[n % len(MARKERS)] if few and not reference else None,
            markersize=4.5 + 3.5 * over,
        )
    if not drawn:
        axes.text(0.5, 0.5, "no finite values", transform=axes.transAxes, ha="center", color="#777777")
    measured = sorted({x for x in figure.x if math.isfinite(x) and x > 0})
    if "x" in figure.log and 2 <= len(measured) <= 10 and drawn:
        axes.set_xticks(measured, [say(x) for x in measured], rotation=45 if len(measured) > 7 else 0)
        axes.xaxis.set_minor_locator(NullLocator())
    elif measured and all(float(x).is_integer() for x in figure.x if math.isfinite(x)) and "x" not in figure.log:
        axes.xaxis.get_major_locator().set_params(integer=True)
    _plain_numbers(figure, axes)
    axes.set_xlabel(figure.xlabel, parse_math=False)
    axes.set_ylabel(figure.ylabel, parse_math=False)
    _legend(axes, len(figure.labels), figure.labels[0] if len(figure.labels) == 1 else "")


def _drawable(figure: Curve, values: tuple[float, ...]) -> tuple[list[float], list[float]]:
    """x and y with a gap (NaN) wherever a point cannot be drawn."""
    xs, ys = [], []
    for x, y in zip(figure.x, values, strict=True):
        fits = math.isfinite(x) and math.isfinite(y) and (x > 0 or "x" not in figure.log)
        fits = fits and (y > 0 or "y" not in figure.log)
        xs.append(x if math.isfinite(x) else math.nan)
        ys.append(y if fits else math.nan)
    return xs, ys


def _same(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two lines would be drawn on top of each other."""
    return all(math.isclose(a, b, rel_tol=5e-3) for a, b in zip(one, other, strict=True))


def _plain_numbers(figure: Curve, axes: Any) -> None:
    """Linear axes get whole numbers with separators instead of an offset that is easily overlooked."""
    if "y" not in figure.log:
        values = [abs(value) for line in figure.series for value in finite(line)]
        if values and 1e4 <= max(values) < 1e12:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))
    if "x" not in figure.log and finite(figure.x) and 1e4 <= max(map(abs, finite(figure.x))) < 1e12:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))


def _bars(figure: Bars, axes: Any) -> None:
    _frame(axes)
    parts, count = len(figure.series), len(figure.labels)
    sideways = max((len(label) for label in figure.labels), default=0) * count > 70
    if sideways:
        axes.figure.set_size_inches(INCHES[0], max(INCHES[1], 0.28 * count * (1 if figure.stacked else parts) + 1.2))
    stacked = figure.stacked and parts > 1
    thick = 0.65 if stacked or parts == 1 else 0.8 / parts
    base = [0.0] * count
    for m, (name, values) in enumerate(figure.series):
        heights = [value if math.isfinite(value) else 0.0 for value in values]
        at = [n if stacked or parts == 1 else n + (m - (parts - 1) / 2) * thick for n in range(count)]
        colour = COLOURS[m % len(COLOURS)]
        style = {
            "color": colour,
            "label": name,
            "hatch": HATCHES[m % len(HATCHES)],
            "edgecolor": "white",
            "linewidth": 0.5,
        }
        if sideways:
            drawn = axes.barh(at, heights, thick, left=base if stacked else None, **style)
        else:
            drawn = axes.bar(at, heights, thick, bottom=base if stacked else None, **style)
        base = [below + height for below, height in zip(base, heights, strict=True)]
        if not stacked and count * parts <= 24:
            axes.bar_label(drawn, [say(value, 3) for value in values], fontsize=7, padding=2)
        elif stacked and m == parts - 1:
            axes.bar_label(drawn, [say(total, 4) for total in base], fontsize=8, padding=2)
    set_ticks = axes.set_yticks if sideways else axes.set_xticks
    set_ticks(range(count), figure.labels, parse_math=False)
    if sideways:
        axes.invert_yaxis()
        axes.set_xlabel(figure.unit, parse_math=False)
    else:
        axes.set_ylabel(figure.unit, parse_math=False)
    axes.grid(False, axis="y" if sideways else "x")
    axes.margins(**{"x" if sideways else "y": 0.12})
    _legend(axes, parts, figure.series[0][0] if parts == 1 else "")


def _image(figure: Image, axes: Any, canvas: Any) -> None:
    values = finite(value for row in figure.pixels for value in row)
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    diverging = low < 0 < high and min(-low, high) > 0.2 * max(-low, high)
    limit = max(-low, high)
    shown = axes.imshow(
        figure.pixels,
        cmap="RdBu_r" if diverging else "viridis",
        vmin=-limit if diverging else low,
        vmax=limit if diverging else high,
        aspect="equal" if 0.2 < len(figure.pixels) / max(len(figure.pixels[0]), 1) < 5 else "auto",
        interpolation="nearest",
    )
    for axis in (axes.xaxis, axes.yaxis):
        axis.get_major_locator().set_params(integer=True)
    axes.set_xlabel(figure.xlabel, parse_math=False)
    axes.set_ylabel(figure.ylabel, parse_math=False)
    canvas.colorbar(shown, ax=axes)


def _legend(axes: Any, count: int, only: str) -> None:
    """A legend that stands beside the axes where it has many entries; none for a single nameless series."""
    if count == 1 and (not only or only.startswith("series ")):
        return
    beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5)} if count > 5 else {"loc": "best"}
    legend = axes.legend(fontsize=8, frameon=True, framealpha=0.85, edgecolor="none", **beside)
    for text in legend.get_texts():
        text.set_parse_math(False)
