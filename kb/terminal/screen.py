"""The whole terminal while a sitting lasts: keys come in one by one, frames are drawn in place, and whatever ends it,
the terminal is given back as it was."""

from __future__ import annotations

import contextlib
import errno
import os
import select
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FrameType
from typing import Any

from kb.terminal.keys import KeyReader
from kb.terminal.text import Line, ansi, terminal_size, wants_colour

RESIZE = "resize"  # the key that stands for a new size of the window
_ESC_SECONDS = 0.05  # so long an ESC waits for the rest of a sequence
_ENTER = "\x1b[?1049h\x1b[?2004h\x1b[2J\x1b[H"
_LEAVE = "\x1b[?2004l\x1b[?25h\x1b[0m\x1b[?1049l"


class Screen:
    """The terminal at stdin and stdout in full-screen mode, as a context manager.

    Ctrl-C raises KeyboardInterrupt, a closed terminal EOFError. SIGTERM and SIGHUP end the process as they would, and
    Ctrl-Z stops it, after the terminal has been given back.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._in = sys.stdin.fileno()
        self._out = sys.stdout.fileno()
        self.colour = wants_colour(sys.stdout, environment)
        self._reader = KeyReader()
        self._keys: list[str] = []
        self._saved: list[Any] = []
        self._handlers: dict[int, Any] = {}
        self._wake: tuple[int, int] = (-1, -1)
        self._resized = False
        self._active = False

    @staticmethod
    def possible(environment: Mapping[str, str]) -> bool:
        """Whether there is a terminal at both ends that can be drawn on."""
        return sys.stdin.isatty() and sys.stdout.isatty() and environment.get("TERM", "dumb") not in ("", "dumb")

    def __enter__(self) -> Screen:
        self._wake = os.pipe()
        for end in self._wake:
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)
        actions: dict[int, Callable[[int, FrameType | None], None]] = {
            signal.SIGWINCH: self._on_resize,
            signal.SIGTERM: self._on_end,
            signal.SIGHUP: self._on_end,
            signal.SIGTSTP: self._on_stop,
        }
        for number, action in actions.items():
            self._handlers[number] = signal.signal(number, action)
        self._take()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()
        signal.set_wakeup_fd(-1)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        for end in self._wake:
            os.close(end)

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Give the terminal to another program (an editor, a demo) and take it back afterwards."""
        self._give_back()
        number = signal.SIGTSTP
        handler = signal.signal(number, signal.SIG_DFL)
        try:
            yield
        finally:
            signal.signal(number, handler)
            self._take()
            self._resized = True

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows, now."""
        return terminal_size(sys.stdout, self._environment)

    def key(self) -> str:
        """The next key, or RESIZE."""
        while not self._keys:
            if self._resized:
                self._resized = False
                return RESIZE
            timeout = _ESC_SECONDS if self._reader.waiting else None
            ready, _, _ = select.select([self._in, self._wake[0]], [], [], timeout)
            if not ready:
                self._keys += self._reader.flush()
            if self._wake[0] in ready:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake[0], 512)
            if self._in in ready:
                self._keys += self._reader.feed(self._read())
        return self._keys.pop(0)

    def forget_keys(self) -> None:
        """Drop what was typed while nobody looked (during a long run)."""
        termios.tcflush(self._in, termios.TCIFLUSH)
        self._keys.clear()
        self._reader = KeyReader()

    def draw(self, lines: Sequence[Line], cursor: tuple[int, int] | None = None) -> None:
        """Show ``lines`` from the top row on; the cursor at (row, column), hidden if None."""
        rows = [ansi(line, self.colour) + "\x1b[0m\x1b[K" for line in lines[: self.size[1]]]
        place = "\x1b[?25l" if cursor is None else f"\x1b[{cursor[0] + 1};{cursor[1] + 1}H\x1b[?25h"
        # ?2026: a terminal that knows it shows the frame in one go
        self._write("\x1b[?2026h\x1b[?25l\x1b[H" + "\r\n".join(rows) + "\x1b[J" + place + "\x1b[?2026l")

    def _read(self) -> bytes:
        try:
            data = os.read(self._in, 65536)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            data = b""
        if not data:
            raise EOFError
        return data

    def _write(self, text: str) -> None:
        data = text.encode("utf-8", "replace")
        while data:
            data = data[os.write(self._out, data) :]

    def _take(self) -> None:
        sys.stdout.flush()
        self._saved = termios.tcgetattr(self._in)
        tty.setcbreak(self._in, termios.TCSANOW)
        attributes = termios.tcgetattr(self._in)
        attributes[0] &= ~(termios.IXON | termios.ICRNL)  # Ctrl-S and Ctrl-Q are keys, Enter is told from Ctrl-J
        termios.tcsetattr(self._in, termios.TCSANOW, attributes)
        self._write(_ENTER)
        self._active = True

    def _give_back(self) -> None:
        if self._active:
            self._active = False
            with contextlib.suppress(OSError, termios.error):  # the terminal may be gone
                self._write(_LEAVE)
                termios.tcsetattr(self._in, termios.TCSANOW, self._saved)

    def _on_resize(self, number: int, frame: FrameType | None) -> None:
        self._resized = True

    def _on_end(self, number: int, frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _on_stop(self, number: int, frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, self._on_stop)
        self._take()
        self._resized = True
