"""Laws of FSRS-6, then golden values."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.memory import fsrs
from kb.memory.fsrs import BOUNDS, DEFAULT_WEIGHTS, GRADES, Memory, check_weights

weights = st.tuples(*(st.floats(low, high) for low, high in BOUNDS))
near_default = st.tuples(
    *(
        st.floats(max(low, 0.8 * value), min(high, 1.25 * value))
        for (low, high), value in zip(BOUNDS, DEFAULT_WEIGHTS, strict=True)
    )
)
stabilities = st.floats(0.01, 30_000)
memories = st.builds(Memory, stabilities, st.floats(1, 10))
grades = st.sampled_from(GRADES)
elapsed = st.integers(0, 5000)
retentions = st.floats(0.5, 0.99)


@given(stabilities, weights)
def test_after_its_stability_a_memory_is_recalled_with_90_percent(stability: float, w: fsrs.Weights) -> None:
    assert fsrs.retrievability(stability, stability, w) == pytest.approx(0.9, rel=1e-12)


@given(stabilities, weights)
def test_the_interval_at_90_percent_is_the_stability(stability: float, w: fsrs.Weights) -> None:
    assert fsrs.interval_days(0.9, stability, w) == pytest.approx(stability, rel=1e-9)


@given(retentions, stabilities, weights)
def test_the_interval_is_the_inverse_of_the_forgetting_curve(r: float, stability: float, w: fsrs.Weights) -> None:
    assert fsrs.retrievability(fsrs.interval_days(r, stability, w), stability, w) == pytest.approx(r, rel=1e-9)


@given(weights)
def test_the_first_difficulty_after_again_is_w4(w: fsrs.Weights) -> None:
    assert fsrs.first(1, w).difficulty == pytest.approx(w[4], rel=1e-12)


@given(stabilities, weights)
def test_recall_starts_at_one_and_falls(stability: float, w: fsrs.Weights) -> None:
    curve = [fsrs.retrievability(t, stability, w) for t in (0, 1, 2, 10, 100, 1000)]
    assert curve[0] == 1.0
    assert all(a > b > 0 for a, b in pairwise(curve))


@given(stabilities, weights, st.floats(-1e6, 0))
def test_before_the_last_answer_nothing_is_forgotten(stability: float, w: fsrs.Weights, t: float) -> None:
    assert fsrs.retrievability(t, stability, w) == 1.0


@given(memories, elapsed, weights)
def test_whatever_happens_the_memory_stays_within_its_bounds(memory: Memory, t: int, w: fsrs.Weights) -> None:
    for grade in GRADES:
        stability, difficulty = fsrs.after(memory, grade, t, w)
        assert fsrs.S_MIN <= stability <= fsrs.S_MAX
        assert 1.0 <= difficulty <= 10.0


@given(memories, elapsed, weights)
def test_a_better_grade_leaves_a_more_stable_and_easier_memory(memory: Memory, t: int, w: fsrs.Weights) -> None:
    again, hard, good, easy = (fsrs.after(memory, grade, t, w) for grade in GRADES)
    assert again.stability <= hard.stability <= good.stability <= easy.stability
    assert again.difficulty >= hard.difficulty >= good.difficulty >= easy.difficulty


@given(memories, elapsed, weights, st.sampled_from((2, 3, 4)))
def test_a_pass_never_makes_a_memory_less_stable(memory: Memory, t: int, w: fsrs.Weights, grade: int) -> None:
    assert fsrs.after(memory, grade, t, w).stability >= memory.stability


@given(memories, elapsed, weights)
def test_a_failure_never_makes_a_memory_more_stable(memory: Memory, t: int, w: fsrs.Weights) -> None:
    assume(t >= 1)
    assert fsrs.after(memory, 1, t, w).stability <= max(memory.stability, fsrs.S_MIN)


@given(memories, st.integers(1, 2000), st.integers(1, 2000), near_default)
def test_a_pass_after_a_longer_wait_teaches_more(memory: Memory, t: int, more: int, w: fsrs.Weights) -> None:
    assert fsrs.after(memory, 3, t + more, w).stability >= fsrs.after(memory, 3, t, w).stability


@given(st.floats(1, 10), stabilities, st.integers(1, 1000), near_default)
def test_a_harder_memory_grows_slower(difficulty: float, stability: float, t: int, w: fsrs.Weights) -> None:
    harder = min(difficulty + 1, 10)
    grown = fsrs.after(Memory(stability, difficulty), 3, t, w).stability
    assert fsrs.after(Memory(stability, harder), 3, t, w).stability <= grown


@given(memories, st.floats(0, 0.999), grades)
def test_less_than_a_day_is_the_same_day(memory: Memory, t: float, grade: int) -> None:
    assert fsrs.after(memory, grade, t) == fsrs.after(memory, grade, 0)
    assert fsrs.after(memory, grade, -1) == fsrs.after(memory, grade, 0)


def test_first_memories_at_the_defaults() -> None:
    assert [fsrs.first(grade).stability for grade in GRADES] == [0.212, 1.2931, 2.3065, 8.2956]
    assert [round(fsrs.first(grade).difficulty, 4) for grade in GRADES] == [6.4133, 5.1122, 2.1181, 1.0]


def test_a_published_shape_of_the_forgetting_curve() -> None:
    """At the default decay of 0.1542 recall is 90 % after S days and still 71.9 % after ten times as long."""
    factor = 0.9 ** (-1 / 0.1542) - 1
    assert factor == pytest.approx(0.98, abs=5e-3)
    assert fsrs.retrievability(100, 10) == pytest.approx((1 + 10 * factor) ** -0.1542, rel=1e-12)


def test_a_year_away_from_a_memory_of_ten_days() -> None:
    """A pass is worth nearly twelve times the stability, a failure leaves two days (values of fsrs-rs 0.9.3)."""
    memory = Memory(10.0, 5.0)
    assert fsrs.retrievability(365, 10) == pytest.approx(0.57356, abs=1e-5)
    assert fsrs.after(memory, 3, 365).stability == pytest.approx(117.4491, rel=1e-6)
    assert fsrs.after(memory, 1, 365).stability == pytest.approx(2.384061, rel=1e-6)


def test_a_trajectory_by_hand() -> None:
    """Good on the first day, Good after two days: S by the formula with the numbers put in."""
    s0, d0 = 2.3065, 6.4133 - math.exp(0.8334 * 2) + 1
    r = (1 + (0.9 ** (-1 / 0.1542) - 1) * 2 / s0) ** -0.1542
    s1 = s0 * (1 + math.exp(1.8722) * (11 - d0) * s0**-0.1666 * (math.exp(0.796 * (1 - r)) - 1))
    assert fsrs.after(fsrs.first(3), 3, 2).stability == pytest.approx(s1, rel=1e-12)


def test_the_defaults_are_within_bounds() -> None:
    assert check_weights(DEFAULT_WEIGHTS) == DEFAULT_WEIGHTS


@given(weights)
def test_weights_within_bounds_pass_unchanged(w: fsrs.Weights) -> None:
    assert check_weights(list(w)) == w


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -1.0, 101.0])
@pytest.mark.parametrize("index", [0, 4, 20])
def test_a_weight_out_of_bounds_is_named(index: int, bad: float) -> None:
    w = [*DEFAULT_WEIGHTS]
    w[index] = bad
    with pytest.raises(UsageError, match=rf"w{index} = "):
        check_weights(w)


def test_every_wrong_weight_is_named_at_once() -> None:
    w = [*DEFAULT_WEIGHTS]
    w[4], w[7] = 0.0, math.nan
    with pytest.raises(UsageError) as caught:
        check_weights(w)
    assert "w4 = 0 (from 1 to 10)" in str(caught.value)
    assert "w7 = nan" in str(caught.value)


@pytest.mark.parametrize("count", [0, 13, 18, 20, 22, 35])
def test_another_count_of_weights_is_refused(count: int) -> None:
    with pytest.raises(UsageError, match=f"21 weights, not {count}"):
        check_weights([1.0] * count)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="must be numbers"):
        check_weights(["many"] * 21)  # type: ignore[list-item]


V5: fsrs.Weights = (0.4026, 1.1839, 3.173, 15.691, 7.1949, 0.5345, 1.4604, 0.0046, 1.5457, 0.1192, 1.0193, 1.9395, 0.11)
V5 = (*V5, 0.2961, 2.2698, 0.2315, 2.9898, 0.5166, 0.6621)
V4: fsrs.Weights = (
    0.4872,
    1.4003,
    3.7145,
    13.8206,
    5.1618,
    1.2298,
    0.8975,
    0.031,
    1.6474,
    0.1367,
    1.0461,
    2.1072,
    0.0793,
)
V4 = (*V4, 0.3246, 1.587, 0.2272, 2.8755)


def test_19_weights_keep_their_forgetting_curve() -> None:
    """FSRS-5: R = (1 + 19/81·t/S)^(−1/2), and a same-day answer that does not depend on S."""
    w = check_weights(V5)
    assert w == (*V5, 0.0, 0.5)
    assert fsrs.retrievability(7, 3, w) == pytest.approx((1 + 19 / 81 * 7 / 3) ** -0.5, rel=1e-12)
    assert fsrs.after(Memory(3, 5), 4, 0, w).stability / 3 == pytest.approx(math.exp(0.5166 * (1 + 0.6621)))


def test_17_weights_keep_their_difficulty_at_again_and_ignore_the_same_day() -> None:
    """FSRS-4.5: D0(G) = w4 − (G − 3)·w5, so D0(1) = w4 + 2·w5; D0(4) in the new form is D0(1) − 3·w5 again."""
    w = check_weights(V4)
    assert fsrs.first(1, w).difficulty == pytest.approx(5.1618 + 2 * 1.2298)
    assert fsrs.first(4, w).difficulty == pytest.approx(5.1618 - 1.2298)
    assert fsrs.after(Memory(3, 5), 3, 0, w).stability == 3


def test_17_weights_that_cannot_be_converted_are_refused() -> None:
    w = [*V4]
    w[5] = -0.4
    with pytest.raises(UsageError, match=r"w5 = -0\.4"):
        check_weights(w)


@given(st.floats(1.3, 3.0), st.floats(1, 1000), st.floats(0.75, 0.97))
def test_a_state_of_sm2_is_recalled_as_sm2_meant_it(ease: float, interval: float, retention: float) -> None:
    memory = fsrs.from_sm2(ease, interval, retention)
    assume(fsrs.S_MIN < memory.stability < fsrs.S_MAX)
    assert fsrs.retrievability(interval, memory.stability) == pytest.approx(retention, rel=1e-9)
    if 1.0 < memory.difficulty < 10.0:  # then a Good multiplies the stability by the ease
        grown = fsrs.after(memory, 3, max(interval, 1)).stability
        assert grown / memory.stability == pytest.approx(ease, rel=1e-6)


@pytest.mark.parametrize("state", [(math.nan, 10, 0.9), (2.5, math.inf, 0.9), (2.5, 10, 1.0), (2.5, 10, 0.0)])
def test_a_broken_state_of_sm2_is_refused(state: tuple[float, float, float]) -> None:
    with pytest.raises(UsageError, match="not a state of SM-2"):
        fsrs.from_sm2(*state)
