"""A network that is run layer by layer, forward and backward, so that a layer's weights are needed only then.

ZeRO-DP "exploits the intrinsically temporal nature" of model states (https://arxiv.org/abs/1910.02054, §4.1): a layer's
weights are used in its own forward and backward, and lie idle for the rest of the step.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from .shard import Unit

Look = Callable[[], None]


def shapes(width: int, depth: int) -> list[tuple[int, int]]:
    """(inputs, outputs) of each layer: 64 pixels in, ``depth`` hidden layers, 10 digits out."""
    sizes = [64, *[width] * depth, 10]
    return list(itertools.pairwise(sizes))


def initial(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """He's initial weights and zero biases as one vector, (in·out + out,)."""
    rows, columns = shape
    weight = torch.randn(rows, columns, generator=generator) * (2 / rows) ** 0.5
    return torch.cat([weight.flatten(), torch.zeros(columns)])


def layer(x: Tensor, flat: Tensor, shape: tuple[int, int], last: bool) -> Tensor:
    """One layer: y = relu(x W + b), without relu for the last."""
    rows, columns = shape
    weight = flat[: rows * columns].view(rows, columns)  # (in, out)
    bias = flat[rows * columns : rows * columns + columns]  # (out,)
    y = x @ weight + bias  # (batch, in) @ (in, out) -> (batch, out)
    return y if last else F.relu(y)


def train_step(units: list[Unit], sizes: list[tuple[int, int]], x: Tensor, target: Tensor, look: Look) -> None:
    """Forward and backward over this rank's own batch; ``look`` is called after each layer, to measure."""
    inputs = []
    for number, (unit, shape) in enumerate(zip(units, sizes, strict=True)):
        inputs.append(x)
        weights = unit.gather()
        x = layer(x, weights, shape, last=number == len(units) - 1)  # (batch, out)
        look()
        del weights  # at stage 3 this frees the layer: only one is whole at a time
    x.requires_grad_(True)
    (upstream,) = torch.autograd.grad(F.cross_entropy(x.float(), target), x)  # (batch, 10)
    del x
    for number in reversed(range(len(units))):
        flat = units[number].gather().requires_grad_(True)
        x = inputs.pop().requires_grad_(True)
        y = layer(x, flat, sizes[number], last=number == len(units) - 1)
        upstream, local = torch.autograd.grad(y, (x, flat), upstream)  # (batch, in), (padded,)
        flat.requires_grad_(False)
        look()
        del x, y, flat
        units[number].reduce(local)
        del local
