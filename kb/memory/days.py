"""Study days: the calendar that memory is counted in. They begin at 4 in the morning, local time, not at midnight.

An answer at 23:00 and one at 07:00 belong to two study days, an answer at 23:00 and one at 01:00 to one. The offset
from UTC is kept with every answer, so a change to summer time or a flight changes no day that has been counted.
"""

from __future__ import annotations

from typing import NamedTuple

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MINUTE_MS = 60_000
ROLLOVER_HOUR = 4
_EPOCH_ORDINAL = 719_163  # date(1970, 1, 1).toordinal()


class Moment(NamedTuple):
    """A point in time as a clock on the wall shows it: UTC milliseconds since 1970 and the offset of local time."""

    at_ms: int
    offset_minutes: int


def study_day(moment: Moment, rollover_hour: int = ROLLOVER_HOUR) -> int:
    """The study day of ``moment`` as the number of days since 1970-01-01."""
    at_ms, offset_minutes = moment
    return (at_ms + offset_minutes * MINUTE_MS - rollover_hour * HOUR_MS) // DAY_MS


def day_start_ms(day: int, offset_minutes: int, rollover_hour: int = ROLLOVER_HOUR) -> int:
    """The UTC millisecond at which study day ``day`` begins where local time is ``offset_minutes`` ahead of UTC."""
    return day * DAY_MS + rollover_hour * HOUR_MS - offset_minutes * MINUTE_MS


def elapsed_days(last_day: int, day: int) -> int:
    """Study days from ``last_day`` to ``day``; 0 where a clock set back or a flight west makes it negative."""
    return day - last_day if day > last_day else 0


def weekday(day: int) -> int:
    """The weekday of a study day: 0 is Monday, 6 is Sunday."""
    return (day + 3) % 7


def iso_date(day: int) -> str:
    """The study day as a calendar date, ``2026-11-23``."""
    from datetime import date

    return date.fromordinal(day + _EPOCH_ORDINAL).isoformat()


def day_of_date(text: str) -> int:
    """The study day that bears the calendar date ``text`` (ISO 8601, ``2026-11-23``)."""
    from datetime import date

    from kb.errors import UsageError

    try:
        return date.fromisoformat(text.strip()).toordinal() - _EPOCH_ORDINAL
    except ValueError:
        raise UsageError(f"{text!r} is not a date", cure="write it as 2026-11-23") from None
