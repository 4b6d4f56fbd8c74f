"""The process that runs programs: libraries loaded once, a fork for each run. A script that needs nothing of kb.

It reads requests and writes replies as JSON, one a line, on the stdin and stdout it was started with. A run's child
gets neither: it writes what it found on a pipe of its own, behind a token made for this run. So a program that prints
"passed", exits with 0 or ends early proves nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import linecache
import os
import resource
import secrets
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from typing import Any

SET_PDEATHSIG, SET_DUMPABLE, CAPBSET_DROP, SET_CHILD_SUBREAPER, SET_NO_NEW_PRIVS = 1, 4, 24, 36, 38
NAME = "<answer>"


def main() -> None:
    control_in, control_out = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(2, 1)
    _prctl(SET_DUMPABLE, 0)  # no child may look into this process or trace it
    _prctl(SET_CHILD_SUBREAPER, 1)
    _give_up_capabilities()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for kb, which ends us by closing the pipe
    for line in control_in:
        request = json.loads(line)
        reply = Run(request, control_in, control_out).reply() if "source" in request else _warm(request)
        control_out.write(json.dumps(reply).encode() + b"\n")
        control_out.flush()


def _give_up_capabilities() -> None:
    """Where kb runs as root outside every namespace, a program must not be able to mount, trace or load anything."""
    for capability in range(64):
        _prctl(CAPBSET_DROP, capability)
    _prctl(SET_NO_NEW_PRIVS, 1)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)  # _LINUX_CAPABILITY_VERSION_3, this process; capset(2)
    ctypes.CDLL(None).capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)()))


def _warm(request: dict[str, Any]) -> dict[str, Any]:
    """Load libraries before the first fork, so that no run pays for them."""
    loaded = []
    for name in request.get("warm", ()):
        try:
            importlib.import_module(name)
            loaded.append(name)
        except Exception:  # a missing library is the program's own error when it needs it
            continue
    if "torch" in loaded:
        torch: Any = sys.modules["torch"]
        torch.set_num_threads(1)  # two threads before a fork and two after it hang
        weight = torch.zeros(2, requires_grad=True)
        optimizer = torch.optim.SGD([weight], lr=0.1)
        (weight * 2).sum().backward()
        optimizer.step()  # the first step imports a second's worth of modules
    return {"loaded": loaded, "pid": os.getpid()}


class Run:
    """One run of one program."""

    def __init__(self, request: dict[str, Any], control_in: Any, control_out: Any) -> None:
        self.request = request
        self.limits = request["limits"]
        self.token = secrets.token_hex(16).encode()
        self.control_in, self.control_out = control_in, control_out
        self.output = bytearray()
        self.result = bytearray()
        self.kind = ""
        self.started = time.monotonic()

    def reply(self) -> dict[str, Any]:
        folder = tempfile.mkdtemp(prefix="run-")
        os.chmod(folder, 0o700)
        output, said = os.pipe()
        result, found = os.pipe()
        answers, give = os.pipe()
        child = os.fork()
        if child == 0:
            for fd in (output, result, give, self.control_in.fileno(), self.control_out.fileno()):
                os.close(fd)
            _child(self.request, self.token, folder, said, found, answers)
        for fd in (said, found, answers):
            os.close(fd)
        self.give = give
        try:
            status = self.watch(child, output, result)
        finally:
            for fd in (output, result, give):
                os.close(fd)
            shutil.rmtree(folder, ignore_errors=True)
        return {**self.judge(status), "output": self.output.decode(errors="replace"), "seconds": self.elapsed()}

    def elapsed(self) -> float:
        return time.monotonic() - self.started

    def watch(self, child: int, output: int, result: int) -> int | None:
        """Collect what the child says until it ends or must be ended; its wait status, None if it was killed."""
        open_fds = {output, result}
        asked = 0
        status: int | None = None
        checked = self.started
        while status is None or open_fds:
            ready, _, _ = select.select(list(open_fds), [], [], 0.005 if status is None else 0)
            for fd in ready:
                data = os.read(fd, 1 << 16)
                if not data:
                    open_fds.discard(fd)
                elif fd == output:
                    self.output += data[: max(0, self.limits["output_bytes"] - len(self.output))]
                else:
                    self.result += data
                    asked = self.relay(asked)
            if status is None:
                pid, code = os.waitpid(child, os.WNOHANG)
                status = code if pid else None
            elif not ready:
                break  # a process that outlived the child holds the pipe open: it is of no interest
            if self.elapsed() > self.limits["seconds"]:
                self.kind = "timeout"
            elif len(self.result) > self.limits["result_bytes"]:
                self.kind = "refused"
            elif time.monotonic() - checked > 0.02:
                checked = time.monotonic()
                if _processes() > self.limits["processes"]:
                    self.kind = "processes"
            if self.kind:
                break
        _kill_all(child)
        return None if self.kind else status

    def relay(self, seen: int) -> int:
        """Pass a question of the child (a whole line behind the token) to kb and the answer back; the place reached."""
        while (end := self.result.find(b"\n", seen)) >= 0:
            line = bytes(self.result[seen:end])
            mark = self.token + b"?"
            if not line.startswith(mark):
                seen = end + 1
                continue
            paused = time.monotonic()
            self.control_out.write(json.dumps({"ask": json.loads(line[len(mark) :])}).encode() + b"\n")
            self.control_out.flush()
            os.write(self.give, self.control_in.readline())
            self.started += time.monotonic() - paused  # kb's own work is not the program's time
            del self.result[seen : end + 1]
        return seen

    def judge(self, status: int | None) -> dict[str, Any]:
        """The reply, from the token and, where there is none, from how the child ended."""
        if self.kind == "timeout":
            return {"kind": "timeout", "error": f"it ran for more than {self.limits['seconds']:g} s"}
        if self.kind == "processes":
            return {"kind": "processes", "error": f"it started more than {self.limits['processes']} processes"}
        if self.kind == "refused":
            return {"kind": "refused", "error": "its result is too large"}
        for line in bytes(self.result).split(b"\n"):
            if line.startswith(self.token + b"="):
                try:
                    found = json.loads(line[len(self.token) + 1 :])
                except ValueError:
                    break
                return found if isinstance(found, dict) else {"kind": "silent", "error": "it ended without a result"}
        return _ended(status or 0, self.limits)


def _ended(status: int, limits: dict[str, Any]) -> dict[str, Any]:
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGXCPU, signal.SIGKILL):
            return {"kind": "timeout", "error": f"it used more than {limits['cpu_seconds']:g} s of CPU"}
        return {"kind": "crash", "error": f"it was ended by {signal.Signals(number).name}"}
    return {"kind": "silent", "error": "it ended without a result"}


def _child(request: dict[str, Any], token: bytes, folder: str, said: int, found: int, answers: int) -> None:
    """Run the program and end; never returns."""
    try:
        _prctl(SET_PDEATHSIG, signal.SIGKILL)
        os.setsid()
        os.chdir(folder)
        os.environ.update(HOME=folder, TMPDIR=folder)
        tempfile.tempdir = folder
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout = os.fdopen(1, "w", buffering=1, errors="replace", closefd=False)
        sys.stderr = os.fdopen(2, "w", buffering=1, errors="replace", closefd=False)
        sys.stdin = open(os.devnull)  # noqa: SIM115
        _limit(request["limits"])
        _prctl(SET_DUMPABLE, 1)
        reply = _run(request, token, found, answers)
        sys.stdout.flush()
        _write_all(found, b"\n" + token + b"=" + json.dumps(reply).encode() + b"\n")
    finally:
        os._exit(0)


def _run(request: dict[str, Any], token: bytes, found: int, answers: int) -> dict[str, Any]:
    source = request["source"]
    linecache.cache[NAME] = (len(source), None, source.splitlines(keepends=True), NAME)
    module: dict[str, Any] = {"__name__": "answer", "__builtins__": __builtins__}
    if request.get("may_ask"):
        module["ask"] = _asker(token, found, answers)
    try:
        exec(compile(source, NAME, "exec"), module)
        value = module[request["call"]](*request["arguments"]) if request.get("call") else None
    except MemoryError:
        return {"kind": "memory", "error": "it used more memory than it may"}
    except RecursionError as error:
        return {"kind": "exception", "error": f"RecursionError: {error}", **_where(error)}
    except SystemExit as error:
        return {"kind": "silent", "error": f"it called sys.exit({error.code!r})", **_where(error)}
    except BaseException as error:
        memory = "DefaultCPUAllocator: can't allocate memory" in str(error)
        summary = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
        return {"kind": "memory" if memory else "exception", "error": summary[:2000], **_where(error)}
    try:
        json.dumps(value, allow_nan=True)
    except (TypeError, ValueError, RecursionError) as error:
        return {"kind": "refused", "error": f"its result is not JSON: {error}"}
    return {"kind": "done", "value": value}


def _where(error: BaseException) -> dict[str, Any]:
    """The program's own frames of a traceback, and the last line of its source among them."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == NAME][-12:]
    line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
    return {"trace": "".join(traceback.format_list(frames))[:8000], "line": line}


