"""``kb install``: pip, in the environment that this kb runs in."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import click

from kb.errors import KbError, UsageError
from kb.terminal.context import App

HELP = """Install a pack into kb's own environment, and see whether it loads.

Any other option is handed to pip, for instance --no-deps or --index-url URL.

\b
Examples:
  kb install kb-probability          a pack from the package index
  kb install -U kb-probability       a newer version of it
  kb install -e ./kb-probability     one that you are working on
"""


@click.command(help=HELP, context_settings={"ignore_unknown_options": True})
@click.argument("packs", nargs=-1, metavar="PACK...", type=click.UNPROCESSED)
@click.option("-U", "--upgrade", is_flag=True, help="Take the newest version.")
@click.option("-e", "--editable", multiple=True, metavar="FOLDER", help="Install FOLDER so that edits take effect.")
@click.pass_obj
def command(app: App, packs: tuple[str, ...], upgrade: bool, editable: tuple[str, ...]) -> int:
    if not editable and not any(not pack.startswith("-") for pack in packs):
        raise UsageError("there is nothing to install", cure="name a pack: kb install kb-probability")
    if find_spec("pip") is None:
        raise KbError(f"{sys.executable} has no pip", cure=f"add it with: {sys.executable} -m ensurepip")
    before = _plugins(app.environment)
    arguments = ["--upgrade"] * upgrade + [part for folder in editable for part in ("--editable", folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *arguments, *packs],
        stdout=2,  # pip's talk is a message; what came of it is the result
        check=False,
    )
    if done.returncode != 0:
        raise KbError(f"pip could not install it (it ended with {done.returncode})", cure="see its last lines above")
    return _say_what_came(before, _plugins(app.environment), app.environment)


def _plugins(environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What a fresh kb finds: this process would not see what pip has just changed under it."""
    listing = [sys.executable, "-m", "kb", "plugins", "--json"]
    done = subprocess.run(listing, capture_output=True, encoding="utf-8", env=dict(environment), check=False)
    if done.returncode != 0:
        raise KbError(f"kb itself no longer runs in this environment: {done.stderr.strip()[-300:]}")
    return {plugin["source"] + ":" + plugin["name"]: plugin for plugin in json.loads(done.stdout)}


def _say_what_came(before: Mapping[str, Any], after: Mapping[str, Any], environment: Mapping[str, str]) -> int:
    changed = [plugin for key, plugin in after.items() if before.get(key) != plugin]
    for plugin in changed:
        brings = ", ".join(hook.removeprefix("register_").replace("_", " ") for hook in plugin["hooks"]) or "nothing"
        click.echo(f"{plugin['name']} {plugin['version'] or ''}: {plugin['error'] or brings}")
    if not changed:
        loaded = environment.get("KB_LOAD_PLUGINS")
        reason = "no pack is new to kb" if loaded is None else f"no pack is new to kb under KB_LOAD_PLUGINS={loaded!r}"
        click.echo(f"kb: pip is done; {reason}", err=True)
    return 1 if any(plugin["error"] for plugin in changed) else 0
