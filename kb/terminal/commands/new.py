"""``kb new``: the beginning of a topic or a pack, which works at once and is replaced piece by piece."""

from __future__ import annotations

import os
import shlex

import click

from kb.errors import UsageError
from kb.terminal import scaffold
from kb.terminal.context import App
from kb.terminal.group import NamedGroup

HELP = """Start a topic or a pack of your own.

What is written is a small example that passes `kb check` and can be quizzed at once. Replace it piece by piece.

\b
Examples:
  kb new topic attention-sinks       a topic in your own folder
  kb new plugin probability          the pack kb-probability: a topic, a demo and their tests
"""

TOPIC_HELP = """Write a topic file with a claim and four questions into your own folder.

\b
Examples:
  kb new topic attention-sinks
  kb new topic attention-sinks --title "Attention sinks"
"""

PLUGIN_HELP = """Write the pack kb-NAME, which pip can install: a topic, a demo that proves it, and passing tests.

\b
Examples:
  kb new plugin probability              in this folder
  kb new plugin probability --into ~/src
"""


@click.group(cls=NamedGroup, help=HELP)
def command() -> None: ...


@command.command("topic", help=TOPIC_HELP)
@click.argument("name")
@click.option("--title", help="The title; otherwise made from the name.")
@click.pass_obj
def topic(app: App, name: str, title: str | None) -> None:
    scaffold.check_name("topic", name)
    _refuse_taken_topic(app, name)
    file = scaffold.write_topic(app.home, name, title)
    click.echo(file)
    click.echo(f"\nNext: $EDITOR {shlex.quote(str(file))}, kb check {name}, kb quiz {name}", err=True)


@command.command("plugin", help=PLUGIN_HELP)
@click.argument("name")
@click.option("--into", metavar="FOLDER", default=".", help="Where to write it.  [default: this folder]")
@click.option("--title", help="The topic's title; otherwise made from the name.")
@click.pass_obj
def plugin(app: App, name: str, into: str, title: str | None) -> None:
    name = name.removeprefix("kb-")  # people type the pack's whole name
    scaffold.check_name("pack", name)
    _refuse_taken_topic(app, name)
    if name in app.registry.demos:
        raise UsageError(f"there is a demo called {name!r} already", cure="choose another name")
    pack = scaffold.write_pack(os.path.abspath(os.path.expanduser(into)), name, title)
    click.echo(pack)
    click.echo(f"\nNext: kb install -e {shlex.quote(str(pack))}, kb quiz {name}, kb demo {name}", err=True)


def _refuse_taken_topic(app: App, name: str) -> None:
    taken = {entry.name: entry.file for entry in app.library.entries()}
    taken |= {alias: entry.file for entry in app.library.entries() for alias in entry.aliases}
    if name in taken:
        raise UsageError(f"there is a topic called {name!r} already: {taken[name]}", cure="choose another name")
