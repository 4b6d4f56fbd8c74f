"""The program that knows: the tests and the reference of a code question. Its text is sent into the sandbox.

First it works out the cases, what the reference gives for them, and plays ``check(answer, rng)`` with the reference to
see which calls it makes. When the learner's process has answered those, it plays the check again, the answers coming
from a transcript. Where it then makes another call, since an argument was made of an answer, it stops and says so; kb
asks the learner's process, and the check is played again from its start, which the seed makes the same.
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from typing import Any

from kb.questions.faults import fault
from kb.questions.nodes import Node, Unsendable, decode, encode
from kb.questions.rng import Rng, seed_all

MAX_CASES = 500
MAX_CALLS = 500  # of the answer by one check


class Pending(BaseException):
    """The check wants an answer that the transcript doesn't hold."""

    def __init__(self, arguments: Node) -> None:
        self.arguments = arguments


class Proxy:
    """The learner's function as the check sees it: the n-th call with the same arguments gets the n-th result."""

    def __init__(self, name: str, transcript: list[list[Node]], given: dict[str, Any]) -> None:
        self.__name__ = name
        self.given = given
        self.results: dict[str, list[Node]] = {}
        for arguments, result in transcript:
            self.results.setdefault(json.dumps(arguments), []).append(result)
        self.last: list[Node] = []  # the last call and its result
        self.error: Exception | None = None  # the last one that the answer raised

    def __call__(self, *arguments: Any) -> Any:
        node = encode(arguments, self.given)
        results = self.results.get(json.dumps(node))
        if not results:
            raise Pending(node)
        result = results.pop(0)
        self.last = [node, result]
        if result[0] == "x":
            self.error = _exception(result[1], result[2])
            raise self.error
        return decode(result, self.given)


class Recorder:
    """The reference as the check sees it; keeps the arguments of its calls."""

    def __init__(self, name: str, reference: Any, given: dict[str, Any]) -> None:
        self.__name__ = name
        self.reference, self.given = reference, given
        self.calls: list[Node] = []

    def __call__(self, *arguments: Any) -> Any:
        node = encode(arguments, self.given)
        if len(self.calls) >= MAX_CALLS:
            raise ValueError(f"check calls the answer more than {MAX_CALLS} times")
        self.calls.append(node)
        return decode(encode(_use(self.given, self.reference, decode(node, self.given)), self.given), self.given)


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
    """``cases`` (pairs of encoded arguments and result) and the ``calls`` that the check makes (None: there is none).

    With a transcript (pairs of arguments and result of the learner's) how the ``check`` came out: see ``_check``.
    Where tests or reference fail: ``fault``, the part of the card, the line in it and the message.
    """
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
        seed, name = payload["seed"], payload["function"]
        if payload["transcript"] is not None:
            return {"check": _check(check, Proxy(name, payload["transcript"], given), seed)}
        recorder = Recorder(name, reference, given)
        found = {
            "cases": _cases(cases, reference, given, seed) if callable(cases) else [],
            "calls": recorder.calls if callable(check) else None,
        }
        if callable(check):
            part = "check"
            seed_all(seed)
            check(recorder, Rng(seed + 1))
        return found
    except Unsendable as error:
        return {"fault": ["tests", None, f"{error} can't be passed to the answer or back: define it in `given`"]}
    except BaseException as error:
        where, line, message = fault(part, error)
        if part == "check":
            where, message = "tests" if where == "check" else where, f"the reference fails the check: {message}"
        return {"fault": [where, line, message]}


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


def _check(check: Any, proxy: Proxy, seed: int) -> Node:
    """["holds"], ["pending", arguments], or ["fails", line, message, the last call, whether the answer raised it]."""
    seed_all(seed)
    try:
        check(proxy, Rng(seed + 1))
    except Pending as pending:
        return ["pending", pending.arguments]
    except Unsendable:
        raise
    except Exception as error:
        _, line, message = fault("tests", error)
        return ["fails", line, message, proxy.last, error is proxy.error]
    return ["holds"]
