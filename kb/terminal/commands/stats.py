"""``kb stats``: how memory is doing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from kb.terminal import text
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.text import ACCENT, BOLD, DIM, Line, Span

if TYPE_CHECKING:
    from kb.demos.report import Report
    from kb.store.insight import Insight
    from kb.store.stats import Statistics
    from kb.terminal.mastery import Mastery

HELP = """Show how memory is doing: true retention, what is coming, the streak, and each topic.

True retention is the share of reviews that passed: answers to questions that had left their learning steps. It is what
`kb config desired_retention` asks for. Mature ones came after an interval of 21 days or more.

\b
Examples:
  kb stats
  kb stats --all                 also answer times, retention by age, calibration, the memories' strength
  kb stats zero transformers     of these topics (and what they include)
  kb stats --save pictures       every picture as PNG
  kb stats --json
"""

_FORECAST_SHOWN = 14
_TOPICS_SHOWN = 20
_SPANS = {"today": "today", "week": "7 days", "month": "30 days", "year": "365 days", "all": "all"}


@click.command(help=HELP)
@click.argument("topics", nargs=-1, metavar="[TOPIC]...")
@click.option("--all", "everything", is_flag=True, help="Show every picture.")
@click.option("--save", "folder", metavar="DIR", help="Write every picture into DIR as PNG.")
@option_json()
@click.pass_obj
def command(app: App, topics: tuple[str, ...], everything: bool, folder: str | None, as_json: bool) -> None:
    from kb import roots
    from kb.memory.days import study_day
    from kb.store import insight, stats
    from kb.terminal import mastery, memoryplots

    chosen = _chosen(app, topics)
    day = study_day(app.moment(), app.settings.rollover_hour)
    statistics = stats.read(app.home, day, chosen)
    found = insight.read(app.home, roots.cache_home(app.environment), day, chosen)
    known = mastery.of_topics(app.library.entries(), found.topics, chosen)
    if folder is not None:
        _save(memoryplots.pictures(statistics, found), folder, statistics)
    if as_json:
        more = {**insight.as_json(found), "mastery": [one.as_json() for one in known]}
        click.echo(json.dumps({**statistics.as_json(), **more}, ensure_ascii=False))
        return
    columns = min(text.terminal_size(sys.stdout, app.environment)[0], text.WIDEST)
    colour = text.wants_colour(sys.stdout, app.environment)
    for line in _page(statistics, columns):
        click.echo(text.ansi(line, colour))
    if not statistics.days:
        return
    for part in _pictures(statistics, found, known, everything, columns, colour):
        click.echo()
        for line in part:
            click.echo(text.ansi(line, colour))


def _chosen(app: App, topics: tuple[str, ...]) -> list[str] | None:
    """The topics that are meant, with what they include; those of imported logs are not in the library."""
    if not topics:
        return None
    chosen: dict[str, None] = {}
    for topic in topics:
        is_foreign = topic not in app.library.names() and app.store.seen(topic)
        chosen.update(dict.fromkeys([topic] if is_foreign else app.library.expand([topic])))
    return list(chosen)


def _pictures(
    statistics: Statistics, found: Insight, known: list[Mastery], everything: bool, columns: int, colour: bool
) -> Iterator[Iterable[Line]]:
    from kb.terminal import mastery, memoryplots, plots

    report = memoryplots.pictures(statistics, found)
    shown = report.figures[1:] if any(statistics.forecast) else report.figures  # what is coming has been drawn above
    if not everything:
        shown = [figure for figure in shown if figure.title == memoryplots.HEATMAP]
    for figure in shown:
        yield plots.draw(figure, columns, colour)
    yield mastery.tree(known, columns)
    if not everything:
        yield [[Span("answer times, retention by age, calibration and more: kb stats --all", DIM)]]


def _save(report: Report, folder: str, statistics: Statistics) -> None:
    from kb.demos import save
    from kb.memory.days import iso_date

    save.check_folder(folder)
    for path in save.pictures(report, folder, f"kb stats · {iso_date(statistics.day)}"):
        click.echo(path, err=True)


def _page(statistics: Statistics, columns: int) -> Iterator[Line]:
    if not statistics.days:
        yield [Span("nothing has been answered yet; begin with: kb quiz")]
        return
    yield from _summary(statistics)
    yield []
    yield from _retention(statistics)
    yield []
    yield from _forecast(statistics, columns)
    if len(statistics.topics) > 1:
        yield []
        yield from _topics(statistics, columns)


def _summary(statistics: Statistics) -> Iterator[Line]:
    today, asked, streak = statistics.today, statistics.questions, statistics.streak
    minutes = today.took_ms / 60_000
    facts = {
        "today": f"{today.answers:,} answers, {today.introduced:,} new, {minutes:.0f} min"
        + (f", {today.crammed:,} crammed" if today.crammed else ""),
        "streak": f"{_days(streak.current)} (longest {_days(streak.longest)}, {_days(streak.days)} in all)",
        "questions": f"{asked.seen:,} seen: {asked.learning:,} in steps, {asked.young:,} young, {asked.mature:,} mature"
        + (f"; {asked.suspended:,} suspended" if asked.suspended else ""),
        "answers": f"{statistics.total.answers:,} in {statistics.total.took_ms / 3_600_000:.1f} h",
    }
    for name, fact in facts.items():
        yield [Span(f"{name:10}", BOLD), Span(fact)]


def _retention(statistics: Statistics) -> Iterator[Line]:
    yield [Span(f"{'true retention':14} {'reviews':>9} {'all':>8} {'young':>8} {'mature':>8}", BOLD)]
    for name, value in statistics.retention().items():
        rates = " ".join(f"{_percent(rate):>8}" for rate in (value.rate, value.young_rate, value.mature_rate))
        yield [Span(f"  {_SPANS[name]:12} {value.reviews:>9,} {rates}")]


def _forecast(statistics: Statistics, columns: int) -> Iterator[Line]:
    from datetime import date

    from kb.memory.days import iso_date

    shown = statistics.forecast[:_FORECAST_SHOWN]
    note = f"  ({statistics.overdue:,} of them overdue)" if statistics.overdue else ""
    yield [Span("reviews to come", BOLD), Span(f"  {sum(shown):,} in {_days(len(shown))}{note}", DIM)]
    room = columns - 24
    most = max(shown)
    for n, due in enumerate(shown):
        day = date.fromisoformat(iso_date(statistics.day + n))
        name = "today" if n == 0 else f"{day:%a} {day.day:2} {day:%b}"
        bar = "█" * max(round(due / most * room), 1) if due else ""
        yield [Span(f"  {name:10} {due:>7,}  "), Span(bar, ACCENT)]


def _topics(statistics: Statistics, columns: int) -> Iterator[Line]:
    from kb.store.stats import retention_of

    yield [Span(f"{'topic':{columns - 40}} {'answers':>9} {'reviews':>9} {'retained':>9} {'hours':>7}", BOLD)]
    ranked = sorted(statistics.topics.items(), key=lambda item: (-item[1].answers, item[0]))
    for name, tally in ranked[:_TOPICS_SHOWN]:
        shown = text.shorten(text.one_line(name), columns - 42)
        rate = _percent(retention_of(tally).rate)
        gap = " " * (columns - 42 - text.width(shown))
        numbers = f"{tally.answers:>9,} {tally.reviews:>9,} {rate:>9} {tally.took_ms / 3_600_000:>7.1f}"
        yield [Span(f"  {shown}{gap} {numbers}")]
    if len(ranked) > _TOPICS_SHOWN:
        yield [Span(f"  and {len(ranked) - _TOPICS_SHOWN} more: kb stats --json", DIM)]


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"


def _days(number: int) -> str:
    return f"{number:,} day" + ("" if number == 1 else "s")
