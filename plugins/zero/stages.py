"""ZeRO: Memory Optimizations Toward Training Trillion Parameter Models, https://arxiv.org/abs/1910.02054

Data parallelism keeps the same model states on every rank. ZeRO keeps each state on one rank and sends it where it is
needed when it is needed. Here all four stages train the same network on the same real data (scikit-learn's digits),
on real processes. What a rank keeps is measured from the tensors that are alive, what it sends from the collectives
that were called, and the weights in the end are compared bit by bit.

Read shard.py for the states and the stages, network.py for the training step, meter.py for the two meters.
"""

from __future__ import annotations

import gc
from typing import Any

import torch
import torch.distributed as dist
from sklearn.datasets import load_digits

from kb import Report
from kb.demos.ranks import Rank, launch

from . import against_torch, pictures
from .meter import Traffic, alive, settled
from .network import initial, shapes, train_step
from .shard import Unit, bytes_per_parameter

STAGES = (0, 1, 2, 3)
TRAFFIC = (2, 2, 2, 3)  # elements given to collectives in a step, in units of ψ (§7.1, §7.2)


def main(report: Report, ranks: int, device: str, compare: bool, **options: Any) -> None:
    """Run every stage on the same ranks and report what they kept, what they sent and where they arrived."""
    images, labels = load_digits(return_X_y=True)  # (1797, 64), (1797,)
    results = launch(work, ranks, device, (images / 16, labels), options, compare)
    first, ranks = results[0], len(results)
    psi, layers = first["psi"], options["depth"] + 1
    report.note(f"Ranks: {first['how']}. ψ = {psi:,} parameters in {layers} layers; bf16 weights, Adam in fp32.")
    padding = 16 * layers * (ranks - 1) / psi  # bytes a parameter: each layer is padded to a multiple of N
    rows = []
    for stage in STAGES:
        kept = max(result[stage]["resident"] for result in results) / psi
        peak = max(max(result[stage]["moments"]) for result in results) / psi
        sent = max(result[stage]["elements"] for result in results) / psi / options["steps"]
        rows.append(
            (stage, pictures.FORMULA[stage], bytes_per_parameter(stage, ranks), kept, peak, sent, TRAFFIC[stage])
        )
        report.metric(f"stage-{stage}-bytes-per-parameter", kept, "B")
        report.metric(f"stage-{stage}-peak-bytes-per-parameter", peak, "B")
        report.metric(f"stage-{stage}-traffic", sent, "ψ per step")
        report.check(f"stage-{stage}-bytes", kept, bytes_per_parameter(stage, ranks), atol=padding)
        report.check(f"stage-{stage}-traffic", sent, TRAFFIC[stage], atol=padding)
    columns = ("stage", "formula", "B/param", "measured", "peak in a step", "sent, ψ", "paper, ψ")
    report.table("A rank's model states and traffic", columns, rows)
    report.note(
        "Traffic counts the elements given to collectives; on a ring, (N−1)/N of that passes through each rank."
    )
    same = all(result[stage]["weights"] == first[0]["weights"] for result in results for stage in STAGES)
    report.check("stages-agree", same, True)
    report.check("all-reduce-is-both", first["all_reduce_difference"], at_most=1e-6)
    report.check("averaged", first["average_error"], at_most=1e-6)
    total = sum(result[3]["resident"] for result in results) / psi
    report.metric("stage-3-bytes-per-parameter-over-all-ranks", total, "B")
    report.check("stage-3-cluster-total", total, 16.0, atol=padding * ranks)
    report.check("stage-3-one-layer-whole", max(result[3]["whole"] for result in results), at_most=1)
    if compare:
        against_torch.report_results(report, [result["torch"] for result in results])
    pictures.draw(report, psi, [first[stage] for stage in STAGES])


def work(place: Rank, data: tuple[Any, Any], options: dict[str, Any], compare: bool) -> dict[Any, Any]:
    """One rank's part: all stages in turn, and what was measured of each."""
    images = torch.tensor(data[0], dtype=torch.bfloat16, device=place.device)  # (1797, 64)
    labels = torch.tensor(data[1], device=place.device)  # (1797,)
    gc.collect()
    gc.freeze()  # the meter need not look at the objects of torch and Python that were here before
    result: dict[Any, Any] = {stage: train(stage, place, images, labels, options) for stage in STAGES}
    gc.unfreeze()
    result["how"], result["psi"] = place.how, result[0]["psi"]
    result |= reductions(place, options["fault"])
    if compare:
        result["torch"] = against_torch.compare(place, images.float(), labels, options)
    return result


def train(
    stage: int, place: Rank, images: torch.Tensor, labels: torch.Tensor, options: dict[str, Any]
) -> dict[str, Any]:
    """Train at ``stage``; measure what is alive at every layer of the last step, and after it."""
    gc.collect()
    before = settled()
    sizes = shapes(options["width"], options["depth"])
    generator = torch.Generator().manual_seed(options["seed"])  # the same weights on every rank
    units = [Unit(initial(shape, generator), stage, place, options["fault"]) for shape in sizes]
    moments: list[int] = []
    whole: list[int] = []

    def look() -> None:
        moments.append(sum(size for address, size in alive().items() if address not in before))
        whole.append(sum(copy() is not None for unit in units for copy in unit.copies))

    batch = options["batch"]
    with Traffic() as traffic:
        for count in range(1, options["steps"] + 1):
            first = ((count - 1) * place.size + place.rank) * batch  # every rank has a batch of its own
            rows = (torch.arange(batch, device=place.device) + first) % len(images)  # (batch,)
            last = count == options["steps"]
            train_step(units, sizes, images[rows], labels[rows], look if last else lambda: None)
            for unit in units:
                unit.step(count)
    del rows
    gc.collect()
    resident = sum(size for address, size in settled().items() if address not in before)
    weights = torch.cat([unit.whole() for unit in units])  # (ψ,)
    return {
        "resident": resident,
        "moments": moments,
        "whole": max(whole),
        "elements": traffic.elements,
        "psi": weights.numel(),
        "weights": weights.view(torch.int16).cpu().numpy().tobytes(),
        "parts": {
            "weights": sum(unit.param.nbytes for unit in units),
            "gradients": sum(unit.grad.nbytes for unit in units if unit.grad is not None),
            "optimizer": sum(state.nbytes for unit in units for state in (unit.master, unit.m, unit.v)),
        },
    }


def reductions(place: Rank, fault: str) -> dict[str, float]:
    """Two facts about the reduction alone: it averages, and an all-reduce is a reduce-scatter and an all-gather."""
    generator = torch.Generator().manual_seed(place.rank)
    local = torch.randn(1024 * place.size, generator=generator).to(place.device)  # (n,)
    summed = local.cpu() if place.staged else local.clone()
    dist.all_reduce(summed)
    unit = Unit(torch.zeros(local.numel()), 0, place, fault)
    unit.reduce(local.clone())  # at stage 0: reduce-scatter, then all-gather
    assert unit.grad is not None
    mean = summed.to(place.device) / place.size
    divided = unit.grad if fault != "no-average" else unit.grad / place.size
    scale = mean.abs().max()
    return {
        "all_reduce_difference": float((divided - mean).abs().max() / scale),
        "average_error": float((unit.grad - mean).abs().max() / scale),
    }
