"""FSRS-6, the model of one memory: how likely it is recalled, and what an answer does to it.

Formulas: https://github.com/open-spaced-repetition/fsrs4anki/wiki/The-Algorithm (FSRS-6), in the reading that fsrs-rs,
py-fsrs ≥ 6.3.2 and srs-benchmark share. Symbols as there: S stability (days until recall falls to 90 %), D difficulty
(1..10), R retrievability (probability of recall), t elapsed study days, G grade (1 Again, 2 Hard, 3 Good, 4 Easy; only
Again is a failure), w0..w20 the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, isfinite, log
from typing import NamedTuple

from kb.errors import UsageError

AGAIN, HARD, GOOD, EASY = GRADES = (1, 2, 3, 4)
Weights = tuple[float, ...]

DEFAULT_WEIGHTS: Weights = (
    *(0.212, 1.2931, 2.3065, 8.2956),  # w0..w3: first stability after Again, Hard, Good, Easy, in days
    *(6.4133, 0.8334, 3.0194, 0.001),  # w4..w7: difficulty: first, its slope, its change, its reversion to the mean
    *(1.8722, 0.1666, 0.796),  # w8..w10: growth of S when passed
    *(1.4835, 0.0614, 0.2629, 1.6483),  # w11..w14: S after a failure
    *(0.6014, 1.8729),  # w15, w16: penalty of Hard, bonus of Easy
    *(0.5425, 0.0912, 0.0658),  # w17..w19: same-day answers
    0.1542,  # w20: how fast the forgetting curve falls
)
"""Fitted by the FSRS authors to the logs of thousands of Anki users."""

BOUNDS: tuple[tuple[float, float], ...] = (
    *((0.001, 100.0),) * 4,
    *((1.0, 10.0), (0.001, 4.0), (0.001, 4.0), (0.001, 0.75)),
    *((0.0, 4.5), (0.0, 0.8), (0.001, 3.5)),
    *((0.001, 5.0), (0.001, 0.25), (0.001, 0.9), (0.0, 4.0)),
    *((0.0, 1.0), (1.0, 6.0)),
    *((0.0, 2.0), (0.0, 2.0), (0.0, 0.8)),
    (0.1, 0.8),
)
"""Smallest and largest value of each weight."""

S_MIN, S_MAX = 0.001, 36_500.0
D_MIN, D_MAX = 1.0, 10.0


class Memory(NamedTuple):
    """What is known of one memory: ``stability`` in days and ``difficulty`` from 1 to 10."""

    stability: float
    difficulty: float


def retrievability(elapsed_days: float, stability: float, w: Weights = DEFAULT_WEIGHTS) -> float:
    """The probability of recall ``elapsed_days`` after the last answer.

    R(t, S) = (1 + F·t/S)^(−w20) with F = 0.9^(−1/w20) − 1, so that R(S, S) = 0.9.
    """
    return float((1.0 + forgetting_factor(w) * max(elapsed_days, 0.0) / stability) ** -w[20])


def forgetting_factor(w: Weights = DEFAULT_WEIGHTS) -> float:
    """F of the forgetting curve, 0.9^(−1/w20) − 1."""
    return float(0.9 ** (-1.0 / w[20]) - 1.0)


def interval_days(retention: float, stability: float, w: Weights = DEFAULT_WEIGHTS) -> float:
    """The days (not rounded) after which the probability of recall has fallen to ``retention``.

    I(r, S) = S/F·(r^(−1/w20) − 1): the inverse of R, equal to S at r = 0.9.
    """
    inverse = -1.0 / w[20]
    return float(stability / (0.9**inverse - 1.0) * (retention**inverse - 1.0))


def first(grade: int, w: Weights = DEFAULT_WEIGHTS) -> Memory:
    """The memory that the first answer leaves: S0(G) = w[G−1], D0(G) = w4 − e^(w5·(G−1)) + 1."""
    return Memory(_clamp_stability(w[grade - 1]), _clamp_difficulty(_first_difficulty(grade, w)))


def after(memory: Memory, grade: int, elapsed_days: float, w: Weights = DEFAULT_WEIGHTS) -> Memory:
    """``memory`` after an answer with ``grade``, ``elapsed_days`` study days after the last one.

    Less than a day counts as the same day. The new stability is computed from the old difficulty.
    """
    stability, difficulty = memory
    if elapsed_days < 1:
        changed = _same_day(stability, grade, w)
    elif grade == AGAIN:
        changed = _failed(stability, difficulty, retrievability(elapsed_days, stability, w), w)
    else:
        changed = _passed(stability, difficulty, retrievability(elapsed_days, stability, w), grade, w)
    return Memory(_clamp_stability(changed), _next_difficulty(difficulty, grade, w))


def _passed(s: float, d: float, r: float, grade: int, w: Weights) -> float:
    """S' = S·(1 + e^w8·(11 − D)·S^(−w9)·(e^(w10·(1 − R)) − 1)·[w15 if Hard]·[w16 if Easy])."""
    growth = exp(w[8]) * (11.0 - d) * s ** -w[9] * (exp(w[10] * (1.0 - r)) - 1.0)
    if grade == HARD:
        growth *= w[15]
    elif grade == EASY:
        growth *= w[16]
    return float(s * (1.0 + growth))


