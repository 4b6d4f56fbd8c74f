"""What became of a run, and what it was allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["done", "exception", "timeout", "memory", "crash", "silent", "processes", "refused", "broken"]


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Memory is what it may add to the interpreter it starts from."""

    seconds: float = 5.0  # wall time
    cpu_seconds: int = 4
    memory_bytes: int = 512 * 2**20
    file_bytes: int = 8 * 2**20
    open_files: int = 64
    processes: int = 16
    output_bytes: int = 64 * 2**10
    result_bytes: int = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run.

    ``kind``: done; exception (the code raised: ``error`` is its last line, ``trace`` the code's own frames); timeout;
    memory; crash (a signal); silent (it ended without a result); processes (it started too many); refused (the result
    is not JSON or is too large); broken (the sandbox itself was brought down). Only ``done`` is ``ok``.
    """

    ok: bool
    kind: Kind
    value: Any = None  # JSON
    output: str = ""  # what it printed: never evidence of anything
    error: str = ""
    trace: str = ""
    line: int | None = None  # of the source, where the exception was raised
    seconds: float = 0.0
