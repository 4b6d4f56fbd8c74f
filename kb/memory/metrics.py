"""How good predictions of recall are: log loss, RMSE over bins, AUC, and the calibration curve."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, log, sqrt
from typing import NamedTuple

from kb.memory.fsrs import AGAIN
from kb.memory.history import Item

_SMALLEST = 1e-7


class Score(NamedTuple):
    """``log_loss`` in nats per answer, ``rmse_bins`` of the recall in bins, ``auc``; over so many ``answers``."""

    log_loss: float
    rmse_bins: float
    auc: float
    answers: int


class Bin(NamedTuple):
    """Answers with like predictions: their mean prediction, the share that was recalled, and their number."""

    predicted: float
    actual: float
    answers: int


def score(chosen: Sequence[Item], predicted: Sequence[float]) -> Score:
    """All three metrics; NaN where they are not defined (no answer, or only passes or failures for the AUC)."""
    outcomes = [item.recalled for item in chosen]
    return Score(log_loss(outcomes, predicted), rmse_bins(chosen, predicted), auc(outcomes, predicted), len(outcomes))


def log_loss(outcomes: Sequence[bool], predicted: Sequence[float]) -> float:
    """The mean of −ln(the probability that was given to what happened)."""
    if not outcomes:
        return float("nan")
    given = (p if recalled else 1.0 - p for recalled, p in zip(outcomes, predicted, strict=True))
    return -sum(log(max(p, _SMALLEST)) for p in given) / len(outcomes)


def rmse_bins(chosen: Sequence[Item], predicted: Sequence[float]) -> float:
    """Root mean square of (mean prediction − share recalled) over the bins of fsrs-rs, weighted by their counts."""
    bins: dict[tuple[int, int, int], list[float]] = {}
    for item, p in zip(chosen, predicted, strict=True):
        entry = bins.setdefault(bin_of(item), [0.0, 0.0])
        entry[0] += 1
        entry[1] += p - item.recalled
    total = sum(count for count, _ in bins.values())
    if not total:
        return float("nan")
    return sqrt(sum(difference * difference / count for count, difference in bins.values()) / total)


def bin_of(item: Item) -> tuple[int, int, int]:
    """By elapsed days, long-term reviews and lapses, each on a logarithmic scale (fsrs-rs, ``dataset.rs``)."""
    *history, last = item.reviews
    count = 2 + sum(review.elapsed_days > 0 for review in history)
    lapses = sum(review.grade == AGAIN and review.elapsed_days > 0 for review in history)
    return _power(last.elapsed_days, 3.62), _power(count, 1.89), _power(lapses, 1.73) if lapses else -1


def _power(value: int, base: float) -> int:
    return floor(log(value) / log(base))


def auc(outcomes: Sequence[bool], predicted: Sequence[float]) -> float:
    """The probability that a recalled answer was given a higher prediction than a forgotten one (ties count half)."""
    recalled = sum(outcomes)
    forgotten = len(outcomes) - recalled
    if not recalled or not forgotten:
        return float("nan")
    order = sorted(range(len(predicted)), key=predicted.__getitem__)
    rank_sum, start = 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and predicted[order[end]] == predicted[order[start]]:
            end += 1
        middle = (start + end + 1) / 2  # ranks from 1; ties share the mean of theirs
        rank_sum += middle * sum(outcomes[index] for index in order[start:end])
        start = end
    return (rank_sum - recalled * (recalled + 1) / 2) / (recalled * forgotten)


def calibration(outcomes: Sequence[bool], predicted: Sequence[float], bins: int = 10) -> list[Bin]:
    """The answers in order of their prediction, cut into ``bins`` parts of (nearly) equal count."""
    order = sorted(range(len(predicted)), key=predicted.__getitem__)
    result = []
    for k in range(bins):
        part = order[k * len(order) // bins : (k + 1) * len(order) // bins]
        if part:
            mean = sum(predicted[index] for index in part) / len(part)
            result.append(Bin(mean, sum(outcomes[index] for index in part) / len(part), len(part)))
    return result
