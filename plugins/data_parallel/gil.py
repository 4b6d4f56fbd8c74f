"""Getting Started with Distributed Data Parallel, https://docs.pytorch.org/tutorials/intermediate/ddp_tutorial.html

DataParallel is one process with a thread for each GPU; DistributedDataParallel is a process for each. The threads of
one Python share a global interpreter lock (GIL): only one of them runs Python at a time, and a layer so small that
launching it costs more than computing it is Python nearly all the way. Here a step of DataParallel is taken by hand
(step.py) and held against the plain module; then the same work is timed in one thread, in several, and in several
processes.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
import time
from typing import Any

import torch
from torch import Tensor, nn

from kb import Report
from kb.demos.ranks import Rank, gather, launch

from .step import Counting, Seen, forward

WIDTH = 8


def main(report: Report, replicas: int, batch: int, layers: int, passes: int, seed: int, device: str) -> None:
    """A step by hand, its differences from DDP, then throughput of one thread, threads and processes."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    module = Counting(layers, WIDTH).double()
    x, target = torch.randn(2, batch, WIDTH, dtype=torch.float64).unbind()  # (batch, 8) each
    by_hand(report, module, x, target, replicas)
    on_the_cpu(report, module, x)
    split_module(report)
    one_at_a_time(report, replicas)
    if device == "cuda":
        on_gpus(report, layers, batch, passes)
    throughput(report, replicas, batch, layers, passes, seed)


def gradient(module: nn.Module, output: Tensor, target: Tensor) -> Tensor:
    """The gradient of the mean squared error, as one vector; taken by backward(), as training does."""
    module.zero_grad()
    (output - target).square().mean().backward()
    return torch.cat([parameter.grad.flatten() for parameter in module.parameters() if parameter.grad is not None])


def by_hand(report: Report, module: Counting, x: Tensor, target: Tensor, replicas: int) -> Seen:
    """Scatter, replicate, threads, gather, and one backward pass: what is equal, what is lost."""
    plain = copy.deepcopy(module)
    expected = plain(x)
    whole = gradient(plain, expected, target)
    output, seen = forward(module, x, replicas)
    found = gradient(module, output, target)
    parameters = sum(parameter.numel() for parameter in module.parameters())
    report.metric("samples-a-replica", max(seen.shapes))
    report.metric("parameters-copied-a-step", seen.copied)
    report.check("one-process", len(seen.processes), 1)
    report.check("a-thread-a-replica", len(seen.threads), len(seen.shapes))
    report.check("the-batch-is-split", sum(seen.shapes), len(x))
    report.check("copied-anew-at-each-step", forward(module, x, replicas)[1].copied, len(seen.shapes) * parameters)
    report.check("outputs-are-the-modules", float((output - expected).abs().max().detach()), at_most=1e-12)
    # the loss sees the gathered output: the sum over replicas is the whole batch's gradient, uneven chunks or not
    report.check("gradients-sum-to-the-whole", float((found - whole).abs().max() / whole.abs().max()), at_most=1e-10)
    report.check("a-counter-is-lost", module.calls, 0)
    report.check("a-buffer-is-kept", float(module.counted), 2.0)  # two passes, on the first replica
    return seen


def on_the_cpu(report: Report, module: Counting, x: Tensor) -> None:
    """Without a GPU torch's DataParallel has no devices and calls the module: no threads, no replicas."""
    if torch.accelerator.is_available():
        return
    where: list[int] = []
    plain = copy.deepcopy(module)
    plain.register_forward_hook(lambda *_: where.append(threading.get_ident()))
    wrapped = nn.DataParallel(plain)
    before = plain.calls
    same = bool(torch.equal(wrapped(x), copy.deepcopy(module)(x)))
    report.check("on-a-cpu-it-calls-the-module", same and plain.calls == before + 1, True)
    report.check("in-the-callers-thread", where == [threading.get_ident()] and not wrapped.device_ids, True)


def split_module(report: Report) -> None:
    """A module on two devices (here: the CPU and "meta", which has shapes but no data) is refused."""
    parts = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2, device="meta"))
    wrapped: nn.DataParallel[Any] = nn.DataParallel(nn.Linear(2, 2))
    # what the constructor sets where there are GPUs; the test of the devices comes first in forward
    wrapped.module, wrapped.device_ids, wrapped.src_device_obj = parts, [0, 1], torch.device("cpu")
    refused = False
    try:
        wrapped(torch.zeros(4, 2))
    except RuntimeError as error:
        refused = "must have its parameters and buffers on device" in str(error)
    report.check("a-split-module-is-refused", refused, True)


def spin(rounds: int) -> int:
    """Python and nothing else."""
    total = 0
    for number in range(rounds):
        total ^= number
    return total


