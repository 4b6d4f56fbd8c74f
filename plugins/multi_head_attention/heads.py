"""Attention Is All You Need, Vaswani et al. 2017, §3.2.2, https://arxiv.org/abs/1706.03762

    MultiHead(X) = concat(head_1, …, head_h) W_O ,      head_i = softmax(X W_Q^i (X W_K^i)ᵀ / √d_k) X W_V^i

Three ways to give h heads their share of d features, in the words of https://peterbloem.nl/blog/transformers:

    standard   every head projects the whole token, d → d/h; the projections are split     4 d² weights
    sliced     the token is cut into h slices, head i sees only slice i ("narrow")         3 d²/h + d²
    wide       every head projects the whole token, d → d, and W_O brings h·d back to d     4 h d²

The tokens are real: each row of a digit image (scikit-learn's) is a token of 8 pixels, embedded by a random matrix.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from kb import Report
from kb.errors import UsageError


def tokens(dim: int, generator: torch.Generator) -> Tensor:
    """The eight rows of one digit as tokens, (8, d) float64."""
    rows = torch.tensor(load_digits().images[0] / 16)  # (8, 8)
    return rows @ torch.randn(8, dim, generator=generator, dtype=torch.float64) + torch.randn(
        8, dim, generator=generator, dtype=torch.float64
    )


def head(x: Tensor, wq: Tensor, wk: Tensor, wv: Tensor) -> tuple[Tensor, Tensor]:
    """One head: its output (n, d_v) and its scores before the softmax (n, n)."""
    q, k, v = x @ wq, x @ wk, x @ wv  # (n, d_k), (n, d_k), (n, d_v)
    scores = q @ k.T / q.shape[1] ** 0.5  # (n, n)
    return torch.softmax(scores, 1) @ v, scores


def by_heads(x: Tensor, module: nn.MultiheadAttention) -> tuple[Tensor, Tensor]:
    """torch's own weights, one head at a time: concatenated then projected, and as a sum over the heads."""
    d, h = module.embed_dim, module.num_heads
    size = d // h
    assert module.in_proj_weight is not None
    wq, wk, wv = (w.T for w in module.in_proj_weight.chunk(3))  # (d, d) each, for x @ w
    wo = module.out_proj.weight.T  # (d, d)
    parts, total = [], torch.zeros_like(x)
    for i in range(h):
        mine = slice(i * size, (i + 1) * size)
        out, _ = head(x, wq[:, mine], wk[:, mine], wv[:, mine])  # (n, d/h)
        parts.append(out)
        total = total + out @ wo[mine]  # each head writes into the same d features
    return torch.cat(parts, 1) @ wo, total


def seen(scores_of: object, x: Tensor) -> Tensor:
    """|∂ score(0, 1) / ∂ token 1|, (d,): the features of the other token that a head's score depends on."""
    x = x.clone().requires_grad_(True)
    score = scores_of(x)[0, 1]  # type: ignore[operator]
    (gradient,) = torch.autograd.grad(score, x)
    return gradient[1].abs()


