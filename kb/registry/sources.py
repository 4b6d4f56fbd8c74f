"""Where plugins come from: the folders in every root's ``plugins/``, and the distributions that pip installed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.errors import PluginError
from kb.roots import Root

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "kb"


class FolderPack(NamedTuple):
    """A folder in a root's ``plugins/``; ``fault`` says why it cannot be one that registers."""

    name: str
    path: str
    root: Root
    fault: str | None = None

    @property
    def module(self) -> str:
        """The name it is imported under."""
        return f"kb.plugins.{self.name}"


class Pack(NamedTuple):
    """A distribution with entry points in the group ``kb``."""

    name: str
    version: str | None
    location: str
    entry_points: tuple[EntryPoint, ...] = ()
    fault: str | None = None


def folder_packs(root: Root) -> Iterator[FolderPack]:
    """What stands in ``root``'s plugins folder, by name. Hidden and private names are not looked at."""
    try:
        with os.scandir(root.plugins) as entries:
            listed = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield FolderPack("plugins", root.plugins, root, f"cannot be read: {error.strerror}")
        return
    for entry in listed:
        if entry.name.startswith((".", "_")):
            continue
        stem, extension = os.path.splitext(entry.name)
        if entry.is_dir() and _visible(entry.path):
            yield FolderPack(entry.name, entry.path, root, _folder_fault(entry.name, entry.path))
        elif extension == ".py" and entry.is_file():
            fault = f"a plugin is a folder: move this file to {os.path.join(root.plugins, stem, '__init__.py')}"
            yield FolderPack(stem, entry.path, root, fault)


def _visible(path: str) -> bool:
    """Whether there is anything in the folder: one that was removed by git leaves its __pycache__ behind."""
    try:
        return any(not name.startswith((".", "__pycache__")) for name in os.listdir(path))
    except OSError:
        return True  # what cannot be read is told when it is imported


def _folder_fault(name: str, path: str) -> str | None:
    if not name.isidentifier():
        return "a plugin folder is a Python package: call it " + re.sub(r"\W", "_", name)
    if not os.path.isfile(os.path.join(path, "__init__.py")):
        return "has no __init__.py, which registers its demos"
    return None


def packs(environment: Mapping[str, str]) -> Iterator[Pack]:
    """The installed packs that ``$KB_LOAD_PLUGINS`` allows (unset: all), by name; one that is not there has a fault."""
    allowed = environment.get("KB_LOAD_PLUGINS")
    wanted = None if allowed is None else {normal(name): name.strip() for name in allowed.split(",") if name.strip()}
    if wanted is not None and not wanted:
        return
    found = {}
    for pack in _installed():
        key = normal(pack.name)
        if key not in found and (wanted is None or key in wanted):
            found[key] = pack  # the first on sys.path is the one that is imported
    for key in sorted(found):
        yield found[key]
    for key in sorted(wanted or ()):
        if wanted is not None and key not in found:
            yield Pack(wanted[key], None, "$KB_LOAD_PLUGINS", fault="is named there, but no such pack is installed")


def normal(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()


def _installed() -> Iterator[Pack]:
    from importlib.metadata import distributions

    for distribution in distributions():
        try:
            pack = _pack(distribution)
        except Exception as error:  # damaged metadata of one must not hide the others
            pack = Pack(
                str(getattr(distribution, "_path", "?")), None, "", fault=f"its metadata cannot be read: {error}"
            )
        if pack is not None:
            yield pack


def _pack(distribution: Distribution) -> Pack | None:
    text = distribution.read_text("entry_points.txt")
    if text is None or not re.search(rf"^\s*\[\s*{GROUP}\s*\]", text, re.MULTILINE):
        return None  # parsing is what costs, so only a pack's is parsed
    location = str(distribution.locate_file(""))
    found = tuple(point for point in distribution.entry_points if point.group == GROUP)
    return Pack(distribution.metadata["Name"], distribution.version, location, found)


def import_folder(pack: FolderPack) -> Any:
    """Import a folder pack as ``kb.plugins.<name>``; one of that name from another root is forgotten first."""
    from importlib import import_module

    standing = sys.modules.get(pack.module)
    if standing is not None and not _is_from(standing, pack.path):
        for name in [name for name in sys.modules if name == pack.module or name.startswith(pack.module + ".")]:
            del sys.modules[name]
    module = import_module(pack.module)
    if not _is_from(module, pack.path):
        raise PluginError(f"{pack.module} was imported from {getattr(module, '__file__', '?')}")
    return module


def pack_root(module: str, path: object, owner: str) -> str:
    """The content root that the pack's ``module`` registers: absolute, or beside the module. Raises PluginError."""
    if not isinstance(path, str | os.PathLike):
        raise PluginError(f"register_roots takes a folder, not an object of type {type(path).__name__}")
    beside = os.path.dirname(os.path.abspath(getattr(sys.modules.get(module), "__file__", None) or "."))
    folder = os.path.join(beside, os.fspath(path))
    if not isinstance(folder, str) or not any(
        os.path.isdir(os.path.join(folder, name)) for name in ("topics", "plugins")
    ):
        raise PluginError(f"register_roots: there is no folder topics or plugins in {folder!r}")
    return os.path.normpath(folder)


def set_plugin_path(roots: Iterable[Root]) -> None:
    """Make ``kb.plugins`` look through the plugins folders of ``roots``, in their order."""
    import kb.plugins

    folders = [root.plugins for root in roots]
    for folder in folders:
        sys.path_importer_cache.pop(folder, None)  # a folder that was just written may not be in its listing
    kb.plugins.__path__ = folders


def tell_children(roots: Iterable[Root]) -> None:
    """Let processes that a demo spawns find the plugins folders of packs: they import ``kb.plugins`` anew."""
    folders = [root.plugins for root in roots if os.path.isdir(root.plugins)]
    if folders or "KB_PACK_PLUGINS" in os.environ:
        os.environ["KB_PACK_PLUGINS"] = os.pathsep.join(folders)


def _is_from(module: Any, folder: str) -> bool:
    file: str | None = getattr(module, "__file__", None)
    return file is not None and os.path.dirname(os.path.abspath(file)) == os.path.abspath(folder)
