"""Sequential minimal optimisation: Platt 1998; the pair by Keerthi et al. 2001, https://doi.org/10.1162/089976601300014493

The soft-margin support vector machine (Cortes and Vapnik 1995), with hinge(t) = max(0, 1 − t):

    primal    min  P(f) = ½‖w‖² + C Σᵢ hinge(yᵢ f(xᵢ)),          f(x) = w·φ(x) + b
    dual      max  D(α) = Σᵢ αᵢ − ½ Σᵢⱼ αᵢαⱼ yᵢyⱼ k(xᵢ, xⱼ),     0 ≤ αᵢ ≤ C,  Σᵢ αᵢyᵢ = 0

D(α) ≤ P(f) for every α and every f that are allowed. So a small difference proves that both are nearly optimal, with no
reference to compare with.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Machine(NamedTuple):
    """A solution of the dual: ``alpha`` (n,), the intercept ``b``, and how many pairs were moved."""

    alpha: Array
    b: float
    steps: int


def solve(gram: Array, y: Array, C: float, tolerance: float = 1e-6, most: int = 200_000) -> Machine:
    """The dual for the ``gram`` matrix (n, n) and labels ``y`` = ±1 (n,), to a violation of at most ``tolerance``."""
    alpha = np.zeros(len(y))
    error = y.copy()  # yᵢ − Σⱼ αⱼyⱼkᵢⱼ: what f without b still lacks, (n,)
    steps = 0
    while steps < most:
        up = np.where(y > 0, alpha < C, alpha > 0)  # αᵢyᵢ may grow
        down = np.where(y > 0, alpha > 0, alpha < C)  # αᵢyᵢ may shrink
        i = int(np.argmax(np.where(up, error, -np.inf)))
        j = int(np.argmin(np.where(down, error, np.inf)))
        if error[i] - error[j] <= tolerance:  # b fits between them: no pair violates the conditions
            break
        # along αᵢyᵢ += t, αⱼyⱼ −= t the dual is a parabola with its top at t = (eᵢ − eⱼ) / ‖φ(xᵢ) − φ(xⱼ)‖²
        t = (error[i] - error[j]) / max(gram[i, i] + gram[j, j] - 2 * gram[i, j], 1e-12)
        t = min(t, C - alpha[i] if y[i] > 0 else alpha[i], alpha[j] if y[j] > 0 else C - alpha[j])
        for k, move in ((i, t * y[i]), (j, -t * y[j])):
            alpha[k] = min(max(alpha[k] + move, 0.0), C)
        error -= t * (gram[:, i] - gram[:, j])
        steps += 1
    return Machine(alpha, float(error[i] + error[j]) / 2, steps)


def decision(gram: Array, y: Array, machine: Machine) -> Array:
    """f(x) = Σᵢ αᵢyᵢ k(x, xᵢ) + b for each row of ``gram``, the kernel of new points with the training points."""
    return gram @ (machine.alpha * y) + machine.b


def norm_squared(gram: Array, y: Array, machine: Machine) -> float:
    """‖w‖² = Σᵢⱼ αᵢαⱼ yᵢyⱼ k(xᵢ, xⱼ)."""
    weights = machine.alpha * y
    return float(weights @ gram @ weights)


def primal(gram: Array, y: Array, machine: Machine, C: float) -> float:
    """P = ½‖w‖² + C Σᵢ max(0, 1 − yᵢ f(xᵢ))."""
    slack = np.maximum(0, 1 - y * decision(gram, y, machine))
    return norm_squared(gram, y, machine) / 2 + C * float(slack.sum())


def dual(gram: Array, y: Array, machine: Machine) -> float:
    """D = Σᵢ αᵢ − ½‖w‖²."""
    return float(machine.alpha.sum()) - norm_squared(gram, y, machine) / 2
