"""The cost of attention: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
https://arxiv.org/abs/2205.14135.

The same function, softmax(QKᵀ/√d_k)V, computed in several ways over growing sequence lengths. Held: every way is as exact
as the plain formula in the same type, the plain formula's memory grows with N², that of the fused kernels with N, and the
compiler really does put the fused kernel in the place of the formula. Shown, never held: time, and how much of what this
machine can do is reached. Random queries and keys are right here: rounding and cost don't ask what the numbers mean.
"""

from __future__ import annotations

import os
import warnings

import torch

from kb import Report
from kb.demos import meters
from kb.errors import UsageError
from kb.roots import cache_home

from . import compiled, counts, drawing, flex, variants
from .measure import Problem, Result, Unsupported, measure, reason
from .naive import reference

SLACK = 4  # times the error of the plain formula in the same type; over 20 seeds it was at most 1.4 (see the tests)
SMALLEST_FIT = 1024  # from here on the CPU kernel's tiles have their final size, so that what grows is the tensors


def main(
    report: Report,
    n: str,
    heads: int,
    dim: int,
    dtype: str,
    variants: str,
    causal: bool,
    backward: bool,
    flex: bool,
    repeats: int,
    threads: int,
    seed: int,
    device: str = "cpu",
) -> None:
    """Measure every variant at every length, and check what theory says of them."""
    on_cuda = device.startswith("cuda")
    lengths = _lengths(n, on_cuda)
    heads = heads or (16 if on_cuda else 2)
    kind = getattr(torch, dtype if dtype != "auto" else "bfloat16" if on_cuda else "float32")
    names = _chosen(variants, device, flex)

    with meters.threads(threads), compiled.cache(os.path.join(cache_home(os.environ), "inductor")):
        _flex_finding(report, device)
        roof = meters.roofline(device, kind)
        report.metric("gemm-peak", roof.flops / 1e9, "GFLOP/s")
        report.metric("copy-bandwidth", roof.bandwidth / 1e9, "GB/s")
        report.metric("balance", roof.balance, "FLOP/byte")
        results = _run(report, names, lengths, (heads, dim, kind, device), causal, backward, repeats, threads, seed)

    itemsize = kind.itemsize
    _check_errors(report, results)
    _check_memory(report, results, lengths, (heads, dim, itemsize), causal)
    _check_fusion(report, results, heads, itemsize, causal, on_cuda)
    drawing.tables(report, results, roof, (heads, dim, itemsize))
    drawing.curves(report, results, lengths, roof, (heads, dim, itemsize))
    report.note(
        "A fraction of the roofline is the time that this machine's measured peaks allow for the counted FLOPs and for "
        "reading Q, K, V and writing O once, over the time taken. The N² exponentials a head are not in that count."
    )


def _lengths(text: str, on_cuda: bool) -> list[int]:
    """The sequence lengths, ascending."""
    if text == "auto":
        return [1024, 2048, 4096, 8192, 16384] if on_cuda else [512, 1024, 2048]
    try:
        lengths = sorted({int(part) for part in text.split(",") if part.strip()})
    except ValueError:
        lengths = []
    if not lengths or lengths[0] < 16 or lengths[-1] > 2**20:
        raise UsageError(f"parameter 'n' takes sequence lengths from 16 on, such as 512,1024,2048, not {text!r}")
    return lengths


_chosen = variants.chosen


def _run(
    report: Report,
    names: list[str],
    lengths: list[int],
    setting: tuple[int, int, torch.dtype, str],
    causal: bool,
    backward: bool,
    repeats: int,
    threads: int,
    seed: int,
) -> list[Result]:
    """Measure every name at every length; what cannot be measured is told once and left out."""
    heads, dim, kind, device = setting
    generator = torch.Generator().manual_seed(seed)
    results: list[Result] = []
    told: set[str] = set()
    work = [(length, name) for length in lengths for name in names]
    problem: Problem | None = None
    for length, name in report.progress(work, label="measuring"):
        if problem is None or problem.sizes[2] != length:
            problem = None  # the old one's memory is needed for the new one
            q, k, v, upstream = (torch.randn(1, heads, length, dim, generator=generator).to(device, kind) for _ in range(4))
            problem = Problem(q, k, v, upstream, *reference(q, k, v, upstream if backward else None, causal), causal)
        if name in told:
            continue
        variant = variants.build(name, device, causal)
        need = variant.matrices * counts.matrix_bytes(1, heads, length, kind.itemsize)
        free = meters.free_bytes(device)
        if free is not None and need > 0.8 * free:
            report.note(f"{name} at N = {length} is left out: it needs about {need / 2**30:.0f} GiB, {free / 2**30:.0f} are free.")
            continue
        try:
            result = measure(variant, problem, repeats=repeats, threads=threads)
        except Unsupported as why:
            report.note(f"{name} is left out: {why}")
            told.add(name)
            continue
        except torch.OutOfMemoryError:
            report.note(f"{name} at N = {length} is left out: out of memory.")
            continue
        if result.remark and name not in told:
            report.note(f"{name}: {result.remark}")
        results.append(result)
    return results


