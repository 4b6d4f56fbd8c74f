"""What is held of the measurements: Dao 2023, "FlashAttention-2", https://arxiv.org/abs/2307.08691.

Errors are compared with that of the plain formula in the same type, so that one bound fits all types and lengths.
Bytes are counts, the same in every run; no check reads a clock.
"""

from __future__ import annotations

from functools import partial

import torch
from torch.utils.flop_counter import FlopCounterMode

from kb import Report
from kb.demos import meters

from . import compiled, counts, naive, tiled
from .measure import Result

SLACK = 4  # times the error of the plain formula; over 20 seeds the worst was 1.4, and a test holds it below 2


def arithmetic(report: Report) -> None:
    """Tiling costs no matrix products forward, and one of five more backward, by PyTorch's own count of FLOPs."""
    q, k, v = (torch.randn(1, 1, 128, 16, requires_grad=True) for _ in range(3))
    counted: dict[str, tuple[int, int]] = {}
    for name, attention in (("naive", naive.attention), ("tiled", partial(tiled.attention, block=32))):
        with FlopCounterMode(display=False) as forward:
            output = attention(q, k, v)
        with FlopCounterMode(display=False) as backward:
            torch.autograd.grad(output.sum(), (q, k, v))
        counted[name] = (forward.get_total_flops(), backward.get_total_flops())
    report.check("naive-flops", counted["naive"][0], counts.forward_flops(1, 1, 128, 16))
    report.check("tiled-forward-flops", counted["tiled"][0] / counted["naive"][0], 1.0)
    report.check("tiled-backward-flops", counted["tiled"][1] / counted["naive"][1], 1.25)


def errors(report: Report, results: list[Result]) -> None:
    """As exact as the plain formula in the same type: the worst ratio over the lengths, forward and for gradients."""
    plain = {result.n: result for result in results if result.variant == "naive"}
    for name in dict.fromkeys(result.variant for result in results):
        own = [result for result in results if result.variant == name]
        report.metric(f"error-{name}", max(result.error for result in own))
        if name == "naive":
            continue
        ratios = [result.error / plain[result.n].error for result in own if result.n in plain]
        if ratios:
            report.check(f"error-{name}", max(ratios), at_most=SLACK)
        steeper = [
            result.gradient_error / base
            for result in own
            if result.gradient_error is not None and result.n in plain and (base := plain[result.n].gradient_error)
        ]
        if steeper:
            report.check(f"gradient-error-{name}", max(steeper), at_most=SLACK)


def memory(report: Report, results: list[Result], sizes: tuple[int, int, int], causal: bool, on_cuda: bool) -> None:
    """N × N matrices in the plain formula, none in the others."""
    heads, dim, itemsize = sizes
    packs = itemsize < 4 and not on_cuda  # the CPU's matrix products in half precision copy their inputs, linear in N
    least = settled_from(heads, itemsize, on_cuda)
    settled = {r.n for r in results if r.n >= least}
    of = {name: [r for r in results if r.variant == name] for name in dict.fromkeys(r.variant for r in results)}
    for name, own in of.items():
        report.metric(f"peak-{name}", own[-1].peak / meters.MIB, "MiB")
        if own[-1].saved is not None:
            report.metric(f"saved-{name}", own[-1].saved / meters.MIB, "MiB")

    largest = of["naive"][-1] if of.get("naive") else None
    if largest is not None and not causal:
        # S/√d_k and P, and the output beside them
        bytes_by_theory = (2 * largest.n + dim) * heads * largest.n * itemsize
        if packs:
            report.check("naive-peak-bytes", largest.peak, at_least=bytes_by_theory)
        else:
            report.check("naive-peak-bytes", largest.peak, bytes_by_theory, rtol=0.05)

    square = [r for r in of.get("naive", ())[-2:] if r.n >= 8 * dim]  # where N² outweighs N·D and any scratch memory
    if len(square) > 1 and not packs:
        report.check("naive-memory-exponent", _exponent(square), 2.0, atol=0.1)
    for name, check in (("sdpa", "fused"), ("compiled", "compiled"), ("tiled", "tiled"), ("flex", "flex")):
        grown = [r for r in of.get(name, ()) if r.n in settled]
        if len(grown) < 2 or (name == "compiled" and not all(r.fused_calls for r in grown)):
            continue
        report.check(f"{check}-memory-exponent", _exponent(grown), at_most=1.1)
    if len(settled) < 2:
        report.note(f"The growth of the fused kernels' memory needs two lengths from {least} on to be checked.")

    both = [(f, r) for f in of.get("sdpa", ()) for r in of.get("naive", ()) if f.n == r.n and r.n in settled]
    if both:
        fused, plain = both[-1]
        report.check("fused-memory-share", fused.peak / plain.peak, at_most=0.25)
        if fused.saved is not None:
            # Q, K, V and O, and a number a query, the log-sum-exp, in float32; either may be padded on CUDA
            width = -(-dim // 8) * 8 if on_cuda else dim
            kept = (4 * width * itemsize + 2 * 4) * heads * fused.n
            report.check("fused-saved-bytes", fused.saved, at_most=kept)


def settled_from(heads: int, itemsize: int, on_cuda: bool) -> int:
    """The least N from which scratch memory has its final size, so that what grows with N is the tensors."""
    if not on_cuda:
        return 1024 if itemsize == 4 else 2048  # half precision brings scratch memory of its own
    # With fewer queries in all, FlashAttention on CUDA splits the keys among multiprocessors that would be idle, and
    # keeps a float32 output for each part: memory that comes and goes with N.
    return max(1024, 2**14 // heads)


def _exponent(results: list[Result]) -> float:
    return meters.exponent([r.n for r in results], [r.peak for r in results])


def fusion(report: Report, results: list[Result], heads: int, itemsize: int, causal: bool, on_cuda: bool) -> None:
    """The code that the compiler wrote calls the fused kernel, or with a mask by masked_fill doesn't."""
    own = [result for result in results if result.variant == "compiled"]
    if not own:
        return
    report.metric("compile-time", sum(result.compiling or 0 for result in own), "s")
    calls = all(result.fused_calls for result in own)
    report.metric(
        "compiled-kernels", compiled.sentence(dict.fromkeys(call for result in own for call in result.fused_calls))
    )
    if causal:
        report.check("masked-fill-calls-fused-kernel", any(result.fused_calls for result in own), False)
        matrix = counts.matrix_bytes(1, heads, own[-1].n, itemsize)
        report.check("masked-fill-peak-matrices", own[-1].peak / matrix, at_least=1)
    elif on_cuda and itemsize == 4 and torch.backends.cuda.matmul.fp32_precision != "tf32":
        report.note(
            "In float32 on CUDA the compiler leaves attention alone unless TF32 is allowed: its kernels use it."
        )
    else:
        report.check("compiled-calls-fused-kernel", calls, True)
