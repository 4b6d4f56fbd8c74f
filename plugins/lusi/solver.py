"""Rethinking statistical learning theory, Vapnik and Izmailov 2019, https://doi.org/10.1007/s10994-018-5742-0

Kernel least squares with equality constraints (their V-matrix is taken as the identity here). With K the Gram matrix of
n points, f = Kα + b1 on them, and predicates φ₁ … φₘ evaluated there in the rows of Φ, (m, n):

    min  ‖y − f‖² + γ αᵀKα    subject to    Φf = Φy

The Lagrangian's derivatives by α, b and the multipliers μ give one linear system:

    ⎡ K + γI   1    Φᵀ ⎤ ⎡ α ⎤   ⎡ y  ⎤
    ⎢   1ᵀ     0    0  ⎥ ⎢ b ⎥ = ⎢ 0  ⎥
    ⎣  ΦK     Φ1    0  ⎦ ⎣ μ ⎦   ⎣ Φy ⎦

Its second row says that y − f = γα + Φᵀμ has mean 0 without any Φ: with an unpenalised intercept φ ≡ 1 is free.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Fit(NamedTuple):
    """f(x) = Σᵢ αᵢ k(x, xᵢ) + b; ``alpha`` (n,)."""

    alpha: Array
    b: float

    def at(self, gram: Array) -> Array:
        """f at new points; ``gram`` (points, n) is their kernel with the training points."""
        return gram @ self.alpha + self.b


def fit(gram: Array, y: Array, gamma: float, phi: Array, intercept: bool = True) -> Fit:
    """The constrained minimiser for ``gram`` (n, n), ``y`` (n,) and predicates ``phi`` (m, n); m may be 0."""
    n, m = len(y), len(phi)
    size = n + 1 + m
    system, right = np.zeros((size, size)), np.zeros(size)
    system[:n, :n] = gram + gamma * np.eye(n)
    system[:n, n + 1 :] = phi.T
    system[n + 1 :, :n] = phi @ gram
    right[:n], right[n + 1 :] = y, phi @ y
    if intercept:
        system[:n, n] = system[n, :n] = 1.0
        system[n + 1 :, n] = phi.sum(1)
    else:
        system[n, n] = 1.0  # b = 0
    # least squares where a predicate says nothing new (the constant): μ is then not unique, f is
    redundant = m > 0 and np.linalg.matrix_rank(np.vstack([np.ones(n), phi]) if intercept else phi) < m + intercept
    found = np.linalg.lstsq(system, right)[0] if redundant else np.linalg.solve(system, right)
    return Fit(np.asarray(found[:n], np.float64), float(found[n]))


def objective(gram: Array, y: Array, gamma: float, found: Fit) -> float:
    """‖y − f‖² + γ αᵀKα."""
    residual = y - found.at(gram)
    return float(residual @ residual + gamma * found.alpha @ gram @ found.alpha)


def violation(phi: Array, y: Array, f: Array) -> float:
    """The largest |1/n Σᵢ φ(xᵢ)(f(xᵢ) − yᵢ)| over the predicates."""
    return float(abs(phi @ (f - y)).max() / len(y))
