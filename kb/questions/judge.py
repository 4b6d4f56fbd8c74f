"""Judging an answer in code by two programs that never meet, in sandboxes of their own.

``kb.questions.truth`` holds the tests and the reference, ``kb.questions.answers`` the learner's code; all that passes
between them is data, through here, where it is compared. So the learner's process holds no reference to read, no
expected value to copy and no comparison to tamper with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from kb.errors import MissingExtra
from kb.questions.base import CardError, Laboratory
from kb.questions.compare import Closeness, Raised, difference, read, show

MAX_ROUNDS = 100  # of calls whose arguments are made of answers
MAX_SHOWN = 2000
EXTRAS = ("numpy", "torch", "sklearn")

_GARBAGE = "What came back from your code could not be read."


@dataclass(frozen=True, slots=True)
class Tests:
    """What a code question tests an answer with; ``question`` is its name, ``values`` its drawn parameters."""

    question: str
    function: str
    given: str
    reference: str
    tests: str
    values: Mapping[str, Any]
    closeness: Closeness
    seconds: float


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an answer fails: a line for the learner, and the case in full."""

    message: str
    detail: str = ""


class Judge:
    """Judges sources by ``tests`` on the random inputs of ``seed``; the inputs and what is expected are found once."""

    def __init__(self, tests: Tests, seed: int, laboratory: Laboratory) -> None:
        self.tests = tests
        self.seed = seed
        self.laboratory = laboratory
        self.held = 0  # cases and checks that the last source passed
        self._printed: list[str] = []
        truth = self._truth(None)
        self._cases: list[Any] = truth["cases"]
        self._calls: list[Any] | None = truth["calls"]

    def printed(self) -> str:
        """What the last source printed, shortened."""
        text = "\n".join(output.strip("\n") for output in self._printed if output.strip())
        return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + " …"

    def judge(self, source: str) -> Failure | None:
        """What is wrong with ``source``, or None; raises CardError where the card itself is at fault."""
        self.held = 0
        self._printed = []
        inputs = [arguments for arguments, _ in self._cases]
        results = self._answers(source, [*inputs, *(self._calls or ())])
        if isinstance(results, Failure):
            return results
        for number, (case, result) in enumerate(zip(self._cases, results, strict=False), start=1):
            failure = self._compared(f"case {number} of {len(self._cases)}", case[0], case[1], result)
            if failure is not None:
                return failure
            self.held += 1
        if self._calls is None:
            return None
        return self._checked(source, list(zip(self._calls, results[len(inputs) :], strict=False)))

    def _compared(self, case: str, arguments: Any, expected: Any, result: Any) -> Failure | None:
        wanted = read(expected)
        try:
            got = read(result)
        except ValueError:
            return Failure(_GARBAGE)
        fault = difference(wanted, got, self.tests.closeness)
        if fault is None:
            return None
        did, message = "got     ", f"A result is wrong: {fault}."
        if isinstance(got, Raised):
            did, message = "raised  ", _raised(got)
        detail = f"{case}\n  {self._call(arguments)}\n  expected  {show(wanted)}\n  {did}  {show(got)}"
        return Failure(message, detail)

    def _call(self, arguments: Any) -> str:
        return f"{self.tests.function}({', '.join(show(value) for value in read(arguments))})"

    def _checked(self, source: str, transcript: list[tuple[Any, Any]]) -> Failure | None:
        """Play ``check`` with the answers of ``transcript``, and with those to further calls that it makes."""
        for _ in range(MAX_ROUNDS):
            if not all(_readable(result) for _, result in transcript):
                return Failure(_GARBAGE)
            check = self._truth(transcript)["check"]
            if check[0] == "holds":
                self.held += 1
                return None
            if check[0] == "fails":
                return self._failed(*check[1:])
            results = self._answers(source, [check[1]])
            if isinstance(results, Failure):
                return results
            transcript.append((check[1], results[0]))
        raise self._fault("tests", f"check makes more than {MAX_ROUNDS} calls out of answers", "make fewer")

    def _failed(self, line: int | None, message: str, last: Any, raised_by_answer: bool) -> Failure:
        detail = ""
        if last:
            got = read(last[1])
            did = "raised  " if isinstance(got, Raised) else "returned"
            detail = f"the last call\n  {self._call(last[0])}\n  {did}  {show(got)}"
            if isinstance(got, Raised) and raised_by_answer:
                return Failure(_raised(got), detail)
        lines = self.tests.tests.splitlines()
        if message == "AssertionError" and line and line <= len(lines):
            message = f"`{lines[line - 1].strip()}` does not hold"
        return Failure(f"A property fails: {message.removeprefix('AssertionError: ')}.", detail)

    def _truth(self, transcript: Sequence[Any] | None) -> dict[str, Any]:
        """What the tests and the reference say, from a run of their own; with a transcript, how the check comes out."""
        tests = self.tests
        payload = {
            "given": tests.given,
            "reference": tests.reference,
            "tests": tests.tests,
            "function": tests.function,
            "values": dict(tests.values),
            "seed": self.seed,
            "transcript": transcript,
        }
        program = _program("truth", payload, (tests.given, tests.reference, tests.tests))
        outcome = self.laboratory.python(program, seconds=tests.seconds, call="main")
        found = outcome.value
        if not outcome.ok or not isinstance(found, dict):
            raise self._fault("tests", f"tests and reference did not come to their end: {outcome.error}")
        if "fault" not in found:
            return found
        part, line, message = found["fault"]
        missing = re.match(r"ModuleNotFoundError: No module named '(\w+)", message)
        if missing and missing[1] in EXTRAS:
            raise MissingExtra(missing[1], "demos")
        raise self._fault(part, f"line {line}: {message}" if line else message)

    def _fault(self, part: str, message: str, cure: str = "mend it; the answer was not judged") -> CardError:
        return CardError(self.tests.question, (part,), message, cure)

    def _answers(self, source: str, inputs: Sequence[Any]) -> list[Any] | Failure:
        """What ``source`` gives for ``inputs``, from a run that holds nothing else."""
        payload = {
            "given": self.tests.given,
            "source": source,
            "function": self.tests.function,
            "inputs": inputs,
            "seed": self.seed,
            "seconds": self.tests.seconds * 0.8,  # before the sandbox's own limit, to know the case
        }
        program = _program("answers", payload, (self.tests.given, source, json.dumps(inputs)))
        outcome = self.laboratory.python(program, seconds=self.tests.seconds, call="main")
        self._printed.append(str(outcome.output or ""))
        if not outcome.ok:
            return Failure(f"Your code did not come to its end: {outcome.error}.")
        match outcome.value:
            case {"fault": [int() | None as line, str(message)]}:
                return _unrunnable(source, line, message[:MAX_SHOWN])
            case {"results": list(results)} if len(results) == len(inputs):
                return results
            case {"results": list(results)} if results and results[-1][:2] == ["x", "TooSlow"]:
                return results
        return Failure(_GARBAGE)


