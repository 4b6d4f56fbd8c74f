"""Start the ranks of a distributed demo, or join those that torchrun has started.

On the CPU the ranks are forked (fast, since torch is imported already) and talk over gloo; on CUDA they are spawned and
talk over NCCL where every rank has a GPU of its own, else over gloo by way of host memory, which NCCL could not do: it
refuses two ranks on one device. They meet in a file, so no port is needed. Under torchrun the ranks come from the
environment, over as many machines as it was given, and every rank gets every result; rank 0 reports.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from typing import Any, cast

import torch
import torch.distributed as dist

from kb.errors import DemoError

TIMEOUT = timedelta(seconds=120)
GRACE_SECONDS = 1.0  # for the other ranks to tell what they know, once one has failed


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a piece of work runs: ``rank`` of ``size``, on ``device``; ``staged`` if collectives go by host memory."""

    rank: int
    size: int
    device: torch.device
    staged: bool

    @property
    def how(self) -> str:
        """The ranks in words."""
        if self.device.type == "cpu":
            return f"{self.size} processes on the CPU, gloo"
        if self.staged:
            return f"{self.size} processes sharing one GPU, gloo by way of host memory"
        return f"{self.size} processes with a GPU each, NCCL"


Work = Callable[..., Any]


def under_torchrun() -> bool:
    """Whether torchrun (or a launcher like it) started this process as one rank of many."""
    return all(name in os.environ for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"))


def launch(work: Work, size: int, device: str, *arguments: object) -> list[Any]:
    """Run ``work(rank: Rank, *arguments)`` on every rank and return the results, rank 0's first.

    ``work`` must be a function of a module and its results picklable. Under torchrun ``size`` is torchrun's.
    Raises DemoError with the rank and its own error if one fails; the others are ended.
    """
    if under_torchrun():
        return _join(work, device, arguments)
    start = "fork" if device == "cpu" else "spawn"
    context = multiprocessing.get_context(start)
    torch.set_num_threads(1)  # several threads on both sides of a fork hang
    with tempfile.TemporaryDirectory(prefix="kb-ranks-") as folder:
        pipes: list[Connection] = []
        children: list[Any] = []
        try:
            for rank in range(size):
                mine, theirs = context.Pipe(duplex=False)
                pipes.append(mine)
                child = context.Process(  # type: ignore[attr-defined]
                    target=_child, args=(work, rank, size, device, f"{folder}/store", theirs, arguments), daemon=True
                )
                children.append(child)
                child.start()
                theirs.close()  # at once, so that no later rank holds this end open when this one dies
            return _collect(pipes, children)
        finally:
            for child in children:
                if child.pid is not None and child.is_alive():
                    child.kill()
                if child.pid is not None:
                    child.join()


def _collect(pipes: list[Connection], children: list[Any]) -> list[Any]:
    """Every rank's result; where ranks fail, the cause: not those that only lost the connection to it."""
    results: dict[int, Any] = {}
    failures: dict[int, str] = {}
    open_pipes: dict[Any, int] = {pipe: rank for rank, pipe in enumerate(pipes)}
    while open_pipes:
        ready = wait(list(open_pipes), timeout=GRACE_SECONDS if failures else None)
        if not ready:
            break
        for pipe in ready:
            rank = open_pipes.pop(pipe)
            try:
                failed, value = cast("tuple[bool, Any]", pipe.recv())  # type: ignore[union-attr, call-arg]
            except EOFError:
                children[rank].join(5)
                failed, value = True, f"it ended without a result (exit code {children[rank].exitcode})"
            if failed:
                failures[rank] = value
            else:
                results[rank] = value
    if failures:
        rank = min(failures, key=lambda rank: ("gloo" in failures[rank] or "NCCL" in failures[rank], rank))
        raise DemoError(f"rank {rank} failed: {failures[rank]}")
    return [results[rank] for rank in range(len(pipes))]


def _child(
    work: Work, rank: int, size: int, device: str, store: str, pipe: Connection, arguments: tuple[object, ...]
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _end_with_parent()
    torch.set_num_threads(1)
    try:
        with _group(rank, size, device, f"file://{store}") as place:
            value = work(place, *arguments)
            dist.barrier()
        pipe.send((False, value))
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        with contextlib.suppress(OSError):
            pipe.send((True, f"{type(error).__name__}: {error} ({os.path.basename(last.filename)}:{last.lineno})"))
    finally:
        pipe.close()


def _end_with_parent() -> None:
    """Let the kernel end this rank when the process that started it is gone, however it went (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def _join(work: Work, device: str, arguments: tuple[object, ...]) -> list[Any]:
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    started = not dist.is_initialized()
    with (
        _group(rank, size, device, "env://") if started else contextlib.nullcontext(_place(rank, size, device)) as place
    ):
        value = work(place, *arguments)
        gathered: list[Any] = [None] * size
        dist.all_gather_object(gathered, value)
        return gathered


def _place(rank: int, size: int, device: str) -> Rank:
    if device == "cpu":
        return Rank(rank, size, torch.device("cpu"), staged=False)
    local = int(os.environ.get("LOCAL_RANK", rank))
    here = int(os.environ.get("LOCAL_WORLD_SIZE", size))
    count = torch.cuda.device_count()
    own = count >= here
    return Rank(rank, size, torch.device("cuda", local if own else local % count), staged=not own)


@contextlib.contextmanager
def _group(rank: int, size: int, device: str, method: str) -> Iterator[Rank]:
    place = _place(rank, size, device)
    if place.device.type == "cuda":
        torch.cuda.set_device(place.device)
    backend = "nccl" if place.device.type == "cuda" and not place.staged else "gloo"
    dist.init_process_group(backend, init_method=method, rank=rank, world_size=size, timeout=TIMEOUT)
    try:
        yield place
    finally:
        dist.destroy_process_group()


def reduce_scatter(output: torch.Tensor, flat: torch.Tensor, place: Rank) -> None:
    """Sum ``flat`` (n·size) over the ranks; ``output`` (n) gets this rank's part."""
    run = getattr(dist, "reduce_scatter_single", None) or dist.reduce_scatter_tensor
    if not place.staged:
        run(output, flat)
        return
    part = torch.empty_like(output, device="cpu")
    run(part, flat.cpu())
    output.copy_(part)


def all_gather(output: torch.Tensor, part: torch.Tensor, place: Rank) -> None:
    """``output`` (n·size) gets every rank's ``part`` (n)."""
    run = getattr(dist, "all_gather_single", None) or dist.all_gather_into_tensor
    if not place.staged:
        run(output, part)
        return
    whole = torch.empty_like(output, device="cpu")
    run(whole, part.cpu())
    output.copy_(whole)


def broadcast(tensor: torch.Tensor, place: Rank, source: int = 0) -> None:
    """Every rank gets rank ``source``'s ``tensor``."""
    if not place.staged:
        dist.broadcast(tensor, source)
        return
    copy = tensor.cpu()
    dist.broadcast(copy, source)
    tensor.copy_(copy)


class Pending:
    """An all-reduce on its way; ``wait`` returns when ``tensor`` holds the sum."""

    def __init__(self, tensor: torch.Tensor, place: Rank, done: Callable[[], None] | None = None) -> None:
        self._tensor = tensor
        self._moved = tensor.cpu() if place.staged else tensor
        self._work = dist.all_reduce(self._moved, async_op=True)
        if done is not None:
            self._work.get_future().add_done_callback(lambda _: done())

    def wait(self) -> None:
        """Block until the sum has arrived."""
        self._work.wait()
        if self._moved is not self._tensor:
            self._tensor.copy_(self._moved)


def gather(value: object, size: int) -> list[Any]:
    """Every rank's ``value``, on every rank."""
    found: list[Any] = [None] * size
    dist.all_gather_object(found, value)
    return found
