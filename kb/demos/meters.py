"""What a demo measures about memory and time, on the CPU and on CUDA by the same calls.

Bytes on the CPU come from the profiler's trace of every allocation (``profile_memory=True``): exact, repeatable, and it
sees compiled code and the scratch memory of kernels. Bytes on CUDA come from the caching allocator
(``torch.cuda.max_memory_allocated``). Times are for reading, never for checking.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple
from weakref import WeakSet

import torch

MIB = 2**20


class Timing(NamedTuple):
    """Seconds of one call: the fastest and the median of the repeats."""

    fastest: float
    median: float


class Roofline(NamedTuple):
    """What the device can do at most, as measured on it: arithmetic in FLOP/s and memory traffic in bytes/s.

    Williams, Waterman & Patterson 2009, "Roofline: an insightful visual performance model for multicore architectures".
    """

    flops: float
    bandwidth: float

    @property
    def balance(self) -> float:
        """FLOP/byte above which work is limited by arithmetic, below which by memory traffic."""
        return self.flops / self.bandwidth

    def seconds(self, flops: float, traffic: float) -> float:
        """No program that does ``flops`` and moves ``traffic`` bytes can be faster than this."""
        return max(flops / self.flops, traffic / self.bandwidth)


def synchronize(device: str | torch.device) -> None:
    """Wait until the device has done all that it was given; the CPU always has."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Run with ``count`` threads: scratch memory, and the last bits of results, depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def peak_bytes(function: Callable[[], object], device: str | torch.device = "cpu") -> int:
    """Bytes that ``function()`` needs at its worst moment on top of what is allocated before it is called.

    Its result counts, being alive when it returns. Call it once before, so that no first-time work is measured.
    """
    device = torch.device(device)
    with _no_collection():
        if device.type == "cuda":
            return _peak_on_cuda(function, device)
        if device.type != "cpu":
            raise NotImplementedError(f"no meter for the memory of a {device.type} device")
        os.environ.setdefault("KINETO_LOG_LEVEL", "9")  # or it tells on stderr whenever it starts and stops
        # this and not torch.profiler.profile, which would load the whole compiler to look for its version
        with torch.autograd.profiler.profile(profile_memory=True) as profile:
            result = function()
    del result
    changes = _allocations(profile)
    if not changes:
        return 0
    before = changes[0][1] - changes[0][0]
    return max(0, max(total for _, total in changes) - before)


def _peak_on_cuda(function: Callable[[], object], device: torch.device) -> int:
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    result = function()
    torch.cuda.synchronize(device)
    del result
    return torch.cuda.max_memory_allocated(device) - before


@contextmanager
def _no_collection() -> Iterator[None]:
    """Keep the garbage collector from releasing old memory meanwhile, which would hide as much of the new."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _allocations(profile: torch.autograd.profiler.profile) -> list[tuple[int, int]]:
    """Every allocation (+) and release (-) on the CPU in order of time: its bytes, and the total allocated after it."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "trace.json")
        profile.export_chrome_trace(path)
        with open(path, encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
    memory = [event for event in events if event.get("name") == "[memory]" and event["args"].get("Device Type") == 0]
    memory.sort(key=lambda event: float(event["ts"]))  # stable: those of one instant stay in the order of the trace
    return [(event["args"]["Bytes"], event["args"]["Total Allocated"]) for event in memory]


def saved_bytes(function: Callable[[], object], ignore: Iterable[torch.Tensor] = ()) -> int:
    """Bytes that autograd keeps for the backward pass of what ``function()`` returns.

    Every storage counts once and whole, as it is kept alive once and whole, however many views of it are saved. What
    was saved for a graph that is gone doesn't count, nor do the tensors in ``ignore``, which live anyway.
    """
    outside = {tensor.untyped_storage().data_ptr() for tensor in ignore}
    saved: WeakSet[_Saved] = WeakSet()

    def pack(tensor: torch.Tensor) -> _Saved:
        box = _Saved(tensor)
        saved.add(box)
        return box

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda box: box.tensor):
        result = function()
    storages = [box.tensor.untyped_storage() for box in saved]
    del result
    return sum(
        {storage.data_ptr(): storage.nbytes() for storage in storages if storage.data_ptr() not in outside}.values()
    )


class _Saved:
    """Lives exactly as long as autograd keeps the tensor."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor.detach()  # with its grad_fn a saved result would hold its own graph for ever


def timing(
    function: Callable[[], object], device: str | torch.device = "cpu", repeats: int = 5, warm: int = 1
) -> Timing:
    """Seconds of ``function()`` over ``repeats`` calls after ``warm`` ones, waiting for the device each time."""
    for _ in range(warm):
        function()
    taken = []
    for _ in range(repeats):
        synchronize(device)
        start = time.perf_counter()
        function()
        synchronize(device)
        taken.append(time.perf_counter() - start)
    return Timing(min(taken), statistics.median(taken))


def roofline(device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32, repeats: int = 3) -> Roofline:
    """The device's peaks, measured, not looked up: a square matrix product in ``dtype``, and a copy.

    The copy reads and writes its bytes once each and is far larger than the caches.
    """
    on_gpu = torch.device(device).type == "cuda"
    size, copied = (8192, 2**30) if on_gpu else (1024, 2**27)
    a, b = (torch.randn(size, size, device=device).to(dtype) for _ in range(2))  # (size, size) each
    product = torch.empty_like(a)
    gemm = timing(lambda: torch.mm(a, b, out=product), device, repeats)
    source = torch.ones(copied, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    copy = timing(lambda: target.copy_(source), device, repeats)
    return Roofline(2 * size**3 / gemm.fastest, 2 * copied / copy.fastest)


def free_bytes(device: str | torch.device = "cpu") -> int | None:
    """Bytes that can still be allocated on the device; None where nobody says."""
    if torch.device(device).type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(free) + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return None


def exponent(sizes: Iterable[float], amounts: Iterable[float]) -> float:
    """The growth exponent: the slope of the least-squares line through log(amount) over log(size)."""
    x = torch.tensor(list(sizes), dtype=torch.float64).log()
    y = torch.tensor(list(amounts), dtype=torch.float64).log()
    x = x - x.mean()
    return float((x * y).sum() / (x * x).sum())
