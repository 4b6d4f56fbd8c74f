"""torch.nn.DataParallel, https://docs.pytorch.org/docs/stable/generated/torch.nn.DataParallel.html, in forty lines.

Each forward pass scatters the batch, copies the module, runs a thread for each copy, and gathers the outputs:

    scatter → replicate → parallel apply → gather → loss on the whole output → backward → gradients summed in the module

A replica's weights are *functions* of the module's weights, not weights of their own. So backward runs through the
copies and adds every replica's gradient up in the one module, where the one optimizer finds the sum. torch's own needs
GPUs; this one runs anywhere, and on a CPU the "devices" are pretended.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn


@dataclass
class Seen:
    """What happened in one forward pass, as the threads saw it."""

    shapes: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    processes: set[int] = field(default_factory=set)
    copied: int = 0  # parameters that were copied


class Counting(nn.Module):
    """Tiny layers in a row; it counts its forward passes twice: in an attribute of Python and in a buffer."""

    def __init__(self, layers: int, width: int = 8) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(layers))
        self.calls = 0
        self.counted: Tensor
        self.register_buffer("counted", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, width) → (batch, width)."""
        self.calls += 1
        self.counted += 1  # in place: kept where the storage is shared
        for layer in self.layers:
            x = torch.tanh(layer(x)) + x
        return x


def replicate(module: nn.Module, count: int) -> list[nn.Module]:
    """``count`` copies whose parameters are differentiable copies of ``module``'s.

    Attributes are copied. Buffers are too, but for the first copy's, which share storage with the module's.
    """
    copies = []
    for number in range(count):
        memo: dict[int, Tensor] = {id(parameter): parameter for parameter in module.parameters()}
        if number == 0:
            memo |= {id(buffer): buffer for buffer in module.buffers()}
        replica = copy.deepcopy(module, memo)
        for part in replica.modules():
            for name, parameter in list(part._parameters.items()):
                if parameter is not None:
                    del part._parameters[name]
                    setattr(part, name, parameter.clone())  # a tensor in the graph, no parameter any more
        copies.append(replica)
    return copies


def parallel_apply(replicas: Sequence[nn.Module], chunks: Sequence[Tensor], seen: Seen) -> list[Tensor]:
    """Each replica on its chunk in a thread of its own; raises what a thread raised."""
    outputs: dict[int, Tensor] = {}
    errors: list[BaseException] = []
    together = threading.Barrier(len(replicas))  # so that each thread is alive while the others are

    def work(number: int) -> None:
        try:
            together.wait()
            seen.threads.add(threading.get_ident())
            seen.processes.add(os.getpid())
            outputs[number] = replicas[number](chunks[number])
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(replicas))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [outputs[number] for number in range(len(replicas))]


def forward(module: nn.Module, batch: Tensor, count: int) -> tuple[Tensor, Seen]:
    """One forward pass of DataParallel over ``count`` pretended devices: (batch, …) → (batch, …)."""
    seen = Seen()
    chunks = batch.chunk(count)  # scatter: at most `count` chunks
    replicas = replicate(module, len(chunks))  # at *every* pass: the optimizer has changed the weights
    seen.copied = len(chunks) * sum(parameter.numel() for parameter in module.parameters())
    seen.shapes = [len(chunk) for chunk in chunks]
    return torch.cat(parallel_apply(replicas, chunks, seen)), seen  # gather
