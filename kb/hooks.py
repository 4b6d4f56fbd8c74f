"""The hooks of kb. A plugin implements those it needs; ``from kb import hookimpl`` is all it takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

hookspec = pluggy.HookspecMarker("kb")
hookimpl = pluggy.HookimplMarker("kb")


@hookspec
def register_demos(register: Callable[[Any], None]) -> None:
    """Register demos: ``register(Demo(...))``."""


@hookspec
def register_roots(register: Callable[[Any], None]) -> None:
    """Register content roots, folders with ``topics/`` and ``plugins/``: ``register(path)``."""


@hookspec
def register_question_kinds(register: Callable[[Any], None]) -> None:
    """Register question kinds: ``register(SubclassOfQuestion)``."""


@hookspec
def register_schedulers(register: Callable[[Any], None]) -> None:
    """Register schedulers: ``register(scheduler)``, like ``kb.memory.scheduler.Scheduler``, with a ``name``."""


@hookspec
def register_importers(register: Callable[[Any], None]) -> None:
    """Register importers: ``register(importer)``, an object with ``name`` and ``read(path) -> events``."""


@hookspec
def register_exporters(register: Callable[[Any], None]) -> None:
    """Register exporters: ``register(exporter)``, an object with ``name`` and ``write(events, path)``."""


@hookspec
def register_commands(register: Callable[[Any], None]) -> None:
    """Register commands: ``register(click_command)``."""
