"""What ZeRO looks like: what a rank keeps, what is alive through a step, and the formulas over N."""

from __future__ import annotations

from typing import Any

from kb import Report

from .shard import bytes_per_parameter

FORMULA = ("16ψ", "4ψ + 12ψ/N", "2ψ + 14ψ/N", "16ψ/N")


def draw(report: Report, psi: int, stages: list[dict[str, Any]]) -> None:
    """Draw rank 0's part of the four ``stages`` of a model with ``psi`` parameters."""
    names = [f"stage {number}" for number in range(len(stages))]
    parts = {part: [stage["parts"][part] / psi for stage in stages] for part in stages[0]["parts"]}
    report.bars(names, parts, title="Bytes a rank keeps for each parameter", unit="B")
    timeline = {name: [size / psi for size in stage["moments"]] for name, stage in zip(names, stages, strict=True)}
    report.curve(
        range(1, len(stages[0]["moments"]) + 1),
        timeline,
        title="Bytes alive through one step",
        xlabel="layer, forward then backward",
        ylabel="B per parameter",
    )
    counts = [1, 2, 4, 8, 16, 32, 64]
    curves = {f"{name}: {FORMULA[k]}": [bytes_per_parameter(k, n) for n in counts] for k, name in enumerate(names)}
    report.curve(
        counts,
        curves,
        log="xy",
        title="The formulas over N",
        xlabel="ranks N",
        ylabel="B per parameter",
        dashed=tuple(curves),
    )
