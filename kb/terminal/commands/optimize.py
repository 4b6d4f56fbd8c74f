"""``kb optimize``: learn the schedule's weights from one's own answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BOLD, DIM, GOOD, Span

if TYPE_CHECKING:
    from kb.quiz.retune import Proposal
    from kb.terminal.page import Sheet

HELP = """Fit the schedule's weights to your own answers, and keep them only if they foresee better.

The 21 weights of FSRS-6 are fitted to the earlier answers and judged on the latest fifth, which the fit has not seen;
if the weights in force were fitted too, only on answers given since then. If the log loss there is no lower than that
of the weights in force, these stay. What the change does to the coming reviews is shown before anything is changed.
`kb undo --weights` takes it back.

\b
Examples:
  kb optimize                 from all answers, for all topics
  kb optimize --dry-run       only look
  kb optimize --topic zero    weights of a topic's own
  kb optimize --yes           don't ask
  kb config optimize_every 1000    by itself, after the sitting that completes each thousand answers
"""

_NAMES = {
    "constant": "always the average (AVG)",
    "defaults": "FSRS-6, the defaults",
    "current": "FSRS-6, in force now",
    "fitted": "FSRS-6, fitted to you",
}


@click.command(help=HELP)
@click.option("--topic", metavar="TOPIC", help="Only the answers to TOPIC (and what it includes), for it alone.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Take the weights without asking, if they are better.")
@option_json()
@click.pass_obj
def command(app: App, topic: str | None, dry_run: bool, yes: bool, as_json: bool) -> None:
    from kb.quiz import retune
    from kb.terminal.page import Sheet

    proposal = retune.propose(app.store, app.moment(), _topics(app, topic))
    better = proposal.optimisation.better
    sheet = Sheet.of(app.environment)
    if not as_json:
        _show(sheet, proposal)
    applied = better and not dry_run and (yes or (not as_json and app.interactive and _asked(sheet)))
    if applied:
        retune.apply(app.store, app.moment(), proposal)
    if as_json:
        click.echo(json.dumps(_as_json(proposal, applied), ensure_ascii=False))
    elif applied:
        sheet.write()
        sheet.text(["The weights are in force. To take them back: kb undo --weights"])
    elif better:
        sheet.write()
        again = f"kb optimize --yes{f' --topic {topic}' if topic else ''}"
        sheet.text([f"Nothing was changed. To take the weights: {again}"])


def _topics(app: App, topic: str | None) -> list[str] | None:
    """``topic`` and what it includes; the topic of an imported log is not in the library."""
    if topic is None:
        return None
    return [topic] if app.store.seen(topic) else list(app.library.expand([topic]))


def _asked(sheet: Sheet) -> bool:
    sheet.write()
    return click.confirm("Take these weights?", default=False)


def _as_json(proposal: Proposal, applied: bool) -> dict[str, Any]:
    from kb.memory.plain import as_json

    report = as_json(proposal.optimisation)
    return {"topics": proposal.topics, **report, "load": as_json(proposal.load), "applied": applied}


def _show(sheet: Sheet, proposal: Proposal) -> None:
    found = proposal.optimisation
    sheet.write([Span("answers   ", BOLD), f"{found.answers:,}, of which {found.items:,} test a memory over a night"])
    if found.scores:
        sheet.write()
        sheet.write([Span(f"{f'on the last {found.held_out:,}':28}{'log loss':>10}{'RMSE(bins)':>12}{'AUC':>8}", BOLD)])
        best = min(score.log_loss for score in found.scores.values())
        for name, score in found.scores.items():
            style = GOOD if score.log_loss == best else ""
            numbers = f"{score.log_loss:>10.4f}{score.rmse_bins:>12.4f}{score.auc:>8.3f}"
            sheet.write([f"  {_NAMES[name]:26}", Span(numbers, style)])
        sheet.write([Span("  lower is better, but for the AUC; no fit had seen these answers", DIM)])
    sheet.write()
    verdict = "Better: " if found.better else "The weights stay: "
    sheet.text([Span(verdict, BOLD), f"{found.reason}."])
    if found.better:
        _show_weights(sheet, proposal)
    if proposal.load is not None:
        _show_load(sheet, proposal)


def _show_weights(sheet: Sheet, proposal: Proposal) -> None:
    found = proposal.optimisation
    sheet.write()
    sheet.write([Span(f"{'weight':8}{'now':>9}{'new':>10}      " * 2, BOLD)])
    pairs = [(f"w{n}", *pair) for n, pair in enumerate(zip(found.current, found.weights, strict=True))]
    half = (len(pairs) + 1) // 2
    for n in range(half):
        cells = [pairs[n], *([pairs[n + half]] if n + half < len(pairs) else [])]
        sheet.write(["".join(f"  {name:6}{now:>9.4f}{new:>10.4f}    " for name, now, new in cells)])


def _show_load(sheet: Sheet, proposal: Proposal) -> None:
    assert proposal.load is not None
    before, after = proposal.load
    sheet.write()
    sheet.write([Span(f"{'the days ahead':24}{'now':>10}{'new':>10}", BOLD)])
    for days in (7, len(before.reviews)):
        row = f"  {f'reviews in {days} days':22}{sum(before.reviews[:days]):>10,}{sum(after.reviews[:days]):>10,}"
        sheet.write([row])
    sheet.write([f"  {'recall then':22}{before.recall:>10.1%}{after.recall:>10.1%}"])
    note = "  each as its own weights foresee it; what has been promised stays where it is"
    sheet.write([Span(note, DIM)])
