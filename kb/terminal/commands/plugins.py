"""``kb plugins``: every plugin, broken ones with their cause."""

from __future__ import annotations

import json

import click

from kb.registry import PluginInfo
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.paint import Paint, width_of
from kb.terminal.text import one_line

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
    paint = Paint.for_stream(environment=app.environment)
    width = max(width_of(plugin.name) for plugin in plugins)
    for plugin in plugins:
        click.echo("\n".join(_lines(plugin, width, paint)))
    broken = sum(plugin.error is not None for plugin in plugins)
    click.echo(f"\n{len(plugins)} plugins, {broken or 'none'} with a fault", err=True)


def _lines(plugin: PluginInfo, width: int, paint: Paint) -> list[str]:
    """What the plugin is and brings in; below it what is wrong."""
    name = one_line(plugin.name) + " " * (width - width_of(plugin.name))
    brings = ", ".join(hook.removeprefix("register_").replace("_", " ") for hook in plugin.hooks) or "nothing"
    lines = [
        f"{paint.bold(name)}  {plugin.version or '-':8}  {brings:24}  {paint.dim(one_line(plugin.source))}".rstrip()
    ]
    if plugin.error is not None:
        lines.append(paint.red(f"  ✗ {one_line(plugin.error)}"))
    return lines
