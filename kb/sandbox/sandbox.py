"""The sandbox: run a program, get an outcome, whatever the program does."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any

from kb.sandbox.level import Level
from kb.sandbox.levels import strongest
from kb.sandbox.outcome import Limits, Outcome
from kb.sandbox.process import Worker, start

# what a run may wait for the worker beyond its own limit: loading torch on a cold disk takes long
START_SECONDS = 120.0
GRACE_SECONDS = 10.0
_LIBRARY = re.compile(r"^\s*(?:import|from)\s+(numpy|torch)\b", re.MULTILINE)


class Sandbox:
    """Runs programs at a level of isolation. The worker starts with the first run and stays for the next ones."""

    def __init__(self, level: Level | None = None, *, hidden: Iterable[str] = ()) -> None:
        self._level = level
        self._hidden = tuple(hidden)
        self._worker: Worker | None = None
        self._loaded: set[str] = set()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def level(self) -> Level:
        """The level in force."""
        if self._level is None:
            self._level = strongest()
        return self._level

    def warm(self, libraries: Iterable[str]) -> None:
        """Load ``libraries`` now, so that the runs that use them start at once."""
        wanted = sorted(set(libraries) - self._loaded)
        worker = self._started()
        if wanted:
            worker.exchange({"warm": wanted}, seconds=START_SECONDS)
            self._loaded.update(wanted)

    def run(
        self,
        source: str,
        *,
        call: str | None = None,
        arguments: Sequence[Any] = (),
        seconds: float | None = None,
        limits: Limits | None = None,
        answer: Callable[[Any], Any] | None = None,
    ) -> Outcome:
        """Run ``source``; with ``call``, then call that function of it with ``arguments`` (JSON) for its value (JSON).

        With ``answer``, the program has a function ``ask(question)`` that puts a question to this side (JSON both
        ways); the time this side takes is not counted against it. Never raises for anything the program does.
        """
        bounds = limits or Limits()
        if seconds is not None:
            bounds = replace(bounds, seconds=seconds, cpu_seconds=max(bounds.cpu_seconds, round(seconds + 0.5)))
        request = {
            "source": source,
            "call": call,
            "arguments": list(arguments),
            "limits": asdict(bounds),
            "may_ask": answer is not None,
        }
        try:
            self.warm(_LIBRARY.findall(source))
            reply = self._started().exchange(request, seconds=bounds.seconds + GRACE_SECONDS, answer=answer)
        except (EOFError, ValueError, OSError):
            self.close()
            return Outcome(False, "broken", error="it brought the sandbox down")
        except BaseException:  # Ctrl-C in the middle of an exchange: the worker's next line would be a stale one
            self.close()
            raise
        return Outcome(reply["kind"] == "done", **reply)

    def close(self) -> None:
        """End the worker and whatever it runs."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None
            self._loaded.clear()

    def _started(self) -> Worker:
        if self._worker is None:
            self._worker = start(self.level, self._hidden)
        return self._worker
