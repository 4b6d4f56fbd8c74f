"""Attention as the formula says it: Vaswani et al. 2017, "Attention Is All You Need", https://arxiv.org/abs/1706.03762.

Every matrix of the formula is a tensor in memory, N × N ones included: this is what the others are measured against.
"""

from __future__ import annotations

import torch
from torch import Tensor


def attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> Tensor:
    """softmax(QKᵀ/√d_k)V for q, k, v of shape (B, H, N, D); ``causal``: position i sees the keys j ≤ i only."""
    n, d = q.shape[-2:]
    # S = QKᵀ/√d_k: how well each query fits each key
    scores = q @ k.transpose(-2, -1) * d**-0.5  # (B, H, N, N)
    if causal:
        future = torch.ones(n, n, dtype=torch.bool, device=q.device).triu(1)  # (N, N)
        scores = scores.masked_fill(future, float("-inf"))
    # P = softmax(S), each row over the keys, so that the weights of a query add up to 1
    weights = torch.softmax(scores, dim=-1)  # (B, H, N, N)
    # O = PV: each query's average of the values
    return weights @ v  # (B, H, N, D)


def reference(
    q: Tensor, k: Tensor, v: Tensor, upstream: Tensor | None, causal: bool = False, rows: int = 512
) -> tuple[Tensor, list[Tensor]]:
    """The same formula in float64 on the same device, and dQ, dK, dV for the gradient ``upstream`` of the output.

    Queries don't look at each other, so a band of ``rows`` of them at a time gives the exact result and keeps the
    N × N matrices of a long sequence out of memory. Gradients are autograd's; without ``upstream`` there are none.
    """
    n, d = q.shape[-2:]
    q, k, v = (x.detach().double() for x in (q, k, v))
    output = torch.empty_like(q)  # (B, H, N, D)
    gradients = [torch.zeros_like(x) for x in (q, k, v)]  # (B, H, N, D) each
    for start in range(0, n, rows):
        band = slice(start, start + rows)
        inputs = [x.detach().requires_grad_(upstream is not None) for x in (q[..., band, :], k, v)]
        scores = inputs[0] @ inputs[1].transpose(-2, -1) / d**0.5  # (B, H, rows, N)
        if causal:
            here = torch.arange(n, device=q.device)  # (N,)
            scores = scores.masked_fill(here > here[band, None], float("-inf"))
        result = torch.softmax(scores, dim=-1) @ inputs[2]  # (B, H, rows, D)
        output[..., band, :] = result.detach()
        if upstream is not None:
            dq, dk, dv = torch.autograd.grad(result, inputs, upstream[..., band, :].double())
            gradients[0][..., band, :] = dq
            gradients[1] += dk
            gradients[2] += dv
    return output, gradients if upstream is not None else []


def relative_error(x: Tensor, exact: Tensor) -> float:
    """‖x − exact‖₂ / ‖exact‖₂."""
    return float(torch.linalg.vector_norm(x.detach().double() - exact) / torch.linalg.vector_norm(exact))
