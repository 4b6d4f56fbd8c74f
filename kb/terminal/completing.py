"""What may stand in a command's arguments, for the shell to complete: topics and questions, by the argument's name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from kb.errors import KbError
from kb.terminal.context import App


def teach(command: click.Command) -> click.Command:
    """Let the arguments of ``command`` that take topics or questions complete them; for a shell that asks only."""
    for parameter in command.params:
        if isinstance(parameter, click.Argument) and parameter.name in _NAMES:
            parameter.type = _Name(_NAMES[parameter.name])
    return command


class _Name(click.ParamType):  # type: ignore[type-arg]
    """Text that the shell completes from a list of names."""

    name = "name"

    def __init__(self, names: Callable[[App], Iterable[tuple[str, str]]]) -> None:
        self.names = names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        app = ctx.find_object(App)
        if app is None:
            return []
        try:
            return [CompletionItem(name, help=text) for name, text in self.names(app) if name.startswith(incomplete)]
        except KbError:
            return []  # the shell has no place for an error; the command itself will tell it


def _topics(app: App) -> Iterable[tuple[str, str]]:
    return [(entry.name, entry.title) for entry in app.library.entries()]


def _questions(app: App) -> Iterable[tuple[str, str]]:
    return [(f"{entry.name}/{card}", "") for entry in app.library.entries() for card in entry.questions]


_NAMES = {"topic": _topics, "topics": _topics, "question": _questions}
