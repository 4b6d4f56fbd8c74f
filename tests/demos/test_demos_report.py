"""Report: what a check means, and that everything in a report is plain Python."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.demos.numbers import say, statement
from kb.demos.report import Check, Report, plain
from kb.errors import DemoError

finite = st.floats(-1e300, 1e300)


def check(*arguments, **options) -> Check:
    report = Report()
    holds = report.check("c", *arguments, **options)
    assert report.checks[0].holds is holds is report.holds
    return report.checks[0]


@given(st.floats(), st.floats())
def test_bounds_mean_what_they_say_and_a_nan_never_holds(measured, bound):
    assert check(measured, at_most=bound).holds == (measured <= bound)
    assert check(measured, at_least=bound).holds == (measured >= bound)
    assert check(measured, bound).holds == (measured == bound)
    assert not check(math.nan, at_most=bound).holds
    assert not check(math.nan, bound, rtol=1.0, atol=1e300).holds


@given(finite, finite, st.floats(0, 1), st.floats(0, 1e6))
def test_a_tolerance_is_absolute_plus_relative_to_what_is_expected(measured, expected, rtol, atol):
    tolerance = atol + rtol * abs(expected)
    found = check(measured, expected, rtol=rtol, atol=atol)
    assert found.holds == (abs(measured - expected) <= tolerance if tolerance else measured == expected)
    assert found.relation == ("≈" if tolerance else "==")


@pytest.mark.parametrize(
    ("measured", "options", "relation", "holds"),
    [
        ("flash", {"expected": "flash"}, "==", True),
        ("flash", {"expected": "math"}, "==", False),
        (True, {"expected": True}, "==", True),
        (False, {"expected": True}, "==", False),
        (3, {"expected": 3}, "==", True),
        (0, {"expected": 0}, "==", True),
        (0, {"at_most": 0}, "<=", True),
        (math.inf, {"at_most": math.inf}, "<=", True),
        (math.inf, {"at_most": 1.0}, "<=", False),
        (math.inf, {"expected": math.inf, "rtol": 0.1}, "==", True),
        (1.0, {"expected": math.inf, "rtol": 0.1}, "==", False),
    ],
)
def test_kinds_of_value(measured, options, relation, holds):
    found = check(measured, **options)
    assert (found.relation, found.holds) == (relation, holds)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda r: r.check("c", 1),
        lambda r: r.check("c", 1, 2, at_most=3),
        lambda r: r.check("c", "text", at_most=3),
        lambda r: r.check("a/b", 1, 1),
        lambda r: r.check(" ", 1, 1),
        lambda r: [r.check("c", 1, 1), r.check("c", 1, 1)],
        lambda r: r.metric("m", [1, 2]),
        lambda r: r.metric("m", None),
        lambda r: r.metric("m", 1j),
        lambda r: r.table("t", ["a", "b"], [[1]]),
        lambda r: r.curve([1, 2], {"a": [1]}),
        lambda r: r.curve([1], {"a": [1]}, log="z"),
        lambda r: r.curve([1], {"a": ["one"]}),
        lambda r: r.bars(["a"], {"x": [1, 2]}),
        lambda r: r.image([]),
        lambda r: r.image([[1], [1, 2]]),
    ],
)
def test_a_wrong_report_is_a_demo_error(wrong):
    with pytest.raises(DemoError):
        wrong(Report())


def test_numpy_and_torch_values_come_out_plain():
    numpy, torch = pytest.importorskip("numpy"), pytest.importorskip("torch")
    for value, expected in [
        (numpy.float64(0.1), 0.1),
        (numpy.int32(3), 3),
        (numpy.str_("x"), "x"),
        (numpy.bool_(False), False),
        (torch.tensor(2.0, requires_grad=True), 2.0),
        (torch.tensor([[7]]), 7),
        (torch.tensor(1.5, dtype=torch.bfloat16), 1.5),
    ]:
        assert plain(value) == expected and type(plain(value)) is type(expected)
    for value in (numpy.arange(2), torch.arange(2)):
        with pytest.raises(DemoError, match="single numbers"):
            plain(value)
    report = Report()
    report.curve(torch.arange(2), {"a": numpy.arange(2.0), "b": [torch.tensor(1), 2]}, log=True)
    report.image(torch.eye(2))
    assert report.figures[0].series == ((0.0, 1.0), (1.0, 2.0)) and report.figures[0].log == "xy"
    assert report.figures[1].pixels == ((1.0, 0.0), (0.0, 1.0))


def test_progress_without_a_bar_is_the_iterable():
    assert list(Report().progress(n for n in range(3))) == [0, 1, 2]


@given(finite)
def test_a_number_that_is_shown_is_about_the_number(value):
    text = say(value)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=1e-3, abs=0)
    assert len(text) <= 20


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (-0.0, "0"), (16.0, "16"), (16777216, "16,777,216"), (1234.5678, "1,235"), (0.3333333, "0.3333"),
     (1.2e-7, "1.2e-7"), (1e22, "1e22"), (10**30, "1e30"), (True, "yes"),
     (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "NaN"),
     (99999.96, "100,000"), (10**400, "1e400"), (float(Fraction(2, 3)), "0.6667")],
)  # fmt: skip
def test_how_numbers_are_said(value, text):
    assert say(value) == text


def test_a_statement_shows_the_digits_that_make_the_difference():
    assert statement(Check("c", 1.00001, 1.0, "<=", False)) == "1.00001 ≤ 1 does not hold"
    assert statement(Check("c", 0.1 + 0.2, 0.3, "==", False)).startswith("0.30000000000000004 = 0.3 ")
    assert statement(Check("c", 1.0001, 1.0, "≈", True, 0.001)) == "1.0001 ≈ 1 ± 0.001"
    assert statement(Check("c", 1 / 3 + 1e-15, 1 / 3, "≈", True, 1e-12)) == "0.3333333 ≈ 0.3333333 ± 1e-12"
