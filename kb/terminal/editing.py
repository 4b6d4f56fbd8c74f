"""The learner's own editor, on a card at its line or on a program."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Mapping

from kb.errors import KbError

MAX_BYTES = 1_000_000
_GOTO = {"code", "code-insiders", "codium", "cursor", "windsurf"}
_COLON = {"subl", "hx", "helix", "zed", "mate", "kak"}


def editor(environment: Mapping[str, str]) -> list[str] | None:
    """``$VISUAL`` or ``$EDITOR`` as a command; None if neither is set."""
    for name in ("VISUAL", "EDITOR"):
        if environment.get(name, "").strip():
            try:
                return shlex.split(environment[name])
            except ValueError:
                raise KbError(f"${name} has an open quote: {environment[name]!r}") from None
    return None


def at_line(command: list[str], file: str, line: int) -> list[str]:
    """The command that opens ``file`` at ``line`` (from 1)."""
    program = os.path.splitext(os.path.basename(command[0]))[0]
    if program in _GOTO:
        wait = [] if "--wait" in command or "-w" in command else ["--wait"]
        return [*command, *wait, "--goto", f"{file}:{line}"]
    if program in _COLON:
        return [*command, f"{file}:{line}"]
    return [*command, f"+{line}", file]


def edit_file(command: list[str], file: str, line: int = 1) -> None:
    """Open ``file`` at ``line`` and wait until the editor is closed."""
    _call(at_line(command, file, line))


def edit_text(command: list[str], text: str, name: str) -> str:
    """``text`` as it is after it has been edited under the file name ``name``; KbError if it is no decent text."""
    with tempfile.TemporaryDirectory(prefix="kb-") as folder:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        _call([*command, path])
        return read_text(path)


def read_text(path: str) -> str:
    """The text of a file; KbError if it cannot be read, is not UTF-8 or too large."""
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise KbError(f"cannot be read: {error.strerror}", file=path) from None
    if len(raw) > MAX_BYTES:
        raise KbError(f"the answer is larger than {MAX_BYTES:,} bytes", file=path)
    try:
        return raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise KbError("the answer is not UTF-8", file=path) from None


def _call(command: list[str]) -> None:
    try:
        code = subprocess.call(command)
    except OSError as error:
        raise KbError(f"the editor {command[0]!r} cannot be started: {error.strerror}", cure="set $EDITOR") from None
    if code != 0:
        raise KbError(f"the editor {command[0]!r} ended with code {code}")