def _failed(s: float, d: float, r: float, w: Weights) -> float:
    """S' = min(w11·D^(−w12)·((S + 1)^w13 − 1)·e^(w14·(1 − R)), S/e^(w17·w18))."""
    forgotten = w[11] * d ** -w[12] * ((s + 1.0) ** w[13] - 1.0) * exp(w[14] * (1.0 - r))
    return float(min(forgotten, s / exp(w[17] * w[18])))


def _same_day(s: float, grade: int, w: Weights) -> float:
    """S' = S·c with c = e^(w17·(G − 3 + w18))·S^(−w19), and c ≥ 1 unless Again."""
    change = exp(w[17] * (grade - 3 + w[18])) * s ** -w[19]
    return float(s * (max(change, 1.0) if grade >= HARD else change))


def _first_difficulty(grade: int, w: Weights) -> float:
    return w[4] - exp(w[5] * (grade - 1)) + 1.0


def _next_difficulty(d: float, grade: int, w: Weights) -> float:
    """D' = D − w6·(G − 3)·(10 − D)/9, then D'' = w7·D0(4) + (1 − w7)·D', with D0(4) not clamped."""
    moved = d - w[6] * (grade - 3) * (10.0 - d) / 9.0
    return _clamp_difficulty(w[7] * _first_difficulty(EASY, w) + (1.0 - w[7]) * moved)


def _clamp_stability(s: float) -> float:
    return min(max(s, S_MIN), S_MAX)


def _clamp_difficulty(d: float) -> float:
    return min(max(d, D_MIN), D_MAX)


def check_weights(weights: Sequence[float]) -> Weights:
    """``weights`` as 21 weights of FSRS-6, those of FSRS-4.5 (17) and FSRS-5 (19) converted.

    Raises UsageError that names every weight which is not a number or is out of bounds.
    """
    try:
        numbers = tuple(float(value) for value in weights)
    except (TypeError, ValueError):
        raise UsageError("the weights must be numbers", cure="give 21 numbers, w0 to w20") from None
    if len(numbers) not in (17, 19, 21):
        raise UsageError(f"FSRS-6 has 21 weights, not {len(numbers)}", cure="19 (FSRS-5) and 17 (FSRS-4.5) work too")
    numbers = upgrade_weights(numbers)
    wrong = [
        f"w{i} = {value:g} (from {low:g} to {high:g})"
        for i, (value, (low, high)) in enumerate(zip(numbers, BOUNDS, strict=True))
        if not (isfinite(value) and low <= value <= high)
    ]
    if wrong:
        raise UsageError(f"weights out of bounds: {', '.join(wrong)}")
    return numbers


def upgrade_weights(weights: Weights) -> Weights:
    """17 or 19 weights as 21 that mean the same in FSRS-6; 21 are returned as they are.

    FSRS-5 has a fixed decay of 0.5 and no w19. FSRS-4.5 has no same-day weights either, and its difficulty is linear in
    the grade: the three weights of difficulty become those of the exponential form (fsrs-rs, ``inference.rs``).
    """
    if len(weights) == 17:
        w4, w5, w6 = weights[4:7]
        if not 3.0 * w5 + 1.0 > 0.0:
            raise UsageError(f"w5 = {w5:g} of FSRS-4.5 cannot be converted", cure="it must be above -1/3")
        weights = (*weights[:4], w4 + 2.0 * w5, log(3.0 * w5 + 1.0) / 3.0, w6 + 0.5, *weights[7:], 0.0, 0.0)
    if len(weights) == 19:
        weights = (*weights, 0.0, 0.5)
    return weights


def from_sm2(ease: float, interval: float, retention: float = 0.9, w: Weights = DEFAULT_WEIGHTS) -> Memory:
    """The memory of a card that SM-2 scheduled with factor ``ease`` and ``interval`` days.

    S solves R(interval, S) = ``retention``; D is the difficulty at which a Good after that interval multiplies S by
    ``ease`` (fsrs-rs, ``memory_state_from_sm2``).
    """
    if not (isfinite(ease) and isfinite(interval) and 0.0 < retention < 1.0):
        raise UsageError(f"not a state of SM-2: ease {ease}, interval {interval}, retention {retention}")
    inverse = -1.0 / w[20]
    days = max(interval, S_MIN)
    stability = _clamp_stability(days * (0.9**inverse - 1.0) / (retention**inverse - 1.0))
    growth = exp(w[8]) * stability ** -w[9] * (exp(w[10] * (1.0 - retention)) - 1.0)
    return Memory(stability, _clamp_difficulty(11.0 - (ease - 1.0) / growth))
