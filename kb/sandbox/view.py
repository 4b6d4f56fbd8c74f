"""What a sandboxed program may see of the file system: Python and its libraries, read-only, and nothing of ours."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable
from typing import NamedTuple

_SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/opt/rocm", "/opt/nvidia")
_SETTINGS = ("/etc/ld.so.cache", "/etc/localtime", "/etc/alternatives")


class View(NamedTuple):
    """``links`` are (path, target) pairs, ``read_only`` folders and files, ``hidden`` folders shown empty."""

    links: tuple[tuple[str, str], ...]
    read_only: tuple[str, ...]
    hidden: tuple[str, ...]


def view(hidden: Iterable[str] = ()) -> View:
    """Python's own folders and the system's libraries, without kb and without the folders in ``hidden``.

    Topic files hold the reference solutions, so a program that is being graded must not be able to read them: kb's own
    package, where a wheel keeps its topics, is always hidden.
    """
    links = tuple((path, os.readlink(path)) for path in _SYSTEM if os.path.islink(path))
    wanted = [path for path in (*_SYSTEM, *_SETTINGS) if os.path.exists(path) and not os.path.islink(path)]
    wanted += [sys.prefix, sys.base_prefix, os.path.dirname(os.path.realpath(sys.executable))]
    wanted += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    wanted += [path for path in sys.path if "site-packages" in path or "dist-packages" in path]
    paths = _outermost(
        os.path.abspath(path) for path in wanted if (path and os.path.isdir(path)) or os.path.isfile(path)
    )
    ours = {os.path.dirname(os.path.dirname(os.path.abspath(__file__))), *map(os.path.abspath, hidden)}
    inside = tuple(sorted(path for path in ours if os.path.isdir(path) and _within(path, paths)))
    return View(links, paths, inside)


def _outermost(paths: Iterable[str]) -> tuple[str, ...]:
    """``paths`` without duplicates and without those that lie inside another."""
    kept: list[str] = []
    for path in sorted(set(paths), key=len):
        if path != "/" and not _within(path, kept):
            kept.append(path)
    return tuple(kept)


def _within(path: str, folders: Iterable[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)
