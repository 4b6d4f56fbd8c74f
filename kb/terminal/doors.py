"""The doors out of a sitting: a demo, an editor, a run in the background, and back again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence

import kb
from kb.errors import KbError
from kb.quiz.turn import Turn
from kb.terminal import editing
from kb.terminal.keys import KeyReader
from kb.terminal.text import BOLD, DIM, Span, ansi, clean, wants_colour


def run_demo(turn: Turn, environment: Mapping[str, str]) -> None:
    """Run the demo that is linked to ``turn``, with the question's parameters, and wait for a key."""
    assert turn.demo is not None
    call_demo([turn.demo, *demo_options(turn)], environment)
    colour = wants_colour(sys.stdout, environment)
    sys.stdout.write("\n" + ansi([Span("Press a key to go back to the quiz ", DIM)], colour))
    sys.stdout.flush()
    wait_for_key()
    sys.stdout.write("\n")
    sys.stdout.flush()


def call_demo(words: Sequence[str], environment: Mapping[str, str]) -> None:
    """``kb demo`` with these words, in a process of its own on this terminal; Ctrl-C ends the demo alone."""
    arguments = ["demo", *words]
    colour = wants_colour(sys.stdout, environment)
    sys.stdout.write(ansi([Span(f"kb {' '.join(arguments)}", BOLD)], colour) + "\n\n")
    sys.stdout.flush()
    folder = os.path.dirname(os.path.dirname(os.path.abspath(kb.__file__)))
    path = os.pathsep.join(filter(None, [folder, environment.get("PYTHONPATH")]))
    # Ctrl-C is for the demo; it ends in its own process and this one goes on
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        subprocess.call([sys.executable, "-m", "kb", *arguments], env={**environment, "PYTHONPATH": path})
    finally:
        signal.signal(signal.SIGINT, before)


def demo_options(turn: Turn) -> list[str]:
    """The parameters that the question runs its demo with (predict), as options."""
    given = turn.card.fields.get("parameters") if turn.card.demo is not None else None
    options: list[str] = []
    for name, value in given.items() if isinstance(given, dict) else ():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            options.append(f"--{flag}" if value else f"--no-{flag}")
        else:
            options += [f"--{flag}", turn.question.fill("parameters", str(value), turn.ask.values)]
    return options


def write_code(turn: Turn, source: str, environment: Mapping[str, str]) -> str | None:
    """A program written in the learner's editor, or line by line where there is none; None if nothing changed."""
    command = editing.editor(environment)
    if command is None:
        sys.stdout.write(f"{clean(source)}\n\nWrite the program; a line with a single dot ends it.\n")
        sys.stdout.flush()
        written = read_until_dot()
    else:
        written = editing.edit_text(command, source, turn.name.partition("/")[2].replace("-", "_") + ".py")
    return None if not written.strip() or written == source else written


def read_until_dot() -> str:
    """Lines of stdin up to one with a single dot, or to its end."""
    rows: list[str] = []
    size = 0
    for raw in sys.stdin.buffer:
        try:
            row = raw.decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise KbError("the answer is not UTF-8") from None
        if row == ".":
            break
        size += len(raw)
        if size > editing.MAX_BYTES:
            raise KbError(f"the answer is larger than {editing.MAX_BYTES:,} bytes")
        rows.append(row + "\n")
    return "".join(rows)


def ask_trust(danger: str, file: str, colour: bool) -> bool:
    """Say what running the code of a topic could do, and ask whether it may."""
    for line in (
        [Span("This topic brings code that would run unprotected.", BOLD)],
        [Span(f"The sandbox here has {danger}.")],
        [Span(clean(file))],
        [],
        [Span("Run the code of this topic? You are asked once. ", BOLD), Span("y yes   any other key: no ", DIM)],
    ):
        sys.stdout.write(ansi(line, colour) + "\n")
    sys.stdout.flush()
    return wait_for_key() in ("y", "Y")


def wait_for_key() -> str:
    """Wait for a key and return it."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    saved = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor, termios.TCSAFLUSH)
        reader = KeyReader()
        keys: list[str] = []
        while not keys:
            data = os.read(descriptor, 64)
            if not data:
                raise EOFError
            keys = reader.feed(data) or reader.flush()
        return keys[0]
    finally:
        termios.tcsetattr(descriptor, termios.TCSANOW, saved)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What a run in the background writes to stderr doesn't reach the screen."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(saved, 2)
            os.close(saved)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Ctrl-C stops what runs and leaves the question open."""
    try:
        yield
    except KeyboardInterrupt:
        raise KbError("stopped; the question is still open") from None
