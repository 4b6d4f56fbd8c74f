"""``kb plugins``: every plugin, broken ones with their cause."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import click

from kb.registry import PluginInfo
from kb.terminal import text
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BAD, BOLD, DIM, Line, Span

HELP = """List the plugins, broken ones with their cause.

A plugin is a folder in the plugins/ of a content root (kb's own, a pack's, one of $KB_PATH, yours), or a pack that pip
installed. What is broken is left out and named here; the rest of kb goes on without it.

\b
Examples:
  kb plugins                          what is there, and what is wrong with it
  kb plugins --json                   for scripts
  KB_LOAD_PLUGINS= kb plugins         without any installed pack
  KB_LOAD_PLUGINS=kb-probability kb plugins    with this pack only
"""


@click.command(help=HELP)
@option_json()
@click.pass_obj
def command(app: App, as_json: bool) -> None:
    plugins = app.registry.plugins
    if as_json:
        click.echo(json.dumps([plugin.as_json() for plugin in plugins], ensure_ascii=False))
        return
    columns, _ = text.terminal_size(sys.stdout, app.environment)
    colour = text.wants_colour(sys.stdout, app.environment)
    names = max(text.width(plugin.name) for plugin in plugins)
    for plugin in plugins:
        for line in _lines(plugin, names, columns):
            click.echo(text.ansi(line, colour))
    broken = sum(plugin.error is not None for plugin in plugins)
    click.echo(f"\n{len(plugins)} plugins, {broken or 'none'} with a fault", err=True)


def _lines(plugin: PluginInfo, names: int, columns: int) -> Iterator[Line]:
    """What the plugin is and brings in, where it stands, and below it what is wrong."""
    name = text.one_line(plugin.name)
    brings = ", ".join(hook.removeprefix("register_").replace("_", " ") for hook in plugin.hooks) or "nothing"
    head = [Span(name + " " * (names - text.width(name)), BOLD), Span(f"  {plugin.version or '':8}  ")]
    yield [*head, Span(f"{brings:14}  "), Span(text.one_line(plugin.source), DIM)]
    if plugin.error is not None:
        fault = [Span(text.one_line(plugin.error), BAD)]
        yield from text.wrap(fault, columns, first=[Span("  ✗ ", BAD)], rest=[Span("    ")])
