"""Displayed maths in two dimensions: fractions stand, sums carry their limits, matrices and brackets grow.

A Box is a rectangle of text and the row its axis lies on; boxes are put side by side along their axes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, NamedTuple

from kb.terminal.maths import gap, linear, roles
from kb.terminal.mathstree import Fenced, Fraction, Grid, Root, Row, Script, Symbol, Unrenderable, parse
from kb.terminal.text import width

_LIMITS = frozenset("∑∏⋃⋂⨁⨂")
_LIMIT_WORDS = frozenset(["max", "min", "sup", "inf", "lim", "argmax", "argmin", "limsup", "liminf"])
# top, middle row, bottom, and the extension between them
_TALL = {
    "(": "⎛⎜⎝⎜",
    ")": "⎞⎟⎠⎟",
    "[": "⎡⎢⎣⎢",
    "]": "⎤⎥⎦⎥",
    "|": "││││",
    "‖": "‖‖‖‖",
    "{": "⎧⎨⎩⎪",
    "}": "⎫⎬⎭⎪",
    "⌈": "⎡⎢⎢⎢",
    "⌉": "⎤⎥⎥⎥",
    "⌊": "⎢⎢⎣⎢",
    "⌋": "⎥⎥⎦⎥",
}


class Box(NamedTuple):
    rows: tuple[str, ...]
    axis: int

    @property
    def width(self) -> int:
        return max((width(row) for row in self.rows), default=0)


def display(source: str) -> list[str] | None:
    """The rows of ``source`` (LaTeX maths, without dollar signs), or None where it can't be drawn."""
    try:
        box = draw(parse(source))
    except (Unrenderable, RecursionError):
        return None
    return [unicodedata.normalize("NFC", row).rstrip() for row in box.rows]


def draw(tree: Any) -> Box:
    """The box of a tree."""
    if isinstance(tree, Row):
        return _row(tree)
    if isinstance(tree, Fraction):
        return _fraction(tree)
    if isinstance(tree, Fenced):
        return _fenced(tree.left, draw(tree.body), tree.right)
    if isinstance(tree, Grid):
        return _fenced(tree.left, _grid(tree), tree.right)
    if isinstance(tree, Script):
        return _script(tree)
    if isinstance(tree, Root):
        return _root(tree)
    return _text(linear(tree))


def _text(text: str) -> Box:
    return Box((text,), 0)


def _row(row: Row) -> Box:
    boxes: list[Box] = []
    before: str | None = None
    for item, this in zip(row.items, roles(row), strict=True):
        box = draw(item)
        tall = len(box.rows) > 1
        spaced = box.rows[0].startswith(" ") or (boxes and boxes[-1].rows[0].endswith(" "))
        space = "" if before is None or ("text" in (this, before) and spaced) else gap(before, this)
        if before is not None and not space and tall and isinstance(item, Fraction) and before in ("ord", "inner"):
            space = " "
        boxes += [_text(space), box]
        before = "inner" if tall and isinstance(item, Fraction) else this
    return beside(boxes)


def beside(boxes: Sequence[Box]) -> Box:
    """``boxes`` from left to right, their axes on one row."""
    boxes = [box for box in boxes if box.width]
    if not boxes:
        return _text("")
    above = max(box.axis for box in boxes)
    below = max(len(box.rows) - box.axis for box in boxes)
    rows = [""] * (above + below)
    for box in boxes:
        for number in range(above + below):
            place = number - above + box.axis
            text = box.rows[place] if 0 <= place < len(box.rows) else ""
            rows[number] += text + " " * (box.width - width(text))
    return Box(tuple(rows), above)


def stacked(boxes: Sequence[Box], axis: int) -> Box:
    """``boxes`` from top to bottom, centred; the axis is that of the ``axis``-th box."""
    wide = max(box.width for box in boxes)
    rows: list[str] = []
    for box in boxes:
        left = (wide - box.width) // 2
        rows += [" " * left + row for row in box.rows]
    before = sum(len(box.rows) for box in boxes[:axis])
    return Box(tuple(rows), before + boxes[axis].axis)


