"""What a command works with: each part is made when it is first used, so a command pays for what it needs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kb import roots
from kb.errors import UsageError
from kb.memory.days import Moment

if TYPE_CHECKING:
    from kb.knowledge.library import Library
    from kb.registry import Registry
    from kb.store.store import Store


class App:
    """The environment, and from it the registry, the library, the store and the clock."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def __enter__(self) -> App:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if "store" in self.__dict__:
            self.store.close()

    @cached_property
    def home(self) -> str:
        """The data folder."""
        return roots.data_home(self.environment)

    @cached_property
    def registry(self) -> Registry:
        from kb.registry import Registry
        from kb.terminal.commands import COMMANDS

        return Registry.load(self.environment, commands=COMMANDS)

    @cached_property
    def library(self) -> Library:
        from kb.knowledge.library import Library

        return Library.open(self.environment, self.registry)

    @cached_property
    def settings(self) -> Any:
        from kb import config

        return config.load(self.home)

    @cached_property
    def store(self) -> Store:
        from kb.store.store import Store

        return Store.open(self.home, self.settings)

    def now(self) -> datetime:
        """The time, with its local offset; ``KB_NOW`` stands for it if it is set."""
        fixed = self.environment.get("KB_NOW")
        if not fixed:
            return datetime.now().astimezone()
        try:
            moment = datetime.fromisoformat(fixed)
        except ValueError:
            raise UsageError(
                f"KB_NOW is not an ISO time: {fixed!r}", cure="for example 2026-11-23T10:00+01:00"
            ) from None
        if moment.tzinfo is None:
            raise UsageError(f"KB_NOW has no offset: {fixed!r}", cure="for example 2026-11-23T10:00+01:00")
        return moment

    def moment(self) -> Moment:
        """Now, as the store counts it: UTC milliseconds and the local offset."""
        now = self.now()
        offset = now.utcoffset()
        assert offset is not None
        return Moment(round(now.timestamp() * 1000), round(offset.total_seconds() / 60))

    @cached_property
    def interactive(self) -> bool:
        """Whether a person sits at both ends."""
        return sys.stdin.isatty() and sys.stdout.isatty()
