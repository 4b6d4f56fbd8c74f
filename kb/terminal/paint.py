"""Colours where a terminal shows them; plain text everywhere else, with the same letters."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True, slots=True)
class Paint:
    """Puts text in bold, dim or a colour if ``on``."""

    on: bool

    @classmethod
    def for_stream(cls, stream: IO[str] | None = None, environment: Mapping[str, str] = os.environ) -> Paint:
        """Colours for ``stream`` (stdout): a terminal that is not dumb, and no NO_COLOR."""
        stream = stream or sys.stdout
        return cls(stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb")

    def bold(self, text: str) -> str:
        return self._wrap("1", text)

    def dim(self, text: str) -> str:
        return self._wrap("2", text)

    def green(self, text: str) -> str:
        return self._wrap("32", text)

    def red(self, text: str) -> str:
        return self._wrap("31", text)

    def _wrap(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text


def width_of(text: str) -> int:
    """How many columns ``text`` takes: wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(letter) else 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        for letter in text
    )
