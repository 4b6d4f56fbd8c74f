"""What the compiler recognises: Ansel et al. 2024, "PyTorch 2: Faster Machine Learning Through Dynamic Python Bytecode
Transformation and Graph Compilation", https://docs.pytorch.org/assets/pytorch2-2.pdf.

``torch.compile`` compares the graph of a program with a list of patterns; where one fits, a call of the fused attention
kernel takes its place. Mathematics that is equal but written otherwise doesn't fit, and the compiler then does what it
does with any program: it saves passes over the N × N matrix, not the matrix. With gradients the graph is another one,
and so may be the answer. Every spelling is held to be right.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from kb import Report
from kb.demos import meters
from kb.errors import DemoError

from . import compiled, counts
from .compiled import sentence
from .measure import reason
from .naive import reference, relative_error


def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(QKᵀ/√d)V, as in the paper."""
    return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5, dim=-1) @ v


def own_softmax(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The softmax written out: exp(S − max) / Σ exp(S − max)."""
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, N, N)
    weights = torch.exp(scores - scores.amax(-1, keepdim=True))  # (B, H, N, N)
    return (weights / weights.sum(-1, keepdim=True)) @ v


def added_mask(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal: −∞ is added to the scores of the future."""
    n = q.shape[-2]
    mask = torch.full((n, n), float("-inf"), dtype=q.dtype, device=q.device).triu(1)  # (N, N)
    return torch.softmax(q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5 + mask, dim=-1) @ v


def filled_mask(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal, as it is usually written: the future is filled with −∞."""
    n = q.shape[-2]
    future = torch.ones(n, n, dtype=torch.bool, device=q.device).triu(1)  # (N, N)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, N, N)
    return torch.softmax(scores.masked_fill(future, float("-inf")), dim=-1) @ v


def chosen_mask(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal by torch.where."""
    n = q.shape[-2]
    past = torch.ones(n, n, dtype=torch.bool, device=q.device).tril()  # (N, N)
    scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, N, N)
    return torch.softmax(torch.where(past, scores, float("-inf")), dim=-1) @ v


def scaled_queries(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """The queries are divided by √d, not the scores."""
    return torch.softmax((q / q.shape[-1] ** 0.5) @ k.transpose(-2, -1), dim=-1) @ v


def named_axes(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Both products by einsum."""
    scores = torch.einsum("bhid,bhjd->bhij", q, k) / q.shape[-1] ** 0.5  # (B, H, N, N)
    return torch.einsum("bhij,bhjd->bhid", torch.softmax(scores, dim=-1), v)


CAUSAL = (added_mask, filled_mask, chosen_mask)
SPELLINGS = (plain, own_softmax, scaled_queries, named_axes, *CAUSAL)


def main(report: Report, n: int, heads: int, dim: int, seed: int, device: str = "cpu") -> None:
    """Compile every spelling, read the code, and meter the two that decide: the plain one and the filled mask."""
    generator = torch.Generator().manual_seed(seed)
    q, k, v = (torch.randn(1, heads, n, dim, generator=generator).to(device) for _ in range(3))  # (1, H, N, D) each
    exact = {causal: reference(q, k, v, None, causal)[0] for causal in (False, True)}
    matrix = counts.matrix_bytes(1, heads, n, q.element_size())
    if not compiled.has_compiler():
        report.note(
            "There is no C++ compiler, so what Inductor would write in C++ runs as single ATen calls; what its matcher "
            "recognises is the same, but the memory of the filled mask is then that of the uncompiled program."
        )

    rows: list[tuple[str, ...]] = []
    errors: dict[str, float] = {}
    torch.set_num_threads(1)
    with (
        torch.no_grad(),
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        compiled.cache(folder),
    ):
        for spelling in report.progress(SPELLINGS, label="compiling"):
            metered = spelling in (plain, filled_mask)
            compiled.matches()
            try:
                run, output, built = _build(spelling, (q, k, v), device, generate=spelling is filled_mask)
            except Exception as error:  # whatever a compiler can raise is a finding about this spelling
                if spelling is plain:
                    raise DemoError(f"torch.compile does not work here: {reason(error)}") from error
                report.note(f"{_name(spelling)} could not be compiled: {reason(error)}")
                continue
            count = compiled.matches()
            errors[spelling.__name__] = relative_error(output, exact[spelling in CAUSAL])
            peak = meters.peak_bytes(partial(run, q, k, v), device) if metered else 0
            trained = bool(built.fused_calls) and _fused_for_training(spelling, (q, k, v), device)
            said = (spelling.__doc__ or "").rstrip(".")
            kernels = (sentence(built.fused_calls), "yes" if trained else "no" if built.fused_calls else "—")
            rows.append((_name(spelling), said, *kernels, f"{peak / matrix:.2f}" if metered else ""))
            if spelling is plain:
                _check_plain(report, built, count, peak / matrix, n >= 8 * dim)
                # a second process, or this one after forgetting: the code comes from the cache on the disk
                compiled.matches()
                _, output, built = _build(plain, (q, k, v), device)
                report.check("plain-fused-cached", bool(built.fused_calls), True)
                report.metric("counter-cached", compiled.matches())
                report.check("plain-fused-for-training", trained, True)
            elif spelling is own_softmax:
                report.check("own-softmax-fused", bool(built.fused_calls), True)
                report.check("own-softmax-fused-for-training", trained, False)
            elif spelling is filled_mask:
                report.check("masked-fill-fused", bool(built.fused_calls), False)
                report.check("masked-fill-matrices", peak / matrix, at_least=1)
            elif spelling is added_mask:
                report.check("added-mask-fused", bool(built.fused_calls), True)
    columns = ("spelling", "what it says", "fused kernel, no gradients", "fused for training", "peak, N × N")
    report.table("spellings", columns, rows)
    uncompiled = relative_error(plain(q, k, v), exact[False])
    report.check("error-over-uncompiled", max(errors.values()) / uncompiled, at_most=4)
    report.note(
        "The peak is of the forward pass, in N × N matrices. "
        "The code is read, not the counter of matches, which is empty when the code comes from the cache. Inductor's "
        "own C++ is written without vector instructions here: it compiles much faster and takes the same memory."
    )


def _build(
    spelling: Callable[..., Tensor], inputs: tuple[Tensor, Tensor, Tensor], device: str, generate: bool = False
) -> tuple[Callable[..., Tensor], Tensor, compiled.Built]:
    """The compiled spelling, its first result, and the code."""
    run = compiled.compile(spelling, device, generate=generate)
    output, built = compiled.first_call(lambda: run(*inputs))
    return run, output, built


def _fused_for_training(spelling: Callable[..., Tensor], inputs: tuple[Tensor, Tensor, Tensor], device: str) -> bool:
    """Whether the code of the forward and the backward pass calls the fused kernel."""
    run = compiled.compile(spelling, device)
    leaves = [x.clone().requires_grad_() for x in inputs]
    with torch.enable_grad():
        _, built = compiled.first_call(lambda: torch.autograd.grad(run(*leaves).sum(), leaves))
    return bool(built.fused_calls)


def _check_plain(report: Report, built: compiled.Built, count: int, matrices: float, long: bool) -> None:
    report.check("plain-fused-cold", bool(built.fused_calls), True)
    report.metric("counter-cold", count)
    report.metric("compile-time-cold", built.seconds, "s")
    if long:  # else the output alone is as large as an N × N matrix
        report.check("plain-matrices", matrices, at_most=0.5)


def _name(spelling: Callable[..., Tensor]) -> str:
    return spelling.__name__.replace("_", " ")