def _check_errors(report: Report, results: list[Result]) -> None:
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


def _check_memory(
    report: Report, results: list[Result], lengths: list[int], sizes: tuple[int, int, int], causal: bool
) -> None:
    """N × N matrices in the plain formula, none in the others."""
    heads, dim, itemsize = sizes
    of = {name: [r for r in results if r.variant == name] for name in dict.fromkeys(r.variant for r in results)}
    for name, own in of.items():
        report.metric(f"peak-{name}", own[-1].peak / meters.MIB, "MiB")
        if own[-1].saved is not None:
            report.metric(f"saved-{name}", own[-1].saved / meters.MIB, "MiB")

    largest = of["naive"][-1] if of.get("naive") else None
    if largest is not None and not causal:
        # S/√d_k and P, and the output beside them
        bytes_by_theory = (2 * largest.n + dim) * heads * largest.n * itemsize
        report.check("naive-peak-bytes", largest.peak, bytes_by_theory, rtol=0.05)

    square = [r for r in of.get("naive", ()) if r.n >= 8 * dim]  # where N² outweighs N·D
    if len(square) > 1:
        report.check("naive-memory-exponent", _exponent(square), 2.0, atol=0.1)
    for name, check in (("sdpa", "fused"), ("compiled", "compiled"), ("tiled", "tiled"), ("flex", "flex")):
        grown = [r for r in of.get(name, ()) if r.n >= SMALLEST_FIT]
        if name == "compiled" and causal or len(grown) < 2:
            continue
        report.check(f"{check}-memory-exponent", _exponent(grown), at_most=1.1)
    if len([length for length in lengths if length >= SMALLEST_FIT]) < 2:
        report.note(f"The growth of the fused kernels' memory needs two lengths from {SMALLEST_FIT} on to be checked.")

    both = [(fused, r) for fused in of.get("sdpa", ()) for r in of.get("naive", ()) if fused.n == r.n >= SMALLEST_FIT]
    if both:
        fused, plain = both[-1]
        report.check("fused-memory-share", fused.peak / plain.peak, at_most=0.25)
        if fused.saved is not None:
            # Q, K, V and O, and a number a query, the log-sum-exp, in float32 and perhaps padded
            kept = (4 * dim * itemsize + 2 * 4) * heads * fused.n
            report.check("fused-saved-bytes", fused.saved, at_most=kept)


def _exponent(results: list[Result]) -> float:
    return meters.exponent([r.n for r in results], [r.peak for r in results])


def _check_fusion(
    report: Report, results: list[Result], heads: int, itemsize: int, causal: bool, on_cuda: bool
) -> None:
    """The code that the compiler wrote calls the fused kernel, or with a mask by masked_fill doesn't."""
    own = [result for result in results if result.variant == "compiled"]
    if not own:
        return
    report.metric("compile-time", sum(result.compiling or 0 for result in own), "s")
    calls = all(result.fused_calls for result in own)
    report.metric("compiled-kernels", compiled.sentence(call for result in own for call in result.fused_calls[:1]))
    if causal:
        report.check("masked-fill-calls-fused-kernel", any(result.fused_calls for result in own), False)
        matrix = counts.matrix_bytes(1, heads, own[-1].n, itemsize)
        report.check("masked-fill-peak-matrices", own[-1].peak / matrix, at_least=1)
    elif on_cuda and itemsize == 4 and torch.backends.cuda.matmul.fp32_precision != "tf32":
        report.note("In float32 on CUDA the compiler leaves attention alone unless TF32 is allowed: its kernels use it.")
    else:
        report.check("compiled-calls-fused-kernel", calls, True)


def _flex_finding(report: Report, device: str) -> None:
    """Whether FlexAttention has a backward pass on this device; found out with the reference, without compiling."""
    x = torch.randn(1, 1, 128, 16, device=device, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is slow without compiling is known
        try:
            flex.build(compiled=False)(x, x, x).sum().backward()
        except (NotImplementedError, RuntimeError) as error:
            report.metric("flex-backward", reason(error))
            return
    report.metric("flex-backward", "works")