def _fraction(tree: Fraction) -> Box:
    above, below = draw(tree.above), draw(tree.below)
    if not tree.bar:
        return _fenced("(", stacked([above, _text(""), below], 1), ")")
    line = _text("─" * (max(above.width, below.width) + 2))
    return stacked([above, line, below], 1)


def _fenced(left: str, body: Box, right: str) -> Box:
    height = len(body.rows)
    if height == 1:
        return beside([_text(left), body, _text(right)])
    return beside([_bracket(left, body), body, _bracket(right, body)])


def _bracket(character: str, body: Box) -> Box:
    height = len(body.rows)
    if not character:
        return _text("")
    if character not in _TALL:
        return Box(("",) * body.axis + (character,) + ("",) * (height - body.axis - 1), body.axis)
    top, middle, bottom, extension = tuple(_TALL[character])
    if character in "{}" and height == 2:
        return Box(("⎰", "⎱") if character == "{" else ("⎱", "⎰"), body.axis)
    rows = [top, *[extension] * (height - 2), bottom]
    if character in "{}":
        rows[min(max(body.axis, 1), height - 2)] = middle
    return Box(tuple(rows), body.axis)


def _grid(tree: Grid) -> Box:
    cells = [[draw(cell) for cell in row] for row in tree.rows]
    count = max(map(len, cells))
    widths = [max((row[column].width for row in cells if column < len(row)), default=0) for column in range(count)]
    lines: list[Box] = []
    for row in cells:
        parts: list[Box] = []
        for column, box in enumerate(row):
            room = widths[column] - box.width
            left = {"c": room // 2, "l": 0, "rl": 0 if column % 2 else room}[tree.align]
            space = "" if not column else " " if tree.align == "rl" else "  "
            parts += [_text(space + " " * left), box, _text(" " * (room - left))]
        lines.append(beside(parts))
    tall = any(len(line.rows) > 1 for line in lines)
    rows: list[str] = []
    for number, line in enumerate(lines):
        rows += [""] if tall and number else []
        rows += line.rows
    wide = max(width(row) for row in rows)
    return Box(tuple(row + " " * (wide - width(row)) for row in rows), (len(rows) - 1) // 2)


def _script(tree: Script) -> Box:
    base = tree.base
    if isinstance(base, Symbol) and (base.text in _LIMITS or base.text in _LIMIT_WORDS):
        upper = [] if tree.above is None else [_text(linear(tree.above, True))]
        lower = [] if tree.below is None else [_text(linear(tree.below, True))]
        return stacked([*upper, _text(base.text), *lower], len(upper))
    box = draw(base)
    if len(box.rows) == 1:
        return _text(linear(tree))
    above = "" if tree.above is None else linear(Script(Symbol(""), above=tree.above))
    below = "" if tree.below is None else linear(Script(Symbol(""), below=tree.below))
    column = [above, *[""] * (len(box.rows) - 2), below]
    return beside([box, Box(tuple(column), box.axis)])


def _root(tree: Root) -> Box:
    body = draw(tree.body)
    if len(body.rows) == 1:
        return _text(linear(tree))
    line = "─" * (body.width + 1)
    height = len(body.rows)
    sign = [" " * (height - number) + "╱" + " " * number for number in range(1, height)]
    left = [" " * height + "┌", *sign, "╲╱" + " " * (height - 1)]
    rows = [left[0] + line]
    for number, row in enumerate(body.rows):
        rows.append(f"{left[number + 1]:<{height + 1}}{row}")
    degree = "" if tree.degree is None else linear(tree.degree, True)
    if degree:
        rows[-2] = degree + rows[-2][len(degree) :] if rows[-2][: len(degree)].isspace() else rows[-2]
    return Box(tuple(rows), body.axis + 1)
