"""``kb simulate``: compare ways to schedule before living by one."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any

import click

from kb.errors import UsageError
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BOLD, DIM, Span, shorten

if TYPE_CHECKING:
    from kb.demos.report import Report
    from kb.memory.learners import Learner
    from kb.memory.simulate import Course, Outcome, Policy
    from kb.terminal.page import Sheet

HELP = """Compare schedules on simulated learners: what each costs, and what is known in the end.

Each learner's memory follows FSRS-6 with weights of its own, drawn around the published ones (each times e^N(0, X²)),
which the schedule does not know. All schedules meet the same learners in the same luck; the same seed gives the same
table. Nothing of yours is changed.

\b
Examples:
  kb simulate                                         a year of 1,000 questions
  kb simulate --retention 0.8,0.85,0.9,0.95           what more retention costs
  kb simulate --policy no-fuzz,fuzz,fsrs,easy-days    what evens out the days
  kb simulate --minutes 20 --new 30                   with 20 minutes a day
  kb simulate --mine --retention 0.85,0.9             go on from your own questions, with your weights
  kb simulate --save pictures                         the curves as PNG

Policies: fsrs (as kb does it), fuzz (days not evened out), no-fuzz, easy-days (weekends, or the setting), sm-2.
"""

_RETENTIONS = (0.8, 0.9, 0.95)
_POLICIES = ("fsrs", "sm-2")


class _Listed(click.ParamType):  # type: ignore[type-arg]
    """Values between commas."""

    name = "list"

    def __init__(self, number: bool = False) -> None:
        self._number = number

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        words = [word for word in str(value).replace(",", " ").split() if word]
        if not self._number:
            return words
        try:
            return [float(word) for word in words]
        except ValueError:
            self.fail(f"{value!r} is no list of numbers such as 0.8,0.9", param, ctx)


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option(
    "--policy", "policies", type=_Listed(), multiple=True, metavar="NAMES", help="Which.  [default: fsrs,sm-2]"
)
@click.option(
    "--retention",
    "retentions",
    type=_Listed(number=True),
    multiple=True,
    metavar="R,...",
    help="Desired retentions, 0.5 to 0.99.  [default: 0.8,0.9,0.95; with --mine also your own]",
)
@click.option("--questions", type=click.IntRange(0, 100_000), help="New questions.  [default: 1000; with --mine yours]")
@click.option("--days", type=click.IntRange(1, 3_650), default=365, show_default=True, help="Days of study.")
@click.option("--new", "new", type=click.IntRange(0, 9_999), help="New questions a day.  [default: your setting, 20]")
@click.option("--minutes", type=click.FloatRange(0, 1_440, min_open=True), help="Minutes a day at most.")
@click.option("--learners", type=click.IntRange(1, 1_000), help="How many.  [default: 2; with --mine 1]")
@click.option("--spread", type=click.FloatRange(0, 2), help="How different they are, X.  [default: 0.3; with --mine 0]")
@click.option(
    "--weights", type=click.Choice(["defaults", "mine"]), default="defaults", help="Whom they are drawn around."
)
@click.option("--mine", is_flag=True, help="Go on from your own questions (of TOPIC), with your weights and settings.")
@click.option("--seed", type=click.IntRange(0, 2**31), default=0, show_default=True, help="Other learners, other luck.")
@click.option("--all", "everything", is_flag=True, help="Show every picture.")
@click.option("--save", "folder", metavar="DIR", help="Write every picture into DIR as PNG.")
@option_json()
@click.pass_obj
def command(app: App, /, topics: tuple[str, ...], folder: str | None, as_json: bool, **given: Any) -> None:
    from kb.demos import save

    learners, policies, course, about = _set_up(app, topics, given)
    if folder is not None:
        save.check_folder(folder)
    outcomes = _run(learners, policies, course)
    report = _pictures(outcomes, course.days)
    if folder is not None:
        for path in save.pictures(report, folder, _caption(about)):
            click.echo(path, err=True)
    if as_json:
        click.echo(json.dumps({**about, "policies": _as_json(outcomes, learners)}, ensure_ascii=False))
    else:
        _show(app, outcomes, report, about, bool(given["everything"]))


def _set_up(
    app: App, topics: tuple[str, ...], given: dict[str, Any]
) -> tuple[list[Learner], list[Policy], Course, dict[str, Any]]:
    """Who learns what by which policies, and all of it as it is told."""
    from kb.memory import learners, policies
    from kb.memory.fsrs import DEFAULT_WEIGHTS
    from kb.memory.scheduler import Scheduler
    from kb.memory.simulate import Course
    from kb.quiz import rehearsal

    mine = bool(given["mine"])
    if topics and not mine:
        raise UsageError(
            "topics are for going on from your own questions", cure=f"kb simulate --mine {' '.join(topics)}"
        )
    start = None
    if mine:
        start = rehearsal.own(app.library, app.store, app.moment(), topics)
        base = start.scheduler
    elif given["weights"] == "mine":
        base = rehearsal.scheduler(app.store)
    else:
        base = Scheduler(DEFAULT_WEIGHTS)
    wanted = [value for values in given["retentions"] for value in values]
    if not wanted:
        wanted = sorted({*_RETENTIONS, base.desired_retention}) if mine else list(_RETENTIONS)
    names = [name for names in given["policies"] for name in names] or list(_POLICIES)
    easy_days = app.settings.easy_days or policies.WEEKEND
    chosen = policies.named(names, wanted, base, easy_days)
    spread = (0.0 if mine else 0.3) if given["spread"] is None else given["spread"]
    count = given["learners"] or (1 if mine else 2)
    people = [learners.draw_learner(given["seed"] * 1_000_000 + n, spread, base.weights) for n in range(count)]
    questions = given["questions"] if given["questions"] is not None else start.new if start else 1000
    pace = app.settings.new_per_day if given["new"] is None else given["new"]
    course = Course(questions, given["days"], pace, given["minutes"], known=start.known if start else ())
    if not course.questions and not course.known:
        raise UsageError("there is no question to learn", cure="--questions takes a number above 0")
    about = {
        "learners": count,
        "spread": spread,
        "weights": "mine" if mine or given["weights"] == "mine" else "defaults",
        "seed": given["seed"],
        "questions": questions,
        "known": len(course.known),
        "days": course.days,
        "new_per_day": pace,
        "minutes_per_day": course.minutes_per_day,
    }
    return people, chosen, course, about


def _run(learners: Sequence[Learner], policies: Sequence[Policy], course: Course) -> dict[str, list[Outcome]]:
    """By the policy's name what it came to with each learner, while a bar shows how far it is."""
    from kb.memory.simulate import simulate
    from kb.terminal.progress import bar

    found: dict[str, list[Outcome]] = {policy.name: [] for policy in policies}
    runs = [(policy, learner) for policy in policies for learner in learners]
    for policy, learner in bar(runs, len(runs), "simulating", sys.stderr):
        found[policy.name].append(simulate(learner, policy, course))
    return found