def one_at_a_time(report: Report, threads: int, rounds: int = 1_000_000) -> None:
    """Cores that threads of pure Python keep busy: CPU time over elapsed time, about 1 where the lock is held.

    Shown, not checked: it is made of times.
    """
    workers = [threading.Thread(target=spin, args=(rounds,)) for _ in range(threads)]
    begin, used = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    cores = (time.process_time() - used) / (time.perf_counter() - begin)
    report.metric("cores-that-python-threads-use", cores)


def train(module: nn.Module, x: Tensor, passes: int) -> None:
    """Forward and backward, ``passes`` times."""
    torch.set_num_threads(1)  # a new thread of Python starts with a pool of its own
    for _ in range(passes):
        module(x).square().mean().backward()


def timed_rank(place: Rank, layers: int, rows: int, passes: int, seed: int) -> dict[str, Any]:
    """One process's share of the work, and the seconds that the slowest process took."""
    torch.manual_seed(seed)
    module, x = Counting(layers, WIDTH), torch.randn(rows, WIDTH)
    train(module, x, 1)
    gather(None, place.size)  # all begin together
    begin = time.perf_counter()
    train(module, x, passes)
    seconds = time.perf_counter() - begin
    checksum = sum(float(p.grad.double().sum()) for p in module.parameters() if p.grad is not None)
    return {"seconds": max(gather(seconds, place.size)), "process": os.getpid(), "checksum": checksum}


def throughput(report: Report, replicas: int, batch: int, layers: int, passes: int, seed: int) -> None:
    """Replica passes a second: one thread after the other, a thread each, a process each."""
    rows = max(1, batch // replicas)
    results = launch(timed_rank, replicas, "cpu", layers, rows, passes, seed)
    report.check("a-process-a-rank", len({result["process"] for result in results}), len(results))
    report.check("ranks-find-the-same", len({result["checksum"] for result in results}), 1)

    torch.manual_seed(seed)
    original, x = Counting(layers, WIDTH), torch.randn(rows, WIDTH)
    rates = {}
    for name, threaded in (("one thread", False), ("threads", True)):
        modules = [copy.deepcopy(original) for _ in range(replicas)]
        for module in modules:
            train(module, x, 1)
        workers = [threading.Thread(target=train, args=(module, x, passes)) for module in modules]
        begin = time.perf_counter()
        for worker in workers:
            worker.start()
            if not threaded:
                worker.join()
        for worker in workers:
            worker.join()
        rates[name] = replicas * passes / (time.perf_counter() - begin)
        sums = {sum(float(p.grad.double().sum()) for p in m.parameters() if p.grad is not None) for m in modules}
        report.check(f"{name.replace(' ', '-')}-finds-the-same", sums == {results[0]["checksum"]}, True)
    rates["processes"] = len(results) * passes / results[0]["seconds"]
    for name, rate in rates.items():
        report.metric(f"rate-{name.replace(' ', '-')}", rate, "pass/s")
    report.metric("threads-speedup", rates["threads"] / rates["one thread"])
    report.metric("processes-speedup", rates["processes"] / rates["one thread"])
    report.metric("gil", getattr(sys, "_is_gil_enabled", lambda: True)())
    report.metric("cores", len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    report.bars(list(rates), {"passes a second": rates.values()}, title=f"{replicas} replicas of {layers} tiny layers")
    report.note("Rates are shown, not checked: they depend on the cores that are free.")


def on_gpus(report: Report, layers: int, batch: int, passes: int) -> None:
    """Step times of DataParallel and DistributedDataParallel, where there are two GPUs or more."""
    count = torch.cuda.device_count()
    if count < 2:
        report.note("One GPU: DataParallel calls the module on it, without threads. With two, step times are measured.")
        module = Counting(layers, WIDTH)
        wrapped = nn.DataParallel(module)
        wrapped(torch.randn(batch, WIDTH, device="cuda"))
        report.check("one-gpu-calls-the-module", module.calls, 1)
        return
    module = Counting(layers, WIDTH).cuda()
    wrapped = nn.DataParallel(module)
    x = torch.randn(batch, WIDTH, device="cuda")
    train(wrapped, x, 2)
    report.check("a-counter-is-lost-on-gpus", module.calls, 0)
    torch.cuda.synchronize()
    begin = time.perf_counter()
    train(wrapped, x, passes)
    torch.cuda.synchronize()
    report.metric("dp-step", (time.perf_counter() - begin) / passes * 1e3, "ms")
    results = launch(ddp_rank, count, "cuda", layers, max(1, batch // count), passes)
    report.metric("ddp-step", max(result for result in results) * 1e3, "ms")


def ddp_rank(place: Rank, layers: int, rows: int, passes: int) -> float:
    """Seconds a step of DDP on this rank."""
    module = nn.parallel.DistributedDataParallel(
        Counting(layers, WIDTH).to(place.device), device_ids=[place.device.index]
    )
    x = torch.randn(rows, WIDTH, device=place.device)
    train(module, x, 2)
    torch.cuda.synchronize(place.device)
    begin = time.perf_counter()
    train(module, x, passes)
    torch.cuda.synchronize(place.device)
    return (time.perf_counter() - begin) / passes
