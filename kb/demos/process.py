"""Runs a demo in a process of its own, so that it can be stopped at any moment and can take nothing down with it.

The parent never loads what the demo needs and only waits: Ctrl-C ends it at once, even while the demo is inside native
code, and takes the demo's own processes along, daemons included. A crash of the interpreter becomes one line. The child
is forked, which costs a few milliseconds; where there is no fork the demo runs in this process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import multiprocessing
import multiprocessing.connection
import os
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import IO, Any, NamedTuple

from kb.demos import runner
from kb.demos.api import Demo
from kb.demos.evidence import Evidence
from kb.demos.report import ProgressSink, Report
from kb.errors import DemoError, KbError

GRACE_SECONDS = 2.0  # what a demo's process gets for tidying up after it has delivered its report
STEP_SECONDS = 0.1
_LISTS = ("metrics", "checks", "tables", "figures", "notes")
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


class Step(NamedTuple):
    """How far a demo has come: ``done`` of ``total`` (None: nobody knows) after ``seconds`` of this part of it."""

    done: int
    total: int | None
    label: str
    seconds: float


OnWait = Callable[[float, Step | None], None]


def run(
    demo: Demo,
    load: Callable[[], runner.Function],
    arguments: Mapping[str, object],
    device: str | None = None,
    *,
    report: Report,
    at: datetime | None = None,
    timeout_seconds: float | None = None,
    on_wait: OnWait | None = None,
) -> Evidence:
    """As ``runner.run``, in a child process: ``load()`` imports the demo's function there.

    ``report`` is filled when the demo has ended. ``on_wait(seconds, step)`` is called about ten times a second while
    the demo runs, with how far the demo says it has come; without it ``report.on_progress`` shows that in the child.
    Raises what ``runner.run`` raises, and DemoError where the process crashed or took longer than ``timeout_seconds``.
    """
    demo.arguments(arguments)  # a wrong argument is told before anything is started
    if not hasattr(os, "fork"):
        with runner.told_apart(demo):
            function = load()
        return runner.run(demo, function, arguments, device, report=report, at=at)

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    folder = tempfile.mkdtemp(prefix="kb-demo-")
    with contextlib.ExitStack() as tidy:
        tidy.callback(shutil.rmtree, folder, ignore_errors=True)
        tidy.callback(receiver.close)
        trace = tidy.enter_context(open(os.path.join(folder, "trace"), "w+", encoding="utf-8"))
        tell = _teller(sender) if on_wait is not None else report.on_progress
        child = context.Process(
            target=_work, args=(demo, load, arguments, device, report, at, sender, trace, folder, tell, os.getpid())
        )
        with _signals_reach(child):
            try:
                with warnings.catch_warnings():
                    # Python 3.12 warns of forking beside threads: the child shares no lock with them.
                    warnings.simplefilter("ignore", DeprecationWarning)
                    child.start()
                sender.close()
                answer = _wait(child, receiver, timeout_seconds, trace, demo, on_wait)
                child.join(GRACE_SECONDS)
            finally:
                _kill_all(child.pid)
                child.join()
        if answer is None:
            raise _crash(demo, child.exitcode, trace)
    kind, content = answer
    if kind == "error":
        raise _revive(*content)
    evidence: Evidence
    lists, evidence = content
    for name, items in lists.items():
        getattr(report, name).extend(items)
    return evidence


def _wait(
    child: Any, receiver: Any, timeout_seconds: float | None, trace: IO[str], demo: Demo, on_wait: OnWait | None
) -> Any:
    """What the child sent in the end, or None if it ended without a word."""
    start = time.monotonic()
    step: Step | None = None
    while True:
        if on_wait is not None:
            on_wait(time.monotonic() - start, step)
        # A process that the demo forked may hold the pipe open after the child's death: look at both.
        ready = multiprocessing.connection.wait([receiver], timeout=0.1)
        if ready:
            try:
                answer = receiver.recv()
            except EOFError:
                child.join()
                return None
            if answer is not None and not isinstance(answer, Step):
                return answer
            step = answer
        if not child.is_alive() and not receiver.poll():
            return None
        if timeout_seconds is not None and time.monotonic() - start > timeout_seconds:
            file, line = _where_it_hangs(child.pid, trace)
            raise DemoError(
                f"demo {demo.name!r} took longer than {timeout_seconds:g} s and was stopped", file=file, line=line
            )


# ---- the child ------------------------------------------------------------------------------------------------------


def _work(
    demo: Demo,
    load: Callable[[], runner.Function],
    arguments: Mapping[str, object],
    device: str | None,
    report: Report,
    at: datetime | None,
    sender: Any,
    trace: IO[str],
    folder: str,
    show: ProgressSink,
    parent: int,
) -> None:
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP):
        signal.signal(number, signal.SIG_DFL)
    _bind_to_parent(parent)
    faulthandler.enable(file=trace)
    faulthandler.register(signal.SIGUSR1, file=trace, all_threads=False)
    _own_temporary_folder(folder)
    # Stray prints, those of native code and of subprocesses too, go to stderr: stdout is the report's.
    os.dup2(2, 1)
    sys.stdout = sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)  # noqa: SIM115
    report.on_progress = _only_in(os.getpid(), show)
    try:
        with runner.told_apart(demo):
            function = load()
        evidence = runner.run(demo, function, arguments, device, report=report, at=at)
        answer: Any = "done", ({name: list(getattr(report, name)) for name in _LISTS}, evidence)
    except KbError as error:
        answer = "error", (type(error), error.__dict__, error.args)
    except KeyboardInterrupt:
        os._exit(130)
    sender.send(answer)
    sender.close()


def _revive(kind: type[KbError], state: dict[str, Any], arguments: tuple[Any, ...]) -> KbError:
    error = kind.__new__(kind)
    error.args = arguments
    error.__dict__.update(state)
    return error


def _teller(sender: Any) -> ProgressSink:
    """Tells the parent how far an iteration has come, about ten times a second."""

    def progress(items: Any, total: int | None, label: str) -> Iterator[Any]:
        start = time.monotonic()
        told = 0.0
        try:
            for done, item in enumerate(items):
                now = time.monotonic()
                if now - told >= STEP_SECONDS:
                    told = now
                    sender.send(Step(done, total, label, now - start))
                yield item
        finally:
            with contextlib.suppress(OSError):  # closed: the demo dropped the iterator at its very end
                sender.send(None)

    return progress


def _only_in(process: int, show: ProgressSink) -> ProgressSink:
    """``show`` for one process: ranks that a demo forks would each draw a bar of their own."""

    def progress(items: Any, total: int | None, label: str) -> Iterator[Any]:
        if os.getpid() == process:
            yield from show(items, total, label)
        else:
            yield from items

    return progress


def _own_temporary_folder(folder: str) -> None:
    """Temporary files go where the parent removes them however this process ends; compiled kernels stay cached."""
    os.environ.setdefault(
        "TORCHINDUCTOR_CACHE_DIR", os.path.join(tempfile.gettempdir(), f"torchinductor_{os.getuid()}")
    )
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None


def _bind_to_parent(parent: int) -> None:
    """On Linux: die when the parent dies, and adopt the orphans among the demo's own processes."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before it could be bound
        os._exit(137)


