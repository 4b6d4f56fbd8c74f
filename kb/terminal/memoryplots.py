"""Pictures of memory, as figures of a report: the terminal draws them, and so does ``--save``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kb.demos.report import Report
from kb.memory.days import iso_date, weekday
from kb.store import insight

if TYPE_CHECKING:
    from kb.store.insight import Insight
    from kb.store.stats import Statistics

WEEKS = 26
HEATMAP = "Answers a day"
WEEKDAYS = "Mon to Sun"


def pictures(statistics: Statistics, found: Insight) -> Report:
    """Every picture that has something to show."""
    report = Report()
    _coming(report, statistics)
    heatmap(report, statistics)
    _age(report, found)
    _calibration(report, found)
    _seconds(report, found)
    _memories(report, found)
    return report


def _coming(report: Report, statistics: Statistics) -> None:
    if any(statistics.forecast):
        labels = [iso_date(statistics.day + n)[5:] for n in range(len(statistics.forecast))]
        report.bars(labels, {"reviews": statistics.forecast}, title="Reviews to come, by day")


def heatmap(report: Report, statistics: Statistics) -> None:
    """Answers of each day: a column is a week, a row a weekday; the last column is the current week."""
    monday = statistics.day - weekday(statistics.day)
    first = monday - 7 * (WEEKS - 1)
    days = range(first, monday + 7)
    counts = {day: tally.answers + tally.crammed for day, tally in statistics.days.items() if day in days}
    if not any(counts.values()):
        return
    rows = [
        [
            float("nan") if (day := first + 7 * week + place) > statistics.day else counts.get(day, 0)
            for week in range(WEEKS)
        ]
        for place in range(7)
    ]
    report.image(rows, title=HEATMAP, xlabel=f"the {WEEKS} weeks up to this one", ylabel=WEEKDAYS)


def _age(report: Report, found: Insight) -> None:
    rows = zip(insight.classes(insight.AGE_DAYS, whole=True), found.age, strict=True)
    shown = [
        (f"{days} {'day' if days == '1' else 'days'} ({int(count):,})", 100 * kept / count)
        for days, (count, kept) in rows
        if count
    ]
    if shown:
        labels, rates = zip(*shown, strict=True)
        title = "True retention by the days since the answer before (reviews)"
        report.bars(labels, {"retained": [round(rate, 1) for rate in rates]}, title=title, unit="%")


def _calibration(report: Report, found: Insight) -> None:
    rows = [row for row in found.calibration if row[0] >= 10]
    if len(rows) < 2:
        return
    foreseen = [100 * row[2] / row[0] for row in rows]
    series = {"recalled": [100 * row[1] / row[0] for row in rows], "as foreseen": foreseen}
    title = "Calibration: recall foreseen and seen"
    axes = {"xlabel": "foreseen by the weights in force, %", "ylabel": "recalled, %"}
    report.curve(foreseen, series, title=title, dashed=("as foreseen",), **axes)


def _seconds(report: Report, found: Insight) -> None:
    labels = [f"{name} s" for name in insight.classes(insight.SECONDS)]
    passed, failed = zip(*found.seconds, strict=True)
    if any(passed) or any(failed):
        report.bars(labels, {"passed": passed, "failed": failed}, title="Answers by the time they took")


def _memories(report: Report, found: Insight) -> None:
    if not found.seen:
        return
    labels = [f"{name} days" for name in insight.classes(insight.STABILITY_DAYS)]
    report.bars(labels, {"questions": found.stability}, title="Questions by stability (days until recall is 90 %)")
    labels = [f"{n} to {n + 1}" for n in range(1, insight.DIFFICULTY_BINS + 1)]
    report.bars(labels, {"questions": found.difficulty}, title="Questions by difficulty")
