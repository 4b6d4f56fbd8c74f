"""Numbers with units, tolerances, and what a wrong number gives away."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import AnswerError
from kb.questions.number import Scale, Tolerance, find_unit, near_miss

POWERS = [("k", 1), ("M", 2), ("G", 3), ("T", 4)]


@given(st.sampled_from(POWERS), st.sampled_from(POWERS), st.integers(1, 999))
def test_prefixes_are_powers_of_1000_and_1024(one: tuple[str, int], other: tuple[str, int], count: int) -> None:
    decimal = Scale(f"{one[0]}B").read(f"{count} {other[0]}B")
    binary = Scale(f"{one[0].upper()}iB").read(f"{count} {other[0].upper()}iB")
    assert decimal == pytest.approx(count * 1000.0 ** (other[1] - one[1]), rel=1e-12)
    assert binary == count * 1024.0 ** (other[1] - one[1])


@given(st.floats(1e-9, 1e15), st.sampled_from(["GB", "ms", "TFLOP/s", "%", "", "tokens", "bytes per parameter", "KiB"]))
def test_what_is_written_is_read_back(value: float, unit: str) -> None:
    scale = Scale(unit)
    assert scale.read(scale.write(value)) == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize(
    ("unit", "answer", "value"),
    [
        ("GB", "16.6", 16.6),
        ("GB", 16.6, 16.6),
        ("GB", 16, 16),
        ("GB", "16.6 GB", 16.6),
        ("GB", "16.6GB", 16.6),
        ("GB", "16.6 gb", 16.6),
        ("GB", "16,600 MB", 16.6),
        ("GB", "1.66e10 B", 16.6),
        ("GB", "2^4 * 1e9 bytes", 16),
        ("GB", "(2 + 14) GB", 16),
        ("GB", "8 Gbit", 1),
        ("GB", "8 Gb", 1),
        ("GB", "16 gigabytes", 16),
        ("GB", "16 GB.", 16),
        ("parameters", "7B", 7e9),
        ("parameters", "7.5 billion", 7.5e9),
        ("parameters", "175M parameters", 175e6),
        ("", "1.5k", 1500),
        ("", "2 million", 2e6),
        ("GB", "1 GiB", 1.073741824),
        ("GiB", "1 GiB", 1),
        ("MiB", "2^10 KiB", 1),
        ("B", "1 kB", 1000),
        ("B", "1 KB", 1000),
        ("ms", "3 µs", 0.003),
        ("ms", "3 μs", 0.003),
        ("ms", "3 us", 0.003),
        ("s", "2 min", 120),
        ("s", "1.5 hours", 5400),
        ("TFLOP/s", "312 TFLOPS", 312),
        ("TFLOP/s", "312e12 FLOP/s", 312),
        ("TFLOP/s", "312 TFLOP / s", 312),
        ("FLOPs", "2 GFLOPs", 2e9),
        ("GB/s", "900 GB/s", 900),
        ("GB/s", "0.9 TB per second", 900),
        ("tokens/s", "3 tokens/s", 3),
        ("B/parameter", "16 bytes per parameter", 16),
        ("bytes per parameter", "16 B/parameter", 16),
        ("%", "12.5%", 12.5),
        ("%", "12.5 percent", 12.5),
        ("%", "12.5", 12.5),
        ("points", "1.35 %", 1.35),
        ("", "50%", 0.5),
        ("tokens", "5 tokens", 5),
        ("tokens", "1 token", 1),
        ("steps", "5", 5),
        ("W", "0.4 kW", 400),
        ("GHz", "1500 MHz", 1.5),
    ],
)
def test_reading(unit: str, answer: object, value: float) -> None:
    assert Scale(unit).read(answer) == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "answer", "says"),
    [
        ("GB", "3 s", "s measures seconds; the answer is in GB"),
        ("GB", "3 GB/s", "GB/s measures bytes/seconds"),
        ("GB", "3 foo", "'foo' is no unit that I know; answer in GB"),
        ("GB", "GB", "there is no number before 'GB'"),
        ("GB", "", "type a number in GB"),
        ("GB", "lots", "is no number"),
        ("", "3 GB", "the answer is a number without a unit"),
        ("", "3 B", "measures bytes"),
        ("GB", "3k", "'k' is no unit"),
        ("parameters", "7B tokens", "is no unit"),
        ("ms", "3 GB", "measures bytes"),
        ("GB", "3,5 GB", "a comma separates thousands"),
        ("GB", True, "not true or false"),
        ("GB", None, "not null"),
        ("GB", [16], "not a list"),
        ("GB", {"value": 1}, "not an object"),
        ("GB", math.nan, "a finite number"),
        ("GB", math.inf, "a finite number"),
        ("GB", 10**400, "a finite number"),
        ("GB", "1e400", "too large"),
        ("GB", "1e308 TB", "a finite number"),
        ("GB", "nan", "a finite number"),
        ("GB", "1" * 200_000, "too long"),
        ("GB", "\ud800", "not valid Unicode"),
    ],
)
def test_what_cannot_be_read(unit: str, answer: object, says: str) -> None:
    with pytest.raises(AnswerError) as caught:
        Scale(unit).read(answer)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["mB", "XB", "Kis", "G", "GB/", "GB/GB/GB", "", "a" * 100])
def test_what_is_no_unit(name: str) -> None:
    assert find_unit(name) is None or name == ""


@given(st.floats(-1e6, 1e6), st.floats(0, 50))
def test_a_tolerance_accepts_its_own_edges(expected: float, percent: float) -> None:
    tolerance = Tolerance.of(f"{percent!r}%")
    assert tolerance is not None
    assert tolerance.accepts(expected, expected)
    assert tolerance.accepts(expected * (1 + percent / 100), expected)
    beyond = expected + abs(expected) * (percent / 100 + 1e-3) + 1e-3
    assert not tolerance.accepts(beyond, expected)


@pytest.mark.parametrize(
    ("written", "tolerance"),
    [
        ("1%", Tolerance(relative=0.01)),
        ("0.5 %", Tolerance(relative=0.005)),
        (0.1, Tolerance(absolute=0.1)),
        ("1e-9", Tolerance(absolute=1e-9)),
        (0, Tolerance()),
        (None, None),
    ],
)
def test_tolerances(written: object, tolerance: Tolerance | None) -> None:
    assert Tolerance.of(written) == tolerance  # type: ignore[arg-type]


@pytest.mark.parametrize("written", ["-1%", "a lot", "", "%", "1%%", "nan"])
def test_no_tolerances(written: str) -> None:
    with pytest.raises(AnswerError):
        Tolerance.of(written)


@pytest.mark.parametrize(
    ("given_value", "expected", "unit", "says"),
    [
        (16_600, 16.6, "GB", "1000"),
        (0.0166, 16.6, "GB", "too small by a factor of 1000"),
        (17.824, 16.6, "GB", "GB and GiB"),
        (16.6 * 1024, 16.6, "GB", "1024"),
        (132.8, 16.6, "GB", "bits and bytes"),
        (0.125, 12.5, "%", "factor of 100"),
        (5, 300, "s", "factor of 60"),
        (-2, 2, "", "sign"),
        (0.25, 4, "", "reciprocal"),
        (33.2, 16.6, "GB", "factor of 2"),
        (132.8, 16.6, "", ""),
        (5, 300, "GB", ""),
        (17, 16.6, "GB", ""),
        (0, 16.6, "GB", ""),
        (5, 0, "GB", ""),
    ],
)
def test_near_misses(given_value: float, expected: float, unit: str, says: str) -> None:
    told = near_miss(given_value, expected, Scale(unit))
    assert says.lower() in told.lower() and bool(told) == bool(says)
