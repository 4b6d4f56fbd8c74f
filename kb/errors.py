"""Every error that kb shows to a person, each with what, where and the cure.

KbError                      exit 1: it failed
├── UsageError               exit 2: the command was used wrongly
│   ├── UnknownName          no such topic, demo, question, parameter (with a did-you-mean)
│   └── DeviceMissing        the device that was asked for is not on this machine
├── ContentError             a topic file is wrong
├── PluginError              a plugin misbehaved
├── DemoError                a demo could not run to its end
├── MissingExtra             a library of an optional extra is not installed
├── AnswerError              an answer that cannot be understood; the question stays open
├── SandboxError             code could not be run in the sandbox
└── StoreError               the database
    ├── StoreDamaged         it is damaged: nothing was touched
    ├── StoreTooNew          it was written by a newer kb: nothing was touched
    └── NotStored            an answer could not be stored
"""

from __future__ import annotations

from collections.abc import Iterable


class KbError(Exception):
    """An error for people: ``message``, the place (1-based line and column) and the ``cure``."""

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        cure: str | None = None,
    ) -> None:
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.cure = cure
        super().__init__(message)

    @property
    def where(self) -> str:
        """``file:line:column`` as far as it is known, or an empty string."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}" if self.where else self.message
        return f"{text}; {self.cure}" if self.cure else text

    def as_json(self) -> dict[str, object]:
        """The error as the ``error`` object of the JSON contract."""
        return {
            "message": self.message,
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "cure": self.cure,
        }


class UsageError(KbError):
    exit_code = 2


class UnknownName(UsageError):
    """``what`` (a kind of thing) has no ``name``; the nearest of ``known`` is offered."""

    def __init__(self, what: str, name: str, known: Iterable[str], *, listing: str | None = None) -> None:
        import difflib  # only the way of an error pays for it

        near = difflib.get_close_matches(name, sorted(known), n=3, cutoff=0.6)
        cure = f"did you mean {' or '.join(near)}?" if near else listing
        super().__init__(f"no {what} is called {name!r}", cure=cure)
        self.name = name


class DeviceMissing(UsageError): ...


class ContentError(KbError): ...


class PluginError(KbError): ...


class DemoError(KbError): ...


class MissingExtra(KbError):
    """``library`` is missing; the extra of kb that installs it is ``extra``."""

    def __init__(self, library: str, extra: str) -> None:
        super().__init__(f"{library} is not installed", cure=f'install it with: pip install "kb-scribbles[{extra}]"')


class AnswerError(KbError): ...


class SandboxError(KbError): ...


class StoreError(KbError): ...


class StoreDamaged(StoreError): ...


class StoreTooNew(StoreError): ...


class NotStored(StoreError): ...
