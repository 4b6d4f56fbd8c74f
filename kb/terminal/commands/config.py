"""``kb config``: show or change the settings."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

import click

from kb import config
from kb.errors import KbError, UsageError
from kb.terminal import text
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BOLD, DIM, Span

HELP = """Show the settings, or change one.

They are kept in config.toml in the data folder, which can be edited by hand too; its comments and layout stay.

\b
Examples:
  kb config                               every setting, what it is and what it means
  kb config new_per_day 10
  kb config learning_steps "1m 10m 1h"
  kb config retention.zero 0.95           one topic's desired retention
  kb config new_per_day --unset           back to the default

No setting gives what a topic rests on credit for answers to it: on simulated learners that cost more recall than the
reviews it saved were worth (bench/policies.md).
"""


@click.command(help=HELP)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Take the setting out of the file: the default holds again.")
@option_json()
@click.pass_obj
def command(app: App, key: str | None, value: str | None, unset: bool, as_json: bool) -> None:
    if unset and (key is None or value is not None):
        raise UsageError("--unset takes a KEY and no VALUE", cure="see: kb config --help")
    if key is not None and (unset or value is not None):
        settings = config.put(app.home, key, value)
    else:
        settings = config.load(app.home)
    if key is None:
        _all(app, settings, as_json)
        return
    current = config.value_of(settings, key)
    if as_json:
        click.echo(json.dumps({key: _plain(current)}, ensure_ascii=False))
    elif current is None:
        if not unset:
            raise KbError(f"{key} is not set", cure=f"the desired retention is then {settings.desired_retention:g}")
    else:
        click.echo(f"{key} = {config.show(key, current)}")


def _all(app: App, settings: config.Settings, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({key: _plain(getattr(settings, key)) for key in config.RULES}, ensure_ascii=False))
        return
    columns, _ = text.terminal_size(sys.stdout, app.environment)
    colour = text.wants_colour(sys.stdout, app.environment)
    click.echo(text.ansi([Span(f"# {config.path_of(app.home)}", DIM)], colour))
    defaults = config.Settings()
    for key, rule in config.RULES.items():
        value = getattr(settings, key)
        line = [Span(f"{key} = {config.show(key, value)}", BOLD if value != getattr(defaults, key) else "")]
        gap = max(40 - text.line_width(line), 2)
        for piece in text.wrap(
            [Span(f"# {rule.help}", DIM)], columns, [*line, Span(" " * gap)], [Span(" " * 40 + "# ", DIM)]
        ):
            click.echo(text.ansi(piece, colour))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value