def _pictures(outcomes: dict[str, list[Outcome]], days: int) -> Report:
    from kb.demos.report import Report
    from kb.memory.simulate import recall_days

    report = Report()
    weeks = range(0, days, 7)
    answers = {name: _mean([_weekly(one.daily) for one in each]) for name, each in outcomes.items()}
    known = {name: _mean([[*one.weekly_recall, one.recall] for one in each]) for name, each in outcomes.items()}
    if len(weeks) > 1:
        report.curve(weeks, answers, title="Answers a day, mean of each week", xlabel="day")
        report.curve([*recall_days(days), days], known, title="Questions that would be recalled", xlabel="day")
    else:
        report.bars(list(answers), {"answers": [line[0] for line in answers.values()]}, title="Answers a day")
    return report


def _weekly(daily: Sequence[int]) -> list[float]:
    weeks = [daily[start : start + 7] for start in range(0, len(daily), 7)]
    return [sum(week) / len(week) for week in weeks]


def _mean(lines: Sequence[Sequence[float]]) -> list[float]:
    return [sum(values) / len(values) for values in zip(*lines, strict=True)]


def _show(
    app: App, outcomes: dict[str, list[Outcome]], report: Report, about: dict[str, Any], everything: bool
) -> None:
    from kb.terminal import plots
    from kb.terminal.page import Sheet

    sheet = Sheet.of(app.environment)
    sheet.text([Span(_sentence(about), BOLD)])
    sheet.write()
    _table(sheet, outcomes, about)
    for figure in report.figures if everything else report.figures[:1]:
        sheet.write()
        for line in plots.draw(figure, sheet.width, sheet.colour, rows=None if everything else 6):
            sheet.write(line)
    if not everything and len(report.figures) > 1:
        sheet.text([Span("what is known week by week: --all; as PNG: --save DIR", DIM)])


