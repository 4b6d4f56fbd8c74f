"""The click group: commands are listed from a table and imported when they are run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from kb import __version__
from kb.errors import KbError, UnknownName
from kb.terminal.commands import COMMANDS
from kb.terminal.context import App
from kb.terminal.failure import shield

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

F = TypeVar("F", bound=Callable[..., Any])


class NamedGroup(click.Group):
    """A group that offers the nearest command for one that does not exist."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise UnknownName("command", name, self.list_commands(ctx), listing=f"see: {ctx.command_path} --help")
        return super().resolve_command(ctx, args)


class LazyGroup(NamedGroup):
    """A group that knows its commands' names and help lines and imports a command's module when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_app(ctx).registry.commands)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            command: click.Command = import_module(f"kb.terminal.commands.{name}").command
            if "_KB_COMPLETE" in _app(ctx).environment:
                import_module("kb.terminal.completing").teach(command)
            return command
        return _app(ctx).registry.commands.get(name)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        known = {name: command.get_short_help_str() for name, command in _app(ctx).registry.commands.items()} | COMMANDS
        options = super().shell_complete(ctx, incomplete) if incomplete.startswith("-") else []
        return options + [
            CompletionItem(name, help=line) for name, line in known.items() if name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))
        extra = _app(ctx).registry.commands
        if extra:
            with formatter.section("Commands from plugins"):
                formatter.write_dl([(name, extra[name].get_short_help_str()) for name in sorted(extra)])


def _app(ctx: click.Context) -> App:
    app: App = ctx.find_root().obj
    return app


HELP = """A knowledge base that proves itself, and a quiz that makes it stick.

\b
Examples:
  kb                          what is due, and what to do next
  kb quiz transformers        be asked about transformers
  kb demo zero --ranks 4      measure what ZeRO claims, on real processes
  kb show self-attention      read a topic, each claim with its proof
"""


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="kb", message="%(prog)s %(version)s")
@click.pass_context
def kb(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        import_module("kb.terminal.commands.home").show(ctx.obj.environment)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the group and return the exit code; every error a person can cause is told in one line."""
    return shield(lambda: _run(arguments, environment), arguments, environment)


def _run(arguments: list[str], environment: Mapping[str, str]) -> int:
    with App(environment) as app:
        try:
            if "_KB_COMPLETE" in environment:
                kb.main(arguments, prog_name="kb", obj=app)  # answers the shell and exits
            with kb.make_context("kb", arguments, obj=app) as context:
                code = kb.invoke(context)
        except click.exceptions.Exit as stop:
            return stop.exit_code
        except click.Abort:
            raise KeyboardInterrupt from None
        except click.ClickException as error:
            raise _from_click(error) from error
        return code if isinstance(code, int) else 0


def _from_click(error: click.ClickException) -> KbError:
    """click's words as one line of ours, with the nearest option for one that does not exist."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    listing = f"see: {context.command_path} --help" if context is not None else None
    if isinstance(error, click.NoSuchOption):
        options = [] if context is None else context.command.get_params(context)
        known = [name for option in options for name in option.opts if name.startswith("--")]
        return UnknownName("option", error.option_name, known, listing=listing)
    message = " ".join(error.format_message().split()).rstrip(".")
    result = KbError(message[:1].lower() + message[1:], cure=listing)
    result.exit_code = error.exit_code
    return result


def option_json() -> Callable[[F], F]:
    """The option ``--json`` that everything that lists or shows has."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts and editors.")
