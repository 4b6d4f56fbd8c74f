"""A progress bar on stderr, for people only: nothing is drawn where stderr is not a terminal."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.demos.process import Step

REDRAW_SECONDS = 0.1
_PARTS = " ▏▎▍▌▋▊▉█"


def bar(items: Iterable[Any], total: int | None, label: str, stream: IO[str] | None = None) -> Iterator[Any]:
    """Iterate over ``items`` while a bar shows how far it has come; it wipes itself out at the end."""
    stream = stream or sys.stderr
    if not stream.isatty() or os.environ.get("TERM") == "dumb":
        yield from items
        return
    start = drawn = time.monotonic()
    done = 0
    _draw(stream, line(0, total, label, 0.0, _width(stream)))
    try:
        for item in items:
            yield item
            done += 1
            now = time.monotonic()
            if now - drawn >= REDRAW_SECONDS:
                drawn = now
                _draw(stream, line(done, total, label, now - start, _width(stream)))
    finally:
        _draw(stream, "")


class Waiting:
    """What a person sees while a demo runs elsewhere: its bar if it has one, else ``what`` runs and for how long."""

    def __init__(self, stream: IO[str] | None = None, what: str = "running") -> None:
        self.what = what
        self._stream = stream or sys.stderr
        self._shown = ""
        self.on = self._stream.isatty() and os.environ.get("TERM") != "dumb"

    def __call__(self, seconds: float, step: Step | None) -> None:
        """Draw the state, if it has changed."""
        if not self.on:
            return
        columns = _width(self._stream)
        if step is None:
            text = f"{self.what}{f' · {_clock(int(seconds))}' if seconds >= 1 else '…'}"[: columns - 1]
        else:
            text = line(step.done, step.total, step.label, step.seconds, columns)
        if text != self._shown:
            self._shown = text
            _draw(self._stream, text)

    def wipe(self) -> None:
        """Take it away."""
        if self._shown:
            self._shown = ""
            _draw(self._stream, "")


def line(done: int, total: int | None, label: str, seconds: float, width: int) -> str:
    """The bar as one line of at most ``width`` columns."""
    head = f"{label} " if label else ""
    if not total:
        return f"{head}{done} · {_clock(seconds)}"[: width - 1]
    share = min(done / total, 1.0)
    left = f" {_clock(seconds / done * (total - done))} left" if done and done < total else ""
    tail = f" {done}/{total}{left}"
    room = min(30, width - 1 - len(head) - len(tail))
    if room < 5:
        return (head + tail.strip())[: width - 1]
    full, part = divmod(round(share * room * 8), 8)
    blocks = "█" * full + (_PARTS[part] if full < room else "")
    return f"{head}{blocks:<{room}}{tail}"


def _clock(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60}:{whole % 60:02d}"


def _draw(stream: IO[str], text: str) -> None:
    stream.write(f"\r\x1b[2K{text}")
    stream.flush()


def _width(stream: IO[str]) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return shutil.get_terminal_size().columns
