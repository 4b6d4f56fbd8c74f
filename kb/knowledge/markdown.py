"""What the linter looks for in Markdown: formulas, fenced blocks, and what was opened and never closed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_SURELY_MATHS = re.compile(r"\\[a-zA-Z]|\w{1,2}[_^]\{|\w\^")


class Fence(NamedTuple):
    """A fenced block: the words after the opening fence, its text, and the line of the opening fence, from 0."""

    info: tuple[str, ...]
    text: str
    line: int
    closed: bool


class Formula(NamedTuple):
    """The source of a formula without its dollar signs, and where it begins in the text; ``closed``: it ends."""

    source: str
    start: int
    closed: bool = True


def fences(text: str) -> list[Fence]:
    """The fenced blocks of ``text``, as CommonMark has them (§4.5), but not those in lists or quotes."""
    found: list[Fence] = []
    opened: tuple[str, str, int] | None = None
    lines: list[str] = []
    for number, line in enumerate(text.split("\n")):
        match = _FENCE.match(line)
        if opened is None:
            if match:
                opened, lines = (match[1], match[2], number), []
        elif match and match[1].startswith(opened[0]) and not match[2].strip():
            found.append(Fence(tuple(opened[1].split()), "\n".join(lines), opened[2], True))
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        found.append(Fence(tuple(opened[1].split()), "\n".join(lines), opened[2], False))
    return found


def formulas(text: str) -> Iterator[Formula]:
    """The formulas of ``text`` outside code.

    ``$$…$$`` is one, and ``$…$`` where no space follows the first dollar, no space comes before the last and no digit
    after it, so that "$5 and $6" are prices, as in pandoc. A ``$$`` that is never closed is told, and so is a ``$``
    before what can only be a formula.
    """
    position = 0
    text = without_fences(text)
    while match := re.compile(r"\\.|`+|\$\$|\$", re.DOTALL).search(text, position):
        sign, position = match.group(), match.end()
        if sign[0] == "`":
            close = re.compile(rf"(?<!`){sign}(?!`)").search(text, position)
            position = close.end() if close else position
        elif sign == "$$":
            end = text.find("$$", position)
            yield Formula(text[position : end if end > 0 else None].strip(), match.start(), end > 0)
            position = end + 2 if end > 0 else len(text)
        elif sign == "$":
            close_at = _closing_dollar(text, position)
            if close_at is not None:
                yield Formula(text[position:close_at], match.start())
                position = close_at + 1
            elif _SURELY_MATHS.match(text, position):
                yield Formula(text[position:].split("\n")[0], match.start(), False)


def _closing_dollar(text: str, start: int) -> int | None:
    """Where the formula that begins at ``start`` ends, if it is one: within its paragraph."""
    if text[start : start + 1].isspace():
        return None
    for found in re.compile(r"\\.|\n\n|\$", re.DOTALL).finditer(text, start):
        if found.group() == "\n\n":
            return None
        end = found.start()
        if found.group() == "$":  # the first one ends it, or shows that the opening one was a price
            closes = not text[end - 1].isspace() and not text[end + 1 : end + 2].isdigit()
            return end if closes else None
    return None


def without_fences(text: str) -> str:
    """``text`` with the lines of its fenced blocks blank; all else stays where it is."""
    lines = text.split("\n")
    for fence in fences(text):
        for number in range(fence.line, fence.line + fence.text.count("\n") + 2 + bool(fence.closed)):
            if number < len(lines):
                lines[number] = " " * len(lines[number])
    return "\n".join(lines)
