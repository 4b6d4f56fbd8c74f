"""Five learners on X = {0, 1}³, and families of targets.

A point is a number from 0 to 7, its bits the three features. A target is its 8 labels. A learner gets the training
points and their labels, **and nothing else**, and returns a prediction for each of the 8 points: it is a function of
the training set alone. (One that remembered earlier targets, or looked at the present one, is outside the theorem.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

BITS = 3
POINTS = 2**BITS
Bits = NDArray[np.uint8]
Learner = Callable[[Sequence[int], Sequence[int]], Bits]

TARGETS: Bits = np.array(list(product((0, 1), repeat=POINTS)), dtype=np.uint8)  # (256, 8)
FEATURES: Bits = np.array(list(product((0, 1), repeat=BITS)), dtype=np.uint8)  # (8, 3)
DISTANCE = (FEATURES[:, None] != FEATURES[None]).sum(2)  # (8, 8), Hamming


def nearest(points: Sequence[int], labels: Sequence[int]) -> Bits:
    """The majority among the nearest training points; 0 where they tie."""
    near = DISTANCE[:, list(points)]  # (8, m)
    tied = near == near.min(1, keepdims=True)
    ones = (tied * np.array(labels)).sum(1)
    answers: Bits = (2 * ones > tied.sum(1)).astype(np.uint8)
    return answers


def farthest(points: Sequence[int], labels: Sequence[int]) -> Bits:
    """The opposite of the nearest neighbours' answer, everywhere."""
    return 1 - nearest(points, labels)


def majority(points: Sequence[int], labels: Sequence[int]) -> Bits:
    """The commoner training label; 0 where they tie."""
    return np.full(POINTS, 2 * sum(labels) > len(labels), dtype=np.uint8)


def constant(points: Sequence[int], labels: Sequence[int]) -> Bits:
    """0, whatever it was shown: it does not learn at all."""
    return np.zeros(POINTS, dtype=np.uint8)


def parity(points: Sequence[int], labels: Sequence[int]) -> Bits:
    """Least training error among the 16 parities of subsets of the features and their opposites."""
    errors = (PARITIES[:, list(points)] != np.array(labels, dtype=np.uint8)).sum(1)  # (16,)
    best: Bits = PARITIES[int(errors.argmin())]
    return best


# x ↦ s·x mod 2, and its opposite, for each of the 8 masks s
PARITIES: Bits = np.array([(FEATURES @ mask + flip) % 2 for mask in FEATURES for flip in (0, 1)], dtype=np.uint8)

LEARNERS: dict[str, Learner] = {
    "1-NN": nearest,
    "anti-1-NN": farthest,
    "majority": majority,
    "always 0": constant,
    "parity": parity,
}


def rows(functions: Bits) -> list[int]:
    """The different functions among the rows, as indices into TARGETS."""
    return sorted({int("".join(map(str, function)), 2) for function in functions})


def families() -> dict[str, list[int]]:
    """Sets of targets: all, linear thresholds 1{w·x > t}, monotone (more ones never turn a 1 into a 0), parities."""
    weights = np.array(list(product(range(-2, 3), repeat=BITS)))  # enough for three bits: it finds all 104
    sums = weights @ FEATURES.T  # (125, 8)
    thresholds = np.concatenate([(sums > t + 0.5).astype(np.uint8) for t in range(-7, 7)])
    below = [(a, b) for a in range(POINTS) for b in range(POINTS) if (FEATURES[a] <= FEATURES[b]).all()]
    monotone = [all(target[a] <= target[b] for a, b in below) for target in TARGETS]
    return {
        "all": list(range(len(TARGETS))),
        "threshold": rows(thresholds),
        "monotone": [int(row) for row in np.flatnonzero(monotone)],
        "parity": rows(PARITIES),
    }