def _asker(token: bytes, found: int, answers: int) -> Any:
    reader = os.fdopen(answers, "rb")

    def ask(question: Any) -> Any:
        """Put a question to kb (JSON both ways)."""
        _write_all(found, b"\n" + token + b"?" + json.dumps(question).encode() + b"\n")
        return json.loads(reader.readline())

    return ask


def _limit(limits: dict[str, Any]) -> None:
    """Set the resource limits: on memory, as what is in use now plus the headroom."""
    with open("/proc/self/statm") as file:
        in_use = int(file.read().split()[0]) * resource.getpagesize()
    most = in_use + limits["memory_bytes"]
    for what, soft, hard in (
        (resource.RLIMIT_AS, most, most),
        (resource.RLIMIT_CPU, limits["cpu_seconds"], limits["cpu_seconds"] + 1),
        (resource.RLIMIT_FSIZE, limits["file_bytes"], limits["file_bytes"]),
        (resource.RLIMIT_NOFILE, limits["open_files"], limits["open_files"]),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        resource.setrlimit(what, (soft, hard))
    if os.geteuid() != 0 and os.getpid() != 1:
        room = _processes_of_user() + limits["processes"]
        resource.setrlimit(resource.RLIMIT_NPROC, (room, room))


def _processes_of_user() -> int:
    """How many tasks this user has, as far as /proc shows: RLIMIT_NPROC counts them all."""
    count, me = 0, os.geteuid()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if os.stat(f"/proc/{name}").st_uid == me:
                    count += len(os.listdir(f"/proc/{name}/task"))
            except OSError:
                continue
    return count


def _processes() -> int:
    """How many processes descend from this worker."""
    if os.getpid() == 1:
        return sum(name.isdigit() for name in os.listdir("/proc")) - 1
    return len(_descendants())


def _descendants() -> list[int]:
    parents: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            parents.setdefault(parent, []).append(int(name))
    found, waiting = [], [os.getpid()]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _kill_all(child: int) -> None:
    """End the child and all that it started, also what left its process group, and reap them."""
    for _ in range(200):
        if os.getpid() == 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)  # everything in this process namespace but us
        else:
            for pid in [child, *_descendants()]:
                try:
                    os.kill(pid, signal.SIGKILL)
                except OSError:
                    continue
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.002)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


if __name__ == "__main__":
    main()
