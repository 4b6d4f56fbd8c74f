"""The program that knows: the tests and the reference of a code question. Its text is sent into the sandbox.

It works out the cases and what the reference gives for them. For ``check(answer, rng)`` it plays the check against a
transcript: where the check calls the answer more often than the transcript goes, it stops and says with which
arguments; kb asks the learner's process, and plays the check again from its start, which the seed makes the same.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

from kb.questions.faults import fault
from kb.questions.nodes import Node, Unsendable, decode, encode
from kb.questions.rng import Rng, seed_all

MAX_CASES = 500


class Pending(BaseException):
    """The check wants an answer that the transcript doesn't hold."""

    def __init__(self, arguments: Node) -> None:
        self.arguments = arguments


class Proxy:
    """The learner's function as the check sees it: it looks results up in the transcript."""

    def __init__(self, name: str, transcript: list[Node], given: dict[str, Any]) -> None:
        self.__name__ = name
        self.transcript, self.given, self.calls = transcript, given, 0
        self.error: Exception | None = None  # the last one that the answer raised

    def __call__(self, *arguments: Any) -> Any:
        node = encode(arguments, self.given)
        self.calls += 1
        if self.calls > len(self.transcript):
            raise Pending(node)
        result = self.transcript[self.calls - 1]
        if result[0] == "x":
            self.error = _exception(result[1], result[2])
            raise self.error
        return decode(result, self.given)


def _exception(name: str, message: str) -> Exception:
    """An exception of Python's own of that name, so that a check can expect it; else a RuntimeError."""
    kind = getattr(builtins, name, None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            return kind(message)
        except TypeError:  # one that takes more than a message
            pass
    return RuntimeError(f"{name}: {message}")


def truth(payload: dict[str, Any]) -> dict[str, Any]:
    """The cases (encoded arguments, expected result) and how the check came out; or the fault."""
    part = "given"
    try:
        given: dict[str, Any] = {"__name__": "given"}
        exec(compile(payload["given"], "<given>", "exec"), given)
        part = "reference"
        module = {**given, "__name__": "reference"}
        exec(compile(payload["reference"], "<reference>", "exec"), module)
        reference = module[payload["function"]]
        part = "tests"
        module = {**module, "__name__": "tests", "values": payload["values"], "reference": reference}
        exec(compile(payload["tests"], "<tests>", "exec"), module)
        cases, check = module.get("cases"), module.get("check")
        if not callable(cases) and not callable(check):
            return {"fault": ["tests", None, "neither cases(rng) nor check(answer, rng) is a function"]}
        seed, transcript = payload["seed"], payload["transcript"]
        return {
            "cases": _cases(cases, reference, given, seed) if callable(cases) and not transcript else [],
            "check": _check(check, payload["function"], transcript, given, seed) if callable(check) else None,
        }
    except Unsendable as error:
        return {"fault": ["tests", None, f"{error} can't be passed to the answer or back: define it in `given`"]}
    except BaseException as error:
        return {"fault": list(fault(part, error))}


def _cases(cases: Callable[[Rng], Any], reference: Any, given: dict[str, Any], seed: int) -> list[list[Node]]:
    seed_all(seed)
    found: list[list[Node]] = []
    for arguments in cases(Rng(seed)):
        if len(found) >= MAX_CASES:
            raise ValueError(f"cases yields more than {MAX_CASES} cases")
        node = encode(arguments if type(arguments) is tuple else (arguments,), given)
        found.append([node, encode(_use(given, reference, decode(node, given)), given)])
    if not found:
        raise ValueError("cases yields no case")
    return found


def _use(given: dict[str, Any], function: Any, arguments: tuple[Any, ...]) -> Any:
    """Call the function, by way of ``use(answer, *arguments)`` where that is given."""
    return given["use"](function, *arguments) if callable(given.get("use")) else function(*arguments)


def _check(check: Callable[..., Any], name: str, transcript: list[Node], given: dict[str, Any], seed: int) -> Node:
    """["holds"], ["pending", arguments] or ["fails", whether the answer raised it, line of the tests, message]."""
    seed_all(seed)
    proxy = Proxy(name, transcript, given)
    try:
        check(proxy, Rng(seed + 1))
    except Pending as pending:
        return ["pending", pending.arguments]
    except Unsendable:
        raise
    except Exception as error:
        _, line, message = fault("tests", error)
        return ["fails", error is proxy.error, line, message]
    return ["holds"]
