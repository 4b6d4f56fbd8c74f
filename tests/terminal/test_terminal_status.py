"""Times, counts and the foot of the screen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.memory.days import Moment
from kb.terminal.status import counted, key_line, lasted, of_days, progress_rule, short_when, span, status_line, when
from kb.terminal.text import line_width

NOW = Moment(1_795_428_000_000, 0)  # 10:00 UTC
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
TODAY = 20780


def test_the_study_day_of_the_tests() -> None:
    from kb.memory.days import study_day

    assert study_day(NOW) == TODAY


@pytest.mark.parametrize(
    ("ahead_ms", "days", "long", "short"),
    [
        (-1, 0, "now", "1m"),
        (MINUTE, 0, "in 1 min", "1m"),
        (10 * MINUTE, 0, "in 10 min", "10m"),
        (3 * HOUR, 0, "in 3 h", "3h"),
        (18 * HOUR, 1, "tomorrow", "1d"),
        (5 * DAY, 5, "in 5 days", "5d"),
        (90 * DAY, 90, "in 3 months", "3mo"),
        (800 * DAY, 800, "in 2.2 years", "2.2y"),
    ],
)
def test_when(ahead_ms: int, days: int, long: str, short: str) -> None:
    assert when(NOW.at_ms + ahead_ms, TODAY + days, NOW) == long
    assert short_when(NOW.at_ms + ahead_ms, TODAY + days, NOW) == short


def test_words() -> None:
    assert counted(1, "question") == "1 question" and counted(2000, "question") == "2,000 questions"
    assert (span(30_000), span(5 * MINUTE), span(3 * HOUR)) == ("30 s", "5 min", "3 h")
    assert (lasted(3), lasted(100), lasted(3900)) == ("3 s", "2 min", "1 h 5 min")
    assert (of_days(1), of_days(30), of_days(61), of_days(365), of_days(730)) == (
        "1 day",
        "30 days",
        "2 months",
        "1 year",
        "2.0 years",
    )


@given(st.integers(0, 999), st.integers(0, 9999), st.integers(0, 9999), st.integers(40, 80))
def test_the_foot_fits(done: int, due: int, new: int, columns: int) -> None:
    assert line_width(status_line(done, due, new, done // 2, 4000, columns)) <= columns
    assert line_width(progress_rule(done, due + new, columns)) == columns
    keys = [("1-4", "choose"), ("space", "show the answer"), ("h", "hint"), ("u", "undo"), ("?", "keys")]
    shown = key_line(keys, columns)
    assert line_width(shown) <= columns and shown[-1].text == " keys"
