"""``kb check``: topic files held against every rule, as a compiler does with code."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from kb.errors import SandboxError
from kb.roots import Root
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BAD, DIM, WARN, Span, one_line

if TYPE_CHECKING:
    from kb.knowledge.check import Findings
    from kb.knowledge.faults import Fault
    from kb.terminal.render import Page

HELP = """Check topic files as a compiler checks code. Without PATH, every topic of every root.

PATH is a topic file, a folder of them, a content root, or the name of a topic. Faults go to stdout, one a line, with
file:line:column, the cure and the rule; the exit code is 1 if there are any. Runnable snippets and reference answers
are run in the sandbox; demos that questions predict only with --demos, since each takes seconds.

\b
Examples:
  kb check                        everything
  kb check topics/zero.yaml       one file, also one outside of all roots
  kb check zero --demos           the topic zero, and run the demos that its questions predict
  kb check ~/notes --hints        a content root of yours, with what might be better
  kb check --json                 for editors and scripts
"""


@click.command(help=HELP)
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--demos", is_flag=True, help="Run the demos that questions predict.")
@click.option("--no-run", is_flag=True, help="Run no code at all, neither snippets nor answers.")
@click.option("--hints", is_flag=True, help="Show what might be better, too (on stderr).")
@option_json()
@click.pass_obj
def command(app: App, paths: tuple[str, ...], demos: bool, no_run: bool, hints: bool, as_json: bool) -> int:
    from kb.knowledge.check import Findings

    files = _files(app, paths)
    page = _page(app)
    total = Findings([], [], [])
    for found in _findings(_with_roots(app, files), files, run_demos=demos, run_code=not no_run):
        total = Findings(*(one + other for one, other in zip(total, found, strict=True)))
        if not as_json:
            for fault in found.faults:
                _show(page, fault)
    if as_json:
        _print_json(total.faults)
    _sum_up(total, show=hints and not as_json, environment=app.environment)
    return 1 if total.faults else 0


def _files(app: App, paths: Sequence[str]) -> list[str]:
    """The topic files that are meant; a name of a topic stands for its file."""
    from kb.knowledge.check import topic_files

    entries = app.library.files()
    if not paths:
        return [entry.file for entry in entries]
    by_name = {entry.name: entry.file for entry in reversed(entries)}
    return [
        file
        for path in paths
        for file in ([by_name[path]] if not os.path.lexists(path) and path in by_name else topic_files(path))
    ]


def _with_roots(app: App, files: Sequence[str]) -> App:
    """``app`` with the content roots that ``files`` lie in, so that the plugins beside them are known."""
    known = {os.path.realpath(root.path) for root in app.registry.roots}
    more = []
    for file in files:
        folder, name = os.path.split(os.path.dirname(os.path.realpath(file)))
        root = Root(folder, "$KB_PATH")
        if name == "topics" and folder not in known and os.path.isdir(root.plugins):
            known.add(folder)
            more.append(folder)
    if not more:
        return app
    path = os.pathsep.join(filter(None, [app.environment.get("KB_PATH"), *more]))
    return App({**app.environment, "KB_PATH": path})


def _findings(app: App, files: Sequence[str], *, run_demos: bool, run_code: bool) -> Any:
    """What is found, file by file, behind a progress bar."""
    from kb.knowledge.check import check
    from kb.knowledge.lint import Checks
    from kb.quiz.laboratory import RunLaboratory
    from kb.terminal import maths
    from kb.terminal.progress import bar

    laboratory = RunLaboratory(app.registry)
    try:
        checks = Checks(
            kinds=app.registry.kinds,
            demos=app.registry.demos,
            laboratory=_Laboratory(laboratory, run_demos=run_demos, run_code=run_code),
            run=(lambda source: laboratory.python(source, seconds=60.0)) if run_code else None,
            formula=maths.problem,
        )
        yield from bar(check(files, app.library.files(), checks), len(files) + 1, "checking")
    finally:
        laboratory.close()


class _Laboratory:
    """A laboratory that runs no demos, or nothing at all."""

    def __init__(self, laboratory: Any, *, run_demos: bool, run_code: bool) -> None:
        self._laboratory = laboratory
        self._run_demos = run_demos
        self._run_code = run_code

    def demo(self, name: str, parameters: Mapping[str, object]) -> Any:
        if not (self._run_demos and self._run_code):
            raise SandboxError(f"the demo {name} was not run", cure="kb check --demos runs it")
        return self._laboratory.demo(name, parameters)

    def python(self, source: str, **more: Any) -> Any:
        if not self._run_code:
            raise SandboxError("no code was run", cure="leave out --no-run")
        return self._laboratory.python(source, **more)


def _page(app: App) -> Page:
    from kb.terminal.render import Page

    return Page.of(app.environment)


def _show(page: Page, fault: Fault, *, hint: bool = False) -> None:
    place = ":".join(str(part) for part in (_shown(fault.file), fault.line, fault.column) if part is not None)
    text = fault.message + (f"; {fault.cure}" if fault.cure else "")
    style = WARN if hint else BAD
    page.write([Span(one_line(place) + ": ", DIM), Span(one_line(text), style), Span(f" [{fault.rule}]", DIM)])


def _shown(path: str) -> str:
    """``path`` as short as it is still right from here."""
    absolute = os.path.abspath(path)
    here = os.getcwd() + os.sep
    return absolute.removeprefix(here)


def _print_json(faults: Sequence[Fault]) -> None:
    import json

    click.echo(json.dumps([fault.as_json() for fault in faults], ensure_ascii=False))


def _sum_up(found: Findings, *, show: bool, environment: Mapping[str, str]) -> None:
    from kb.terminal.render import Page

    page = Page.of(environment, sys.stderr)
    if show:
        for hint in found.hints:
            _show(page, hint, hint=True)
    count = len(found.faults)
    wrong = len({fault.file for fault in found.faults})
    files = f"{len(found.files)} file{'s' * (len(found.files) != 1)}"
    verdict = f"{count} fault{'s' * (count != 1)} in {wrong} of {files}" if count else f"{files}, no fault"
    unseen = sum(hint.rule == "not-checked" for hint in found.hints)
    aside = f"; {unseen} not checked (see --hints)" if unseen and not show else ""
    page.write([f"{verdict}{aside}"])
