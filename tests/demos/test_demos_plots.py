"""Figures as text: every line fits, nothing is lost without colours, and points stand where their numbers say."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.demos.report import Report
from kb.terminal import plots
from kb.terminal.axes import Axis, labels, nice
from kb.terminal.text import ansi, line_width

anything = st.floats(width=32)


def lines(figure, columns=80, colour=False) -> list[str]:
    drawn = list(plots.draw(figure, columns, colour))
    assert all(line_width(line) <= columns for line in drawn)
    return [ansi(line, False) for line in drawn]


def curve(*arguments, **options):
    report = Report()
    report.curve(*arguments, **options)
    return report.figures[0]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(anything, anything, anything), min_size=1, max_size=30),
    st.sampled_from(["", "x", "y", "xy"]),
    st.integers(40, 120),
)
def test_any_numbers_can_be_drawn_in_any_width(points, log, columns):
    xs, ys, zs = zip(*points, strict=True)
    figure = curve(xs, {"first": ys, "a rather long label of the second series": zs}, log=log, title="T", xlabel="x")
    text = lines(figure, columns)
    assert text[0] == "T" and len(text) >= 2


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(anything, min_size=3, max_size=3), min_size=1, max_size=40), st.integers(40, 100), st.booleans()
)
def test_any_matrix_and_any_bars_can_be_drawn(rows, columns, flag):
    report = Report()
    report.image(rows, title="M")
    report.image(list(zip(*rows, strict=True)))
    report.bars(
        [f"label {n}" for n in range(len(rows))], {"p": [r[0] for r in rows], "q": [r[1] for r in rows]}, stacked=flag
    )
    for figure in report.figures:
        lines(figure, columns, colour=flag)


def place(text: list[str], marker: str) -> list[tuple[int, int]]:
    return [(y, x) for y, line in enumerate(text) for x, letter in enumerate(line) if letter == marker]


def test_points_stand_where_their_numbers_say():
    text = lines(curve([0, 50, 100], {"a": [0.0, 1.0, 0.5]}))
    marks = place([line for line in text if "│" in line or "┤" in line], "●")
    (top, middle), (half, right), (bottom, left) = sorted(marks)
    assert top == 0 and bottom == 15 and half in (7, 8)
    assert left < middle < right and abs((left + right) / 2 - middle) <= 1


def test_a_power_law_is_a_straight_line_on_log_axes():
    xs = [1, 10, 100, 1000]
    marks = sorted(place(lines(curve(xs, {"": [x**2 for x in xs]}, log="xy")), "●"), key=lambda mark: mark[1])
    steps = {b[0] - a[0] for a, b in pairwise(marks)}
    assert len(marks) == 4 and len(steps) == 1


def test_what_cannot_be_drawn_is_left_out_and_said():
    text = lines(curve([1, 2, 3, 4], {"a": [1.0, math.nan, 0.0, 4.0]}, log="y"))
    assert text[-1] == "(2 of 4 values left out: not finite, or not positive on a log axis)"
    assert "⠒" not in "".join(text), "no line bridges the gap"
    assert lines(curve([1], {"a": [math.inf]}, title="T")) == ["T", "(nothing to draw: no finite values)"]


def test_series_are_told_apart_without_colours():
    figure = curve([1, 2], {f"s{n}": [n, n + 1] for n in range(10)} | {"t": [3, 4], "u": [4, 5]}, dashed=["t", "u"])
    legend = "  ".join(lines(figure)[-3:])
    markers = [word[1] for word in legend.split() if word[0] in "─╌" and len(word) == 3]
    assert len(markers) == len(set(markers)) == 12
    assert legend.count("╌") == 4


def test_a_series_that_lies_under_another_is_said_to():
    text = lines(curve([1, 2, 3], {"compiled": [1, 2, 3], "fused": [1, 2, 3], "naive": [3, 3, 1]}))
    assert text[-1] == "─●─ compiled (under ○)   ─○─ fused   ─■─ naive"


def test_colours_are_only_where_they_are_wanted():
    report = Report()
    report.image([[0, 1], [2, 3]])
    assert all(ansi(line, True) == ansi(line, True) for line in plots.draw(report.figures[0], 80, True))
    shades = {span.style for line in plots.draw(report.figures[0], 80, True) for span in line if "█" in span.text}
    assert len(shades) >= 4
    without = [ansi(line, False) for line in plots.draw(report.figures[0], 80, False)]
    assert without[0] != without[-2], "shades differ by their letters"


def test_stacked_bars_add_up_and_grouped_ones_stand_below_each_other():
    report = Report()
    parts = {"weights": [2, 1], "optimizer": [12, 6]}
    report.bars(["all", "half"], parts, unit="B")
    report.bars(["all", "half"], parts, stacked=False)
    stacked = lines(report.figures[0])
    long, short = (line.count("█") + line.count("▒") for line in stacked[:2])
    assert abs(long - 2 * short) <= 1 and stacked[0].endswith(" 14 B") and stacked[1].endswith(" 7 B")
    grouped = lines(report.figures[1])
    assert [line.split()[-1] for line in grouped if "█" in line or "▒" in line][:4] == ["2", "12", "1", "6"]


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 10))
def test_ticks_are_round_inside_and_not_too_many(low, span, count):
    high = low + span
    ticks = nice(low, high, count)
    assert all(low - span * 1e-6 <= tick <= high + span * 1e-6 for tick in ticks)
    assert len(ticks) <= 2 * count + 1


@given(st.lists(st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-6), min_size=2, max_size=6, unique=True))
def test_different_ticks_of_usual_size_have_different_labels(values):
    values = sorted(values)
    axis = Axis.over(values, log=False)
    assert axis is not None
    shown = [label for _, label in axis.ticks(5)]
    assert len(set(shown)) == len(shown)


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([256.0, 512.0], ["256", "512"]),
        ([0.0, 2e6], ["0", "2e6"]),
        ([1e-7, 2e-7], ["1e-7", "2e-7"]),
        ([], []),
    ],
)
def test_labels(values, texts):
    assert labels(values) == texts
