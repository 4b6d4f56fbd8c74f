"""``kb quiz --json``: one JSON object a line both ways, so that an editor or a script can hold a sitting."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any

from kb.errors import AnswerError, NotStored, UsageError
from kb.quiz.offer import Offer, offered, take
from kb.quiz.session import Sitting
from kb.quiz.turn import Outcome, Revealed, Turn
from kb.store.events import iso

MAX_LINE_BYTES = 1_000_000
COMMANDS = ("hint", "skip", "undo", "suspend", "bury", "reveal", "regrade", "prerequisite", "quit")


class Refused(Exception):
    """A line that is not understood; the question stays open."""


class JsonSitting:
    """Holds a sitting over two streams of bytes."""

    def __init__(
        self,
        sitting: Sitting,
        lines: IO[bytes],
        out: IO[bytes],
        ending: Callable[[Sitting], dict[str, Any]] | None = None,
    ) -> None:
        self._sitting = sitting
        self._lines = lines
        self._out = out
        self._ending = ending  # makes one more event, the last
        self._shown: Turn | None = None
        self._told = 0  # notices

    def run(self) -> None:
        """Ask and answer until there is nothing left, ``quit``, or the end of the input."""
        while self._ask():
            try:
                line = read_line(self._lines)
                if line is None or not self._act(_message(line)):
                    break
            except (Refused, AnswerError, UsageError, NotStored) as error:
                self._say({"event": "error", "message": str(error)})
        self._tell()
        sitting = self._sitting
        self._say(
            {
                "event": "end",
                "asked": len(sitting.outcomes),
                "right": sitting.right,
                "seconds": round(sitting.seconds, 3),
            }
        )
        if self._ending is not None:
            self._say(self._ending(sitting))

    def _ask(self) -> bool:
        """Show the open question if it has not been shown; False if there is none."""
        turn = self._sitting.next()
        self._tell()
        if turn is None:
            return False
        if turn is not self._shown:
            self._shown = turn
            self._say(question_event(turn, sum(self._sitting.remaining())))
        return True

    def _act(self, message: dict[str, Any]) -> bool:
        """Do what a line asks for; False ends the sitting."""
        sitting = self._sitting
        if "answer" in message:
            if sitting.revealed is not None:
                raise Refused('the answer is shown: grade it, {"grade": 1} to {"grade": 4}')
            self._show(sitting.answer(message["answer"]))
        elif "command" in message:
            return self._command(message["command"], message)
        elif "grade" in message:
            if sitting.revealed is None:
                raise Refused(
                    'there is no shown answer to grade; {"command": "regrade", "grade": 1} changes the last one'
                )
            self._show(sitting.grade(message["grade"]))
        else:
            raise Refused('an object with "answer" or "command" is expected')
        return True

    def _command(self, command: Any, message: dict[str, Any]) -> bool:
        sitting = self._sitting
        if command == "quit":
            return False
        if command == "hint":
            self._say({"event": "hint", "hint": sitting.hint()})
        elif command == "skip":
            sitting.skip()
        elif command == "suspend":
            sitting.suspend()
        elif command == "bury":
            sitting.bury()
        elif command == "reveal":
            self._show(sitting.give_up())
        elif command == "regrade":
            self._show(sitting.regrade(message.get("grade")))  # type: ignore[arg-type]  # checked there
        elif command == "prerequisite":
            take(sitting)
            self._shown = None
        elif command == "undo":
            if sitting.undo() is None:
                raise Refused("there is nothing to undo")
            self._shown = None
        else:
            raise Refused(f"no command {json.dumps(command)[:50]}; there are {', '.join(COMMANDS)}")
        return True

    def _show(self, result: Outcome | Revealed | None) -> None:
        if isinstance(result, Revealed):
            self._say({"event": "reveal", "answer": result.verdict.expected, "why": result.why})
        elif result is not None:
            self._say(verdict_event(result, offered(self._sitting, result)))

    def _tell(self) -> None:
        """Say what was set aside, or could not be read, since the last time."""
        for notice in self._sitting.notices[self._told :]:
            self._say({"event": "error", "message": notice})
        self._told = len(self._sitting.notices)

    def _say(self, event: dict[str, Any]) -> None:
        try:
            line = json.dumps(event, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            line = json.dumps(event).encode()
        self._out.write(line + b"\n")
        self._out.flush()


def question_event(turn: Turn, left: int) -> dict[str, Any]:
    """The event that asks a question."""
    ask = turn.ask
    event: dict[str, Any] = {"event": "question", "question": turn.name, "kind": ask.kind, "ask": ask.text}
    if ask.options:
        event["options"] = list(ask.options)
    if ask.items:
        event["items"] = list(ask.items)
    if ask.starter is not None:
        event["starter"] = ask.starter
    if ask.gaps:
        event["gaps"] = ask.gaps
    how = turn.question.how
    return event | {"how": how, "phase": turn.phase, "hint": ask.hint is not None, "seed": ask.seed, "left": left}


def verdict_event(outcome: Outcome, offer: Offer | None = None) -> dict[str, Any]:
    """The event that tells what became of an answer, and what it leans on. It is stored when this is made."""
    verdict, event = outcome.verdict, outcome.event
    due = None if outcome.due_ms is None else iso(outcome.due_ms, event.offset_minutes)
    result = {
        "event": "verdict",
        "question": outcome.turn.name,
        "correct": verdict.correct,
        "grade": outcome.grade,
        "expected": verdict.expected,
        "why": "\n\n".join(filter(None, [verdict.why, outcome.why])),
        "source": outcome.turn.source,
        "due": due,
    }
    more = {
        "leech": outcome.leech or None,
        "score": verdict.score,
        "note": verdict.note,
        "detail": verdict.detail,
        "demo": outcome.turn.demo,
        "offer": offer and {"topic": offer.topic, "question": offer.question, "why": offer.why},
    }
    return result | {key: value for key, value in more.items() if value not in (None, "")}


def read_line(lines: IO[bytes], limit: int = MAX_LINE_BYTES) -> bytes | None:
    """The next line without its end; None at the end of the input. Refused if it is too long (it is passed over)."""
    line = lines.readline(limit + 1)
    if not line:
        return None
    if len(line) > limit and not line.endswith(b"\n"):
        while line and not line.endswith(b"\n"):
            line = lines.readline(65536)
        raise Refused(f"the line is longer than {limit:,} bytes")
    return line.rstrip(b"\r\n")


def _message(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line.decode())
    except UnicodeDecodeError:
        raise Refused("the line is not UTF-8") from None
    except (ValueError, RecursionError):
        raise Refused("the line is not JSON") from None
    if not isinstance(message, dict):
        raise Refused('a JSON object is expected, such as {"answer": 0}')
    if len({"answer", "command"} & message.keys()) == 2:
        raise Refused('either "answer" or "command", not both')
    return message
