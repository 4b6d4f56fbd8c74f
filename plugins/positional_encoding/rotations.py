"""RoFormer: Enhanced Transformer with Rotary Position Embedding, Su et al. 2021, https://arxiv.org/abs/2104.09864

Attention without positions treats its input as a set. Two ways to add the order, with the same d/2 frequencies
ω_i = base^(−2i/d):

    sinusoids   PE(p)_2i = sin(p ω_i),  PE(p)_2i+1 = cos(p ω_i)      added to the embedding, once, at the bottom
                https://arxiv.org/abs/1706.03762
    RoPE        q_m → R_m q,  k_n → R_n k                            multiplies queries and keys, in every layer

R_p turns feature pair i by the angle p ω_i. Rotations compose, R_mᵀ R_n = R_{n−m}, so that

    (R_m q)·(R_n k) = q · R_{n−m} k              and              PE(p + k) = R_{−k} PE(p)

The tokens are random: the identities hold for all of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb import Report

Array = NDArray[np.float64]


def frequencies(dim: int, base: float) -> Array:
    """ω_i = base^(−2i/d), shape (d/2,)."""
    return base ** (-np.arange(0, dim, 2) / dim)


def sinusoids(positions: Array, dim: int, base: float) -> Array:
    """PE, shape (n, d): sine and cosine of each angle next to each other."""
    angles = positions[:, None] * frequencies(dim, base)  # (n, d/2)
    return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(len(positions), dim)  # (n, d)


def rotate(x: Array, position: float | Array, base: float) -> Array:
    """R_p x: turn each pair (x_2i, x_2i+1) by p ω_i, shape kept.

    (a, b) → (a cos θ − b sin θ, a sin θ + b cos θ)
    """
    angle = np.asarray(position)[..., None] * frequencies(x.shape[-1], base)  # (…, d/2)
    a, b = x[..., 0::2], x[..., 1::2]  # (…, d/2) each
    turned = np.stack([a * np.cos(angle) - b * np.sin(angle), a * np.sin(angle) + b * np.cos(angle)], -1)
    return turned.reshape(x.shape)


def attention(x: Array, queries: Array, keys: Array, values: Array) -> Array:
    """softmax(Q Kᵀ/√d) V of tokens ``x``, (n, d), with no positions."""
    q, k, v = x @ queries, x @ keys, x @ values  # (n, d) each
    scores = q @ k.T / np.sqrt(x.shape[1])  # (n, n)
    weights = np.exp(scores - scores.max(1, keepdims=True))
    mixed: Array = weights / weights.sum(1, keepdims=True) @ v  # (n, d)
    return mixed


def main(report: Report, dim: int, base: float, offset: int, furthest: int, seed: int) -> None:
    """Check the identities, and that each fails where it must."""
    dim -= dim % 2
    rng = np.random.default_rng(seed)
    positions = np.linspace(0, furthest, 50).round()

    # PE(p + k) = R_−k PE(p): a pair (sin θ, cos θ) turns the other way round than (cos θ, sin θ)
    moved = sinusoids(positions + offset, dim, base)
    turned = rotate(sinusoids(positions, dim, base), np.full(len(positions), -float(offset)), base)
    report.check("sinusoids-shift-by-a-rotation", float(np.abs(moved - turned).max()), at_most=1e-9)

    # RoPE: the score depends on n − m only, and no vector changes its length
    q, k = rng.standard_normal((2, dim))
    scores = np.array([rotate(q, m, base) @ rotate(k, m + offset, base) for m in positions])
    other = rotate(q, 0.0, base) @ rotate(k, offset + 1.0, base)
    lengths = np.linalg.norm(rotate(np.tile(q, (len(positions), 1)), positions, base), axis=1)
    report.metric("rope-score-spread", float(np.ptp(scores)))
    report.check("rope-score-is-relative", float(np.ptp(scores)), at_most=1e-9 * dim)
    report.check("rope-score-differs-by-offset", abs(float(other - scores[0])), at_least=1e-6)
    report.check("rope-keeps-length", float(np.ptp(lengths)), at_most=1e-9)

    # adding sinusoids leaves cross terms q·PE(n) + PE(m)·k, which depend on where the pair stands
    added = [
        (q + sinusoids(np.array([m]), dim, base)[0]) @ (k + sinusoids(np.array([m + offset]), dim, base)[0])
        for m in positions
    ]
    report.metric("sinusoid-score-spread", float(np.ptp(added)))
    report.check("added-score-is-not-relative", float(np.ptp(added)), at_least=0.1)

    # without positions a shuffle of the tokens only shuffles the outputs
    tokens = rng.standard_normal((12, dim))
    weights = rng.standard_normal((3, dim, dim)) / np.sqrt(dim)
    shuffle = rng.permutation(12)
    while (shuffle == np.arange(12)).all():
        shuffle = rng.permutation(12)
    plain = attention(tokens[shuffle], *weights) - attention(tokens, *weights)[shuffle]
    places = sinusoids(np.arange(12.0), dim, base)
    placed = attention(tokens[shuffle] + places, *weights) - attention(tokens + places, *weights)[shuffle]
    pooled = attention(tokens[shuffle], *weights).mean(0) - attention(tokens, *weights).mean(0)
    report.metric("pooled-change-without-positions", float(np.abs(pooled).max()))
    report.check("attention-sees-a-set", float(np.abs(plain).max()), at_most=1e-10)
    report.check("positions-break-it", float(np.abs(placed).max()), at_least=1e-3)

    report.image(sinusoids(np.arange(64.0), dim, base), title="Sinusoids", xlabel="feature", ylabel="position")
    span = np.arange(32.0)
    rope = rotate(np.tile(q, (32, 1)), span, base) @ rotate(np.tile(k, (32, 1)), span, base).T  # (32, 32)
    sums = (q + sinusoids(span, dim, base)) @ (k + sinusoids(span, dim, base)).T  # (32, 32)
    report.image(rope, title="RoPE scores: equal along diagonals", xlabel="key position", ylabel="query position")
    report.image(sums, title="Scores with added sinusoids: not", xlabel="key position", ylabel="query position")
