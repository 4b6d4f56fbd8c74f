"""What ends a sitting, where it is not how the sitting went (``kb.terminal.summary``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from kb.quiz.session import Sitting
    from kb.terminal.context import App


class Ending(Protocol):
    """Shows the end of a sitting, or tells it as an event of JSON Lines."""

    def show(self, app: App, sitting: Sitting, brief: bool) -> None:
        """Write it to stdout."""

    def as_json(self, sitting: Sitting) -> dict[str, Any]:
        """The last event."""