def _table(sheet: Sheet, outcomes: dict[str, list[Outcome]], about: dict[str, Any]) -> None:
    from kb.memory.simulate import summary

    total = about["questions"] + about["known"]
    rows = [summary(each) for each in outcomes.values()]
    unmet = any(row.introduced < total for row in rows)
    name = max(min(max(len(row.policy) for row in rows), sheet.width - (56 if unmet else 49)), 6)
    met = f"{'met':>7}" if unmet else ""
    head = f"{'reviews':>8}{'passed':>8}{met}{'known':>7}{'min/day':>8}{'min/known':>10}{'busiest':>8}"
    sheet.write([Span(f"{'policy':{name}}{head}", BOLD)])
    for row in rows:
        met = f"{row.introduced:>7,.0f}" if unmet else ""
        passed = "–" if isnan(row.retention) else f"{row.retention:.1%}"
        each = f"{row.minutes_per_recalled:.1f}" if isfinite(row.minutes_per_recalled) else "–"
        a_day = row.minutes / about["days"]
        said = f"{row.reviews:>8,.0f}{passed:>8}{met}{row.recall:>7,.0f}{a_day:>8.1f}{each:>10}{row.busiest:>8,.0f}"
        sheet.write([f"{shorten(row.policy, name):{name}}{said}"])
    said = "known: expected to be recalled on the day after the last; min/known: minutes spent for one of these"
    sheet.text([Span(f"{said}; busiest: the most answers on a day of the second half", DIM)])


def _sentence(about: dict[str, Any]) -> str:
    """What was simulated, in a line."""
    old, new, days = about["known"], about["questions"], about["days"]
    parts = [f"{old:,} questions of yours"] if old else []
    parts += [f"{new:,} new {_word(new, 'question')}, {about['new_per_day']:,} a day"] if new else []
    what = f"{' and '.join(parts)}, for {days:,} {_word(days, 'day')}"
    if about["minutes_per_day"] is not None:
        what += f" of at most {about['minutes_per_day']:g} min"
    whose = " with your weights" if about["weights"] == "mine" else ""
    spread = f", spread {about['spread']:g}" if about["spread"] else ""
    who = f"{about['learners']:,} {_word(about['learners'], 'learner')}{whose}{spread}, seed {about['seed']}"
    return f"{what} · {who}"


def _word(number: int, noun: str) -> str:
    return noun if number == 1 else f"{noun}s"


def _caption(about: dict[str, Any]) -> str:
    return f"kb simulate · {_sentence(about)}"


def _as_json(outcomes: dict[str, list[Outcome]], learners: Sequence[Learner]) -> list[dict[str, Any]]:
    from kb.memory.plain import as_json
    from kb.memory.simulate import summary

    found = []
    for each in outcomes.values():
        mean = as_json(summary(each))
        rows = [as_json(one) for one in each]
        for row, one, learner in zip(rows, each, learners, strict=True):
            row |= {"seed": learner.seed, "busiest": one.busiest, "minutes_per_recalled": one.minutes_per_recalled}
            del row["policy"]
        found.append({**mean, "learners": as_json(rows)})
    return found
