"""What a glance needs to know: what is due now. On the way of every prompt, so it imports next to nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from kb.knowledge import index
from kb.memory.days import Moment


def index_path(environment: Mapping[str, str]) -> str:
    """The up-to-date index of the topics; where it is missing, stale or damaged it is made anew by the library."""

    def remake() -> str:
        from kb.terminal.context import App

        with App(environment) as app:
            return app.library.index_path

    return index.fresh(environment, remake)


def count(environment: Mapping[str, str], path: str, topics: Sequence[str] = ()) -> dict[str, object]:
    """What is due, in the shape of ``kb due --json``, by the index at ``path``."""
    from kb.roots import data_home
    from kb.store import connection
    from kb.store.counts import counts

    home = data_home(environment)
    rollover = rollover_hour(home)
    return counts(connection.path_of(home), path, moment(environment), list(topics) or None, rollover)


def rollover_hour(home: str) -> int:
    """The hour at which study days begin, by the settings."""
    if not os.path.exists(os.path.join(home, "config.toml")):  # most people have none, and its reader costs a third
        return 4
    from kb import config

    return config.load(home).rollover_hour


def moment(environment: Mapping[str, str]) -> Moment:
    """Now; ``KB_NOW`` stands for it if it is set."""
    if environment.get("KB_NOW"):
        from kb.terminal.context import App

        now = App(environment).now()
        offset = now.utcoffset()
        return Moment(round(now.timestamp() * 1000), 0 if offset is None else round(offset.total_seconds() / 60))
    import time

    now_s = time.time()
    return Moment(int(now_s * 1000), time.localtime(now_s).tm_gmtoff // 60)
