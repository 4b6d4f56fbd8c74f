"""Styled text for a terminal: what may be printed, how wide it is, where lines break, and its colours.

A line is a list of spans; a span's style is a string of SGR numbers ("1;32"), which are only written where colours are
on. Everything that comes from a file, a learner or a program goes through ``clean`` before it reaches a terminal.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import IO, NamedTuple

BOLD = "1"
DIM = "2"
ITALIC = "3"
UNDERLINE = "4"
REVERSE = "7"
BAD = "31"
GOOD = "32"
WARN = "33"
LINK = "34"
ACCENT = "35"
CODE = "36"

NARROWEST = 40
WIDEST = 80  # a longer line of text is harder to read than one more line

# C0 and C1 controls, and the characters that reorder or hide what stands around them.
_FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ud800-\udfff]")


class Span(NamedTuple):
    text: str
    style: str = ""


Line = list[Span]


def clean(text: str) -> str:
    """``text`` with control characters made visible (ESC is ␛) and tabs as spaces; newlines stay."""
    text = text.replace("\r\n", "\n")
    if "\t" in text:
        text = text.expandtabs(4)
    return _FORBIDDEN.sub(_visible, text)


def _visible(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd"


def one_line(text: str) -> str:
    """``text`` cleaned and on one line."""
    return " ".join(clean(text).split())


@lru_cache(maxsize=4096)
def _cells(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def width(text: str) -> int:
    """How many columns ``text`` takes: wide characters two, combining ones none."""
    return len(text) if text.isascii() else sum(map(_cells, text))


def line_width(line: Iterable[Span]) -> int:
    """How many columns ``line`` takes."""
    return sum(width(span.text) for span in line)


def cut(text: str, columns: int) -> tuple[str, str]:
    """``text`` in two: as much as ``columns`` columns hold (at least one character), and the rest."""
    used = 0
    for place, character in enumerate(text):
        used += _cells(character)
        if used > columns and place:
            return text[:place], text[place:]
    return text, ""


def shorten(text: str, columns: int) -> str:
    """``text`` in at most ``columns`` columns, with … where something was left out."""
    return text if width(text) <= columns else cut(text, max(columns - 1, 1))[0].rstrip() + "…"


_WORDS = re.compile(r" +|[^ ]+")


def wrap(spans: Iterable[Span], columns: int, first: Sequence[Span] = (), rest: Sequence[Span] = ()) -> list[Line]:
    """``spans`` as lines of at most ``columns`` columns; ``first`` and ``rest`` stand before the first and the others.

    Lines break at spaces; a word longer than a line is broken where the line ends. A newline in a span breaks too.
    """
    lines: list[Line] = []
    line: Line = list(first)
    used = start = line_width(line)
    pending: Span | None = None  # the space before the next word, dropped where the line breaks
    word: Line = []

    def turn() -> None:
        nonlocal line, used, start, pending
        lines.append(_merged(line))
        line = list(rest)
        used = start = line_width(line)
        pending = None

    def place() -> None:
        """Put the collected word on this line or the next."""
        nonlocal used, pending, word
        size = line_width(word)
        space = width(pending.text) if pending is not None else 0
        if used > start and used + space + size > columns:
            turn()
            space = 0
        if pending is not None and space and used > start:
            line.append(pending)
            used += space
        pending = None
        for text, style in word:
            while text:
                head, rest_of_it = cut(text, max(columns - used, 1))
                if used + width(head) > columns and used > start:
                    turn()
                    continue
                text = rest_of_it
                line.append(Span(head, style))
                used += width(head)
        word = []

    for span in spans:
        for number, part in enumerate(span.text.split("\n")):
            if number:
                place()
                turn()
            for token in _WORDS.findall(part):
                if token.startswith(" "):
                    if word:
                        place()
                    pending = Span(token, span.style)
                else:
                    word.append(Span(token, span.style))
    if word:
        place()
    lines.append(_merged(line))
    return lines


def _merged(line: Iterable[Span]) -> Line:
    """``line`` with neighbours of one style joined."""
    result: Line = []
    for text, style in line:
        if result and result[-1].style == style:
            result[-1] = Span(result[-1].text + text, style)
        elif text:
            result.append(Span(text, style))
    return result


def styled(line: Iterable[Span], style: str) -> Line:
    """``line`` with ``style`` added to every span."""
    return [Span(text, f"{own};{style}" if own else style) for text, own in line]


def ansi(line: Iterable[Span], colour: bool) -> str:
    """``line`` as a string, with SGR sequences if ``colour``."""
    if not colour:
        return "".join(span.text for span in line)
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style and text else text for text, style in line)


def wants_colour(stream: IO[str], environment: Mapping[str, str]) -> bool:
    """Whether ``stream`` shows colours: a terminal that is not dumb, and no NO_COLOR."""
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def terminal_size(stream: IO[str], environment: Mapping[str, str]) -> tuple[int, int]:
    """Columns and rows of ``stream``; ``COLUMNS`` and ``LINES``, then 80 by 24, where it does not know them."""
    try:
        columns, rows = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError, AttributeError):
        columns = rows = 0
    return columns or _number(environment, "COLUMNS") or 80, rows or _number(environment, "LINES") or 24


def _number(environment: Mapping[str, str], name: str) -> int:
    text = environment.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
