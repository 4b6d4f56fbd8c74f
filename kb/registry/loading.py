"""Loads one plugin at a time into a plugin manager, and keeps the record of what it did."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pluggy

from kb import hooks
from kb.errors import PluginError
from kb.registry.isolation import Isolation, heavy_import, held_libraries

HOOKS = tuple(name for name in vars(hooks) if name.startswith("register_"))


def plugin_manager() -> pluggy.PluginManager:
    """A new manager that knows kb's hooks and no plugin."""
    manager = pluggy.PluginManager("kb")
    manager.add_hookspecs(hooks)
    return manager


class PluginInfo(NamedTuple):
    """What ``kb plugins`` shows of a folder pack or a distribution; ``error`` is None where all is well."""

    name: str
    version: str | None
    source: str
    hooks: tuple[str, ...]
    error: str | None

    def as_json(self) -> dict[str, object]:
        """The entry as the JSON contract has it."""
        return {**self._asdict(), "hooks": list(self.hooks)}


class Record:
    """A folder pack or a distribution while it is loaded: its plugin objects, their hooks, and its faults.

    ``owner`` names it in messages about clashes.
    """

    def __init__(self, name: str, version: str | None, source: str, owner: str) -> None:
        self.name = name
        self.version = version
        self.source = source
        self.owner = owner
        self.plugins: list[tuple[object, str]] = []  # a plugin and the module that it is, or is defined in
        self.hooks: set[str] = set()
        self.faults: list[str] = []

    def fault(self, faults: Iterable[str]) -> None:
        """Note ``faults``, each once."""
        self.faults += [fault for fault in dict.fromkeys(faults) if fault not in self.faults]

    def info(self) -> PluginInfo:
        """The record as it is shown."""
        listed = tuple(name for name in HOOKS if name in self.hooks)
        return PluginInfo(self.name, self.version, self.source, listed, "; ".join(self.faults) or None)


class Loader:
    """Loads plugins into ``manager``, each within ``isolation``."""

    def __init__(self, manager: pluggy.PluginManager, isolation: Isolation) -> None:
        self.manager = manager
        self.isolation = isolation

    def load(self, record: Record, find: Callable[[], object], module: str) -> None:
        """Take the plugin that ``find`` imports from ``module`` in; faults go to the record."""

        def work() -> object:
            plugin = find()
            if plugin is None:
                raise PluginError("is None, not a module with hooks")
            self.manager.register(plugin, f"{record.name}:{module}")
            return plugin

        outcome = self.isolation.run(work, _code_of(module))
        record.fault(outcome.faults)
        if outcome.value is None:
            return
        record.plugins.append((outcome.value, module))
        record.fault(map(heavy_import, held_libraries(outcome.value)))
        self._judge(record, outcome.value)

    def _judge(self, record: Record, plugin: object) -> None:
        """What the manager's ``check_pending()`` finds, told of this plugin alone; and hooks that lack the mark."""
        for caller in self.manager.get_hookcallers(plugin) or ():
            mine = [each for each in caller.get_hookimpls() if each.plugin is plugin]
            if not caller.has_spec():
                if not all(each.optionalhook for each in mine):
                    import difflib

                    near = difflib.get_close_matches(caller.name, HOOKS, n=1)
                    record.fault([f"kb has no hook {caller.name!r}" + (f"; did you mean {near[0]}?" if near else "")])
            elif any(each.wrapper or each.hookwrapper for each in mine):
                record.fault([f"{caller.name} is a hook wrapper, which kb does not call"])
            else:
                record.hooks.add(caller.name)
        for name in HOOKS:
            if name not in record.hooks and callable(getattr(plugin, name, None)):
                record.fault([f"{name} is not marked with @hookimpl"])

    def registered(self, record: Record, plugin: object, module: str, hook: str) -> list[Any]:
        """What ``plugin`` registers by ``hook``: all of it, or nothing if the hook ended in an error."""
        things: list[Any] = []
        mine = [each for each in getattr(self.manager.hook, hook).get_hookimpls() if each.plugin is plugin]

        def work() -> None:
            for each in mine:
                arguments = [things.append for _ in each.argnames]  # the one argument of every hook is `register`
                if not (each.wrapper or each.hookwrapper) and each.function(*arguments) is not None:
                    raise PluginError(f"{hook} returns a value, where it should call register(...)")

        if not mine:
            return []
        outcome = self.isolation.run(work, _code_of(module))
        record.fault(outcome.faults)
        return [] if outcome.error else things

    def accept(self, record: Record, module: str, things: Iterable[Any], take: Callable[[Any, str], str]) -> list[str]:
        """Let ``take(thing, owner)`` judge each of ``things``; return the names of those that it took."""
        taken = []
        for thing in things:
            outcome = self.isolation.run(lambda thing=thing: take(thing, record.owner), _code_of(module))  # type: ignore[misc]
            record.fault(outcome.faults)
            if outcome.value is not None:
                taken.append(outcome.value)
        return taken


def _code_of(module: str) -> str:
    """The module above all of a plugin's own code, given the one that registers."""
    return module if module.startswith("kb.") else module.partition(".")[0]
