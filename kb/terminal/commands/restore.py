"""``kb restore``: bring a backup back."""

from __future__ import annotations

import json
import os

import click

from kb.store import backups
from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Make the database what is in FILE, a backup.

FILE is verified first; a damaged one, or one of a newer kb, is refused and nothing is touched. The database that is
replaced is kept among the backups, so a restore can be taken back by another one.

\b
Examples:
  kb backup --list
  kb restore ~/.local/share/kb/backups/kb-2026-11-22.db
"""


@click.command(help=HELP)
@click.argument("file")
@option_json()
@click.pass_obj
def command(app: App, file: str, as_json: bool) -> None:
    summary, kept_at = backups.restore(app.home, os.path.abspath(file), app.moment())
    if as_json:
        click.echo(json.dumps({"restored": summary._asdict(), "replaced": kept_at}, ensure_ascii=False))
        return
    click.echo(f"restored {summary.path}: {backups.describe(summary)}")
    if kept_at is not None:
        click.echo(f"what was there before is kept: {kept_at}")
