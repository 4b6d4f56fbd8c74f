"""Figures of a report as lines of text: curves in braille, bars and heat maps in blocks.

What a colour says is also said by a marker or a filling, so that nothing is lost where there are no colours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TypeVar

from kb.demos.numbers import brief, say
from kb.demos.report import Bars, Curve, Figure, Image, finite
from kb.terminal.axes import Axis
from kb.terminal.text import BOLD, DIM, Line, Span, clean, one_line, shorten, width, wrap

STYLES = ("36", "33", "35", "32", "34", "31")
MARKERS = "●○■□▲△◆◇✚✖"
REFERENCES = "+×*#"  # the markers of dashed lines
FILLS = "█▒▓░▚▤"
_SHADES = " ░▒▓█"
_RAMP = (53, 54, 60, 61, 31, 30, 36, 35, 71, 77, 113, 149, 185, 227)  # dark violet to yellow, of the 256 colours
_BRAILLE = 0x2800
MAP_LINES = 32

T = TypeVar("T")


def draw(figure: Figure, columns: int, colour: bool, rows: int | None = None) -> Iterator[Line]:
    """``figure`` in at most ``columns`` columns (at least 40); ``rows`` is the height of a curve without its axes."""
    columns = max(columns, 40)
    if figure.title:
        yield from wrap([Span(clean(figure.title), BOLD)], columns)
    if isinstance(figure, Curve):
        yield from curve(figure, columns, rows)
    elif isinstance(figure, Bars):
        yield from bars(figure, columns)
    else:
        yield from heat_map(figure, columns, colour)


# ---- curves ---------------------------------------------------------------------------------------------------------


def curve(figure: Curve, columns: int, rows: int | None = None) -> Iterator[Line]:
    """Lines over x, with axes, ticks and a legend."""
    drawable = [(x, y) for line in figure.series for x, y in zip(figure.x, line, strict=True)]
    drawable = [(x, y) for x, y in drawable if _fits(x, "x" in figure.log) and _fits(y, "y" in figure.log)]
    x_axis = Axis.over([x for x, _ in drawable], "x" in figure.log)
    y_axis = Axis.over([y for _, y in drawable], "y" in figure.log)
    if x_axis is None or y_axis is None:
        yield [Span("(nothing to draw: no finite values)", DIM)]
        return
    rows = rows or max(8, min(16, columns // 5))
    y_ticks = {round((rows - 1) * (1 - share)): label for share, label in y_axis.ticks(rows // 3)}
    gutter = max((width(label) for label in y_ticks.values()), default=0)
    room = columns - gutter - 2
    cells, covered = _cells(figure, x_axis, y_axis, room, rows)
    if figure.ylabel:
        yield from wrap([Span(one_line(figure.ylabel), DIM)], columns)
    for row in range(rows):
        label = y_ticks.get(row, "")
        yield [Span(f"{label:>{gutter}} ", DIM), Span("┤" if label else "│", DIM), *_row(cells[row])]
    x_ticks = x_axis.ticks(max(2, room // 12), wanted=[x for x, _ in drawable])
    yield from _x_axis(x_ticks, gutter + 1, room)
    if figure.xlabel:
        said = shorten(one_line(figure.xlabel), room)
        yield [Span(" " * (gutter + 2 + (room - width(said)) // 2) + said, DIM)]
    yield from _legend(figure, covered, columns)
    missing = sum(map(len, figure.series)) - len(drawable)
    if missing:
        why = "not finite" + (", or not positive on a log axis" if figure.log else "")
        yield from wrap([Span(f"({missing} of {missing + len(drawable)} values left out: {why})", DIM)], columns)


def _fits(value: float, log: bool) -> bool:
    return math.isfinite(value) and (not log or value > 0)


def _cells(
    figure: Curve, x_axis: Axis, y_axis: Axis, room: int, rows: int
) -> tuple[list[list[tuple[str, str]]], dict[int, int]]:
    """Every cell's character and style, and which series lies wholly under which other.

    Each series is drawn on a canvas of its own, and these are laid together.
    """
    from plotille import Canvas

    cells = [[(" ", "")] * room for _ in range(rows)]
    marks: dict[tuple[int, int], int] = {}  # the series whose marker is seen in a cell, by (column, row)
    placed: dict[int, list[tuple[int, int]]] = {}
    for n, (line, label) in enumerate(zip(figure.series, figure.labels, strict=True)):
        dashed = label in figure.dashed
        dots = [_dot(x, y, x_axis, y_axis, room, rows) for x, y in zip(figure.x, line, strict=True)]
        canvas = Canvas(room, rows, 0, 0, 2 * room, 4 * rows)
        for start, end in pairwise(dots):
            if start is not None and end is not None:
                canvas.line(*start, *end)
        for y, text in enumerate(canvas.plot(linesep="\n").split("\n")):
            for x, character in enumerate(text):
                bits = ord(character) - _BRAILLE if ord(character) >= _BRAILLE else 0
                if dashed and x % 3 == 2:
                    bits = 0
                if bits:
                    below = ord(cells[y][x][0]) - _BRAILLE if cells[y][x][0] != " " else 0
                    cells[y][x] = chr(_BRAILLE | bits | below), _style(n)
        placed[n] = list(_marks([dot for dot in dots if dot is not None], n, figure, rows))
        marks |= dict.fromkeys(placed[n], n)
    for (x, y), n in marks.items():
        cells[y][x] = _marker(figure, n), _style(n)
    covered = {
        n: marks[places[-1]] for n, places in placed.items() if places and all(marks[place] != n for place in places)
    }
    return cells, covered


def _dot(x: float, y: float, x_axis: Axis, y_axis: Axis, room: int, rows: int) -> tuple[int, int] | None:
    """The braille dot (from the lower left corner) of a point; None if it cannot be drawn."""
    across, up = x_axis.share(x), y_axis.share(y)
    if across is None or up is None:
        return None
    return round(across * (2 * room - 1)), round(up * (4 * rows - 1))


def _marks(dots: Sequence[tuple[int, int]], n: int, figure: Curve, rows: int) -> Iterator[tuple[int, int]]:
    """Cells (column, row) of the markers on measured points, thinned and staggered where the points stand close."""
    if not dots:
        return
    closest = 8 if figure.labels[n] in figure.dashed or len(dots) > 12 else 2
    last = None
    for place, (x, y) in enumerate(dots[(n * 2) % len(dots) if len(dots) > 12 else 0 :]):
        if last is None or x // 2 - last >= closest or (place == len(dots) - 1 and len(dots) <= 12):
            last = x // 2
            yield x // 2, rows - 1 - y // 4


def _marker(figure: Curve, n: int) -> str:
    dashed = [label in figure.dashed for label in figure.labels]
    kind = REFERENCES if dashed[n] else MARKERS
    return kind[sum(other == dashed[n] for other in dashed[:n]) % len(kind)]


def _style(n: int) -> str:
    return STYLES[n % len(STYLES)]


def _row(cells: Sequence[tuple[str, str]]) -> Line:
    line: Line = []
    for character, style in cells:
        if line and line[-1].style == style:
            line[-1] = Span(line[-1].text + character, style)
        else:
            line.append(Span(character, style))
    return line


def _x_axis(ticks: Sequence[tuple[float, str]], gutter: int, room: int) -> Iterator[Line]:
    """The axis with its ticks, and the labels below; labels that would touch are left out, the last one stays."""
    axis = ["─"] * room
    text = [" "] * (gutter + 1 + room)
    free_from = 0
    placed = [(round(share * (room - 1)), label) for share, label in ticks]
    spans = [
        (max(0, min(gutter + 1 + at - width(label) // 2, len(text) - width(label))), at, label) for at, label in placed
    ]
    for n, (start, at, label) in enumerate(spans):
        last = spans[-1]
        crowds_last = n < len(spans) - 1 and start + width(label) + 1 > last[0]
        if start < free_from or crowds_last:
            continue
        axis[at] = "┬"
        text[start : start + width(label)] = label
        free_from = start + width(label) + 1
    yield [Span(" " * gutter + "└" + "".join(axis), DIM)]
    yield [Span("".join(text).rstrip(), DIM)]


def _legend(figure: Curve, covered: dict[int, int], columns: int) -> Iterator[Line]:
    if len(figure.labels) == 1 and (not figure.labels[0] or figure.labels[0] in (figure.title, figure.ylabel)):
        return
    entries: list[Line] = []
    for n, label in enumerate(figure.labels):
        stroke = f"╌{_marker(figure, n)}╌" if label in figure.dashed else f"─{_marker(figure, n)}─"
        under = f" (under {_marker(figure, covered[n])})" if n in covered else ""
        entries.append([Span(stroke, _style(n)), Span(f" {shorten(one_line(label), columns - 4 - len(under))}{under}")])
    yield from _flow(entries, columns)


def _flow(entries: Sequence[Line], columns: int) -> Iterator[Line]:
    """Entries side by side, as many as a line holds."""
    line: Line = []
    used = 0
    for entry in entries:
        size = sum(width(span.text) for span in entry)
        if used and used + 3 + size > columns:
            yield line
            line, used = [], 0
        line += [*([Span("   ")] if used else []), *entry]
        used += size + (3 if used else 0)
    if line:
        yield line


# ---- bars -----------------------------------------------------------------------------------------------------------


def bars(figure: Bars, columns: int) -> Iterator[Line]:
    """One horizontal bar a label, its parts stacked, or one a part where they are grouped (or below zero)."""
    values = [value for _, part in figure.series for value in part]
    parts = len(figure.series)
    stacked = figure.stacked and parts > 1 and all(value >= 0 for value in finite(values))
    totals = [sum(finite(part[n] for _, part in figure.series)) for n in range(len(figure.labels))]
    low = 0.0 if stacked else min([0.0, *finite(values)])
    high = max([0.0, *(totals if stacked else finite(values))])
    unit = f" {shorten(one_line(figure.unit), 12)}" if figure.unit else ""
    tell = brief if any(width(say(value)) > 12 for value in [*values, *totals]) else say
    numbers = max((width(tell(value) + unit) for value in (totals if stacked else values)), default=0)
    named = [one_line(label) for label in figure.labels]
    names = min(max(map(width, named), default=0), columns // 3)
    room = max(columns - names - numbers - 4, 8)
    scale = _scale(low, high, room)
    for n, label in enumerate(named):
        name = shorten(label, names)
        if stacked:
            line = [Span(f"{name}{' ' * (names - width(name))} ")]
            line += _stack([part[n] for _, part in figure.series], scale)
            yield [*line, Span(f" {tell(totals[n])}{unit}")]
            continue
        for m, (_, part) in enumerate(figure.series):
            shown = name if m == 0 else ""
            bar = _bar(part[n], low, scale, FILLS[m % len(FILLS)])
            yield [
                Span(f"{shown}{' ' * (names - width(shown))} "),
                Span(bar, _style(m) if parts > 1 else STYLES[0]),
                Span(f" {tell(part[n])}{unit}"),
            ]
        if parts > 1 and n < len(named) - 1:
            yield []
    if parts > 1:
        entries = [
            [Span(FILLS[m % len(FILLS)] * 2, _style(m)), Span(f" {one_line(name)}")]
            for m, (name, _) in enumerate(figure.series)
        ]
        yield from _flow(entries, columns)


def _scale(low: float, high: float, room: int) -> Callable[[float], float]:
    """From a length in the figure's unit to columns."""
    span = high - low
    return lambda length: 0.0 if not span > 0 else length / span * room


