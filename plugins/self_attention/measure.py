"""What is measured of one variant at one sequence length."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor

from kb.demos import meters

from . import compiled, counts
from .naive import relative_error
from .variants import Variant

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """Queries, keys, values and the output's gradient, (B, H, N, D) each, and the exact results in float64."""

    q: Tensor
    k: Tensor
    v: Tensor
    upstream: Tensor
    output: Tensor
    gradients: list[Tensor]  # of q, k, v; empty if they are not wanted
    causal: bool

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """B, H, N, D."""
        b, h, n, d = self.q.shape
        return b, h, n, d


@dataclass
class Result:
    """The measurements; None is what was not, or could not be, measured. Bytes and seconds as they are."""

    variant: str
    n: int
    error: float
    peak: int
    seconds: float
    flops: int
    compiling: float | None = None
    fused_calls: tuple[str, ...] = ()
    gradient_error: float | None = None
    training_peak: int | None = None
    training_seconds: float | None = None
    training_flops: int | None = None
    saved: int | None = None
    remark: str = ""


class Unsupported(Exception):
    """The variant cannot compute this problem; the message says why."""


def measure(variant: Variant, problem: Problem, *, repeats: int, threads: int) -> Result:
    """Run the forward pass, and with gradients both passes, and meter them.

    Memory is metered on one thread, as each thread brings scratch memory of its own; time on ``threads``.
    Raises Unsupported where the variant doesn't know this device, type or shape.
    """
    device = problem.q.device
    b, h, n, d = problem.sizes
    halved = problem.causal and variant.skips
    inputs = [x.detach() for x in (problem.q, problem.k, problem.v)]

    def forward() -> Tensor:
        with torch.no_grad():
            return variant.attention(*inputs, problem.causal)

    output, built = _first(variant, forward)
    error = relative_error(output, problem.output)
    del output
    with meters.threads(1):
        peak = meters.peak_bytes(forward, device)
    with meters.threads(threads):
        seconds = meters.timing(forward, device, repeats, warm=0).fastest  # the metering was the warm-up
    flops = counts.forward_flops(b, h, n, d, halved)
    result = Result(variant.name, n, error, peak, seconds, flops, built.seconds if built else None)
    result.fused_calls = built.fused_calls if built else ()
    if not problem.gradients:
        return result

    leaves = [x.detach().requires_grad_() for x in inputs]

    def both() -> tuple[Tensor, ...]:
        return torch.autograd.grad(variant.attention(*leaves, problem.causal), leaves, problem.upstream)

    try:
        gradients, built = _first(variant, both)
    except Unsupported as why:
        result.remark = f"no backward pass: {why}"
        return result
    if built:
        result.compiling = (result.compiling or 0) + built.seconds
        result.fused_calls = tuple(dict.fromkeys([*result.fused_calls, *built.fused_calls]))
    pairs = zip(gradients, problem.gradients, strict=True)
    result.gradient_error = max(relative_error(x, exact) for x, exact in pairs)
    del gradients
    with meters.threads(1):
        result.training_peak = meters.peak_bytes(both, device)
        result.saved = meters.saved_bytes(lambda: variant.attention(*leaves, problem.causal))
    with meters.threads(threads):
        result.training_seconds = meters.timing(both, device, repeats, warm=0).fastest
    again = variant.again and (variant.name != "compiled" or bool(result.fused_calls))
    result.training_flops = flops + counts.backward_flops(b, h, n, d, halved, again)
    return result


def _first(variant: Variant, step: Callable[[], T]) -> tuple[T, compiled.Built | None]:
    """The first call's result; in it a variant shows that it cannot, or is compiled."""
    try:
        with meters.threads(1):
            return compiled.first_call(step) if variant.compiles else (step(), None)
    except torch.OutOfMemoryError:
        raise
    except (RuntimeError, NotImplementedError) as error:
        raise Unsupported(reason(error)) from error


def reason(error: BaseException) -> str:
    """The error's type and first line; of a compiler's error, those of its cause."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}".rstrip(": ")
