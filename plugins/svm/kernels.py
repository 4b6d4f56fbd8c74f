"""Kernels, and the feature vectors behind them: Schölkopf and Smola 2002, *Learning with Kernels*."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer

Array = NDArray[np.float64]


def breast_cancer() -> tuple[Array, Array]:
    """Wisconsin's breast cancer data (real, scikit-learn's), each feature at mean 0 and deviation 1: (569, 30), ±1."""
    data = load_breast_cancer()
    return (data.data - data.data.mean(0)) / data.data.std(0), np.where(data.target == 1, 1.0, -1.0)


def linear(a: Array, b: Array) -> Array:
    """k(x, z) = x·z for all rows, (n, d), (m, d) → (n, m)."""
    return a @ b.T


def poly(a: Array, b: Array, degree: int = 2, gamma: float = 1.0) -> Array:
    """k(x, z) = (1 + γ x·z)^p."""
    return (1 + gamma * a @ b.T) ** degree


def rbf(a: Array, b: Array, gamma: float) -> Array:
    """k(x, z) = exp(−γ‖x − z‖²)."""
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * a @ b.T  # (n, m)
    similarity: Array = np.exp(-gamma * np.maximum(squares, 0))
    return similarity


def degree_two_map(x: Array) -> Array:
    """φ with φ(x)·φ(z) = (1 + x·z)²: 1, √2 xᵢ, xᵢ², √2 xᵢxⱼ for i < j; (n, d) → (n, (d+1)(d+2)/2)."""
    i, j = np.array(list(combinations(range(x.shape[1]), 2))).T
    return np.hstack([np.ones((len(x), 1)), 2**0.5 * x, x * x, 2**0.5 * x[:, i] * x[:, j]])


def random_features(x: Array, gamma: float, count: int, rng: np.random.Generator) -> Array:
    """Rahimi and Recht 2007: z(x) = √(2/D) cos(Wx + u), E[z(x)·z(x')] = exp(−γ‖x − x'‖²); (n, d) → (n, D)."""
    w = rng.normal(0, (2 * gamma) ** 0.5, (x.shape[1], count))  # the kernel's Fourier transform is a normal density
    u = rng.uniform(0, 2 * np.pi, count)
    features: Array = (2 / count) ** 0.5 * np.cos(x @ w + u)
    return features
