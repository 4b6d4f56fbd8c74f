"""Writing styled lines to a stream, as wide as it is and in colour where it shows them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import IO, TypeVar

from kb.terminal.text import NARROWEST, WIDEST, Span, ansi, terminal_size, wants_colour, wrap

S = TypeVar("S", bound="Sheet")


class Sheet:
    """Writes styled text to a stream: its ``width`` (of text) and whether it has ``colour`` are found out once."""

    def __init__(self, stream: IO[str], columns: int, colour: bool) -> None:
        self.stream = stream
        self.columns = columns
        self.colour = colour
        self.width = max(min(columns, WIDEST), NARROWEST)

    @classmethod
    def of(cls: type[S], environment: Mapping[str, str], stream: IO[str] | None = None) -> S:
        """The sheet of ``stream`` (stdout)."""
        stream = stream or sys.stdout
        return cls(stream, terminal_size(stream, environment)[0], wants_colour(stream, environment))

    def write(self, line: Iterable[Span | str] = ()) -> None:
        """Write one line of spans as it is."""
        spans = [Span(part) if isinstance(part, str) else part for part in line]
        self.stream.write(ansi(spans, self.colour).rstrip() + "\n")

    def text(self, spans: Iterable[Span | str], indent: int = 0, hang: int = 0) -> None:
        """Write spans wrapped to the width; ``hang`` more columns of indent from the second line on."""
        whole = [Span(part) if isinstance(part, str) else part for part in spans]
        for line in wrap(whole, self.width, [Span(" " * indent)], [Span(" " * (indent + hang))]):
            self.write(line)

    def flush(self) -> None:
        """Send what was written on its way."""
        self.stream.flush()
