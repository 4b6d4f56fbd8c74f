"""``kb verify``: run the proofs of the claims."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from kb.demos.api import DEVICES
from kb.errors import UsageError
from kb.terminal.commands.demo import page, printer, record_evidence
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.progress import Waiting

if TYPE_CHECKING:
    from kb.demos.verify import Proof, Result

HELP = """Run the proofs of the claims: each demo that a claim names, once, with its defaults.

\b
Examples:
  kb verify                        everything
  kb verify transformers zero      these topics, and those they include
  kb verify zero --device cuda     on a GPU where the demo can; the table says where each ran
  kb verify --fail-fast            stop at the first proof that does not hold
"""


@click.command("verify", help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--device", metavar=f"[{'|'.join(DEVICES)}]", help="Where the demos run that can.  [default: cpu]")
@click.option("--fail-fast", is_flag=True, help="Stop at the first proof that does not hold.")
@click.option(
    "--timeout", type=float, default=None, metavar="SECONDS", help="Stop a demo after so long.  [default: 300]"
)
@click.option("--record/--no-record", "keep", default=True, help="Keep the results as evidence.")
@option_json()
@click.pass_obj
def command(
    app: App,
    topics: tuple[str, ...],
    device: str | None,
    fail_fast: bool,
    timeout: float | None,
    keep: bool,
    as_json: bool,
) -> int:
    from kb.demos import verify

    if timeout is not None and not timeout > 0:
        raise UsageError(f"--timeout takes a number of seconds above 0, not {timeout:g}")
    library = app.library
    names = library.expand(topics) if topics else library.names()
    broken = [] if topics else library.broken()
    for error in broken:
        click.echo(f"kb: left out: {error}", err=True)
    proofs = verify.proofs_of(library.get(name) for name in names)
    groups = verify.by_demo(proofs)
    view = _View(app, groups, silent=as_json)
    results: dict[Proof, Result] = {}
    start = time.monotonic()
    keep_evidence = partial(record_evidence, app) if keep else None
    view.next()
    try:
        for name, found in verify.verify(
            proofs,
            app.registry.demos,
            app.registry.function,
            device=device,
            timeout_seconds=timeout or verify.TIMEOUT_SECONDS,
            now=app.now,
            keep=keep_evidence,
            on_wait=view.waiting,
        ):
            results.update((result.proof, result) for result in found)
            view.show(name, found)
            if fail_fast and not all(result.holds for result in found):
                break
            view.next()
    finally:
        view.waiting.wipe()
    done = [results[proof] for proof in dict.fromkeys(proofs) if proof in results]
    held = sum(result.holds for result in done)
    if as_json:
        document = {
            "proofs": [result.as_json() for result in done],
            "held": held,
            "failed": len(done) - held,
        }
        click.echo(json.dumps(document, ensure_ascii=False))
    else:
        view.end(done, len(set(proofs)), time.monotonic() - start)
    return 0 if held == len(done) and not broken else 1


class _View:
    """The table, demo by demo; on a terminal a line on stderr says what is running."""

    def __init__(self, app: App, groups: dict[str, list[Proof]], *, silent: bool) -> None:
        self._print = printer(app, silent=silent)
        self._columns = page(app)[0]
        self._names = list(groups)
        self._at = 0
        self.waiting = Waiting()

    def next(self) -> None:
        """Say which demo runs now."""
        if self._at < len(self._names):
            self.waiting.what = f"running {self._names[self._at]} ({self._at + 1} of {len(self._names)})"
        self._at += 1

    def show(self, name: str, results: Sequence[Result]) -> None:
        """The proofs of one demo."""
        from kb.terminal.text import BAD, BOLD, DIM, GOOD, Span, one_line, width, wrap

        self.waiting.wipe()
        first = results[0]
        ran = f"  {first.seconds:.1f} s on {first.device}" if first.device else f"  {first.seconds:.1f} s"
        self._print([[Span(name, BOLD), Span(ran, DIM)]])
        errors = {None if result.shown else result.error for result in results}
        shared = errors.pop() if len(errors) == 1 and len(results) > 1 else None  # the demo itself failed: said once
        if shared:
            self._print(wrap([Span(one_line(shared), BAD)], self._columns, [Span("  ")], [Span("  ")]))
        checks = max(width(result.proof.check) for result in results)
        claim = ""
        for result in results:
            if result.proof.claim != claim:
                claim = result.proof.claim
                self._print(wrap([Span(claim)], self._columns, [Span("  ")], [Span("    ")]))
            sign = Span("    ✓ ", GOOD) if result.holds else Span("    ✗ ", BAD)
            said = "" if result.error == shared and shared else one_line(result.shown or result.error or "")
            name, style = result.proof.check, "" if result.holds else BAD
            if 6 + checks + 2 + width(said) <= self._columns:
                gap = " " * (checks - width(name) + 2) if said else ""
                self._print([[sign, Span(name + gap), Span(said, style)]])
            else:
                self._print(wrap([Span(name)], self._columns, [sign], [Span("      ")]))
                self._print(wrap([Span(said, style)], self._columns, [Span("        ")], [Span("        ")]))

    def end(self, results: Sequence[Result], total: int, seconds: float) -> None:
        """The sum, and the failed proofs once more where they may have scrolled away."""
        from kb.terminal.text import BAD, DIM, GOOD, Span

        if not total:
            click.echo("There is nothing to verify: no claim of these topics names a proof.", err=True)
            return
        held = sum(result.holds for result in results)
        failed = [result for result in results if not result.holds]
        left = f", {total - len(results)} not run" if len(results) < total else ""
        words = f"{held} of {total} proofs held{left}" if failed or left else f"all {total} proofs held"
        self._print([[], [Span(words, BAD if failed else GOOD), Span(f"  {seconds:.0f} s", DIM)]])
        if failed and len(results) > 20:
            self._print([[Span(f"  ✗ {result.proof.claim}  {result.proof.name}", BAD)] for result in failed])
