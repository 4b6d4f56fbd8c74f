"""The Transformer's layers: Vaswani et al. 2017, "Attention Is All You Need", https://arxiv.org/abs/1706.03762, §3.

Put together from the parts that the topics below this one explain: attention, heads, residual connections, layer norm,
positions. Weights are read from PyTorch's modules of the same name, so that both compute with the same numbers.

    B batch, N tokens of the target, M of the source, D model width, H heads, F inner width of the feed-forward network
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..layer_norm.norms import normalise
from ..positional_encoding.rotations import sinusoids
from ..self_attention.naive import attention

Sublayer = Callable[[Tensor], Tensor]


def embed(x: Tensor, weight: Tensor, base: float = 10000.0) -> Tensor:
    """Tokens of P features (B, N, P) by the embedding (P, D): E·√D + PE, a sum, not a concatenation (§3.4, §3.5)."""
    width = weight.shape[1]
    positions = sinusoids(torch.arange(x.shape[1], dtype=torch.float64).numpy(), width, base)
    return x @ weight * math.sqrt(width) + torch.from_numpy(positions).to(x)  # (B, N, D)


def multi_head(x: Tensor, memory: Tensor, module: nn.MultiheadAttention, causal: bool = False) -> Tensor:
    """Queries from x (B, N, D), keys and values from memory (B, M, D): the same tensor in self-attention (§3.2.2)."""
    assert module.in_proj_weight is not None

    def heads(tokens: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        b, n, d = tokens.shape
        projected = tokens @ weight.T + bias  # (B, N, D)
        return projected.view(b, n, module.num_heads, d // module.num_heads).transpose(1, 2)  # (B, H, N, D/H)

    wq, wk, wv = module.in_proj_weight.chunk(3)  # (D, D) each
    bq, bk, bv = module.in_proj_bias.chunk(3)  # (D,) each
    q, k, v = heads(x, wq, bq), heads(memory, wk, bk), heads(memory, wv, bv)  # (B, H, N or M, D/H)
    mixed = attention(q, k, v, causal).transpose(1, 2).flatten(2)  # (B, N, D), heads side by side again
    output: Tensor = module.out_proj(mixed)  # (B, N, D)
    return output


def feed_forward(x: Tensor, layer: nn.TransformerEncoderLayer | nn.TransformerDecoderLayer) -> Tensor:
    """max(0, xW₁ + b₁)W₂ + b₂, each token on its own (§3.3)."""
    inner = torch.relu(x @ layer.linear1.weight.T + layer.linear1.bias)  # (B, N, F)
    return inner @ layer.linear2.weight.T + layer.linear2.bias  # (B, N, D)


def norm(x: Tensor, module: nn.LayerNorm) -> Tensor:
    """γ (x − μ)/√(σ² + ε) + β over the features of each token."""
    return normalise(x, (-1,), module.eps) * module.weight + module.bias  # (B, N, D)


def connect(x: Tensor, sublayer: Sublayer, module: nn.LayerNorm, norm_first: bool) -> Tensor:
    """The residual connection around a sub-layer: norm(x + f(x)) as in the paper, or x + f(norm(x)) as mostly today."""
    return x + sublayer(norm(x, module)) if norm_first else norm(x + sublayer(x), module)


def encoder_layer(x: Tensor, layer: nn.TransformerEncoderLayer) -> Tensor:
    """Every token looks at every token, then thinks by itself (§3.1)."""
    x = connect(x, lambda y: multi_head(y, y, layer.self_attn), layer.norm1, layer.norm_first)
    return connect(x, lambda y: feed_forward(y, layer), layer.norm2, layer.norm_first)  # (B, N, D)


def decoder_layer(x: Tensor, memory: Tensor, layer: nn.TransformerDecoderLayer) -> Tensor:
    """Look back at the target so far, look at the source, think (§3.1)."""
    x = connect(x, lambda y: multi_head(y, y, layer.self_attn, causal=True), layer.norm1, layer.norm_first)
    x = connect(x, lambda y: multi_head(y, memory, layer.multihead_attn), layer.norm2, layer.norm_first)
    return connect(x, lambda y: feed_forward(y, layer), layer.norm3, layer.norm_first)  # (B, N, D)


def transformer(source: Tensor, target: Tensor, model: nn.Transformer) -> Tensor:
    """The encoder over the source (B, M, D), the decoder over the target (B, N, D); each stack ends in a norm.

    That last norm is PyTorch's: a stack with the norm in front needs it; the paper's, with the norm behind, has none.
    """
    memory = source
    for layer in model.encoder.layers:
        memory = encoder_layer(memory, layer)  # (B, M, D)
    memory = norm(memory, model.encoder.norm)
    output = target
    for layer in model.decoder.layers:
        output = decoder_layer(output, memory, layer)  # (B, N, D)
    return norm(output, model.decoder.norm)
