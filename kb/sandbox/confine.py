"""Shut a program in with Linux namespaces, where bubblewrap is not installed. A script that needs nothing of kb.

``python -I confine.py SPEC PROGRAM…`` runs PROGRAM as process 1 of new user, mount, process, network, IPC and host-name
namespaces, on a file system that holds only what SPEC (JSON) lists: ``links``, ``read_only``, ``hidden``, ``files``
(pairs of source and target) and ``tmp_bytes``. The program has no capability, and where kb runs as root it does not: it
is mapped to an unprivileged user, so that limits on processes hold. Sources: the manual pages mount_namespaces(7),
pivot_root(2) and user_namespaces(7).
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import sys
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
SET_PDEATHSIG, CAPBSET_DROP, SET_NO_NEW_PRIVS = 1, 24, 38
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
MOUNT_SETATTR = 442
NOBODY = 65534
DEVICES = ("null", "zero", "full", "random", "urandom")

libc = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: Any) -> int:
    """A C library call that raises OSError where it fails."""
    result: int = getattr(libc, name)(*arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """mount(2)."""
    texts = [text.encode() if text is not None else None for text in (source, target, kind, data)]
    call("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])


def bind(source: str, target: str) -> None:
    """Show ``source`` at ``target``, read-only, with all that is mounted below it."""
    if os.path.isdir(source):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, None, BIND | REC)
    attributes = (ctypes.c_uint64 * 4)(RDONLY | NOSUID, 0, 0, 0)  # struct mount_attr: set, clear, propagation, userns
    try:
        call("syscall", MOUNT_SETATTR, -100, target.encode(), 0x8000, ctypes.byref(attributes), 32)
    except OSError:  # before Linux 5.12: this mount alone
        mount(None, target, None, BIND | REMOUNT | RDONLY | NOSUID)


def build(spec: dict[str, Any]) -> None:
    """Make the new root and enter it."""
    mount(None, "/", None, REC | PRIVATE)
    mount("tmpfs", "/tmp", "tmpfs", NOSUID | NODEV, "mode=755,size=1m")
    os.chdir("/tmp")
    os.mkdir("old")
    os.mkdir("new")
    call("syscall", PIVOT_ROOT[platform.machine()], b".", b"old")
    os.chdir("/")
    mount("tmpfs", "/new", "tmpfs", NOSUID | NODEV, "mode=755,size=4m")
    for path, target in spec["links"]:
        os.symlink(target, "/new" + path)
    for path in spec["read_only"]:
        bind("/old" + path, "/new" + path)
    for path in spec["hidden"]:
        mount("tmpfs", "/new" + path, "tmpfs", NOSUID | NODEV | RDONLY, "size=4k")
    for source, target in spec["files"]:
        bind("/old" + source, "/new" + target)
    os.mkdir("/new/dev")
    for name in DEVICES:
        os.close(os.open(f"/new/dev/{name}", os.O_CREAT | os.O_WRONLY, 0o666))
        mount(f"/old/dev/{name}", f"/new/dev/{name}", None, BIND)
    for name, target in (("fd", "fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2")):
        os.symlink(f"/proc/self/{target}", f"/new/dev/{name}")
    os.mkdir("/new/proc")
    mount("proc", "/new/proc", "proc", NOSUID | NODEV | NOEXEC)
    os.makedirs("/new/tmp", exist_ok=True)
    scratch = "/new/tmp" if not any(path.startswith("/tmp/") for path in spec["read_only"]) else "/new/scratch"
    os.makedirs(scratch, exist_ok=True)
    mount("tmpfs", scratch, "tmpfs", NOSUID | NODEV, f"mode=1777,size={spec['tmp_bytes']}")
    call("umount2", b"/old", DETACH)
    mount(None, "/new", None, BIND | REMOUNT | RDONLY | NOSUID | NODEV)
    os.chroot("/new")
    os.chdir(scratch.removeprefix("/new"))


def give_up_rights(user: int) -> None:
    """Become ``user`` with no capability and no way to gain one, not even in user namespaces of its own."""
    try:
        with open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")
    except OSError:
        pass  # nested namespaces see no more than this one, they only cost a kernel feature
    for capability in range(64):
        try:
            call("prctl", CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0)
        except OSError:
            break  # past the last one of this kernel
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    call("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def as_first_process(spec: dict[str, Any], program: list[str], user: int) -> None:
    """Process 1: build the file system, give up every right, become the program."""
    call("prctl", SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.setsid()
    build(spec)
    give_up_rights(user)
    os.execve(program[0], program, {"PATH": "/usr/bin:/bin", "HOME": os.getcwd(), "TMPDIR": os.getcwd(), **spec["env"]})


def enter(spec: dict[str, Any], program: list[str], ready: int, mapped: int, user: int) -> int:
    """The process that unshares; the program is its child, since a new process namespace starts with a child."""
    call("prctl", SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    call("unshare", NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS)
    os.write(ready, b"u")
    if os.read(mapped, 1) != b"m":
        return 1
    os.close(ready)
    os.close(mapped)
    child = os.fork()
    if child == 0:
        status = 70
        try:
            as_first_process(spec, program, user)
        except OSError as error:
            sys.stderr.write(f"confine: {error}\n")
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def main() -> int:
    """Fork, let the child unshare, write its user map from outside, wait for it."""
    spec, program = json.loads(sys.argv[1]), sys.argv[2:]
    call("prctl", SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    outside_user, outside_group = os.geteuid(), os.getegid()
    is_root = outside_user == 0
    ready, said_ready = os.pipe()
    mapped, said_mapped = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ready)
        os.close(said_mapped)
        status = 70
        try:
            status = enter(spec, program, said_ready, mapped, 1 if is_root else 0)
        except OSError as error:
            sys.stderr.write(f"confine: {error}\n")
        finally:
            os._exit(max(0, status) if status >= 0 else 128 - status)
    os.close(said_ready)
    os.close(mapped)
    if os.read(ready, 1) == b"u":
        if not is_root:
            _write(f"/proc/{child}/setgroups", "deny")
        second = f"\n1 {NOBODY} 1" if is_root else ""
        _write(f"/proc/{child}/uid_map", f"0 {outside_user} 1{second}")
        _write(f"/proc/{child}/gid_map", f"0 {outside_group} 1{second}")
        os.write(said_mapped, b"m")
    os.close(said_mapped)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


if __name__ == "__main__":
    sys.exit(main())
