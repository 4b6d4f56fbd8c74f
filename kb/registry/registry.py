"""Everything that plugins bring in, by name, loaded in stages: a command pays for what it looks at."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kb import __version__
from kb.registry import sources
from kb.registry.isolation import Isolation
from kb.registry.loading import Loader, PluginInfo, Record, plugin_manager
from kb.registry.names import Names, command_name, demo_name, having, question_kind
from kb.roots import Root, content_roots

if TYPE_CHECKING:
    import click

    from kb.demos.api import Demo
    from kb.questions.base import Question

_KINDS = "kb.questions.builtin"


class Registry:
    """The demos, question kinds, commands and so on of every plugin.

    Nothing is loaded before it is asked for, and a built-in question kind is found without loading any plugin. Of two
    owners of one name the first stays, in the order built-in, packs, ``$KB_PATH``, user; the later one is refused, and
    ``plugins`` tells it naming both. A broken plugin is named there too, and takes nothing else down.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        packs: bool = True,
        commands: Iterable[str] = (),
        plugins: Iterable[tuple[str, object]] = (),
    ) -> None:
        self._environment = environment
        self._installed = sources.packs(environment) if packs else iter(())
        self._given = tuple(plugins)
        self._manager = plugin_manager()
        self._records: list[Record] = []
        self._homes: dict[str, str] = {}  # demo → the module that registered it
        self._names = {
            "register_question_kinds": Names("question kind", question_kind),
            "register_demos": Names("demo", demo_name),
            "register_schedulers": Names("scheduler", having("register_schedulers", "review")),
            "register_importers": Names("importer", having("register_importers", "read")),
            "register_exporters": Names("exporter", having("register_exporters", "write")),
            "register_commands": Names("command", command_name, frozenset(commands)),
        }

    @classmethod
    def load(
        cls,
        environment: Mapping[str, str],
        *,
        packs: bool = True,
        commands: Iterable[str] = (),
        plugins: Iterable[tuple[str, object]] = (),
    ) -> Registry:
        """The registry of an ``environment`` (``KB_PATH``, ``KB_HOME``, ``KB_LOAD_PLUGINS``).

        ``packs=False`` leaves out what pip installed; ``commands`` are the names of kb's own; ``plugins`` are further
        plugin objects under their names, loaded last.
        """
        return cls(environment, packs=packs, commands=commands, plugins=plugins)

    @property
    def demos(self) -> dict[str, Demo]:
        """Every demo by name."""
        return self._everything["register_demos"].things

    @cached_property
    def kinds(self) -> Mapping[str, type[Question]]:
        """Every question kind by name."""
        return _Kinds(self)

    @property
    def commands(self) -> dict[str, click.Command]:
        """The commands that plugins add, by name."""
        return self._everything["register_commands"].things

    @property
    def schedulers(self) -> dict[str, Any]:
        """The schedulers that plugins add, by name."""
        return self._everything["register_schedulers"].things

    @property
    def importers(self) -> dict[str, Any]:
        """The importers that plugins add, by name."""
        return self._everything["register_importers"].things

    @property
    def exporters(self) -> dict[str, Any]:
        """The exporters that plugins add, by name."""
        return self._everything["register_exporters"].things

    @property
    def roots(self) -> list[Root]:
        """Every content root, those of packs included."""
        return self._packs_and_roots[1]

    @property
    def plugins(self) -> list[PluginInfo]:
        """Every plugin, broken ones included: kb's own, the packs, then the folders of other roots."""
        _ = self._everything
        return [record.info() for record in self._records]

    def owner(self, hook: str, name: str) -> str | None:
        """Who registered ``name`` by ``hook``, in words."""
        return self._everything[hook].owners.get(name)

    def function(self, demo: Demo) -> Callable[..., object]:
        """Import the function of ``demo``. Raises MissingExtra, or DemoError with the place and the cure."""
        from kb.registry.functions import resolve

        _ = self._everything
        return resolve(demo, self._homes.get(demo.name, ""))

    # The stages. Each is done once, when it is first needed.

    @cached_property
    def _builtin_kinds(self) -> Mapping[str, type[Question]]:
        """The question kinds that ship with kb."""
        with Isolation() as isolation:
            loader = Loader(self._manager, isolation)
            record = self._record("kb-scribbles", __version__, os.path.dirname(os.path.dirname(__file__)), "kb itself")
            loader.load(record, lambda: import_module(_KINDS), _KINDS)
            self._take(loader, record)
        return dict(self._names["register_question_kinds"].things)

    @cached_property
    def _packs_and_roots(self) -> tuple[list[Record], list[Root]]:
        """The packs, imported, and all roots. What else a pack registers waits until the built-in has its names."""
        records, found = [], []
        with Isolation() as isolation:
            loader = Loader(self._manager, isolation)
            for pack in self._installed:
                record = Record(pack.name, pack.version, pack.location, f"the pack {pack.name}")
                record.fault([pack.fault] if pack.fault else [])
                for point in pack.entry_points:
                    loader.load(record, point.load, point.value.partition(":")[0].strip())
                for plugin, module in record.plugins:
                    paths = loader.registered(record, plugin, module, "register_roots")
                    folders = loader.accept(record, module, paths, partial(sources.pack_root, module))
                    found += [(folder, record.name) for folder in folders]
                records.append(record)
        roots = content_roots(self._environment, found)
        sources.set_plugin_path(roots)
        if self._environment is os.environ:
            sources.tell_children([root for root in roots if (root.path, root.owner) in found])
        return records, roots

    @cached_property
    def _everything(self) -> dict[str, Names]:
        _ = self._builtin_kinds
        packs, roots = self._packs_and_roots
        first_of: dict[str, sources.FolderPack] = {}
        with Isolation() as isolation:
            loader = Loader(self._manager, isolation)
            for root in [root for root in roots if root.owner == "kb"]:
                self._take_folders(loader, root, first_of)
            for record in packs:
                self._records.append(record)
                self._take(loader, record)
            for root in [root for root in roots if root.owner != "kb"]:
                self._take_folders(loader, root, first_of)
            for name, plugin in self._given:
                record = self._record(name, None, "given", name)
                loader.load(record, lambda plugin=plugin: plugin, getattr(plugin, "__name__", type(plugin).__module__))  # type: ignore[misc]
                self._take(loader, record)
        return self._names

    def _record(self, name: str, version: str | None, source: str, owner: str) -> Record:
        record = Record(name, version, source, owner)
        self._records.append(record)
        return record

    def _take_folders(self, loader: Loader, root: Root, first_of: dict[str, sources.FolderPack]) -> None:
        for pack in sources.folder_packs(root):
            version = __version__ if root.owner == "kb" else None
            record = self._record(pack.name, version, pack.path, f"the plugin folder {pack.path}")
            if pack.fault:
                record.fault([pack.fault])
            elif (first := first_of.setdefault(pack.name, pack)) is not pack:
                record.fault([f"plugin folder {pack.path} is left out: the name belongs to {first.path}"])
            else:
                loader.load(record, lambda pack=pack: sources.import_folder(pack), pack.module)  # type: ignore[misc]
                self._take(loader, record)
                if "register_roots" in record.hooks:
                    record.fault(
                        ["register_roots is for packs: the topics of a folder plugin stand in topics/ beside it"]
                    )

    def _take(self, loader: Loader, record: Record) -> None:
        """Let a loaded plugin register; the first owner of a name keeps it."""
        for plugin, module in record.plugins:
            for hook, names in self._names.items():
                taken = loader.accept(record, module, loader.registered(record, plugin, module, hook), names.add)
                if hook == "register_demos":
                    self._homes.update(dict.fromkeys(taken, module))


class _Kinds(Mapping[str, "type[Question]"]):
    """The question kinds: the built-in ones at once, and plugins only for a name that is none of them."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def __getitem__(self, name: str) -> type[Question]:
        builtin = self._registry._builtin_kinds
        return builtin[name] if name in builtin else self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, type[Question]]:
        return self._registry._everything["register_question_kinds"].things
