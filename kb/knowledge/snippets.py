"""The runnable snippets of a body: each is run, and what it prints is held against the ``output`` block after it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from kb.knowledge.markdown import Fence, fences

SECONDS = 60.0


class Ran(Protocol):
    """What became of a run."""

    @property
    def ok(self) -> bool:
        """Whether it came to its end."""

    @property
    def output(self) -> str:
        """What it printed."""

    @property
    def error(self) -> str:
        """What ended it."""


Run = Callable[[str], Ran]  # from the source of a program to what became of it


class Snippet(NamedTuple):
    """A block marked ``python run``, the text that it must print (None: nothing says), and their lines in the body."""

    source: str
    output: str | None
    line: int
    output_line: int


class Complaint(NamedTuple):
    """What is wrong with a snippet, and in which line of the body, from 0."""

    rule: str
    message: str
    cure: str
    line: int


@dataclass(frozen=True)
class Result:
    """What became of a snippet run by ``in_a_process``."""

    ok: bool
    output: str
    error: str


def snippets(body: str) -> tuple[list[Snippet], list[Complaint]]:
    """The runnable snippets of ``body``, and what is wrong with how its blocks are marked."""
    found: list[Snippet] = []
    complaints: list[Complaint] = []
    before: Fence | None = None
    blocks = fences(body)
    for fence in blocks:
        if not fence.closed:
            complaints.append(
                Complaint("fence", "this code block is never closed", f"end it with {'`' * 3}", fence.line)
            )
        elif fence.info == ("python", "run"):
            found.append(Snippet(fence.text, None, fence.line, fence.line))
        elif fence.info[:1] == ("output",):
            if before is not None and before.info == ("python", "run"):
                found[-1] = found[-1]._replace(output=fence.text, output_line=fence.line)
            else:
                message = "an output block without a snippet before it"
                complaints.append(Complaint("snippet", message, "mark the block before it `python run`", fence.line))
        elif "run" in fence.info:
            message = f"a block marked {' '.join(fence.info)!r} is not run"
            complaints.append(Complaint("snippet", message, "mark it `python run`", fence.line))
        before = fence
    for snippet in found:
        if snippet.output is None:
            message = "nothing says what this snippet must print"
            complaints.append(Complaint("snippet", message, "add a block marked `output` after it", snippet.line))
    return found, complaints


def check(body: str, run: Run) -> Iterator[Complaint]:
    """Run every snippet of ``body`` by ``run`` and tell which do not print what the body says."""
    found, complaints = snippets(body)
    yield from complaints
    for snippet in found:
        if snippet.output is None:
            continue
        result = run(snippet.source)
        if not result.ok:
            error = " ".join(result.error.split()) or "it failed"
            yield Complaint("snippet-run", f"the snippet does not run: {error}", "correct it", snippet.line)
        else:
            yield from _compare(result.output, snippet)


def _compare(printed: str, snippet: Snippet) -> Iterator[Complaint]:
    got, expected = _lines(printed), _lines(snippet.output or "")
    for number in range(max(len(got), len(expected))):
        there = got[number] if number < len(got) else None
        wanted = expected[number] if number < len(expected) else None
        if there != wanted:
            shown = "nothing more" if there is None else repr(there)
            said = "ends" if wanted is None else f"says {wanted!r}"
            message = f"the snippet prints {shown} where the output {said}"
            yield Complaint("snippet-output", message, "make code and output agree", snippet.output_line + 1 + number)
            return


def _lines(text: str) -> list[str]:
    """The lines of ``text`` without spaces at their ends, and without empty lines at its end."""
    return [line.rstrip() for line in text.rstrip().split("\n")]


def in_a_process(source: str) -> Result:
    """Run ``source`` by an isolated Python of its own, for as long as ``SECONDS`` at most. It is not confined."""
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", source],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Result(False, "", f"it ran longer than {SECONDS:g} s")
    lines = done.stderr.strip().splitlines()
    return Result(done.returncode == 0, done.stdout, lines[-1] if lines else f"it ended with {done.returncode}")
