"""What plugins register: each thing is looked at, and has one owner."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kb.demos.api import Demo
from kb.errors import PluginError

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Names:
    """The things of one sort that plugins registered, by name, and the owner of each name.

    ``look`` returns a thing's name, or raises PluginError if it is not such a thing. ``reserved`` names are kb's own.
    """

    def __init__(self, what: str, look: Callable[[Any], str], reserved: frozenset[str] = frozenset()) -> None:
        self.what = what
        self.look = look
        self.reserved = reserved
        self.things: dict[str, Any] = {}
        self.owners: dict[str, str] = {}

    def add(self, thing: object, owner: str) -> str:
        """Take ``thing`` in and return its name; a name that is taken stays with its first owner (PluginError)."""
        name = self.look(thing)
        if not SLUG.fullmatch(name):
            raise PluginError(f"a {self.what}'s name is made of small letters, digits and single hyphens, not {name!r}")
        if name in self.reserved:
            raise PluginError(f"{self.what} {name!r} of {owner} is left out: kb itself has a {self.what} of this name")
        if name in self.things:
            raise PluginError(f"{self.what} {name!r} of {owner} is left out: it belongs to {self.owners[name]}")
        self.things[name] = thing
        self.owners[name] = owner
        return name


def demo_name(demo: object) -> str:
    """The name of a Demo whose ``run`` can be resolved."""
    if not isinstance(demo, Demo):
        raise PluginError(f"register_demos takes a kb.Demo, not {_kind(demo)}")
    if not callable(demo.run) and not re.fullmatch(r"[\w.]+:[\w.]+", demo.run):
        raise PluginError(f'demo {demo.name!r}: run is "module:function", not {demo.run!r}')
    return demo.name


def question_kind(kind: object) -> str:
    """The ``kind`` of a complete subclass of Question."""
    from kb.questions.base import Question

    if not isinstance(kind, type) or not issubclass(kind, Question):
        raise PluginError(f"register_question_kinds takes a subclass of kb.Question, not {_kind(kind)}")
    name = getattr(kind, "kind", None)
    if not isinstance(name, str):
        raise PluginError(f'question kind {kind.__name__} has no name: write kind = "…" in the class')
    if missing := sorted(getattr(kind, "__abstractmethods__", ())):
        raise PluginError(f"question kind {name!r} lacks {', '.join(missing)}")
    return name


def command_name(command: object) -> str:
    """The name of a click command."""
    import click

    if not isinstance(command, click.Command):
        raise PluginError(f"register_commands takes a click command, not {_kind(command)}")
    if not command.name:
        raise PluginError("a command has no name: write @click.command('name')")
    return command.name


def having(hook: str, method: str) -> Callable[[Any], str]:
    """Looks at objects that have a ``name`` and a ``method``."""

    def look(thing: object) -> str:
        name = getattr(thing, "name", None)
        if not isinstance(name, str) or not callable(getattr(thing, method, None)):
            raise PluginError(f"{hook} takes an object with name and {method}(), not {_kind(thing)}")
        return name

    return look


def _kind(thing: object) -> str:
    return f"the class {thing.__name__}" if isinstance(thing, type) else f"an object of type {type(thing).__name__}"
