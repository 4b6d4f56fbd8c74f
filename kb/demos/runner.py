"""Runs a demo in this very process: what goes wrong in it becomes one KbError that says where.

``kb.demos.process`` runs the same in a process of its own, which can be stopped at any moment.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from types import TracebackType

from kb.demos import devices, versions
from kb.demos.api import Demo
from kb.demos.evidence import Evidence
from kb.demos.report import Report
from kb.errors import DemoError, KbError, MissingExtra

Function = Callable[..., object]

EXTRA_LIBRARIES = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "statsmodels"}
_DISTRIBUTION = {"sklearn": "scikit-learn"}
_KB = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_BUILTIN = os.path.join(_KB, "_builtin", "")


def run(
    demo: Demo,
    function: Function,
    arguments: Mapping[str, object],
    device: str | None = None,
    *,
    report: Report,
    at: datetime | None = None,
) -> Evidence:
    """Call ``function(report, **arguments)`` and return what it measured as Evidence; ``report`` holds the whole.

    ``arguments`` are checked against the demo's Params, which also give the defaults; ``device`` is passed on where
    the demo declares devices. What the function prints goes to stderr. ``at`` is the time of the run (default: now).

    Raises UsageError for a wrong argument, DeviceMissing, MissingExtra for a library that is not installed, and
    DemoError, with the demo's file and line, for whatever the function raises, SystemExit included.
    """
    place = devices.choose(demo, device)
    values = demo.arguments(arguments)
    devices.check(place)
    given: dict[str, object] = dict(values)
    if demo.devices:
        given["device"] = place
    moment = at or datetime.now().astimezone()
    start = time.perf_counter()
    with told_apart(demo, function), contextlib.redirect_stdout(sys.stderr):
        function(report, **given)
    seconds = time.perf_counter() - start
    return Evidence(
        demo.name,
        place,
        values,
        tuple(report.metrics),
        tuple(report.checks),
        seconds,
        versions.collect(place),
        moment.isoformat(timespec="seconds"),
        proves=all(values[param.key] == param.default for param in demo.params),
    )


@contextlib.contextmanager
def told_apart(demo: Demo, function: Function | None = None) -> Iterator[None]:
    """Turn whatever the demo raises inside into a KbError that names its own file and line."""
    try:
        yield
    except KeyboardInterrupt:
        raise
    except KbError as error:
        if error.file is None and isinstance(error, DemoError):
            error.file, error.line = place_of(error.__traceback__, function)
        raise
    except ImportError as error:
        raise missing(demo, error, place_of(error.__traceback__, function)) from error
    except BaseException as error:
        file, line = place_of(error.__traceback__, function)
        raise DemoError(f"demo {demo.name!r} {_said(error)}", file=file, line=line) from error


def _said(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"tried to end kb by exit({'' if error.code is None else repr(error.code)})"
    text = " ".join(str(error).split())
    if len(text) > 400:
        text = text[:399] + "…"
    return f"raised {type(error).__name__}" + (f": {text}" if text else "")


def missing(demo: Demo, error: ImportError, place: tuple[str | None, int | None] = (None, None)) -> KbError:
    """The error for an import that failed: the extra to install where it is one of kb's libraries."""
    library = (error.name or "").partition(".")[0]
    if library in EXTRA_LIBRARIES and (isinstance(error, ModuleNotFoundError) or library not in sys.modules):
        return MissingExtra(_DISTRIBUTION.get(library, library), demo.extra)
    file, line = place
    if isinstance(error, ModuleNotFoundError) and library:
        return DemoError(
            f"demo {demo.name!r} needs the module {error.name!r}, which is not installed", file=file, line=line
        )
    return DemoError(f"demo {demo.name!r} {_said(error)}", file=file, line=line)


def place_of(trace: TracebackType | None, function: Function | None) -> tuple[str | None, int | None]:
    """File and line of the innermost frame in the demo's own folder, else of the innermost one outside kb."""
    code = getattr(function, "__code__", None)
    own = os.path.dirname(os.path.abspath(code.co_filename)) + os.sep if code is not None else None
    mine: tuple[str | None, int | None] = (None, None)
    other: tuple[str | None, int | None] = (None, None)
    while trace is not None:
        file = os.path.abspath(trace.tb_frame.f_code.co_filename)
        if own is not None and file.startswith(own):
            mine = file, trace.tb_lineno
        elif (not file.startswith(_KB) or file.startswith(_BUILTIN)) and os.path.exists(file):
            other = file, trace.tb_lineno
        trace = trace.tb_next
    return mine if mine[0] is not None else other
