"""What the commands that show topics have in common."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

from kb.errors import ContentError
from kb.terminal.context import App
from kb.terminal.text import one_line


def warn_broken(app: App, errors: Iterable[ContentError] | None = None) -> None:
    """Say on stderr what is wrong with the library (or just ``errors``), one line a file."""
    for error in app.library.broken() if errors is None else errors:
        sys.stderr.write(f"kb: {one_line(str(error))}\n")


def topic_counts(app: App) -> dict[str, dict[str, int]]:
    """How many questions of each topic are due, learning and new."""
    from kb.store.connection import path_of
    from kb.store.counts import counts
    from kb.terminal.start import moment

    found: dict[str, Any] = counts(
        path_of(app.home), app.library.index_path, moment(app), rollover_hour=app.settings.rollover_hour
    )
    topics: dict[str, dict[str, int]] = found["topics"]
    return topics


def plural(count: int, one: str, many: str | None = None) -> str:
    """``3 questions``, ``1 question``."""
    return f"{count} {one if count == 1 else many or one + 's'}"
