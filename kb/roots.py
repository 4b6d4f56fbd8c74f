"""Where content and data live. On the way of every start, so it imports next to nothing.

A content root is a folder with ``topics/`` and/or ``plugins/``. There is one shape of it for what ships with kb, for a
pack that pip installed, for a folder named by ``$KB_PATH`` and for the user's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Root(NamedTuple):
    """A content root: the folder's absolute ``path``, and its ``owner``: kb, a pack's name, $KB_PATH or user."""

    path: str
    owner: str

    @property
    def topics(self) -> str:
        """The folder of the topic files."""
        return os.path.join(self.path, "topics")

    @property
    def plugins(self) -> str:
        """The folder of the plugins."""
        return os.path.join(self.path, "plugins")


def data_home(environment: Mapping[str, str]) -> str:
    """The data folder: ``$KB_HOME``, else the platform's folder for a user's data."""
    home = environment.get("KB_HOME")
    if home:
        return _absolute(home)
    return _platform_folder(environment, "XDG_DATA_HOME", ".local/share", "user_data_dir")


def cache_home(environment: Mapping[str, str]) -> str:
    """The folder of what can be thrown away: ``$KB_HOME/cache``, else the platform's cache folder."""
    if environment.get("KB_HOME"):
        return os.path.join(data_home(environment), "cache")
    return _platform_folder(environment, "XDG_CACHE_HOME", ".cache", "user_cache_dir")


def builtin_root() -> str:
    """The root that ships with kb: inside an installed wheel, or the top of a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    installed = os.path.join(package, "_builtin")
    return installed if os.path.isdir(installed) else os.path.dirname(package)


def path_entries(environment: Mapping[str, str]) -> list[str]:
    """The folders of ``$KB_PATH``, absolute, in their order."""
    return [_absolute(entry) for entry in environment.get("KB_PATH", "").split(os.pathsep) if entry.strip()]


def content_roots(environment: Mapping[str, str], pack_roots: Iterable[Root | tuple[str, str]] = ()) -> list[Root]:
    """Every content root, each once: built-in, ``pack_roots`` (path and owner), ``$KB_PATH``, the user's own.

    Folders that don't exist are left out (the user's own is made when it is first written to).
    """
    candidates = [
        Root(builtin_root(), "kb"),
        *(Root(_absolute(path), owner) for path, owner in pack_roots),
        *(Root(path, "$KB_PATH") for path in path_entries(environment)),
        Root(data_home(environment), "user"),
    ]
    found: dict[str, Root] = {}
    for root in candidates:
        if os.path.isdir(root.path):
            found.setdefault(os.path.realpath(root.path), root)
    return list(found.values())


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))


def _platform_folder(environment: Mapping[str, str], variable: str, below_home: str, function: str) -> str:
    if str(sys.platform) == "linux":  # what platformdirs answers there, without the cost of its import
        base = environment.get(variable, "").strip()
        if not os.path.isabs(base):
            base = os.path.join(environment.get("HOME") or os.path.expanduser("~"), below_home)
        return os.path.join(base, "kb")
    import platformdirs

    return str(getattr(platformdirs, function)("kb", appauthor=False))
