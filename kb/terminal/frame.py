"""A frame: a fixed head and foot with a scrolling body between them, so that nothing jumps from screen to screen."""

from __future__ import annotations

from collections.abc import Sequence

from kb.terminal.text import DIM, NARROWEST, WIDEST, Line, Span
from kb.terminal.views import Body

_FOLLOWING = 6  # rows of what follows the focus that are worth moving the question for
FRAMED_FROM = 10  # rows; on a lower screen the body has it to itself, but for one line


def text_width(columns: int) -> tuple[int, int]:
    """The width of the text and its left margin on a screen of ``columns``."""
    margin = 1 if columns > NARROWEST + 10 else 0
    return min(columns - 2 * margin, WIDEST), margin


class Viewport:
    """The part of a body that is seen. It follows the body's focus until somebody scrolls."""

    def __init__(self) -> None:
        self.offset = 0
        self.height = 1
        self._following = True

    def rewind(self) -> None:
        """Go to the top, for another body."""
        self.offset = 0
        self._following = True

    def follow(self) -> None:
        """Bring the focus into view again."""
        self._following = True

    def scroll(self, key: str) -> None:
        """Move by a line (up, down) or a screen (pgup, pgdn)."""
        steps = {"up": -1, "down": 1, "pgup": 1 - self.height, "pgdn": self.height - 1}
        self.offset = max(self.offset + steps.get(key, 0), 0)
        self._following = False

    def compose(
        self, head: Sequence[Line], body: Body, foot: Sequence[Line], size: tuple[int, int]
    ) -> tuple[list[Line], tuple[int, int] | None]:
        """The lines of the whole screen of ``size`` (columns, rows), and the cursor's row and column."""
        columns, rows = size
        margin = text_width(columns)[1]
        self.height = height = max(rows - len(head) - len(foot), 1)
        self._place(body)
        shown = body.lines[self.offset : self.offset + height]
        below = len(body.lines) - self.offset - height
        foot = [*foot]
        if below > 0 and not foot[0]:
            foot[0] = [Span(f"↓ {below} more {'line' if below == 1 else 'lines'}", DIM)]
        lines = [*head, *shown, *([[]] * (height - len(shown))), *foot]
        cursor = None
        if body.cursor is not None and 0 <= body.cursor[0] - self.offset < height:
            cursor = (len(head) + body.cursor[0] - self.offset, body.cursor[1] + margin)
        return [[Span(" " * margin), *line] if line else [] for line in lines], cursor

    def _place(self, body: Body) -> None:
        overflow = max(len(body.lines) - self.height, 0)
        if self._following and overflow:
            if body.at_end:  # what is above it matters more: it stands near the bottom
                below = min(2, self.height // 4)
                self.offset = body.focus - self.height + 1 + below
            elif body.focus + _FOLLOWING <= self.height:
                self.offset = 0  # enough of it is in view: the question stays where it was
            else:
                self.offset = body.focus - 2
        self.offset = min(max(self.offset, 0), overflow)
