"""Laws of the study day: 4 am local, whatever the clock, the season and the plane do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.memory import days
from kb.memory.days import Moment

moments = st.builds(Moment, st.integers(-(10**12), 10**13), st.integers(-12 * 60, 14 * 60))
hours = st.integers(0, 23)


def local(zone: str, text: str, fold: int = 0) -> Moment:
    """The moment at which a clock in ``zone`` shows ``text``."""
    when = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold)
    offset = when.utcoffset()
    assert offset is not None
    return Moment(round(when.timestamp() * 1000), round(offset.total_seconds() / 60))


@given(moments, hours)
def test_a_moment_lies_between_the_start_of_its_day_and_the_start_of_the_next(moment: Moment, hour: int) -> None:
    day = days.study_day(moment, hour)
    start = days.day_start_ms(day, moment.offset_minutes, hour)
    assert start <= moment.at_ms < days.day_start_ms(day + 1, moment.offset_minutes, hour)


@given(moments, hours)
def test_the_start_of_a_day_belongs_to_it(moment: Moment, hour: int) -> None:
    start = days.day_start_ms(days.study_day(moment, hour), moment.offset_minutes, hour)
    assert days.study_day(Moment(start, moment.offset_minutes), hour) == days.study_day(moment, hour)
    assert days.study_day(Moment(start - 1, moment.offset_minutes), hour) == days.study_day(moment, hour) - 1


@given(moments)
def test_with_rollover_at_midnight_the_study_day_is_the_local_date(moment: Moment) -> None:
    shown = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=moment.at_ms, minutes=moment.offset_minutes)
    assert days.iso_date(days.study_day(moment, 0)) == shown.date().isoformat()


@given(st.integers(-(10**5), 10**5), st.integers(-(10**5), 10**5))
def test_elapsed_days_are_never_negative(last: int, today: int) -> None:
    assert days.elapsed_days(last, today) == max(today - last, 0)


@given(st.integers(-700_000, 2_000_000))
def test_a_date_names_its_day(day: int) -> None:
    assert days.day_of_date(days.iso_date(day)) == day
    assert days.weekday(day) == datetime.fromisoformat(days.iso_date(day)).weekday()


@pytest.mark.parametrize(
    ("before", "after", "elapsed"),
    [
        ("2026-11-23T23:00", "2026-11-24T07:00", 1),
        ("2026-11-23T23:00", "2026-11-24T01:00", 0),
        ("2026-11-24T03:59", "2026-11-24T04:00", 1),
        ("2026-11-24T04:00", "2026-11-25T03:59", 0),
    ],
)
def test_the_night_belongs_to_the_day_before(before: str, after: str, elapsed: int) -> None:
    first, second = local("Europe/Berlin", before), local("Europe/Berlin", after)
    assert days.elapsed_days(days.study_day(first), days.study_day(second)) == elapsed


@pytest.mark.parametrize(
    ("zone", "switch"),
    [("Europe/Berlin", "2026-03-29"), ("Europe/Berlin", "2026-10-25"), ("America/New_York", "2026-03-08")],
)
def test_a_change_of_clocks_makes_no_day_and_loses_none(zone: str, switch: str) -> None:
    day = datetime.fromisoformat(switch)
    evenings = [local(zone, (day + timedelta(days=n)).strftime("%Y-%m-%dT21:00")) for n in range(-3, 4)]
    counted = [days.study_day(evening) for evening in evenings]
    assert counted == list(range(counted[0], counted[0] + 7))
    assert len({evening.offset_minutes for evening in evenings}) == 2  # the clocks did change


def test_the_hour_that_is_shown_twice_is_one_study_day() -> None:
    once, again = local("Europe/Berlin", "2026-10-25T02:30"), local("Europe/Berlin", "2026-10-25T02:30", fold=1)
    assert again.at_ms - once.at_ms == days.HOUR_MS
    assert days.study_day(once) == days.study_day(again)


def test_a_flight_west_is_no_step_back_and_a_flight_east_at_most_a_day() -> None:
    tokyo = local("Asia/Tokyo", "2026-11-24T20:00")
    los_angeles = Moment(tokyo.at_ms + 10 * days.HOUR_MS, -8 * 60)
    assert days.elapsed_days(days.study_day(tokyo), days.study_day(los_angeles)) == 0
    back = Moment(los_angeles.at_ms + 11 * days.HOUR_MS, 9 * 60)
    assert days.elapsed_days(days.study_day(los_angeles), days.study_day(back)) == 1


def test_a_text_that_is_no_date_is_refused() -> None:
    with pytest.raises(UsageError, match="'soon' is not a date"):
        days.day_of_date("soon")
