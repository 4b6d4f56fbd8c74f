"""Why scores are divided by √d_k: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, §3.2.1.

If the entries of q and k are independent with mean 0 and variance 1, then q·k = Σ qᵢkᵢ adds up d_k independent terms of
mean 0 and variance 1: its variance is d_k. Without the division the scores of a wide head are far apart, the softmax
puts all its weight on one key, and its gradient vanishes. Random vectors are right here: the claim is about them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kb import Report

WIDTHS = (4, 16, 64, 256, 1024)


def main(report: Report, keys: int, pairs: int, seed: int) -> None:
    """Variance, entropy and gradient over d_k, with and without the division."""
    generator = torch.Generator().manual_seed(seed)
    queries = max(50, min(200, 20000 // keys))  # fewer where each has many keys, for the sake of memory
    variances: list[float] = []
    entropy: dict[str, list[float]] = {"q·k": [], "q·k/√d_k": []}
    slope: dict[str, list[float]] = {"q·k": [], "q·k/√d_k": []}
    for d in WIDTHS:
        variances.append(product_variance(pairs, d, generator))
        q = torch.randn(queries, d, dtype=torch.float64, generator=generator)  # (Q, d_k)
        k = torch.randn(queries, keys, d, dtype=torch.float64, generator=generator)  # (Q, K, d_k), own keys a query
        scores = torch.einsum("qd,qkd->qk", q, k)  # (Q, K)
        for label, s in (("q·k", scores), ("q·k/√d_k", scores / math.sqrt(d))):
            p = torch.softmax(s, dim=-1)  # (Q, K)
            entropy[label].append(float(normalized_entropy(p).mean()))
            slope[label].append(float(jacobian_norm(p).median()))

    for d, variance in zip(WIDTHS, variances, strict=True):
        # 20000 independent pairs: the ratio's standard deviation is √((2 + 6/d)/pairs), 0.013 at d = 4; eight of them
        report.check(f"variance-over-width-{d}", variance / d, 1.0, atol=8 * math.sqrt((2 + 6 / d) / pairs))
    report.check("entropy-unscaled-falls", entropy["q·k"][-1] / entropy["q·k"][0], at_most=0.25)
    report.check("entropy-scaled-stays", entropy["q·k/√d_k"][-1] / entropy["q·k/√d_k"][0], 1.0, atol=0.15)
    report.check("gradient-lost", slope["q·k"][-1] / slope["q·k/√d_k"][-1], at_most=0.25)
    report.metric("variance-at-1024", variances[-1])
    report.metric("entropy-unscaled-at-1024", entropy["q·k"][-1])
    report.metric("entropy-scaled-at-1024", entropy["q·k/√d_k"][-1])
    rows = [
        (d, v, *(float(f"{table[label][i]:.3g}") for table in (entropy, slope) for label in table))
        for i, (d, v) in enumerate(zip(WIDTHS, (round(v, 1) for v in variances), strict=True))
    ]
    report.table("widths", ("d_k", "Var q·k", "entropy q·k", "entropy /√d_k", "‖∂p/∂s‖ q·k", "‖∂p/∂s‖ /√d_k"), rows)
    report.curve(
        WIDTHS,
        entropy,
        log="x",
        title="Entropy of the attention weights",
        xlabel="d_k",
        ylabel=f"entropy / ln {keys}",
    )
    report.curve(WIDTHS, slope, log="xy", title="Gradient of the softmax", xlabel="d_k", ylabel="median ‖∂p/∂s‖")


def product_variance(pairs: int, d: int, generator: torch.Generator) -> float:
    """The variance of q·k over independent pairs of vectors of d entries from N(0, 1)."""
    q, k = (torch.randn(pairs, d, generator=generator) for _ in range(2))  # (pairs, d) each
    return float((q * k).sum(-1).double().var())


def normalized_entropy(p: Tensor) -> Tensor:
    """−Σ p ln p / ln K for each row of p (…, K): 1 for equal weights, 0 for all on one key."""
    entropy: Tensor = torch.special.entr(p).sum(-1)  # (…)
    return entropy / math.log(p.shape[-1])


def jacobian_norm(p: Tensor) -> Tensor:
    """‖∂p/∂s‖_F of p = softmax(s) (…, K): ∂pᵢ/∂sⱼ = pᵢ(δᵢⱼ − pⱼ), whose squares add up to Σp² − 2Σp³ + (Σp²)²."""
    square = (p**2).sum(-1)  # (…)
    squares = square - 2 * (p**3).sum(-1) + square**2  # (…)
    norms: Tensor = squares.clamp(min=0).sqrt()
    return norms
