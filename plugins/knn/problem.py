"""A classification problem whose truth is known, for statements about risk: X is uniform on the unit square,

    η(x) = P(Y = 1 | x) = 1 / (1 + exp(−10 (0.4 − ‖x − c‖))),   c = (0.35, 0.4)

a disc with a blurred edge, off the middle so that errors on its two sides do not cancel. With η known the excess risk
of a classifier f needs no labels:

    R(f) − R* = E[ |2η(X) − 1| · 1{f(X) ≠ 1{η(X) > ½}} ]
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
CENTRE = (0.35, 0.4)


def eta(x: Array) -> Array:
    """P(Y = 1 | x) for points ``x``, (n, 2) → (n,)."""
    distance = np.hypot(x[:, 0] - CENTRE[0], x[:, 1] - CENTRE[1])
    return 1 / (1 + np.exp(-10 * (0.4 - distance)))


def sample(n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
    """``n`` labelled points: (n, 2) and (n,)."""
    x = rng.random((n, 2))
    return x, (rng.random(n) < eta(x)).astype(np.int64)


def grid(size: int = 400) -> Array:
    """The midpoints of a size × size grid on the square, (size², 2): averages over it are integrals."""
    line = (np.arange(size) + 0.5) / size
    return np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)


def bayes_risk() -> float:
    """R* = E[min(η, 1 − η)]."""
    p = eta(grid())
    return float(np.minimum(p, 1 - p).mean())


def nearest_neighbour_limit() -> float:
    """E[2η(1 − η)], the limit of the risk of one nearest neighbour (Cover and Hart 1967)."""
    p = eta(grid())
    return float((2 * p * (1 - p)).mean())


def excess(predicted: NDArray[np.int64] | NDArray[np.bool_], probabilities: Array) -> float:
    """R(f) − R* over points with the given ``probabilities`` η, for the labels ``predicted`` there."""
    wrong = predicted.astype(bool) != (probabilities > 0.5)
    return float((np.abs(2 * probabilities - 1) * wrong).mean())
