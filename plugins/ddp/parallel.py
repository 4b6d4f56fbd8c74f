"""Distributed data parallel training, step by step: https://docs.pytorch.org/docs/stable/notes/ddp.html

The same network is trained on real data (scikit-learn's digits) three ways: with our reducer (reducer.py), with torch's
DistributedDataParallel, and by one process on the whole batch. All three must find the same gradients. Then what goes
wrong is shown too: shards of unequal size, and a loss that is summed instead of averaged.
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel

from kb import Report
from kb.demos.ranks import Rank, gather, launch

from . import pictures
from .reducer import Reducer

MIB = 2**20


def main(report: Report, ranks: int, device: str, **options: Any) -> None:
    """Run every rank's part and report what they found."""
    digits = load_digits()
    results = launch(work, ranks, device, (digits.data / 16, digits.target), options)
    first, ranks = results[0], len(results)
    report.note(f"Ranks: {first['how']}. {first['parameters']:,} parameters in {len(first['buckets'])} buckets.")
    report.check("seeds-differ-before", len({result["before"] for result in results}), at_least=2)
    report.check("replicas-start-equal", len({result["after"] for result in results}), 1)
    report.check("one-hook-a-parameter", min(result["hooks"] for result in results), first["tensors"])
    report.check("gradients-are-ddps", max(result["to_ddp"] for result in results), at_most=1e-6)
    report.check("gradients-are-the-whole-batchs", max(result["to_whole"] for result in results), at_most=1e-5)
    report.check("replicas-stay-equal", len({result["trained"] for result in results}), 1)
    report.check("buckets-in-order", all(result["order"] == sorted(result["order"]) for result in results), True)
    early, buckets = min(result["early"] for result in results), len(first["buckets"])
    report.metric("buckets", buckets)
    report.metric("buckets-sent-during-backward", early)
    if not options["overlap"]:
        report.check("serial-sends-none-early", early, 0)
    elif buckets > 1:
        report.check("sent-during-backward", early, at_least=1)
    ddp = first["ddp"]
    if ddp["rebuilt"]:
        report.check("buckets-are-ddps", first["buckets"] == ddp["rebuilt"], True)
        if len(ddp["rebuilt"]) > 1:
            report.check("ddps-first-step-has-one-bucket", len(ddp["first"]), 1)
    report.check("bytes-a-step", first["hooked"], 4 * first["parameters"])
    report.check("uneven-shards-are-off", first["uneven"], at_least=1e-2)
    report.check("weighting-mends-them", first["weighted"], at_most=1e-5)
    report.check("a-summed-loss-is-divided", first["summed"], 1 / ranks, rtol=1e-4)
    report.metric("bitwise-ddps", first["bitwise"])
    report.metric("exposed-communication", first["exposed"] * 1e3, "ms")
    report.metric("ring-bytes-a-rank", 2 * (ranks - 1) / ranks * 4 * first["parameters"], "B")
    report.note("Times are shown, not checked: on a CPU the ranks and their communication share the same cores.")
    report.table(
        "Buckets of the last backward pass, rank 0",
        ("bucket", "parameters", "bytes", "sent, ms", "arrived, ms"),
        [(n, ", ".join(map(str, bucket)), size, *times) for n, bucket, size, times in first["table"]],
    )
    pictures.timeline(report, first["events"], buckets)


def network(width: int, seed: int) -> nn.Sequential:
    """64 pixels, three hidden layers, 10 classes."""
    torch.manual_seed(seed)
    sizes = [64, width, width, width, 10]
    layers: list[nn.Module] = []
    for rows, columns in itertools.pairwise(sizes):
        layers += [nn.Linear(rows, columns), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def fingerprint(module: nn.Module) -> str:
    """A hash of all weights, bit by bit."""
    whole = torch.cat([parameter.detach().flatten().cpu() for parameter in module.parameters()])
    return hashlib.sha256(whole.numpy().tobytes()).hexdigest()


def gradients(module: nn.Module, x: Tensor, y: Tensor, reduction: str = "mean") -> Tensor:
    """The gradient of the loss as one vector; the module's own gradients are left alone."""
    loss = F.cross_entropy(module(x), y, reduction=reduction)
    return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(module.parameters()))])


def of(module: nn.Module) -> Tensor:
    """The gradients that a module holds, as one vector."""
    return torch.cat([p.grad.flatten() for p in module.parameters() if p.grad is not None])


def relative(ours: Tensor, theirs: Tensor) -> float:
    """max |a − b| / max |b|."""
    return float((ours - theirs).abs().max() / theirs.abs().max())


