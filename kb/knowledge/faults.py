"""A fault in a topic file: the rule that it breaks, where, what, and the cure."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from kb.errors import ContentError

Pointer = tuple[str | int, ...]  # the way to a value: ("questions", 3, "answer")


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a file; ``line`` and ``column`` count from 1."""

    rule: str
    message: str
    cure: str | None
    file: str
    line: int | None = None
    column: int | None = None

    def error(self) -> ContentError:
        """The fault as an error that can be raised."""
        return ContentError(self.message, file=self.file, line=self.line, column=self.column, cure=self.cure)

    def as_json(self) -> dict[str, object]:
        """The fault in the shape of ``kb check --json``."""
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "rule": self.rule,
            "message": self.message,
            "cure": self.cure,
        }


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Each fault once, by file and place."""
    unique = dict.fromkeys((fault.file, fault.line or 0, fault.column or 0, fault) for fault in faults)
    return [key[3] for key in sorted(unique, key=lambda key: key[:3])]


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """``did you mean …?`` with the nearest of ``known``, or None if none is near."""
    import difflib  # only the way of an error pays for it

    near = difflib.get_close_matches(name, sorted(set(known)), n=2, cutoff=0.6)
    return f"did you mean {' or '.join(near)}?" if near else None
