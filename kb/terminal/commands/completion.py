"""``kb completion``: the script that lets a shell complete kb's commands, topics and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from kb.terminal.context import App

HELP = """Print the shell's completion script.

\b
Examples:
  kb completion bash >> ~/.bashrc
  kb completion zsh >> ~/.zshrc
  kb completion fish > ~/.config/fish/completions/kb.fish
"""


@click.command(help=HELP)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    kind = get_completion_class(shell)
    assert kind is not None  # click has these three
    completion = kind(ctx.find_root().command, {"obj": ctx.find_object(App)}, "kb", "_KB_COMPLETE")
    # Not completion.source(): for bash it starts one to look at its version.
    click.echo(completion.source_template % completion.source_vars())
