"""The one place where an error becomes a line on stderr and an exit code. It does without click."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

from kb.errors import KbError, PluginError

INTERRUPTED = 130


def shield(work: Callable[[], int], arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    """Do ``work`` and return its exit code; what it raises is told in one line, with the traceback if KB_DEBUG=1."""
    try:
        code = work()
        sys.stdout.flush()  # a full disk or a closed pipe shows here, while it can still be told
        return code
    except KeyboardInterrupt:
        _say("\n")
        return INTERRUPTED
    except BrokenPipeError:
        _drop_stdout()
        return 0
    except Exception as error:
        if environment.get("KB_DEBUG", "") not in ("", "0"):
            import traceback

            _say(traceback.format_exc())
        return tell(told(error), wants_json(arguments))


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether the option ``--json`` is among ``arguments``."""
    options = arguments[: list(arguments).index("--")] if "--" in arguments else arguments
    return "--json" in options


def tell(error: KbError, as_json: bool) -> int:
    """Say ``error`` in one line on stderr (and as JSON on stdout) and return its exit code."""
    line = " ".join(str(error).split())
    _say(f"kb: {''.join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)}\n")
    try:
        if as_json:
            import json

            sys.stdout.write(json.dumps({"error": error.as_json()}) + "\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        _drop_stdout()  # what it still holds can't be written either
    return error.exit_code


def told(error: Exception) -> KbError:
    """``error`` as one for people: a KbError is one already, the system's errors are nearly, the rest are defects."""
    if isinstance(error, KbError):
        return error
    if isinstance(error, RecursionError):
        return KbError("the input is nested too deeply")
    if isinstance(error, OSError) and error.strerror:
        file = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else None
        return KbError(error.strerror[:1].lower() + error.strerror[1:], file=file)
    file, line, plugin = _culprit(error.__traceback__)
    raised = f"{type(error).__name__}: {error}"
    if plugin is not None:
        return PluginError(f"the plugin {plugin} raised {raised}", file=file, line=line)
    return KbError(
        f"a defect in kb: {raised}", file=file, line=line, cure="please report it; KB_DEBUG=1 shows the traceback"
    )


def _culprit(trace: TracebackType | None) -> tuple[str | None, int | None, str | None]:
    """File and line of the innermost frame of kb or a plugin; and the plugin whose command it was that click called."""
    file, line, plugin = None, None, None
    after_click = False
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        own = module.startswith("kb.") and not module.startswith("kb.plugins.")
        if module.partition(".")[0] == "click":
            after_click = True
        else:
            if after_click:
                plugin = None if own else ".".join(module.split(".")[:3]).removeprefix("kb.plugins.")
                after_click = False
            if own or (plugin is not None and plugin in module):
                file, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return file, line, plugin


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens; the exit code still tells


def _drop_stdout() -> None:
    """Point stdout at nothing: its reader went away, and Python would complain when it flushes at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        return  # stdout is not a file: there is nothing to complain about
