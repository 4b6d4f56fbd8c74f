"""Two meters that do not trust the code they measure: bytes that are alive, and collectives that were called."""

from __future__ import annotations

import gc
import time
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def alive() -> dict[int, int]:
    """The bytes of every tensor storage that is reachable in this process, by address; shared storages count once."""
    storages: dict[int, int] = {}
    for thing in gc.get_objects():
        if type(thing) is torch.Tensor or type(thing) is torch.nn.Parameter:
            storage = thing.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    storages.pop(0, None)
    return storages


def settled(looks: int = 10, pause_seconds: float = 0.005) -> dict[int, int]:
    """What is ``alive`` and stays so over some looks.

    The threads of a collective's backend let go of its buffers a moment after its ``wait`` has returned.
    """
    storages = alive()
    for _ in range(looks):
        time.sleep(pause_seconds)
        now = alive()
        storages = {address: size for address, size in storages.items() if now.get(address) == size}
    return storages


class Traffic(TorchDispatchMode):
    """Counts the elements of the full buffers that collectives were given, as PyTorch's dispatcher sees the calls.

    A reduce-scatter or all-gather of n elements moves (N−1)/N·n elements through each rank if it runs on a ring.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.elements = 0
        self.calls: dict[str, int] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.namespace == "c10d":
            name = func._schema.name.removeprefix("c10d::")
            sizes = [tensor.numel() for tensor in _tensors(args)]
            if sizes:
                self.calls[name] = self.calls.get(name, 0) + 1
                self.elements += max(sizes)
        return func(*args, **(kwargs or {}))


def _tensors(values: Any) -> list[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        return [values]
    if isinstance(values, list | tuple):
        return [tensor for value in values for tensor in _tensors(value)]
    return []
