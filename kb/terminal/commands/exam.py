"""``kb exam``: be at the wanted recall on a given day."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from kb.errors import UnknownName, UsageError
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import BOLD, DIM, GOOD, WARN, Span, shorten

if TYPE_CHECKING:
    from kb.demos.report import Report
    from kb.memory.exam import ExamPlan
    from kb.quiz.exams import Outlook
    from kb.terminal.page import Sheet

HELP = """Plan for an exam: know TOPIC well on DATE. `kb quiz` then asks what the plan asks each day.

Questions keep their usual days. Those that would be too weak on the day of the exam are asked once more before it, on
days spread so that none is crowded, and new questions of the exam come first, as many a day as it takes. When the day
has come the plan ends by itself. It is kept in the log: `kb undo --exam` takes it back.

\b
Examples:
  kb exam 2026-12-18 transformers              plan it, and see what it costs
  kb exam 2026-12-18 zero ddp --recall 0.95    several topics, and more of them remembered
  kb exam 2026-12-18 zero --dry-run            only look
  kb exam                                      the exams ahead, and how they stand
  kb exam transformers                         one of them, day by day
  kb exam --drop transformers                  leave it to the usual schedule again
"""

_BY_DAY = 42  # a longer time is drawn by week


@click.command(help=HELP)
@click.argument("date", required=False)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option(
    "--recall", "wanted", type=float, metavar="R", help="Mean recall on the day, 0.5 to 0.99.  [default: 0.9]"
)
@click.option("--name", metavar="NAME", help="What the exam is called; else it is named after its topics.")
@click.option("--drop", metavar="NAME", help="Drop the plan of this exam.")
@click.option("--dry-run", is_flag=True, help="Show the plan, and don't take it.")
@click.option("--save", "folder", metavar="DIR", help="Write the picture of the days into DIR as PNG.")
@option_json()
@click.pass_obj
def command(
    app: App,
    /,
    date: str | None,
    topics: tuple[str, ...],
    wanted: float | None,
    name: str | None,
    drop: str | None,
    dry_run: bool,
    folder: str | None,
    as_json: bool,
) -> None:
    from kb.quiz import exams
    from kb.terminal.start import tell_over

    now = app.moment()
    for said in tell_over(app):
        click.echo(f"kb: {said}", err=True)
    if drop is not None:
        if date is not None:
            raise UsageError("--drop stands alone", cure="for example: kb exam --drop transformers")
        gone = exams.drop(app.store, now, drop)
        click.echo(json.dumps({"dropped": gone.name}) if as_json else f"{gone.name}: dropped; the usual schedule holds")
        return
    planned = app.store.exams()
    if not topics and (date is None or date in {exam.name for exam in planned}):
        if wanted is not None or name is not None:
            raise UsageError("a new plan needs a date and topics", cure="for example: kb exam 2026-12-18 transformers")
        found = [exams.outlook(app.library, app.store, now, exam) for exam in planned if date in (None, exam.name)]
        if as_json:
            click.echo(json.dumps([_as_json(one) for one in found], ensure_ascii=False))
        elif date is None:
            _list(app, found)
        else:
            _show(app, found[0])
        for one in found if folder is not None else ():
            _save(one, str(folder))
        return
    assert date is not None
    day = _day(date, topics, [exam.name for exam in planned])
    if name is not None and not name.strip():
        raise UsageError("an exam needs a name")
    proposal = exams.propose(app.library, app.store, now, day, topics, 0.9 if wanted is None else wanted, name)
    before = next((exam for exam in planned if exam.name == proposal.exam.name), None)
    if not dry_run:
        exams.decide(app.store, now, proposal)
    if as_json:
        click.echo(json.dumps({**_as_json(proposal), "taken": not dry_run}, ensure_ascii=False))
    else:
        _show(app, proposal, fresh=not dry_run, moved=before is not None and not dry_run)
    if folder is not None:
        _save(proposal, folder)


def _day(date: str, topics: Sequence[str], planned: Sequence[str]) -> int:
    """The study day of ``date``; where that is no date, what was probably meant is said."""
    from kb.memory.days import day_of_date

    try:
        day = day_of_date(date)
    except UsageError as error:
        swapped = next((word for word in topics if _is_date(word)), None)
        if swapped is not None:
            words = " ".join(word for word in (date, *topics) if word != swapped)
            raise UsageError(
                f"{date!r} is not a date", cure=f"the date stands first: kb exam {swapped} {words}"
            ) from None
        if not topics and not any(letter.isdigit() for letter in date):
            raise UnknownName("exam", date, planned, listing=f"to plan one: kb exam YYYY-MM-DD {date}") from None
        raise UsageError(error.message, cure="write it as year-month-day, 2026-12-18") from None
    if not topics:
        raise UsageError("an exam needs a topic", cure=f"for example: kb exam {date} transformers")
    return day


def _is_date(text: str) -> bool:
    from kb.memory.days import day_of_date

    try:
        day_of_date(text)
    except UsageError:
        return False
    return True


# --- the list ------------------------------------------------------------------------------------------------------


def _list(app: App, found: Sequence[Outlook]) -> None:
    from kb.memory.days import iso_date
    from kb.terminal.page import Sheet

    sheet = Sheet.of(app.environment)
    if not found:
        sheet.text(["No exam is planned. To plan one: ", Span("kb exam YYYY-MM-DD TOPIC", BOLD)])
        return
    names = min(max(len(one.exam.name) for one in found), sheet.width - 56)
    names = max(names, len("exam"))
    head = f"{'exam':{names}}  {'day':10} {'left':>9}  {'expected':>8} {'wanted':>7} {'asked today':>12}"
    sheet.write([Span(head, BOLD)])
    for one in found:
        name = shorten(one.exam.name, names)
        expected, wanted = one.plan.planned.recall, one.exam.wanted
        style = WARN if _behind(one) else GOOD
        sheet.write(
            [
                f"{name:{names}}  {iso_date(one.exam.day)} {_days(one.days_left):>9}  ",
                Span(f"{expected:>8.1%}", style),
                f" {wanted:>7.0%} {len(one.plan.asked_today()):>12,}",
            ]
        )
    for one in found:
        if _behind(one):
            sheet.write()
            sheet.text([f"{one.exam.name} is behind its plan. To plan it anew:"])
            sheet.text([Span(_again(one), BOLD)], indent=2, hang=2)
    sheet.write()
    sheet.text([Span(f"one of them, day by day: kb exam {found[0].exam.name}", DIM)])


def _behind(one: Outlook) -> bool:
    """Whether less is to be expected than was wanted, by more than a forecast wavers."""
    return one.plan.planned.recall < one.exam.wanted - 0.01


def _again(one: Outlook) -> str:
    from kb.memory.days import iso_date

    called = "" if one.exam.name == "+".join(one.exam.topics) else f" --name {one.exam.name}"
    topics = one.exam.name.split("+") if called and set(one.exam.name.split("+")) <= set(one.exam.topics) else None
    words = " ".join(topics or one.exam.topics)
    return f"kb exam {iso_date(one.exam.day)} {words} --recall {one.exam.wanted:g}{'' if topics else called}"


# --- one of them ---------------------------------------------------------------------------------------------------


def _show(app: App, one: Outlook, fresh: bool = False, moved: bool = False) -> None:
    from kb.terminal import plots
    from kb.terminal.page import Sheet

    sheet = Sheet.of(app.environment)
    _head(sheet, one)
    sheet.write()
    _recall(sheet, one)
    figure = _pictures(one).figures[0]
    sheet.write()
    for line in plots.draw(figure, sheet.width, sheet.colour, rows=6):
        sheet.write(line)
    sheet.write()
    if fresh:
        done = "The new plan is in force" if moved else "The plan is in force"
        sheet.text([f"{done}: kb quiz asks it. To drop it: ", Span(f"kb exam --drop {one.exam.name}", BOLD)])
    elif not one.exam.event:
        sheet.text(["Nothing was changed. To take the plan, leave --dry-run out."])
    elif _behind(one):
        sheet.text(["It is behind its plan. To plan it anew:"])
        sheet.text([Span(_again(one), BOLD)], indent=2, hang=2)


def _head(sheet: Sheet, one: Outlook) -> None:
    from datetime import date

    from kb.memory.days import iso_date

    day = date.fromisoformat(iso_date(one.exam.day))
    sheet.text([Span(one.exam.name, BOLD), f": {day:%A}, {day.day} {day:%B %Y}, in {_days(one.days_left)}"])
    topics = _count(len(one.exam.topics), "topic") if len(one.exam.topics) > 1 else one.exam.topics[0]
    sheet.text([Span(f"{topics}: {_count(one.known, 'question')} answered before, {one.new:,} new", DIM)])
    if one.foreign:
        said = f"no cards of {', '.join(one.foreign)} are here (an imported log): kb can plan, but not ask them"
        sheet.text([Span(said, WARN)])


def _recall(sheet: Sheet, one: Outlook) -> None:
    plan = one.plan
    usual, planned = sum(plan.usual.reviews), sum(plan.planned.reviews)
    sheet.write([Span(f"{'recall on the day':26}{'recall':>8}{'reviews':>10}{'a day':>8}", BOLD)])
    sheet.write([f"  {'without another answer':24}{plan.recall_now:>8.1%}{0:>10}"])
    a_day = f"{usual / one.days_left:>8.1f}"
    sheet.write([f"  {'the usual schedule':24}{plan.usual.recall:>8.1%}{usual:>10,}{a_day}"])
    style = GOOD if plan.reached else WARN
    a_day = f"{planned / one.days_left:>8.1f}"
    more = f"  {planned - usual:+,}" if planned != usual else ""
    sheet.write(
        [f"  {'this plan':24}", Span(f"{plan.planned.recall:>8.1%}", style), f"{planned:>10,}{a_day}", Span(more, DIM)]
    )
    sheet.text([Span(said, DIM) for said in _notes(plan, one)], indent=2)


def _notes(plan: ExamPlan, one: Outlook) -> list[str]:
    said = []
    if plan.floor is None and plan.reached:
        said.append(f"The usual schedule is enough for {plan.wanted:.0%}.")
    elif plan.floor is not None:
        said.append(f"Wanted: {plan.wanted:.0%}; so each question is kept at {plan.floor:.1%} or above for the day.")
    if not plan.reached:
        said.append(f"{plan.wanted:.0%} is out of reach by then." if not one.exam.event else "")
    if one.new:
        said.append(f"New questions: {min(plan.new_per_day, one.new):,} a day.")
    due = len(plan.asked_today())
    if due:
        said.append(f"Today it asks {_count(due, 'question')} again.")
    return [f"{text} " for text in said if text]


def _pictures(one: Outlook) -> Report:
    """The reviews of each day, or the mean of each week where the time is long."""
    from kb.demos.report import Report
    from kb.memory.days import iso_date

    report = Report()
    series = {"usual schedule": one.plan.usual.reviews, "this plan": one.plan.planned.reviews}
    if one.plan.usual == one.plan.planned:
        del series["usual schedule"]
    title = f"Reviews a day until {iso_date(one.exam.day)}"
    if one.days_left < 2:
        report.bars(list(series), {"reviews": [sum(values) for values in series.values()]}, title=title)
    elif one.days_left <= _BY_DAY:
        report.curve(range(one.days_left), series, title=title, xlabel="days from today")
    else:
        weeks = range(0, one.days_left, 7)
        means = {
            name: [sum(values[start : start + 7]) / len(values[start : start + 7]) for start in weeks]
            for name, values in series.items()
        }
        report.curve(weeks, means, title=f"{title}, mean of each week", xlabel="days from today")
    return report


def _save(one: Outlook, folder: str) -> None:
    from kb.demos import save
    from kb.memory.days import iso_date

    save.check_folder(folder)
    for path in save.pictures(_pictures(one), folder, f"kb exam {one.exam.name} · {iso_date(one.plan.today)}"):
        click.echo(path, err=True)


def _as_json(one: Outlook) -> dict[str, Any]:
    from kb.memory.days import iso_date
    from kb.memory.plain import as_json

    plan = one.plan
    usual, planned = plan.usual.reviews, plan.planned.reviews
    days = [
        {"day": iso_date(plan.today + n), "usual": usual[n], "planned": planned[n]}
        for n in range(len(plan.planned.reviews))
    ]
    found: dict[str, Any] = as_json(
        {
            "name": one.exam.name,
            "date": iso_date(one.exam.day),
            "days_left": one.days_left,
            "topics": one.exam.topics,
            "wanted": one.exam.wanted,
            "floor": one.exam.floor,
            "questions": one.known,
            "new": one.new,
            "new_per_day": plan.new_per_day,
            "recall": {"now": plan.recall_now, "usual": plan.usual.recall, "planned": plan.planned.recall},
            "reached": plan.reached,
            "reviews": {"usual": sum(usual), "planned": sum(planned), "extra": plan.extra_reviews},
            "desired_retention_alone": plan.retention,
            "asked_today": plan.asked_today(),
            "days": days,
        }
    )
    return found


def _days(number: int) -> str:
    return _count(number, "day")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
