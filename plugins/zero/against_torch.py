"""The same training by torch's own: https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html

DistributedDataParallel keeps everything on every rank, ZeroRedundancyOptimizer splits the optimizer (about stage 1),
fully_shard splits all (about stage 3). In fp32 with Adam, from the same weights on the same batches, all three must
arrive at the same weights.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.optim import ZeroRedundancyOptimizer
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from kb import Report
from kb.demos.ranks import Rank

from .network import shapes
from .shard import BETA1, BETA2, EPS, LR

ADAM: dict[str, Any] = {"lr": LR, "betas": (BETA1, BETA2), "eps": EPS}


def model(options: dict[str, Any], place: Rank) -> nn.Sequential:
    """The demo's network as a torch module, the same on every rank."""
    torch.manual_seed(options["seed"])
    layers: list[nn.Module] = []
    for rows, columns in shapes(options["width"], options["depth"]):
        layers += [nn.Linear(rows, columns), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).to(place.device)


def steps(
    module: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor, place: Rank, options: dict[str, Any]
) -> None:
    """Train on this rank's batches."""
    batch = options["batch"]
    for count in range(options["steps"]):
        first = (count * place.size + place.rank) * batch
        rows = (torch.arange(batch, device=place.device) + first) % len(x)  # (batch,)
        optimizer.zero_grad()
        nn.functional.cross_entropy(module(x[rows]), y[rows]).backward()
        optimizer.step()


def compare(place: Rank, x: Tensor, y: Tensor, options: dict[str, Any]) -> dict[str, Any]:
    """Train with each and return the largest differences of the weights to DDP's, and the states this rank keeps."""
    if place.staged:
        return {}  # these use the device's own collectives, which need a GPU a rank
    ids = [place.device.index] if place.device.type == "cuda" else None
    ddp = DistributedDataParallel(model(options, place), device_ids=ids)
    steps(ddp, torch.optim.Adam(ddp.parameters(), **ADAM), x, y, place, options)
    reference = [parameter.detach() for parameter in ddp.module.parameters()]

    zro = DistributedDataParallel(model(options, place), device_ids=ids)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its construction calls functions that torch itself has deprecated
        sharded = ZeroRedundancyOptimizer(zro.parameters(), torch.optim.Adam, **ADAM)
        steps(zro, sharded, x, y, place, options)

    fsdp = model(options, place)
    mesh = init_device_mesh(place.device.type, (place.size,))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for module in fsdp:
            if isinstance(module, nn.Linear):
                fully_shard(module, mesh=mesh)  # one group a layer: gathered and freed together
        fully_shard(fsdp, mesh=mesh)
        adam = torch.optim.Adam(fsdp.parameters(), **ADAM)
        steps(fsdp, adam, x, y, place, options)
        parts = [cast(DTensor, parameter) for parameter in fsdp.parameters()]
        gathered = [part.full_tensor().detach() for part in parts]
    local = sum(part.to_local().numel() for part in parts)
    chunks = [parameter.chunk(place.size) for parameter in reference]  # dim 0; the last ranks may get less or nothing
    return {
        "psi": sum(parameter.numel() for parameter in reference),
        "fully_shard_difference": difference(gathered, reference),
        "zro_difference": difference([parameter.detach() for parameter in zro.parameters()], reference),
        "fully_shard_local": local,
        "fully_shard_expected": sum(c[place.rank].numel() for c in chunks if place.rank < len(c)),
        "fully_shard_adam": sum(adam.state[p]["exp_avg"].to_local().numel() for p in fsdp.parameters()),
        "zro_adam": sum(state["exp_avg"].numel() for state in sharded.optim.state.values()),
    }


def difference(ours: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest absolute difference."""
    return max(float((a - b).abs().max()) for a, b in zip(ours, theirs, strict=True))


def report_results(report: Report, results: list[dict[str, Any]]) -> None:
    """Report what the ranks found."""
    if not results[0]:
        report.note("torch's fully_shard is left out: its collectives need a GPU for every rank.")
        return
    psi = results[0]["psi"]
    report.table(
        "torch's own: elements a rank keeps",
        ("rank", "fully_shard weights", "fully_shard Adam m", "ZeroRedundancyOptimizer Adam m", "ψ"),
        [(n, r["fully_shard_local"], r["fully_shard_adam"], r["zro_adam"], psi) for n, r in enumerate(results)],
    )
    for name in ("fully_shard", "zro"):
        worst = max(result[f"{name}_difference"] for result in results)
        report.check(f"{name.replace('_', '-')}-agrees-with-ddp", worst, at_most=1e-5)
    exact = all(result["fully_shard_local"] == result["fully_shard_expected"] for result in results)
    report.check("fully-shard-splits-each-weight", exact, True)
    report.check("zro-keeps-each-state-once", sum(result["zro_adam"] for result in results), psi)
    report.metric("fully-shard-largest-part", max(r["fully_shard_local"] for r in results) / psi, "of ψ")
    report.metric("zro-largest-part", max(r["zro_adam"] for r in results) / psi, "of ψ")