def work(place: Rank, data: tuple[Any, Any], options: dict[str, Any]) -> dict[str, Any]:
    """One rank's part."""
    x = torch.tensor(data[0], dtype=torch.float32, device=place.device)  # (1797, 64)
    y = torch.tensor(data[1], device=place.device)
    batch, cap = options["batch"], options["bucket"] * MIB
    rows = torch.arange(batch * place.size, device=place.device) % len(x)  # the whole batch
    mine = rows[place.rank * batch : (place.rank + 1) * batch]  # (batch,)

    module = network(options["width"], options["seed"] + place.rank).to(place.device)
    result: dict[str, Any] = {"how": place.how, "before": fingerprint(module)}
    reducer = Reducer(module, place, cap, options["overlap"])
    result["after"] = fingerprint(module)
    start = copy.deepcopy(module)
    whole = gradients(start, x[rows], y[rows])  # the gradient of one process with the whole batch

    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for step in range(options["steps"]):
        optimizer.zero_grad()
        reducer.start()
        F.cross_entropy(module(x[mine]), y[mine]).backward()
        reducer.finish()
        if step == 0:
            ours = of(module).clone()
        optimizer.step()
    result["trained"] = fingerprint(module)
    result["to_whole"] = relative(ours, whole)
    result |= told_by(reducer)
    if place.staged:
        result["note"] = "DDP itself needs a GPU for every rank"
    theirs, facts = by_torch(start, place, x[mine], y[mine], options)
    result["to_ddp"], result["bitwise"] = relative(ours, theirs), bool(torch.equal(ours, theirs))
    result |= facts
    result |= mistakes(start, place, x, y, rows)
    return result


def told_by(reducer: Reducer) -> dict[str, Any]:
    """What the reducer's events of the last backward pass tell."""
    ready = [event for event in reducer.events if event[0] == "ready"]
    zero = ready[0][2]
    when = {(what, index): (moment - zero) * 1e3 for what, index, moment in reducer.events}
    sizes = [sum(reducer.parameters[i].nbytes for i in bucket) for bucket in reducer.buckets]
    return {
        "parameters": sum(parameter.numel() for parameter in reducer.parameters),
        "tensors": len(reducer.parameters),
        "hooks": len({index for _, index, _ in ready}),
        "order": [index for what, index, _ in reducer.events if what == "sent"],
        "early": reducer.sent_early(),
        "buckets": sizes,
        "exposed": reducer.events[-1][2] - ready[-1][2],
        "events": [(what, index, (moment - zero) * 1e3) for what, index, moment in reducer.events],
        "table": [
            (n, bucket, sizes[n], (when["sent", n], when.get(("arrived", n), float("nan"))))
            for n, bucket in enumerate(reducer.buckets)
        ],
    }


def by_torch(
    start: nn.Module, place: Rank, x: Tensor, y: Tensor, options: dict[str, Any]
) -> tuple[Tensor, dict[str, Any]]:
    """DDP's gradient from the same weights and batch, its buckets, and the bytes that its hook was given."""
    if place.staged:  # on a shared GPU DDP runs on the host
        start, x, y = copy.deepcopy(start).cpu(), x.cpu(), y.cpu()
    ids = [place.device.index] if place.device.type == "cuda" and not place.staged else None
    ddp = DistributedDataParallel(copy.deepcopy(start), device_ids=ids, bucket_cap_mb=options["bucket"])
    first: list[int] = []
    gradient = torch.empty(0)
    for step in range(3):
        ddp.zero_grad()
        F.cross_entropy(ddp(x), y).backward()
        log = ddp._get_ddp_logging_data()
        if step == 0:
            gradient, first = of(ddp).clone(), _sizes(log.get("bucket_sizes"))
    rebuilt = _sizes(log.get("rebuilt_bucket_sizes"))

    counted = DistributedDataParallel(copy.deepcopy(start), device_ids=ids, bucket_cap_mb=options["bucket"])
    given: list[int] = []

    def count(_: object, bucket):  # type: ignore[no-untyped-def]  # DDP refuses a hook whose annotations are texts
        given.append(bucket.buffer().nbytes)
        return torch.distributed.all_reduce(bucket.buffer(), async_op=True).get_future().then(lambda f: f.value()[0])

    counted.register_comm_hook(None, count)
    F.cross_entropy(counted(x), y).backward()
    return gradient.to(place.device), {"ddp": {"first": first, "rebuilt": rebuilt}, "hooked": sum(given)}


def _sizes(text: str | None) -> list[int]:
    return [int(part) for part in (text or "").split(",") if part.strip()]


def mistakes(start: nn.Module, place: Rank, x: Tensor, y: Tensor, rows: Tensor) -> dict[str, float]:
    """What averaging does where shards are unequal, or where the loss is a sum."""
    n = len(rows)
    small = n // (2 * place.size)  # the first rank gets half of an even share
    cut = [0, *(small + (n - small) * k // (place.size - 1) for k in range(place.size))]
    mine = rows[cut[place.rank] : cut[place.rank + 1]]
    whole = gradients(start, x[rows], y[rows]).cpu()
    local = gradients(start, x[mine], y[mine]).cpu()
    plain = _mean(local, place)
    weighted = _mean(local * (len(mine) * place.size / n), place)  # weight each by its share of the samples
    summed = _mean(gradients(start, x[mine], y[mine], "sum").cpu(), place)
    total = gradients(start, x[rows], y[rows], "sum").cpu()
    return {
        "uneven": relative(plain, whole),
        "weighted": relative(weighted, whole),
        "summed": float((summed @ total) / (total @ total)),
    }


def _mean(vector: Tensor, place: Rank) -> Tensor:
    """The mean over the ranks, added in the order of the ranks."""
    parts: list[Tensor] = gather(vector, place.size)
    return torch.stack(parts).sum(0) / place.size
