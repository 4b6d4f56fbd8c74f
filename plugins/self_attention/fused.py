"""Attention as one kernel of the library: ``torch.nn.functional.scaled_dot_product_attention``.

It chooses among FlashAttention (Dao et al. 2022, https://arxiv.org/abs/2205.14135), a memory-efficient kernel, cuDNN's
and plain mathematics; ``torch.nn.attention.sdpa_kernel`` forbids all but one.
"""

from __future__ import annotations

import warnings

import torch.nn.functional as F
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}


def attention(q: Tensor, k: Tensor, v: Tensor, causal: bool = False, backend: str | None = None) -> Tensor:
    """softmax(QKᵀ/√d_k)V for q, k, v of shape (B, H, N, D) by PyTorch's choice of kernel, or by ``backend``.

    Raises RuntimeError where the backend does not know the device, the type or the shape.
    """
    if backend is None:
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    with sdpa_kernel(BACKENDS[backend]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the reasons against a kernel come as warnings before the error
        return F.scaled_dot_product_attention(q, k, v, is_causal=causal)
