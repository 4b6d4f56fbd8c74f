"""Keys as a terminal sends them, and a line of text edited with them. Pure: bytes in, names out.

A key is a character ("a", "é", " ") or a name: "enter", "esc", "tab", "backspace", "delete", "left", "right", "up",
"down", "home", "end", "pgup", "pgdn", "ctrl+a", "alt+h". Pasted text arrives as one Paste, whatever characters it has.
"""

from __future__ import annotations

import codecs

from kb.terminal.text import clean, cut, width

MAX_LINE = 100_000  # characters of an answer; what is pasted beyond is left out

_CONTROLS = {
    "\r": "enter",
    "\n": "enter",
    "\t": "tab",
    "\x1b": "esc",
    "\x7f": "backspace",
    "\x08": "backspace",
    "\0": "ctrl+space",
}
_SEQUENCES = {
    "[A": "up",
    "[B": "down",
    "[C": "right",
    "[D": "left",
    "[H": "home",
    "[F": "end",
    "[1~": "home",
    "[7~": "home",
    "[4~": "end",
    "[8~": "end",
    "[3~": "delete",
    "[5~": "pgup",
    "[6~": "pgdn",
    "[Z": "backtab",
    "OA": "up",
    "OB": "down",
    "OC": "right",
    "OD": "left",
    "OH": "home",
    "OF": "end",
    "OM": "enter",
    "[1;5C": "alt+f",
    "[1;5D": "alt+b",
    "[1;3C": "alt+f",
    "[1;3D": "alt+b",
}
_PASTE, _PASTED = "[200~", "\x1b[201~"


class Paste(str):
    """Text that was pasted in one go."""

    __slots__ = ()


class KeyReader:
    """Turns the bytes of a terminal into keys; what is not yet complete waits for the bytes that follow."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""

    @property
    def waiting(self) -> bool:
        """Whether a sequence has begun that may go on: an ESC alone is a key only if nothing follows soon."""
        return bool(self._text)

    def feed(self, data: bytes) -> list[str]:
        """The keys that are complete with ``data``."""
        self._text += self._decoder.decode(data)
        keys: list[str] = []
        while self._text:
            key, used = self._next()
            if not used:
                break
            self._text = self._text[used:]
            if key:
                keys.append(key)
        return keys

    def flush(self) -> list[str]:
        """The keys in what is waiting, now that nothing follows: an ESC, or an ESC and what came after it."""
        text, self._text = self._text, ""
        if text.startswith("\x1b" + _PASTE):
            return [Paste(text[len(_PASTE) + 1 :])]
        return [key for character in text for key in [_character(character)] if key]

    def _next(self) -> tuple[str | None, int]:
        text = self._text
        if text[0] != "\x1b":
            return _character(text[0]), 1
        if len(text) == 1:
            return None, 0
        if text[1] == "\x1b":
            return "esc", 1
        if text[1] not in "[O":
            inner = _character(text[1])
            return (f"alt+{inner}" if inner else None), 2
        if text.startswith("\x1b" + _PASTE):
            end = text.find(_PASTED)
            if end < 0:
                return (None, 0) if len(text) < 2 * MAX_LINE else (Paste(text[6 : 6 + MAX_LINE]), len(text))
            return Paste(text[len(_PASTE) + 1 : end]), end + len(_PASTED)
        if text[1] == "O":
            return (_SEQUENCES.get(text[1:3]), 3) if len(text) > 2 else (None, 0)
        for place in range(2, len(text)):
            if "@" <= text[place] <= "~":
                return _SEQUENCES.get(text[1 : place + 1]), place + 1
            if place > 32:
                return None, place
        return None, 0


def _character(character: str) -> str | None:
    if character in _CONTROLS:
        return _CONTROLS[character]
    if character < " ":
        return f"ctrl+{chr(ord(character) + 96)}"
    return character if clean(character) == character else None


class LineEditor:
    """One line of text and a cursor, with the keys that shells have: arrows, Ctrl-A/E/B/F/K/U/W/D, Alt-B/F."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.cursor = len(text)

    def press(self, key: str) -> bool:
        """Act on ``key``; whether it meant anything here (Enter, Esc and the like do not)."""
        if isinstance(key, Paste):
            self._insert(" ".join(clean(key).split("\n")))
            return True
        action = _ACTIONS.get(key)
        if action is not None:
            action(self)
            return True
        if len(key) == 1:
            self._insert(key)
            return True
        return False

    def view(self, columns: int) -> tuple[str, int]:
        """The part of the text that fits into ``columns`` columns around the cursor, and the cursor's column in it."""
        start = 0
        while width(self.text[start : self.cursor]) >= columns:
            start += max(columns // 3, 1)
        shown = cut(self.text[start:], columns)[0] if self.text[start:] else ""
        return shown, width(self.text[start : self.cursor])

    def _insert(self, text: str) -> None:
        text = text[: max(MAX_LINE - len(self.text), 0)]
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def _remove(self, start: int, end: int) -> None:
        self.text = self.text[:start] + self.text[end:]
        self.cursor = start

    def _backspace(self) -> None:
        self._remove(max(self.cursor - 1, 0), self.cursor)

    def _delete(self) -> None:
        self._remove(self.cursor, self.cursor + 1)

    def _left(self) -> None:
        self.cursor = max(self.cursor - 1, 0)

    def _right(self) -> None:
        self.cursor = min(self.cursor + 1, len(self.text))

    def _home(self) -> None:
        self.cursor = 0

    def _end(self) -> None:
        self.cursor = len(self.text)

    def _word_left(self) -> None:
        head = self.text[: self.cursor].rstrip()
        self.cursor = head.rfind(" ") + 1

    def _word_right(self) -> None:
        tail = self.text[self.cursor :]
        skipped = len(tail) - len(tail.lstrip())
        space = tail.find(" ", skipped)
        self.cursor = len(self.text) if space < 0 else self.cursor + space

    def _kill_word(self) -> None:
        end = self.cursor
        self._word_left()
        self._remove(self.cursor, end)

    def _kill_line(self) -> None:
        self._remove(0, self.cursor)

    def _kill_rest(self) -> None:
        self._remove(self.cursor, len(self.text))


_ACTIONS = {
    "backspace": LineEditor._backspace,
    "delete": LineEditor._delete,
    "ctrl+d": LineEditor._delete,
    "left": LineEditor._left,
    "ctrl+b": LineEditor._left,
    "right": LineEditor._right,
    "ctrl+f": LineEditor._right,
    "home": LineEditor._home,
    "ctrl+a": LineEditor._home,
    "end": LineEditor._end,
    "ctrl+e": LineEditor._end,
    "alt+b": LineEditor._word_left,
    "alt+f": LineEditor._word_right,
    "ctrl+w": LineEditor._kill_word,
    "alt+backspace": LineEditor._kill_word,
    "ctrl+u": LineEditor._kill_line,
    "ctrl+k": LineEditor._kill_rest,
}
