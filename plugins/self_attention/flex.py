"""Attention whose scores and masks are written in Python and compiled into a fused kernel: Dong et al. 2024, "Flex
Attention: A Programming Model for Generating Optimized Attention Kernels", https://arxiv.org/abs/2412.05496.

A mask is a function of (batch, head, query index, key index). The block mask tells the kernel which tiles are empty, so
that they are never visited. Without ``torch.compile`` the same call is a reference that keeps the N × N matrix.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention


def not_the_future(b: Tensor, h: Tensor, query: Tensor, key: Tensor) -> Tensor:
    """The causal mask: a position attends to itself and to those before it."""
    return key <= query


@functools.lru_cache(maxsize=8)
def causal_blocks(n: int, device: str) -> BlockMask:
    """Which tiles of the N × N scores hold anything under the causal mask."""
    return create_block_mask(not_the_future, B=None, H=None, Q_LEN=n, KV_LEN=n, device=device)


def build(compiled: bool = True) -> Callable[[Tensor, Tensor, Tensor, bool], Tensor]:
    """softmax(QKᵀ/√d_k)V for q, k, v of shape (B, H, N, D), compiled or as the reference."""
    run = torch.compile(flex_attention, dynamic=False) if compiled else flex_attention

    def attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = False) -> Tensor:
        blocks = causal_blocks(q.shape[-2], str(q.device)) if causal else None
        output: Tensor = run(q, k, v, block_mask=blocks)
        return output

    return attention
