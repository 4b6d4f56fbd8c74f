"""``kb schema``: the JSON schema of topic files."""

from __future__ import annotations

import click

from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Print the JSON schema of topic files, with the question kinds of all plugins.

An editor with a YAML language server completes and checks a topic file whose first line names the schema:

\b
  # yaml-language-server: $schema=<path or address of the schema>

\b
Examples:
  kb schema > topic.schema.json          for the first line of your topics
  kb schema --path                       the file that ships with kb (built-in kinds only)
"""


@click.command(help=HELP)
@click.option("--path", is_flag=True, help="Print where the schema that ships with kb lies instead.")
@option_json()
@click.pass_obj
def command(app: App, path: bool, as_json: bool) -> None:
    from kb.knowledge import schema

    if path:
        click.echo(f'"{schema.path()}"' if as_json else schema.path())
    else:
        click.echo(schema.text(app.registry.kinds), nl=False)
