"""Attention by ``torch.compile``: Ansel et al. 2024, "PyTorch 2", https://docs.pytorch.org/assets/pytorch2-2.pdf.

Inductor knows some thirty spellings of attention and puts one call of the fused kernel in the place of each. Whether it
did is read from the code that it wrote: its counter of matches stays empty when that code comes from its cache.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

import torch
from torch._inductor import list_options
from torch._inductor.utils import run_and_get_code

T = TypeVar("T")

FUSED_CALL = re.compile(r"torch\.ops\.aten\.(_scaled_dot_product\w+)")


class Built(NamedTuple):
    """What compiling took and wrote: ``code`` is the source of the generated modules, forward and backward."""

    seconds: float
    code: tuple[str, ...]

    @property
    def fused_calls(self) -> tuple[str, ...]:
        """The fused attention kernels that the generated code calls, each once."""
        return tuple(dict.fromkeys(call for code in self.code for call in FUSED_CALL.findall(code)))


def compile(function: Callable[..., Any], device: str, *, generate: bool = False) -> Callable[..., Any]:
    """``function`` compiled for one shape. Nothing is compiled before it is called.

    On the CPU what surrounds the fused kernel, a single copy, may run as an ATen call, which spares the C++ compiler
    its seconds; ``generate`` has Inductor write C++ for everything that is not one kernel already.
    """
    options: dict[str, Any] = {}
    if torch.device(device).type == "cpu":
        wanted: dict[str, Any] = {"compile_threads": 1}
        if generate and has_compiler():
            # These two spare the C++ compiler most of its time: no probing of vector instructions, and no headers to
            # be compiled for later. The code is slower for it; its memory and its results are what they are anyway.
            wanted |= {"cpp.vec_isa_ok": False, "cpp_cache_precompile_headers": False}
        else:
            wanted |= {"fallback_by_default": True}
        options = {name: value for name, value in wanted.items() if name in _known_options()}
    return torch.compile(function, dynamic=False, options=options or None)


@functools.cache
def _known_options() -> frozenset[str]:
    """What this PyTorch's Inductor can be told."""
    return frozenset(list_options())


def first_call(step: Callable[[], T]) -> tuple[T, Built]:
    """Call ``step``, which runs a compiled function for the first time, and catch the code that is written for it."""
    start = time.perf_counter()
    result, code = run_and_get_code(step)
    return result, Built(time.perf_counter() - start, tuple(code))


def has_compiler() -> bool:
    """Whether there is a C++ compiler for Inductor to call."""
    wanted = [os.environ.get("CXX"), "g++", "clang++", "c++", "cl"]
    return any(name and shutil.which(name) for name in wanted)


@contextmanager
def cache(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Keep what is compiled meanwhile in ``folder``, and forget what this process has compiled before and after."""
    before = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.fspath(folder)
    torch._dynamo.reset()
    try:
        yield
    finally:
        torch._dynamo.reset()
        if before is None:
            del os.environ["TORCHINDUCTOR_CACHE_DIR"]
        else:
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = before


def matches() -> int:
    """How often the matcher has replaced attention since the last call of this function, by its own counter."""
    from torch._dynamo.utils import counters

    count = int(counters["inductor"]["fuse_attention"])
    counters["inductor"].pop("fuse_attention", None)
    return count


def sentence(names: Iterable[str]) -> str:
    """The kernels' names for a person, or a dash."""
    return ", ".join(name.removeprefix("_scaled_dot_product_") for name in names) or "—"
