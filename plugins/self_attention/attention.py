"""The cost of attention: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with
IO-Awareness", https://arxiv.org/abs/2205.14135.

The same function, softmax(QKᵀ/√d_k)V, computed in several ways over growing sequence lengths. Held: every way is as
exact as the plain formula in the same type, the plain formula's memory grows with N², that of the fused kernels with N,
and the compiler really does put the fused kernel in the place of the formula. Shown, never held: time, and how much of
what this machine can do is reached. Random numbers are right here: rounding and cost don't ask what they mean.
"""

from __future__ import annotations

import os
import warnings

import torch

from kb import Report
from kb.demos import meters
from kb.errors import UsageError
from kb.roots import cache_home

from . import checks, compiled, counts, drawing
from . import flex as flex_attention
from .measure import Problem, Result, Unsupported, measure, reason
from .naive import reference
from .variants import build, chosen


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
    heads = heads or (16 if on_cuda else 1)
    kind = getattr(torch, dtype if dtype != "auto" else "bfloat16" if on_cuda else "float32")
    names = chosen(variants, device, flex)
    torch.set_num_threads(threads)

    with compiled.cache(os.path.join(cache_home(os.environ), "inductor")):
        _flex_finding(report, device)
        roof = meters.roofline(device, kind)
        report.metric("gemm-peak", roof.flops / 1e9, "GFLOP/s")
        report.metric("copy-bandwidth", roof.bandwidth / 1e9, "GB/s")
        report.metric("balance", roof.balance, "FLOP/byte")
        for name, squares in (("fused", 0), ("naive", 4)):
            intensity = counts.intensity(lengths[-1], dim, kind.itemsize, squares)
            report.metric(f"intensity-{name}", intensity, "FLOP/byte")
        results = _run(report, names, lengths, (heads, dim, kind, device), causal, backward, repeats, threads, seed)

    itemsize = kind.itemsize
    checks.arithmetic(report)
    checks.errors(report, results)
    checks.memory(report, results, (heads, dim, itemsize), causal, on_cuda)
    checks.fusion(report, results, heads, itemsize, causal, on_cuda)
    drawing.tables(report, results, roof, (heads, dim, itemsize))
    drawing.curves(report, results, lengths, roof, (heads, dim, itemsize), causal)
    report.note(
        "A fraction of the roofline is the time that this machine's measured peaks allow for the counted FLOPs and for "
        "reading Q, K, V and writing O once, over the time taken. The N² exponentials a head are not in that count. "
        "Each variant's own FLOPs are counted: under a causal mask half of them where it skips what the mask hides."
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
            q, k, v, upstream = (
                torch.randn(1, heads, length, dim, generator=generator).to(device, kind) for _ in range(4)
            )
            problem = Problem(q, k, v, upstream, *reference(q, k, v, upstream if backward else None, causal), causal)
        if name in told:
            continue
        variant = build(name, device, causal)
        need = variant.matrices * counts.matrix_bytes(1, heads, length, kind.itemsize)
        free = meters.free_bytes(device)
        if free is not None and need > 0.8 * free:
            gib = 2**30
            report.note(f"{name} at N = {length} is left out: it needs {need / gib:.0f} GiB of {free / gib:.0f}.")
            continue
        try:
            result = measure(variant, problem, repeats=repeats, threads=threads)
        except Unsupported as why:
            report.note(f"{name} is left out: {why}")
            told.add(name)
            continue
        except torch.OutOfMemoryError:
            report.note(f"{name} at N = {length} is left out: out of memory.")
            torch.cuda.empty_cache()
            continue
        if result.remark and name not in told:
            report.note(f"{name}: {result.remark}")
        results.append(result)
    return results


def _flex_finding(report: Report, device: str) -> None:
    """Whether FlexAttention has a backward pass on this device; found out with the reference, without compiling."""
    x = torch.randn(1, 1, 128, 16, device=device, requires_grad=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is slow without compiling is known
        try:
            torch.autograd.grad(flex_attention.build(compiled=False)(x, x, x, False).sum(), x)
        except (NotImplementedError, RuntimeError) as error:
            report.metric("flex-backward", reason(error))
            return
    report.metric("flex-backward", "works")
