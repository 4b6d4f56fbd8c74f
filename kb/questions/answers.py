"""The program that is judged: the learner's code and its inputs, no more. Its text is sent into the sandbox."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any

from kb.questions.faults import fault
from kb.questions.nodes import Node, Unsendable, decode, encode
from kb.questions.rng import seed_all


class TooSlow(BaseException):
    """The time is up."""


def _too_slow(number: int, frame: FrameType | None) -> None:
    raise TooSlow


def answers(payload: dict[str, Any]) -> dict[str, Any]:
    """What the learner's function gives for each input: a node, or ["x", exception, message, line]; or the fault."""
    given: dict[str, Any] = {"__name__": "given"}
    exec(compile(payload["given"], "<given>", "exec"), given)
    signal.signal(signal.SIGALRM, _too_slow)
    signal.setitimer(signal.ITIMER_REAL, payload["seconds"])
    try:
        module = {**given, "__name__": "answer"}
        exec(compile(payload["source"], "<answer>", "exec"), module)
    except TooSlow:
        return {"fault": [None, f"nothing was defined within {payload['seconds']:g} s"]}
    except BaseException as error:
        _, line, message = fault("answer", error)
        return {"fault": [line, message]}
    function = module.get(payload["function"])
    if not callable(function):
        return {"fault": [None, f"{payload['function']} is not defined"]}
    results: list[Node] = []
    for node in payload["inputs"]:
        results.append(_result(function, node, given, payload))
        if results[-1][:2] == ["x", "TooSlow"]:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    return {"results": results}


def _result(function: Any, node: Node, given: dict[str, Any], payload: dict[str, Any]) -> Node:
    try:
        arguments = decode(node, given)
        seed_all(payload["seed"])
        use = given.get("use")
        value = use(function, *arguments) if callable(use) else function(*arguments)
        return encode(value, given)
    except TooSlow:
        return ["x", "TooSlow", f"it was not done within {payload['seconds']:g} s", None]
    except Unsendable as error:
        return ["o", str(error)]
    except BaseException as error:
        _, line, message = fault("answer", error)
        return ["x", type(error).__name__, message.partition(": ")[2], line]