def _stack(values: Sequence[float], scale: Callable[[float], float]) -> Line:
    line: Line = []
    total, drawn = 0.0, 0
    for m, value in enumerate(values):
        total += value if math.isfinite(value) else 0.0
        end = round(scale(total))
        if end == drawn and value > 0 and m == 0:
            end += 1  # what is there is seen
        if end > drawn:
            line.append(Span(FILLS[m % len(FILLS)] * (end - drawn), _style(m)))
            drawn = end
    return line


def _bar(value: float, low: float, scale: Callable[[float], float], fill: str) -> str:
    if not math.isfinite(value):
        return ""
    start, end = (scale(value - low), scale(-low)) if value < 0 else (scale(-low), scale(value - low))
    if fill != "█" or low < 0:
        length = max(round(end) - round(start), 1 if value else 0)
        return " " * round(start) + fill * length
    whole, eighths = divmod(round((end - start) * 8), 8)
    if value and not whole and not eighths:
        eighths = 1
    return "█" * whole + (" ▏▎▍▌▋▊▉"[eighths] if eighths else "")


# ---- heat maps ------------------------------------------------------------------------------------------------------


def heat_map(figure: Image, columns: int, colour: bool) -> Iterator[Line]:
    """A matrix as shades, averaged down where it is larger than the terminal.

    A value takes two columns of a line, and several lines where there are few; where there are many, half a column's
    width: a line shows two rows, by half blocks in two colours, or as their mean where there are no colours.
    """
    rows, breadth = len(figure.pixels), len(figure.pixels[0])
    values = finite(value for row in figure.pixels for value in row)
    if not values:
        yield [Span("(nothing to draw: no finite values)", DIM)]
        return
    down = f"down: {one_line(figure.ylabel)}" if figure.ylabel else ""
    across = f"across: {one_line(figure.xlabel)}" if figure.xlabel else ""
    yield from wrap([Span(" · ".join(filter(None, (down, across))), DIM)], columns) if down or across else ()
    if rows <= MAP_LINES and 2 * breadth <= columns:
        shown = [list(row) for row in figure.pixels]
        low, high = min(values), max(values)
        scale = max(1, min(columns // (2 * breadth), 12 // rows, 4))
        for row in shown:
            line = _row([_pixel(value, low, high, colour) for value in row for _ in range(2 * scale)])
            yield from [line] * scale
    else:
        shown = pooled(figure.pixels, 2 * MAP_LINES, columns)
        values = finite(value for row in shown for value in row)
        low, high = min(values), max(values)
        for n in range(0, len(shown), 2):
            upper, lower = shown[n], shown[n + 1] if n + 1 < len(shown) else [math.nan] * len(shown[n])
            yield _row([_two(a, b, low, high, colour) for a, b in zip(upper, lower, strict=True)])
    steps = [_pixel(low + (high - low) * n / 8, low, high, colour) for n in range(9)]
    yield [Span(f"{brief(low)} "), *_row(steps), Span(f" {brief(high)}")]
    if (len(shown), len(shown[0])) != (rows, breadth):
        yield from wrap(
            [Span(f"({rows} × {breadth} values shown as {len(shown)} × {len(shown[0])} means)", DIM)], columns
        )


def _two(upper: float, lower: float, low: float, high: float, colour: bool) -> tuple[str, str]:
    """A cell for two values, one above the other."""
    found = finite((upper, lower))
    if not colour or len(found) < 2:
        return _pixel(math.fsum(found) / len(found) if found else math.nan, low, high, colour)
    return "▀", f"38;5;{_shade(upper, low, high, _RAMP)};48;5;{_shade(lower, low, high, _RAMP)}"


def _pixel(value: float, low: float, high: float, colour: bool) -> tuple[str, str]:
    if not math.isfinite(value):
        return "·", DIM
    if colour:
        return "█", f"38;5;{_shade(value, low, high, _RAMP)}"
    return _shade(value, low, high, _SHADES), ""


def _shade(value: float, low: float, high: float, shades: Sequence[T]) -> T:
    share = (value - low) / (high - low) if high > low else 0.5
    return shades[min(int(share * len(shades)), len(shades) - 1)]


def pooled(pixels: Sequence[Sequence[float]], rows: int, columns: int) -> list[list[float]]:
    """``pixels`` averaged over squares to at most ``rows`` × ``columns``; what is not finite does not count."""
    height, breadth = len(pixels), len(pixels[0])
    side = max(1, math.ceil(height / rows), math.ceil(breadth / columns))
    rows, columns = math.ceil(height / side), math.ceil(breadth / side)
    result = []
    for r in range(rows):
        block = pixels[r * side : (r + 1) * side]
        means = []
        for c in range(columns):
            found = finite(v for row in block for v in row[c * side : (c + 1) * side])
            means.append(math.fsum(found) / len(found) if found else math.nan)
        result.append(means)
    return result