def _readable(node: Any) -> bool:
    try:
        read(node)
    except ValueError:
        return False
    return True


def _raised(error: Raised) -> str:
    if error.kind == "TooSlow":
        return f"Your code took too long: {error.message}."
    place = f" on line {error.line}" if error.line else ""
    return f"Your code raised {error.kind}{place}" + (f": {error.message}" if error.message else "") + "."


def _unrunnable(source: str, line: int | None, message: str) -> Failure:
    lines = source.splitlines()
    shown = f"  {lines[line - 1]}" if line is not None and 0 < line <= len(lines) else ""
    place = f"line {line}: " if line is not None else ""
    return Failure(f"Your code could not be run: {place}{message}.", shown)


PARTS = ("faults", "nodes", "rng")
_LIBRARY = re.compile(r"\b(numpy|torch)\b")


def _program(side: str, payload: Mapping[str, Any], sources: Sequence[str]) -> str:
    """The program that runs ``side`` on ``payload``, complete in itself; libraries that ``sources`` name load first."""
    wanted = sorted({name for source in sources for name in _LIBRARY.findall(source)})
    loads = "".join(f"try:\n    import {name}\nexcept ImportError:\n    pass\n" for name in wanted)
    modules = {f"kb.questions.{part}": text_of(part) for part in (*PARTS, side)}
    return (
        f"import json, sys, types\n{loads}"
        f"for name, text in json.loads({json.dumps(modules)!r}).items():\n"
        "    sys.modules[name] = module = types.ModuleType(name)\n"
        "    exec(compile(text, name, 'exec'), module.__dict__)\n"
        f"def main():\n    return module.{side}(json.loads({json.dumps(payload)!r}))\n"
    )


@cache
def text_of(part: str) -> str:
    """The source of a module of this room."""
    file = import_module(f"kb.questions.{part}").__file__
    assert file is not None
    return Path(file).read_text(encoding="utf-8")
