"""Events: what happened, as it is kept in the log and as a line of ``kb log --json``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, NamedTuple

from kb.errors import UsageError
from kb.memory.days import Moment
from kb.store import ids

COLUMNS = (
    *("id", "kind", "at_ms", "offset_minutes", "day", "device", "question"),
    *("grade", "answer", "seed", "took_ms", "correct", "hint", "cram"),
    *("phase", "step", "due_ms", "due_day", "undoes", "data"),
)
SELECT = ", ".join(f"e.{name}" for name in COLUMNS)
_FOLDED = (
    *("question", "kind", "at_ms", "offset_minutes", "day", "grade", "took_ms", "correct", "cram"),
    *("phase", "step", "due_ms", "due_day", "data"),
)
FOLDED = ", ".join(f"e.{name}" for name in _FOLDED)
"""The columns that the state follows from; ``from_folded`` reads them."""
INSERT = f"INSERT INTO event ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"

KINDS = ("answer", "undo", "suspend", "unsuspend", "bury", "unbury", "reset", "params", "exam", "exam-over", "placed")


class Promise(NamedTuple):
    """What the learner was told with the verdict: the phase and step, and when the question comes back."""

    phase: str
    step: int
    due_ms: int
    due_day: int


class Event(NamedTuple):
    """One event. ``day`` is the study day in days since 1970-01-01, ``took_ms`` the time to answer in milliseconds.

    ``correct`` is None where the learner grades; a crammed answer has no ``promise``; ``undoes`` is the id of the event
    that an undo takes back; ``data`` is what other kinds carry (a bury's ``until_day``, a params' ``weights``, an
    exam's ``day``).
    """

    id: str
    kind: str
    at_ms: int
    offset_minutes: int
    day: int
    device: str
    question: str | None = None
    grade: int | None = None
    answer: Any = None
    seed: int | None = None
    took_ms: int | None = None
    correct: bool | None = None
    hint: bool = False
    cram: bool = False
    promise: Promise | None = None
    undoes: str | None = None
    data: Mapping[str, Any] | None = None

    @property
    def moment(self) -> Moment:
        """When it happened."""
        return Moment(self.at_ms, self.offset_minutes)

    @property
    def seconds(self) -> float | None:
        """The time to answer."""
        return None if self.took_ms is None else self.took_ms / 1000

    def as_json(self) -> dict[str, Any]:
        """The line of ``kb log --json``; ``from_json`` gives the same event back."""
        line: dict[str, Any] = {
            "id": self.id,
            "event": self.kind,
            "at": iso(self.at_ms, self.offset_minutes),
            "day": self.day,
            "device": self.device,
            "question": self.question,
        }
        if self.kind == "answer":
            line |= {"grade": self.grade, "answer": self.answer, "seed": self.seed, "seconds": self.seconds}
            line |= {"correct": self.correct, "hint": self.hint, "cram": self.cram}
        if self.promise is not None:
            phase, step, due_ms, due_day = self.promise
            line |= {"phase": phase, "step": step, "due": iso(due_ms, self.offset_minutes), "due_day": due_day}
        if self.undoes is not None:
            line["undoes"] = self.undoes
        if self.data is not None:
            line["data"] = self.data
        return line


_OPTIONAL = {
    "question": str,
    "grade": int,
    "seed": int,
    "seconds": (int, float),
    "correct": bool,
    "hint": bool,
    "cram": bool,
    "phase": str,
    "step": int,
    "due": str,
    "due_day": int,
    "undoes": str,
    "data": dict,
}
_REQUIRED: dict[str, Any] = {"id": str, "event": str, "at": str, "day": int, "device": str}


_LARGEST = 1 << 63


def _check_types(line: Mapping[str, Any]) -> None:
    for name, kind in (_REQUIRED | _OPTIONAL).items():
        value = line.get(name)
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ValueError(f"{name} is {value!r}")
        if kind is int and not -_LARGEST <= value < _LARGEST:
            raise ValueError(f"{name} is {value!r}")
    if line.get("due") is not None and None in (line.get("phase"), line.get("step"), line.get("due_day")):
        raise ValueError("due without phase, step and due_day")
    until = (line.get("data") or {}).get("until_day", 0)
    if not isinstance(until, int):
        raise ValueError(f"until_day is {until!r}")


def from_json(line: Mapping[str, Any]) -> Event:
    """The event of a line of ``kb log --json``; UsageError if it is not one."""
    try:
        _check_types(line)
        at_ms, offset_minutes = from_iso(line["at"])
        promise = None
        if line.get("due") is not None:
            promise = Promise(line["phase"], line["step"], from_iso(line["due"])[0], line["due_day"])
        seconds = line.get("seconds")
        return Event(
            id=ids.to_text(ids.from_text(line["id"])),
            kind=line["event"],
            at_ms=at_ms,
            offset_minutes=offset_minutes,
            day=line["day"],
            device=line["device"],
            question=line.get("question"),
            grade=line.get("grade"),
            answer=line.get("answer"),
            seed=line.get("seed"),
            took_ms=None if seconds is None else round(seconds * 1000),
            correct=line.get("correct"),
            hint=bool(line.get("hint")),
            cram=bool(line.get("cram")),
            promise=promise,
            undoes=None if line.get("undoes") is None else ids.to_text(ids.from_text(line["undoes"])),
            data=line.get("data"),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UsageError(f"not an event of the log: {error!r}") from None


def to_row(event: Event) -> tuple[Any, ...]:
    """The values of COLUMNS."""
    phase, step, due_ms, due_day = event.promise or (None, None, None, None)
    return (
        *(ids.to_bytes(event.id), event.kind, event.at_ms, event.offset_minutes, event.day, event.device),
        *(event.question, event.grade, to_json(event.answer) if event.kind == "answer" else None),
        *(event.seed, event.took_ms, event.correct, event.hint or None, event.cram or None),
        *(phase, step, due_ms, due_day, None if event.undoes is None else ids.to_bytes(event.undoes)),
        None if event.data is None else to_json(event.data),
    )


def from_row(row: tuple[Any, ...]) -> Event:
    """The event of a row of COLUMNS."""
    identifier, kind, at_ms, offset_minutes, day, device, question, grade, answer, seed, took_ms = row[:11]
    correct, hint, cram, phase, step, due_ms, due_day, undoes, data = row[11:]
    return Event(
        *(ids.to_text(identifier), kind, at_ms, offset_minutes, day, device, question, grade),
        *(None if answer is None else json.loads(answer), seed, took_ms, None if correct is None else bool(correct)),
        *(bool(hint), bool(cram), None if due_ms is None else Promise(phase, step, due_ms, due_day)),
        None if undoes is None else ids.to_text(undoes),
        None if data is None else json.loads(data),
    )


def from_folded(row: tuple[Any, ...]) -> Event:
    """The event of a row of FOLDED, without what the state does not follow from (its id, the answer)."""
    question, kind, at_ms, offset_minutes, day, grade, took_ms, correct, cram, phase, step, due_ms, due_day, data = row
    return Event(
        *("", kind, at_ms, offset_minutes, day, "", question, grade),
        took_ms=took_ms,
        correct=None if correct is None else bool(correct),
        cram=bool(cram),
        promise=None if due_ms is None else Promise(phase, step, due_ms, due_day),
        data=None if data is None else json.loads(data),
    )


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ASCII_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def to_json(value: Any) -> str:
    """``value`` as compact JSON that every reader takes: no NaN, no half of a surrogate pair as it is."""
    try:
        text = _ENCODER.encode(value)
        text.encode()
    except UnicodeEncodeError:
        text = _ASCII_ENCODER.encode(value)
    except ValueError:
        return to_json(_finite(value))
    return text


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def iso(at_ms: int, offset_minutes: int) -> str:
    """A moment as an ISO time with offset, to the millisecond."""
    zone = timezone(timedelta(minutes=offset_minutes))
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone).isoformat(timespec="milliseconds")


def from_iso(text: str) -> Moment:
    """The moment of an ISO time with offset; ValueError if it is none."""
    moment = datetime.fromisoformat(text)
    offset = moment.utcoffset()
    if offset is None:
        raise ValueError(f"a time without offset: {text!r}")
    return Moment((moment - _EPOCH) // timedelta(milliseconds=1), round(offset.total_seconds() / 60))
