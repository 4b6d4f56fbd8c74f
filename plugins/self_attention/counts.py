"""The work and the traffic of attention, counted: Dao et al. 2022, "FlashAttention", https://arxiv.org/abs/2205.14135.

B batches, H heads, N tokens, D numbers a head. Exponentials are not counted, as is the custom; they are N² a head too.
"""

from __future__ import annotations


def forward_flops(b: int, h: int, n: int, d: int, halved: bool = False) -> int:
    """FLOPs of QKᵀ and PV: 2·2·B·H·N²·D; ``halved``: only the N(N+1)/2 pairs that a causal mask leaves."""
    pairs = n * (n + 1) // 2 if halved else n * n
    return 4 * b * h * pairs * d


def backward_flops(b: int, h: int, n: int, d: int, halved: bool = False, again: bool = False) -> int:
    """FLOPs of dV, dP, dQ, dK, two times the forward pass; ``again``: and QKᵀ once more, where P was not kept."""
    return forward_flops(b, h, n, d, halved) * (5 if again else 4) // 2


def compulsory_bytes(b: int, h: int, n: int, d: int, itemsize: int) -> int:
    """Bytes that must move even if every tensor is touched once: Q, K, V read and O written."""
    return 4 * b * h * n * d * itemsize


def matrix_bytes(b: int, h: int, n: int, itemsize: int) -> int:
    """Bytes of one N × N matrix of scores or weights for every head."""
    return b * h * n * n * itemsize


def intensity(n: int, d: int, itemsize: int, matrices: int = 0) -> float:
    """FLOP/byte of the forward pass if Q, K, V, O and ``matrices`` N × N ones move once each.

    Without matrices N/itemsize, an upper bound, since a tiled kernel reads K and V once a block of queries. The plain
    formula writes and reads S and P, which makes four matrices, and comes to D/itemsize for N ≫ D.
    """
    traffic = compulsory_bytes(1, 1, n, d, itemsize) + matrices * matrix_bytes(1, 1, n, itemsize)
    return forward_flops(1, 1, n, d) / traffic
