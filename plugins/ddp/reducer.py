"""PyTorch Distributed: Experiences on Accelerating Data Parallel Training, https://arxiv.org/abs/2006.15704

Each of N ranks computes the gradient of the mean loss over a batch of its own; the mean of the N gradients is that of
the whole batch if all batches are equally large:

    g = 1/N · Σ_r g_r

A hook on each parameter says when its gradient is ready. Parameters share buckets, in the reverse of their order since
backward begins at the end. When all of a bucket is ready, and every bucket before it has been sent, its all-reduce
starts while backward goes on: communication hides behind computing. Buckets go in a fixed order on every rank, else
ranks would add up what does not belong together.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kb.demos.ranks import Pending, Rank, broadcast

Event = tuple[str, int, float]  # what, of which parameter or bucket, when (s)


def buckets_of(parameters: list[nn.Parameter], cap_bytes: float) -> list[list[int]]:
    """Indices of ``parameters`` in buckets: walk backwards, append, close a bucket once it holds ``cap_bytes``."""
    buckets: list[list[int]] = [[]]
    held = 0
    for index in reversed(range(len(parameters))):
        buckets[-1].append(index)
        held += parameters[index].nbytes
        if held >= cap_bytes and index > 0:
            buckets.append([])
            held = 0
    return buckets


class Reducer:
    """Averages the gradients of ``module`` over the ranks."""

    def __init__(self, module: nn.Module, place: Rank, cap_bytes: float, overlap: bool = True) -> None:
        self.place, self.overlap = place, overlap
        self.parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        for tensor in self._states(module):
            broadcast(tensor.data, place)  # all replicas start as rank 0's; weights are never sent again
        self.buckets = buckets_of(self.parameters, cap_bytes)
        self.bucket_of = {index: number for number, bucket in enumerate(self.buckets) for index in bucket}
        for index, parameter in enumerate(self.parameters):
            parameter.register_post_accumulate_grad_hook(lambda _, index=index: self._ready(index))
        self.start()

    def _states(self, module: nn.Module) -> Iterator[Tensor]:
        yield from module.parameters()
        yield from module.buffers()

    def start(self) -> None:
        """Before each backward: nothing is ready, nothing was sent."""
        self.missing = [len(bucket) for bucket in self.buckets]
        self.sent: list[tuple[Tensor, Pending]] = []
        self.events: list[Event] = []

    def _ready(self, index: int) -> None:
        """The hook: parameter ``index`` has its gradient."""
        self.events.append(("ready", index, time.perf_counter()))
        self.missing[self.bucket_of[index]] -= 1
        if self.overlap:
            self._send_complete()

    def _send_complete(self) -> None:
        """Send every complete bucket whose turn it is."""
        while len(self.sent) < len(self.buckets) and self.missing[len(self.sent)] == 0:
            number = len(self.sent)
            gradients = [self._gradient(index).flatten() for index in self.buckets[number]]
            flat = torch.cat(gradients).mul_(1 / self.place.size)  # (elements of the bucket,): divide, then sum
            self.events.append(("sent", number, time.perf_counter()))
            done = self._note_done(number)
            self.sent.append((flat, Pending(flat, self.place, done)))

    def _note_done(self, number: int):  # type: ignore[no-untyped-def]
        return lambda: self.events.append(("arrived", number, time.perf_counter()))

    def finish(self) -> None:
        """After backward: send what is left, wait for all, write the averages back."""
        self._send_complete()
        for bucket, (flat, pending) in zip(self.buckets, self.sent, strict=True):
            pending.wait()
            for index, part in zip(bucket, flat.split([self.parameters[i].numel() for i in bucket]), strict=True):
                self._gradient(index).copy_(part.view_as(self.parameters[index]))
        self.events.append(("finished", 0, time.perf_counter()))

    def _gradient(self, index: int) -> Tensor:
        gradient = self.parameters[index].grad
        assert gradient is not None
        return gradient

    def sent_early(self) -> int:
        """How many buckets were sent before the last gradient was ready: proof of overlap by order, not by time."""
        last = max(number for number, event in enumerate(self.events) if event[0] == "ready")
        return sum(event[0] == "sent" for event in self.events[:last])
