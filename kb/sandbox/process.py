"""The worker process as kb sees it: started at a level, asked in JSON lines, ended without fail."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any

from kb.sandbox import bubblewrap
from kb.sandbox.level import Level, bwrap
from kb.sandbox.view import view

TMP_BYTES = 64 * 2**20
_HERE = os.path.dirname(os.path.abspath(__file__))
# one thread a library: a fork of a process with several running threads can hang
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class Worker:
    """A started worker process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._buffer = b""

    def exchange(
        self, request: dict[str, Any], *, seconds: float, answer: Callable[[Any], Any] | None = None
    ) -> dict[str, Any]:
        """Send ``request`` and return the reply; questions in between go to ``answer``. EOFError if the worker is gone.

        ``seconds`` bounds each wait for a line: a worker that is silent for longer counts as gone.
        """
        self._send(request)
        while True:
            reply = json.loads(self._line(seconds))
            if "ask" not in reply:
                return dict(reply)
            self._send(answer(reply["ask"]) if answer is not None else None)

    def _send(self, value: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(value).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise EOFError("the sandbox's worker is gone") from None

    def _line(self, seconds: float) -> bytes:
        assert self._process.stdout is not None
        fd = self._process.stdout.fileno()
        deadline = time.monotonic() + seconds
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise EOFError("the sandbox's worker does not answer")
            data = os.read(fd, 1 << 16)
            if not data:
                raise EOFError("the sandbox's worker is gone")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def close(self) -> None:
        """End the worker and everything that it started."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
        self._process.wait()


def start(level: Level, hidden: Iterable[str] = ()) -> Worker:
    """Start a worker at ``level``; the folders in ``hidden`` are shown empty where the level can do so."""
    worker = os.path.join(_HERE, "worker.py")
    python = [sys.executable, "-I", "-B"]
    seen = view(hidden)
    if level is Level.BUBBLEWRAP:
        line = bubblewrap.command(bwrap(), seen, worker, [], TMP_BYTES)
        for name, value in {"PATH": "/usr/bin:/bin", "HOME": "/tmp", **_ENVIRONMENT}.items():
            line += ["--setenv", name, value]
        line += [*python, bubblewrap.WORKER]
    elif level is Level.NAMESPACES:
        spec = {
            "links": seen.links,
            "read_only": seen.read_only,
            "hidden": seen.hidden,
            "files": [(worker, bubblewrap.WORKER)],
            "tmp_bytes": TMP_BYTES,
            "env": _ENVIRONMENT,
        }
        line = [*python, os.path.join(_HERE, "confine.py"), json.dumps(spec), *python, bubblewrap.WORKER]
    else:
        line = [*python, worker]
    return Worker(
        subprocess.Popen(
            line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": os.environ.get("PATH", os.defpath), **_ENVIRONMENT},
            start_new_session=True,
        )
    )
