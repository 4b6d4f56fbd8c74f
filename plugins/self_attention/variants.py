"""The variants of attention that the demo compares, by name, and what has to be known of each to measure it fairly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import Tensor

from kb.errors import UnknownName

from . import compiled, flex, fused, naive, tiled

Attention = Callable[..., Tensor]  # (q, k, v, causal) → output

CPU = ("naive", "compiled", "tiled", "sdpa")
CUDA = ("naive", "compiled", "tiled", "sdpa", "sdpa-flash", "sdpa-efficient", "sdpa-cudnn", "sdpa-math", "flex")
ALL = CUDA


@dataclass(frozen=True)
class Variant:
    """``matrices`` is how many N × N matrices, of the inputs' type, it keeps at its worst moment with gradients.

    ``skips``: under a causal mask it computes the visible half of the pairs only. ``again``: its backward pass computes
    the scores once more, not having kept the weights (the compiled one if it calls the fused kernel). ``compiles``: its
    first call compiles.
    """

    name: str
    attention: Attention
    matrices: int = 0
    skips: bool = True
    again: bool = True
    compiles: bool = False


def build(name: str, device: str, causal: bool) -> Variant:
    """The variant called ``name`` for this device; raises UnknownName."""
    on_cuda = device.startswith("cuda")
    if name == "naive":
        return Variant(name, naive.attention, matrices=6, skips=False, again=False)
    if name == "compiled":
        function: Any = compiled.compile(naive.attention, device)
        # with masked_fill in it the matcher leaves the formula alone, and the matrices stay
        return Variant(name, function, matrices=6 if causal else 0, skips=False, compiles=True)
    if name == "tiled":
        return Variant(name, partial(tiled.attention, block=1024 if on_cuda else 256))
    if name == "flex":
        return Variant(name, flex.build(), compiles=True)
    if name == "sdpa-math":
        return Variant(name, partial(fused.attention, backend="math"), matrices=14, skips=False, again=False)
    if name == "sdpa":
        return Variant(name, fused.attention)
    backend = name.removeprefix("sdpa-")
    if name.startswith("sdpa-") and backend in fused.BACKENDS:
        return Variant(name, partial(fused.attention, backend=backend))
    raise UnknownName("variant of attention", name, ALL)


def chosen(text: str, device: str, with_flex: bool) -> list[str]:
    """The names that the parameter ``variants`` asks for; the naive one is always among them, being the baseline."""
    if text == "auto":
        names = list(CUDA if device.startswith("cuda") else CPU)
    else:
        names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in ALL:
            raise UnknownName("variant of attention", name, ALL)
    if with_flex:
        names.append("flex")
    return list(dict.fromkeys(["naive", *names]))