def main(report: Report, dim: int, heads: int, groups: int, seed: int) -> None:
    """Compare with torch's module, then look at what each way of splitting sees, can express, and costs."""
    if dim % heads or heads % groups:
        raise UsageError(f"heads ({heads}) must divide dim ({dim}), and groups ({groups}) must divide heads")
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    x, size = tokens(dim, generator), dim // heads

    module = nn.MultiheadAttention(dim, heads, bias=False, batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        theirs = module(x[None], x[None], x[None], need_weights=False)[0][0]  # (8, d)
        joined, summed = by_heads(x, module)
    report.check("one-head-at-a-time-is-torchs", float((joined - theirs).abs().max()), at_most=1e-12)
    report.check("heads-add-up", float((summed - joined).abs().max()), at_most=1e-12)

    def weights(rows: int, columns: int) -> Tensor:
        drawn: Tensor = torch.randn(rows, columns, generator=generator, dtype=torch.float64) / rows**0.5
        return drawn

    maps = {"standard": [], "sliced": [], "wide": []}  # type: dict[str, list[Tensor]]
    for i in range(heads):
        mine = slice(i * size, (i + 1) * size)
        wq, wk, wv = weights(dim, size), weights(dim, size), weights(dim, size)
        maps["standard"].append(seen(lambda t, q=wq, k=wk, v=wv: head(t, q, k, v)[1], x))
        sq, sk, sv = weights(size, size), weights(size, size), weights(size, size)
        maps["sliced"].append(seen(lambda t, q=sq, k=sk, v=sv, m=mine: head(t[:, m], q, k, v)[1], x))
        bq, bk, bv = weights(dim, dim), weights(dim, dim), weights(dim, dim)
        maps["wide"].append(seen(lambda t, q=bq, k=bk, v=bv: head(t, q, k, v)[1], x))
    counts = {"standard": 4 * dim**2, "sliced": 3 * dim * size + dim**2, "wide": 4 * heads * dim**2}
    rows = []
    for way, gradients in maps.items():
        features = {int((g > 0).sum()) for g in gradients}
        report.metric(f"{way}-features-seen", max(features))
        report.metric(f"{way}-weights", counts[way])
        rows.append((way, max(features), counts[way]))
        report.image(
            torch.stack(gradients),
            title=f"{way}: features of a token that a head's score depends on",
            xlabel="feature",
            ylabel="head",
        )
    report.table("What a head sees", ("way", f"features seen of {dim}", "weights"), rows)
    report.check("standard-head-sees-all", min(int((g > 0).sum()) for g in maps["standard"]), dim)
    report.check("sliced-head-sees-its-slice", max(int((g > 0).sum()) for g in maps["sliced"]), size)
    report.check("torchs-weights", sum(p.numel() for p in module.parameters()), counts["standard"])

    rank(report, dim, heads, generator)
    cost(report, x, dim, heads, groups, generator)


def rank(report: Report, dim: int, heads: int, generator: torch.Generator) -> None:
    """The scores of a head are X (W_Q W_Kᵀ) Xᵀ: a d×d form of rank at most d/h. That is what more heads cost."""

    def form(columns: int) -> int:
        wq = torch.randn(dim, columns, generator=generator, dtype=torch.float64)
        wk = torch.randn(dim, columns, generator=generator, dtype=torch.float64)
        return int(torch.linalg.matrix_rank(wq @ wk.T))

    report.metric("rank-of-a-head", form(dim // heads))
    report.check("head-has-low-rank", form(dim // heads), dim // heads)
    report.check("a-single-head-has-full-rank", form(dim), dim)


def cost(report: Report, x: Tensor, dim: int, heads: int, groups: int, generator: torch.Generator) -> None:
    """Multiply-adds do not depend on the number of heads; grouped-query attention shrinks what has to be kept."""
    n, size = len(x), dim // heads
    q = torch.randn(1, heads, n, size, generator=generator, dtype=torch.float64)
    k = torch.randn(1, groups, n, size, generator=generator, dtype=torch.float64)
    v = torch.randn(1, groups, n, size, generator=generator, dtype=torch.float64)
    grouped = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)  # (1, h, n, d/h)
    repeated = F.scaled_dot_product_attention(
        q, k.repeat_interleave(heads // groups, 1), v.repeat_interleave(heads // groups, 1)
    )
    report.check("grouped-queries-share-keys", float((grouped - repeated).abs().max()), at_most=1e-12)
    report.metric("kv-cache-saving", (2 * heads * size) / (2 * groups * size), "×")
    many, one = (multiply_adds(n, dim, count) for count in (heads, 1))
    report.metric("multiply-adds", many)
    report.check("heads-cost-no-multiply-adds", many, one)
    report.metric("score-entries", heads * n * n)


def multiply_adds(n: int, dim: int, heads: int) -> int:
    """Of the matrix products in one forward pass over n tokens, counted by torch on tensors without data."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.device("meta"):
        x, wide = torch.empty(n, dim), [torch.empty(dim, dim) for _ in range(4)]
        q, k, v = ((x @ w).view(n, heads, dim // heads).transpose(0, 1) for w in wide[:3])  # (h, n, d/h) each
        out = (q @ k.transpose(1, 2)).softmax(-1) @ v  # (h, n, n) @ (h, n, d/h) -> (h, n, d/h)
        out.transpose(0, 1).reshape(n, dim) @ wide[3]
    return int(counter.get_total_flops()) // 2
