"""Reads one YAML file into plain values, strictly, and knows where each value stands.

The file is untrusted: its size, depth and expansion are limited while it is read, event by event, so that a hostile one
gets an error before it gets memory. A plain word or number that YAML 1.1 and YAML 1.2 read differently (``no``,
``1:30``, ``012``, a date) is refused rather than guessed at.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import Any

from kb.knowledge.builder import FORBIDDEN, Place, Places, Unreadable, build
from kb.knowledge.faults import Fault, Pointer

MAX_BYTES = 1 << 20  # the largest topic that is worth reading is a twentieth of it


class Document:
    """A file's ``value`` (None if it cannot be read) and the ``faults`` found while reading it.

    Where a value stands is worked out by reading the text again, so only a file with a fault pays for it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.value: Any = None
        self.faults: list[Fault] = []
        self.text = ""
        self._places: Places | None = None
        try:
            self.text = read_text(path)
            self.value = build(self.text, path, self.faults)
        except Unreadable as stop:
            self.faults.append(stop.fault)

    @property
    def places(self) -> Places:
        """Where everything stands."""
        if self._places is None:
            self._places = Places()
            with suppress(Unreadable):  # what was read up to there has its places
                build(self.text, self.path, [], self._places)
        return self._places

    def place(self, pointer: Pointer) -> Place:
        """Where the value at ``pointer`` begins; the nearest place above it if it isn't in the file."""
        while pointer and pointer not in self.places.values:
            pointer = pointer[:-1]
        return self.places.values.get(pointer, (1, 1))

    def key_place(self, pointer: Pointer) -> Place:
        """Where the key of the value at ``pointer`` begins."""
        return self.places.keys.get(pointer) or self.place(pointer)

    def plain(self, pointer: Pointer) -> str | None:
        """The text of an unquoted scalar as it stands in the file, None for any other value."""
        return self.places.plain.get(pointer)

    def text_line(self, pointer: Pointer, offset: int) -> int:
        """The line of the file that holds line ``offset`` (from 0) of the block of text at ``pointer``."""
        line, _ = self.place(pointer)
        return line + 1 + offset if pointer in self.places.blocks else line

    def text_place(self, pointer: Pointer, text: str, start: int, fragment: str) -> Place:
        """Where ``fragment``, found at ``start`` in the ``text`` at ``pointer``, stands in the file.

        It is looked for as it is written; where quoting or folding has changed it, the text's own place has to do.
        """
        line, column = self.place(pointer)
        lines = self.text.split("\n")
        raw = "\n".join(lines[line - 1 :])[column - 1 :]
        wanted = fragment.split("\n")[0]
        at = -1
        for _ in range(text[: start + len(wanted)].count(wanted)):
            at = raw.find(wanted, at + 1)
            if at < 0:
                return line, column
        before = raw[: max(at, 0)]
        breaks = before.count("\n")
        return line + breaks, len(before) - before.rfind("\n") if breaks else column + len(before)

    def fault(self, rule: str, message: str, cure: str | None, pointer: Pointer, *, key: bool = False) -> Fault:
        """A fault at the value at ``pointer``, or at its key."""
        line, column = self.key_place(pointer) if key else self.place(pointer)
        return Fault(rule, message, cure, self.path, line, column)


def read_text(path: str) -> str:
    """The file's text without a byte order mark; raises Unreadable unless it is UTF-8 text of a sane size."""

    def stop(rule: str, message: str, cure: str | None, before: str | None = None) -> Unreadable:
        if before is None:
            return Unreadable(Fault(rule, message, cure, path))
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return Unreadable(Fault(rule, message, cure, path, line, column))

    try:
        # O_NONBLOCK: a pipe would keep open() waiting, and a stat() before it could look at another file.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise stop("readable", "is not a regular file", "a topic is one text file")
            if status.st_size > MAX_BYTES:
                size = f"{status.st_size / (1 << 20):.1f} MiB"
                raise stop("size", f"has {size}; a topic file may have 1 MiB", "split it into several topics")
            data = file.read(MAX_BYTES + 1)
    except IsADirectoryError:
        raise stop("readable", "is a folder", "a topic is one text file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise stop("readable", f"cannot be read: {reason}", None) from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise stop("encoding", "is UTF-16, not UTF-8", "save it as UTF-8", "")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 (byte 0x{data[error.start]:02x})"
        raise stop("encoding", message, "save it as UTF-8", data[: error.start].decode("utf-8")) from None
    found = FORBIDDEN.search(text)
    if found:
        bare = found[0] == "\r"
        what = "a bare carriage return" if bare else f"the invisible character U+{ord(found[0]):04X}"
        cure = "end lines with a line feed" if bare else "delete it"
        raise stop("control-character", f"holds {what}", cure, text[: found.start()])
    return text
