"""The tables and the curves of the attention demo: Williams, Waterman & Patterson 2009, "Roofline: an insightful visual
performance model for multicore architectures", https://doi.org/10.1145/1498765.1498785."""

from __future__ import annotations

from kb import Report
from kb.demos.meters import MIB, Roofline

from . import compiled, counts
from .measure import Result

ORDER = ("variant", "N")


def tables(report: Report, results: list[Result], roof: Roofline, sizes: tuple[int, int, int]) -> None:
    """Everything that was measured, a row a variant and length, forward and for training."""
    rows = [
        (
            r.variant,
            r.n,
            f"{r.error:.1e}",
            _number(r.peak / MIB),
            _number(r.seconds * 1e3),
            _number(r.flops / r.seconds / 1e9),
            f"{_fraction(r, roof, sizes):.0%}",
        )
        for r in results
    ]
    report.table("forward", (*ORDER, "error", "peak MiB", "ms", "GFLOP/s", "of roofline"), rows)
    trained = [r for r in results if r.training_seconds is not None]
    if trained:
        rows = [
            (
                r.variant,
                r.n,
                f"{r.gradient_error:.1e}",
                _number((r.training_peak or 0) / MIB),
                _number((r.saved or 0) / MIB),
                _number((r.training_seconds or 0) * 1e3),
                _number((r.training_flops or 0) / (r.training_seconds or 1) / 1e9),
            )
            for r in trained
        ]
        columns = (*ORDER, "gradient error", "peak MiB", "saved MiB", "ms", "GFLOP/s")
        report.table("forward and backward", columns, rows)
    built = [r for r in results if r.compiling is not None]
    if built:
        takes = [(r.variant, r.n, _number(r.compiling or 0), _kernels(r)) for r in built]
        report.table("compiling", (*ORDER, "s", "fused kernels called"), takes)
    for name in dict.fromkeys(r.variant for r in results):
        last = [r for r in results if r.variant == name][-1]
        report.metric(f"time-{name}", last.seconds * 1e3, "ms")
        report.metric(f"roofline-{name}", 100 * _fraction(last, roof, sizes), "%")


def curves(
    report: Report, results: list[Result], lengths: list[int], roof: Roofline, sizes: tuple[int, int, int], causal: bool
) -> None:
    """Peak memory and time over N for the variants that were measured at every length."""
    heads, dim, itemsize = sizes
    names = list(dict.fromkeys(r.variant for r in results))
    lines = {name: [r for r in results if r.variant == name] for name in names}
    whole = {name: own for name, own in lines.items() if len(own) == len(lengths)}
    for name in (name for name in names if name not in whole):
        report.note(f"{name} has no curve, not having been measured at every length; the table has what there is.")
    if len(lengths) < 2 or not whole:
        return
    memory = {name: [r.peak / MIB for r in own] for name, own in whole.items()}
    memory["one N × N"] = [counts.matrix_bytes(1, heads, n, itemsize) / MIB for n in lengths]
    memory["Q, K, V, O"] = [counts.compulsory_bytes(1, heads, n, dim, itemsize) / MIB for n in lengths]
    report.curve(
        lengths,
        memory,
        log="xy",
        title="Peak memory of the forward pass",
        xlabel="N (tokens)",
        ylabel="MiB",
        dashed=("one N × N", "Q, K, V, O"),
    )
    times = {name: [r.seconds * 1e3 for r in own] for name, own in whole.items()}
    times["roofline"] = [  # of the work that has to be done: what a mask hides need not be
        1e3
        * roof.seconds(
            counts.forward_flops(1, heads, n, dim, causal), counts.compulsory_bytes(1, heads, n, dim, itemsize)
        )
        for n in lengths
    ]
    report.curve(
        lengths,
        times,
        log="xy",
        title="Time of the forward pass",
        xlabel="N (tokens)",
        ylabel="ms",
        dashed=("roofline",),
    )
    saved = {name: [r.saved for r in own] for name, own in whole.items()}
    kept = {name: [x / MIB for x in values if x is not None] for name, values in saved.items() if None not in values}
    if kept:
        report.curve(lengths, kept, log="xy", title="Kept for the backward pass", xlabel="N (tokens)", ylabel="MiB")


def _kernels(result: Result) -> str:
    """FlexAttention's fused kernel is written for the occasion; the others call the library's."""
    return "its own" if result.variant == "flex" else compiled.sentence(result.fused_calls)


def _fraction(result: Result, roof: Roofline, sizes: tuple[int, int, int]) -> float:
    """The least time that the machine's peaks allow for this work over the time taken."""
    heads, dim, itemsize = sizes
    traffic = counts.compulsory_bytes(1, heads, result.n, dim, itemsize)
    return roof.seconds(result.flops, traffic) / result.seconds


def _number(value: float) -> str:
    """Three significant figures, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
