"""Words for times, counts and grades, and the lines at the foot of a sitting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kb.memory.days import Moment, day_start_ms, study_day
from kb.terminal.text import BAD, BOLD, DIM, GOOD, LINK, WARN, Line, Span, line_width, width

if TYPE_CHECKING:
    from kb.quiz.turn import Outcome

GRADES = {1: "again", 2: "hard", 3: "good", 4: "easy"}
GRADE_STYLES = {1: BAD, 2: WARN, 3: GOOD, 4: LINK}

_MINUTE, _HOUR = 60_000, 3_600_000


def when(due_ms: int, due_day: int, now: Moment, rollover_hour: int = 4) -> str:
    """When something is due, seen from ``now``: ``in 10 min``, ``tomorrow``, ``in 5 days``, ``in 3 months``."""
    days = due_day - study_day(now, rollover_hour)
    if days <= 0 or due_ms - now.at_ms < 4 * _HOUR:
        ahead = due_ms - now.at_ms
        if ahead <= 0:
            return "now"
        return f"in {span(ahead)}"
    return "tomorrow" if days == 1 else f"in {of_days(days)}"


def back(outcome: Outcome, now: Moment, rollover_hour: int) -> str:
    """When an answered question comes back: ``back in 10 min``; nothing after a cram."""
    promise = outcome.event.promise
    if promise is None:
        return ""
    if outcome.ask_day is not None and outcome.ask_day < promise.due_day:
        starts = day_start_ms(outcome.ask_day, now.offset_minutes, rollover_hour)
        return f"back {when(starts, outcome.ask_day, now, rollover_hour)}, for the exam"
    return f"back {when(promise.due_ms, promise.due_day, now, rollover_hour)}"


def short_when(due_ms: int, due_day: int, now: Moment, rollover_hour: int = 4) -> str:
    """As ``when``, for a narrow place: ``10m``, ``1d``, ``3mo``."""
    days = due_day - study_day(now, rollover_hour)
    if days <= 0 or due_ms - now.at_ms < 4 * _HOUR:
        minutes = max(round((due_ms - now.at_ms) / _MINUTE), 1)
        return f"{minutes}m" if minutes < 60 else f"{minutes // 60}h"
    if days < 31:
        return f"{days}d"
    return f"{days / 30.44:.0f}mo" if days < 365 else f"{days / 365.25:.1f}y"


def span(milliseconds: int) -> str:
    """A stretch of time in its largest units: ``40 s``, ``10 min``, ``3 h``."""
    if milliseconds < 55_000:
        return f"{max(round(milliseconds / 1000), 1)} s"
    if milliseconds < 90 * _MINUTE:
        return f"{round(milliseconds / _MINUTE)} min"
    return f"{round(milliseconds / _HOUR)} h"


def of_days(days: int) -> str:
    """A number of days in its largest units."""
    if days < 31:
        return counted(days, "day")
    if days < 365:
        return counted(round(days / 30.44), "month")
    years = days / 365.25
    return f"{years:.1f} years" if years >= 1.05 else "1 year"


def lasted(seconds: float) -> str:
    """How long something took: ``45 s``, ``3 min``, ``1 h 5 min``."""
    if seconds < 59.5:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """``1 question``, ``2 questions``."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def status_line(done: int, due: int, new: int, right: int, seconds: float, columns: int) -> Line:
    """Done and left, due and new, right so far, time: as much as ``columns`` holds."""
    minutes = f"{int(seconds // 60)} min"
    of = f"{right} of {done}" if done else "–"
    forms: list[list[Span]] = [
        [
            *(Span(f"{done}", BOLD), Span(" done · ", DIM), Span(f"{due + new}", BOLD), Span(" left    ", DIM)),
            *(Span(f"{due}", BOLD), Span(" due · ", DIM), Span(f"{new}", BOLD), Span(" new    ", DIM)),
            *(Span("right so far ", DIM), Span(of, BOLD), Span(f"    {minutes}", DIM)),
        ],
        [
            *(Span(f"{done}", BOLD), Span(" done · ", DIM), Span(f"{due + new}", BOLD), Span(" left  ", DIM)),
            *(Span(f"{new}", BOLD), Span(" new  ", DIM), Span(of, BOLD), Span(f" ✓  {minutes}", DIM)),
        ],
        [Span(f"{done}/{done + due + new}", BOLD), Span(f"  {of} ✓", DIM)],
    ]
    return next((form for form in forms if line_width(form) <= columns), forms[-1])


def progress_rule(done: int, left: int, columns: int) -> Line:
    """A rule across the screen whose first part is what is done."""
    filled = round(columns * done / (done + left)) if done + left else columns
    return [Span("━" * filled, GOOD), Span("─" * (columns - filled), DIM)]


def key_line(keys: Sequence[tuple[str, str]], columns: int) -> Line:
    """``key what it does`` for each of ``keys``, as many as fit; the last one ("?") always does."""
    spans: Line = []
    *most, last = keys
    room = columns - _key_width(last)
    for key in most:
        if _key_width(key) + 3 > room:
            break
        spans += [Span(key[0], BOLD), Span(f" {key[1]}   " if key[1] else "   ", DIM)]
        room -= _key_width(key) + 3
    return [*spans, Span(last[0], BOLD), Span(f" {last[1]}", DIM)]


def _key_width(key: tuple[str, str]) -> int:
    return width(key[0]) + (1 + width(key[1]) if key[1] else 0)
