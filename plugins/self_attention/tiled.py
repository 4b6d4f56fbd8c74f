"""Attention without the N × N matrix: Milakov & Gimelshein 2018, "Online normalizer calculation for softmax",
https://arxiv.org/abs/1805.02867, tiled as in Dao 2023, "FlashAttention-2", https://arxiv.org/abs/2307.08691.

A softmax needs the maximum and the sum of a whole row, and a row of scores is what must not be kept. So both are kept
up to date while the keys go by, one tile after the other, and what was added up under an older maximum is rescaled.
The result is exact. The backward pass keeps no weights either: it computes each tile of them again.

The tiles are PyTorch calls here, so that the method can be read; a fused kernel holds a tile in the fast memory next to
the arithmetic, which is where its speed comes from.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = False, block: int = 256) -> Tensor:
    """softmax(QKᵀ/√d_k)V for q, k, v of shape (B, H, N, D), in tiles of ``block`` queries by ``block`` keys."""
    output: Tensor = _Tiled.apply(q, k, v, causal, block)  # type: ignore[no-untyped-call]
    return output


def forward(q: Tensor, k: Tensor, v: Tensor, causal: bool, block: int) -> tuple[Tensor, Tensor]:
    """The output (B, H, N, D) and each query's log-sum-exp of its scores (B, H, N, 1), all that backward needs."""
    n = q.shape[-2]
    wide = _accumulator(q)
    output = torch.empty_like(q)  # (B, H, N, D)
    log_sums = q.new_empty(*q.shape[:-1], 1, dtype=wide)  # (B, H, N, 1)
    for i in range(0, n, block):
        queries = slice(i, i + block)
        tile = q[..., queries, :]  # (B, H, R, D)
        highest = tile.new_full((*tile.shape[:-1], 1), float("-inf"), dtype=wide)  # m (B, H, R, 1)
        total = torch.zeros_like(highest)  # ℓ (B, H, R, 1)
        mixture = torch.zeros_like(tile, dtype=wide)  # O before the division (B, H, R, D)
        for j in range(0, i + tile.shape[-2] if causal else n, block):
            keys = slice(j, j + block)
            scores = _scores(q, k, queries, keys, causal)  # S (B, H, R, C)
            # m' = max(m, max_c S_c)
            higher = torch.maximum(highest, scores.amax(-1, keepdim=True))  # (B, H, R, 1)
            # what was summed under the maximum m counts e^{m − m'} of it under m'
            shrink = torch.exp(highest - higher)  # (B, H, R, 1)
            weights = scores.sub_(higher).exp_()  # e^{S − m'} (B, H, R, C)
            # ℓ' = e^{m − m'} ℓ + Σ_c e^{S_c − m'}
            total = total * shrink + weights.sum(-1, keepdim=True)
            # O' = e^{m − m'} O + e^{S − m'} V
            mixture = mixture.mul_(shrink).add_(weights.to(v.dtype) @ v[..., keys, :])  # (B, H, R, D)
            highest = higher
        # O = O / ℓ and L = m + ln ℓ
        output[..., queries, :] = mixture / total
        log_sums[..., queries, :] = highest + total.log()
    return output, log_sums


def backward(
    upstream: Tensor, q: Tensor, k: Tensor, v: Tensor, output: Tensor, log_sums: Tensor, causal: bool, block: int
) -> tuple[Tensor, Tensor, Tensor]:
    """dQ, dK, dV, shape (B, H, N, D), from the gradient ``upstream`` (dO) of the output."""
    n, d = q.shape[-2:]
    dq, dk, dv = (torch.zeros_like(x, dtype=_accumulator(q)) for x in (q, k, v))  # (B, H, N, D) each
    # Δ = rowsum(dO ∘ O), which is also rowsum(dP ∘ P)
    delta = (upstream * output).sum(-1, keepdim=True, dtype=dq.dtype)  # (B, H, N, 1)
    for j in range(0, n, block):
        keys = slice(j, j + block)
        for i in range(j if causal else 0, n, block):
            queries = slice(i, i + block)
            do = upstream[..., queries, :]  # (B, H, R, D)
            # P = e^{S − L}: the weights again, already divided by their sum
            p = _scores(q, k, queries, keys, causal).sub_(log_sums[..., queries, :]).exp_()  # (B, H, R, C)
            # dV = Pᵀ dO,  dP = dO Vᵀ
            dv[..., keys, :] += p.to(v.dtype).transpose(-2, -1) @ do  # (B, H, C, D)
            dp = (do @ v[..., keys, :].transpose(-2, -1)).to(p.dtype)  # (B, H, R, C)
            # dS = P ∘ (dP − Δ), and S = QKᵀ/√d_k
            ds = dp.sub_(delta[..., queries, :]).mul_(p).mul_(d**-0.5).to(q.dtype)  # (B, H, R, C)
            dq[..., queries, :] += ds @ k[..., keys, :]  # (B, H, R, D)
            dk[..., keys, :] += ds.transpose(-2, -1) @ q[..., queries, :]  # (B, H, C, D)
    return dq.to(q.dtype), dk.to(k.dtype), dv.to(v.dtype)


def _scores(q: Tensor, k: Tensor, queries: slice, keys: slice, causal: bool) -> Tensor:
    """One tile of S = QKᵀ/√d_k (B, H, R, C); −∞ where a key lies in the future of its query."""
    scores = (q[..., queries, :] @ k[..., keys, :].transpose(-2, -1)).to(_accumulator(q))  # (B, H, R, C)
    scores.mul_(q.shape[-1] ** -0.5)
    if causal and keys.start >= queries.start:  # on the diagonal; tiles before it are all past
        row = queries.start + torch.arange(scores.shape[-2], device=q.device)  # (R,)
        column = keys.start + torch.arange(scores.shape[-1], device=q.device)  # (C,)
        scores.masked_fill_(column > row[:, None], float("-inf"))
    return scores


def _accumulator(x: Tensor) -> torch.dtype:
    """Sums over thousands of keys are kept in float32 at least."""
    return torch.promote_types(x.dtype, torch.float32)


class _Tiled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, causal: bool, block: int) -> Tensor:
        output, log_sums = forward(q, k, v, causal, block)
        ctx.save_for_backward(q, k, v, output, log_sums)  # O(N·D): no weights
        ctx.causal, ctx.block = causal, block
        return output

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> tuple[Tensor | None, ...]:
        q, k, v, output, log_sums = ctx.saved_tensors
        gradients = backward(upstream[0], q, k, v, output, log_sums, ctx.causal, ctx.block)
        return *gradients, None, None
