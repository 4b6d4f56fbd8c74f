"""``kb backup``: a verified copy of the database."""

from __future__ import annotations

import json
import os

import click

from kb.store import backups
from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Copy the database into FILE and verify the copy.

Without FILE the copy goes into the folder of backups. kb also makes one there by itself before the first answer of each
day, and thins the old ones out (see `kb config`: backups, backups_daily, backups_weekly, backups_monthly).

\b
Examples:
  kb backup
  kb backup /media/stick/kb.db
  kb backup --list
"""


@click.command(help=HELP)
@click.argument("file", required=False)
@click.option("--list", "show", is_flag=True, help="List the backups there are.")
@option_json()
@click.pass_obj
def command(app: App, file: str | None, show: bool, as_json: bool) -> None:
    if show:
        _list(app, as_json)
        return
    target = backups.default_target(app.home, app.moment()) if file is None else os.path.abspath(file)
    if os.path.isdir(target):
        target = os.path.join(target, os.path.basename(backups.default_target(app.home, app.moment())))
    summary = backups.make(app.home, target)
    if as_json:
        click.echo(json.dumps(summary._asdict(), ensure_ascii=False))
    else:
        click.echo(f"{summary.path}: {backups.describe(summary)}, verified")


def _list(app: App, as_json: bool) -> None:
    paths = backups.listing(app.home)
    if as_json:
        click.echo(json.dumps([{"path": path, "bytes": os.path.getsize(path)} for path in paths], ensure_ascii=False))
        return
    for path in paths:
        click.echo(f"{path}  {os.path.getsize(path):,} bytes")
    if not paths:
        click.echo(f"no backups yet in {backups.folder_of(app.home)}", err=True)
