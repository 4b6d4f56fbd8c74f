"""Runs plugins' code so that what it does to the process is seen, undone and named."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from types import ModuleType, TracebackType
from typing import IO, Any, NamedTuple

from kb.errors import KbError

# Libraries that cost a good part of a second to import: registering must do without them.
HEAVY = (
    "torch",
    "jax",
    "tensorflow",
    "transformers",
    "sklearn",
    "scipy",
    "pandas",
    "statsmodels",
    "matplotlib",
    "numpy",
)
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGPIPE", "SIGALRM", "SIGCHLD", "SIGWINCH", "SIGTSTP")


class Outcome(NamedTuple):
    """What became of a piece of plugin code: its ``value``, the ``error`` that ended it, and what it did besides."""

    value: Any
    error: str | None
    misdeeds: list[str]

    @property
    def faults(self) -> list[str]:
        """The error, if there is one, and the misdeeds."""
        return [*([self.error] if self.error else []), *self.misdeeds]


class Isolation:
    """While it is entered, standard output is caught and standard input is empty.

    ``run`` catches everything but KeyboardInterrupt. Output is caught at the file descriptor too, so that a child
    process or a C library of a plugin cannot spoil what kb prints as JSON.
    """

    def __enter__(self) -> Isolation:
        self._streams = (sys.stdin, sys.stdout)
        _flush(sys.stdout)
        self._printed = _Kept()
        self._stdout = io.TextIOWrapper(self._printed, encoding="utf-8", errors="replace", write_through=True)
        self._diverted = _divert(1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._diverted is not None:
            sink, saved = self._diverted
            _flush(sys.__stdout__)
            os.dup2(saved, 1)
            os.close(saved)
            os.close(sink)
        sys.stdin, sys.stdout = self._streams

    def run(self, work: Callable[[], Any], module: str) -> Outcome:
        """Do ``work``, code of the plugin whose modules are ``module`` and those below it."""
        value, error = None, None
        directory, handlers = _directory(), _signal_handlers()
        heavy = {name for name in HEAVY if name in sys.modules}
        sys.stdin, sys.stdout = io.StringIO(), self._stdout
        try:
            value = work()
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # a plugin's SystemExit or home-made BaseException is its fault, not kb's end
            error = describe(raised, module)
        misdeeds = []
        if printed := self._take():
            misdeeds.append(f"printed while it was loaded: {printed!r}")
        for name in HEAVY:
            if name in sys.modules and name not in heavy:
                misdeeds.append(heavy_import(name))
                break  # torch brings numpy along: the first one is the cause
        if directory is not None and _directory() != directory:
            os.chdir(directory)
            misdeeds.append("changed the working directory (put back)")
        if changed := _restore_signal_handlers(handlers):
            misdeeds.append(f"changed the handler of {', '.join(changed)} (put back)")
        return Outcome(value, error, misdeeds)

    def _take(self) -> str:
        """What has been printed since the last call, shortened to a line."""
        data = self._printed.getvalue()
        self._printed.seek(0)
        self._printed.truncate()
        if self._diverted is not None:
            _flush(sys.__stdout__)
            data += _drain(self._diverted[0])
        return shorten(data.decode("utf-8", "replace"), 80)


class _Kept(io.BytesIO):
    """Bytes that stay readable when a plugin closes its standard output."""

    def close(self) -> None: ...


def heavy_import(name: str) -> str:
    """The line about the heavy library ``name``."""
    return f"imports {name} to register: move the import into the demo's own module"


def held_libraries(module: object) -> list[str]:
    """The heavy libraries that a registering module holds by name, whoever imported them first."""
    if not isinstance(module, ModuleType):
        return []
    held = {_top(value) for value in list(vars(module).values())}
    return [name for name in HEAVY if name in held]


def describe(error: BaseException, module: str) -> str:
    """``error`` in one line, with the line of the plugin's code that led to it."""
    if isinstance(error, SystemExit):
        text = f"called sys.exit({_safely(repr, error.code)})"
    else:
        text = _safely(str, error.msg if isinstance(error, SyntaxError) else error)
        if not isinstance(error, KbError):
            text = f"{type(error).__name__}: {text}".removesuffix(": ")
    file, line = place(error, module)
    return shorten(text, 300) + (f" ({file}:{line})" if file else "")


def place(error: BaseException, module: str) -> tuple[str | None, int | None]:
    """File and line of the innermost frame in ``module`` that ``error`` went through; a syntax error's own place."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno
    file, line = None, None
    trace = error.__traceback__
    while trace is not None:
        name = str(trace.tb_frame.f_globals.get("__name__"))
        if (name + ".").startswith(module + "."):
            file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return file, line


def shorten(text: str, length: int) -> str:
    """``text`` on one line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _safely(show: Callable[[Any], str], value: object) -> str:
    """``show(value)``, whose code may be the plugin's own and as broken as the rest."""
    try:
        return str(show(value))
    except Exception:
        return f"<{type(value).__name__} that cannot be shown>"


def _top(value: object) -> str:
    """The top-level module that ``value`` is, or belongs to as a class or function."""
    name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
    return name.partition(".")[0] if isinstance(name, str) else ""


def _divert(descriptor: int) -> tuple[int, int] | None:
    """Point ``descriptor`` at a file without a name; return that file and the saved original. None: it was closed."""
    try:
        saved = os.dup(descriptor)
    except OSError:
        return None
    if hasattr(os, "memfd_create"):
        sink = os.memfd_create("kb-plugin-output")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            sink = os.dup(file.fileno())
    os.dup2(sink, descriptor)
    return sink, saved


def _drain(sink: int) -> bytes:
    """What was written to ``sink`` (the beginning of it), which is empty again afterwards."""
    if not os.fstat(sink).st_size:
        return b""
    os.lseek(sink, 0, os.SEEK_SET)
    data = os.read(sink, 4096)
    os.ftruncate(sink, 0)
    os.lseek(sink, 0, os.SEEK_SET)
    return data


def _flush(stream: IO[str] | None) -> None:
    try:
        if stream is not None:
            stream.flush()
    except (OSError, ValueError):
        pass  # closed, or its reader went away: the command finds out when it prints


def _directory() -> str | None:
    try:
        return os.getcwd()
    except OSError:
        return None


def _signal_handlers() -> dict[int, Any]:
    import _signal  # type: ignore[import-not-found]  # the signal module without its enums

    numbers = [getattr(_signal, name) for name in _SIGNALS if hasattr(_signal, name)]
    return {number: _signal.getsignal(number) for number in numbers}


def _restore_signal_handlers(before: dict[int, Any]) -> list[str]:
    changed = [number for number, handler in _signal_handlers().items() if handler is not before[number]]
    if not changed:
        return []
    import signal
    import threading

    if threading.current_thread() is threading.main_thread():
        for number in changed:
            if before[number] is not None:
                signal.signal(number, before[number])
    return [signal.Signals(number).name for number in changed]
