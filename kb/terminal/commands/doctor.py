"""``kb doctor``: proves that the database is sound and agrees with its log."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from kb import __version__
from kb.errors import KbError
from kb.terminal import text
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BAD, BOLD, GOOD, WARN, Line, Span

if TYPE_CHECKING:
    from kb.store import doctor

HELP = """Prove that the database is sound and agrees with its log.

Runs SQLite's integrity check, replays the whole log and compares the state and the rollups with it bit by bit, looks
for questions that no topic has any more, opens every backup, and says how well code is shut in on this machine.

\b
Examples:
  kb doctor                exit code 1 if something is wrong
  kb doctor --rebuild      make the state and the rollups anew from the log, then check
  kb doctor --json         for scripts
"""


@click.command(help=HELP)
@click.option("--rebuild", is_flag=True, help="Make the state and the rollups anew from the log first.")
@option_json()
@click.pass_obj
def command(app: App, rebuild: bool, as_json: bool) -> int:
    from kb.store import doctor

    if rebuild:
        app.store.rebuild()
        app.store.close()
    findings = [*_database(app), *_around(app)]
    ok = all(finding.ok for finding in findings)
    if as_json:
        checks = [{"name": name, "ok": fine, "detail": detail} for name, fine, detail in findings]
        click.echo(json.dumps({"ok": ok, "checks": checks}, ensure_ascii=False))
        return 0 if ok else 1
    columns, _ = text.terminal_size(sys.stdout, app.environment)
    colour = text.wants_colour(sys.stdout, app.environment)
    names = max(len(finding.name) for finding in findings)
    for finding in findings:
        for line in _lines(finding, names, columns):
            click.echo(text.ansi(line, colour))
    wrong = sum(not finding.ok for finding in findings)
    warned = sum(finding.ok and doctor.WARNING in finding.detail for finding in findings)
    click.echo(
        f"\n{wrong} of {len(findings)} checks failed" if wrong else f"\nall {len(findings)} checks hold", nl=False
    )
    click.echo(f", {warned} with a warning" if warned else "")
    return 0 if ok else 1


def _database(app: App) -> list[doctor.Finding]:
    from kb.store import doctor

    try:
        known = set(app.library.questions())
    except KbError as error:
        return [*doctor.examine(app.home, app.moment()), doctor.Finding("topics", False, str(error))]
    return doctor.examine(app.home, app.moment(), known)


def _around(app: App) -> Iterator[doctor.Finding]:
    """What the database does not know of: the settings, the sandbox, the versions."""
    from kb import config
    from kb.sandbox import levels
    from kb.store.doctor import WARNING, Finding

    try:
        config.load(app.home)
        yield Finding("settings", True, config.path_of(app.home))
    except KbError as error:
        yield Finding("settings", False, str(error))
    level = levels.strongest()
    yield Finding("sandbox", True, level.says if level.isolates else f"{WARNING}{level.says}")
    yield Finding("versions", True, ", ".join(_versions()))


def _versions() -> Iterator[str]:
    from importlib.metadata import PackageNotFoundError, version

    yield f"kb {__version__}"
    yield f"Python {platform.python_version()}"
    for name in ("sqlite-utils", "click", "torch", "numpy"):
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"no {name}"
    yield platform.platform()


def _lines(finding: doctor.Finding, names: int, columns: int) -> Iterator[Line]:
    from kb.store.doctor import WARNING

    mark = Span("✗ ", BAD) if not finding.ok else Span("! ", WARN) if WARNING in finding.detail else Span("✓ ", GOOD)
    head = [mark, Span(f"{finding.name:{names}}  ", BOLD)]
    detail = [Span(text.one_line(finding.detail))]
    yield from text.wrap(detail, columns, first=head, rest=[Span(" " * (names + 4))])
