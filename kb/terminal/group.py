"""The click group: commands are listed by name and imported when they are run."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from kb import __version__
from kb.errors import KbError, UnknownName
from kb.terminal.context import App

COMMANDS = {
    "quiz": "Answer what is due, then new questions.",
    "learn": "Read a topic part by part, with its questions and its demo.",
    "demo": "Run a demo: measure a claim and check it.",
    "show": "Show a topic: text, claims with verdict, source and last evidence.",
    "topics": "List the topics.",
    "due": "Count what is due.",
    "next": "Say what to do next, and why.",
    "path": "Show the way to a topic through what it rests on.",
    "search": "Search topics, claims and questions.",
    "stats": "Show how memory is doing.",
    "check": "Check topic files as a compiler checks code.",
    "verify": "Run the proofs of the claims.",
    "plugins": "List the plugins, broken ones with their cause.",
    "install": "Install a pack into kb's own environment.",
    "new": "Start a topic or a pack of your own.",
    "undo": "Take the last answers back.",
    "suspend": "Stop asking a question, or start again.",
    "log": "Print the log, every event in order.",
    "doctor": "Prove that the database is sound and agrees with its log.",
    "backup": "Copy the database, verified.",
    "restore": "Bring a backup back, verified.",
    "config": "Show or change the settings.",
    "schema": "Print the JSON schema of topic files for editors.",
    "completion": "Print the shell's completion script.",
}


class LazyGroup(click.Group):
    """A group that knows its commands' names and help lines and imports a command's module when it is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*COMMANDS, *sorted(_app(ctx).registry.commands)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name in COMMANDS:
            command: click.Command = import_module(f"kb.terminal.commands.{name}").command
            return command
        return _app(ctx).registry.commands.get(name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            raise UnknownName("command", name, self.list_commands(ctx), listing="see: kb --help")
        return super().resolve_command(ctx, args)

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
        import_module("kb.terminal.commands.home").show(ctx.obj)


def run(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the group; every error a person can cause ends here as one line on stderr and an exit code."""
    as_json = "--json" in arguments
    with App(environment) as app:
        try:
            code = kb.main(arguments, prog_name="kb", standalone_mode=False, obj=app)
            return code if isinstance(code, int) else 0
        except click.exceptions.Exit as stop:
            return stop.exit_code
        except (KeyboardInterrupt, click.Abort):
            sys.stderr.write("\n")
            return 130
        except BrokenPipeError:
            _close_stdout()
            return 0
        except KbError as error:
            return fail(error, as_json)
        except click.ClickException as error:
            return fail(_from_click(error), as_json)
        except RecursionError:
            return fail(KbError("the input is nested too deeply"), as_json)


def fail(error: KbError, as_json: bool) -> int:
    """Say ``error`` in one line on stderr (and as JSON on stdout) and return its exit code."""
    line = " ".join(str(error).split())
    if as_json:
        sys.stdout.write(json.dumps({"error": error.as_json()}) + "\n")
        sys.stdout.flush()
    sys.stderr.write(f"kb: {line}\n")
    return error.exit_code


def _from_click(error: click.ClickException) -> KbError:
    cure = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        cure = f"see: {error.ctx.command_path} --help"
    result = KbError(error.format_message().rstrip("."), cure=cure)
    result.exit_code = error.exit_code
    return result


def _close_stdout() -> None:
    """Point stdout at nothing: the reader went away, and Python would complain when it flushes at exit."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def option_json() -> Any:
    """The option ``--json`` that everything that lists or shows has."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts and editors.")