# ---- the end --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _signals_reach(child: Any) -> Iterator[None]:
    """SIGTERM (torchrun sends it) and SIGHUP unwind like Ctrl-C, so that the child is ended; Ctrl-Z stops it too."""

    def leave(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    def pause(number: int, frame: object) -> None:
        _signal_group(child.pid, signal.SIGSTOP)
        os.kill(os.getpid(), signal.SIGSTOP)
        _signal_group(child.pid, signal.SIGCONT)  # here it goes on after SIGCONT

    actions = {signal.SIGTERM: leave, signal.SIGHUP: leave, signal.SIGTSTP: pause}
    before = {}
    with contextlib.suppress(ValueError):  # not the main thread: it cannot set handlers, and gets no signals
        before = {number: signal.signal(number, action) for number, action in actions.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _kill_all(child: int | None) -> None:
    """Kill the child and everything that it started."""
    if child is None:
        return
    # Stopped, it starts nothing more while its family is being counted.
    _signal_group(child, signal.SIGSTOP)
    family = _descendants(child)
    _signal_group(child, signal.SIGKILL)
    for process in [*family, child]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process, signal.SIGKILL)


def _signal_group(leader: int | None, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if leader is not None:
            os.killpg(leader, number)


def _descendants(root: int) -> list[int]:
    """The processes below ``root``, from /proc; none where there is no /proc."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                with contextlib.suppress(OSError, IndexError, ValueError), open(f"/proc/{entry}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
                    children.setdefault(parent, []).append(int(entry))
    found: list[int] = []
    queue = [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def _crash(demo: Demo, exit_code: int | None, trace: IO[str]) -> DemoError:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = "the machine may be out of memory" if name == "SIGKILL" else None
        file, line = _traced(trace)
        return DemoError(f"demo {demo.name!r} crashed: its process died of {name}", file=file, line=line, cure=hint)
    return DemoError(f"demo {demo.name!r} ended its process with code {exit_code} before it had reported")


def _where_it_hangs(child: int, trace: IO[str]) -> tuple[str | None, int | None]:
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGUSR1)
        time.sleep(0.1)
    return _traced(trace)


def _traced(trace: IO[str]) -> tuple[str | None, int | None]:
    """File and line of the innermost frame of a plugin in faulthandler's dump (innermost first)."""
    trace.seek(0)
    frames = re.findall(r'^  File "(.+)", line (\d+) in ', trace.read(), re.MULTILINE)
    for file, line in frames:
        if f"{os.sep}plugins{os.sep}" in file:
            return file, int(line)
    return None, None
