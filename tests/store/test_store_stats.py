"""Statistics from the rollups, against counting the log."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kb.config import Settings
from kb.memory.days import Moment
from kb.store import stats
from kb.store.fold import Tally
from kb.store.stats import Retention, Streak
from kb.store.store import Store

DAY = 86_400_000
TODAY = 20_717


def test_nothing_answered_is_no_error(home: Path) -> None:
    found = stats.read(str(home), TODAY)
    assert found.total == Tally() and found.streak == Streak(0, 0, 0)
    assert found.retention()["all"].rate is None
    assert found.as_json()["forecast"][0] == {"day": "2026-09-21", "due": 0}
    assert list(home.iterdir()) == []


def test_retention_is_that_of_the_reviews_in_the_log(home: Path, noon: Moment) -> None:
    """Counted again from the events: the phase before each answer decides."""
    chooser = random.Random(3)
    expected: dict[int, list[tuple[bool, bool]]] = {}
    with Store.open(str(home), Settings(backups=False)) as store:
        at = Moment(noon.at_ms - 500 * DAY, 60)
        for _ in range(400):
            at = Moment(at.at_ms + chooser.randrange(2 * DAY), 60)
            question = f"zero/{chooser.randrange(6)}"
            row, grade = store.state(question), chooser.choice([1, 3, 3, 3, 4])
            if row is not None and row.state is not None and row.state.phase == "review":
                mature = row.state.due_day - row.state.last_day >= 21
                expected.setdefault(store.study_day(at), []).append((grade > 1, mature))
            store.record(question, grade, at, answer=1, seconds=2)
        today = store.study_day(at)
    found = stats.read(str(home), today).retention()
    for name, days in {**stats.WINDOWS, "all": 10_000}.items():
        reviews = [review for day, listed in expected.items() if today - day < days for review in listed]
        assert found[name] == Retention(
            len(reviews),
            sum(passed for passed, _ in reviews),
            sum(mature for _, mature in reviews),
            sum(passed and mature for passed, mature in reviews),
        )
    overall = found["all"]
    assert overall.rate is not None and overall.young_rate is not None and overall.mature_rate is not None
    assert min(overall.young_rate, overall.mature_rate) <= overall.rate <= max(overall.young_rate, overall.mature_rate)
    assert overall.mature > 0


def test_the_forecast_puts_the_overdue_first(home: Path, noon: Moment) -> None:
    with Store.open(str(home), Settings(backups=False, fuzz=False)) as store:
        promised = [store.record(f"zero/{n}", 4, noon, answer=1).promise for n in range(3)]
        store.record("svm/a", 4, Moment(noon.at_ms + DAY, 60), answer=1)
        store.record("svm/steps", 1, noon, answer=1)
        store.append("suspend", noon, "zero/2")
    assert promised[0] is not None
    due = promised[0].due_day
    found = stats.read(str(home), TODAY)
    assert [due - TODAY, due + 1 - TODAY] == [n for n, count in enumerate(found.forecast) if count]
    assert (found.forecast[due - TODAY], found.overdue) == (2, 0)
    late = stats.read(str(home), due + 1)
    assert (late.forecast[0], late.overdue) == (3, 2)
    only = stats.read(str(home), due + 1, ["svm"])
    assert (only.forecast[0], only.overdue, only.questions.seen) == (1, 0, 2)
    assert found.questions == stats.Questions(seen=5, learning=1, young=4, mature=0, suspended=1)


@pytest.mark.parametrize(
    ("days", "streak"),
    [
        ([], Streak(0, 0, 0)),
        ([0], Streak(1, 1, 1)),
        ([-1], Streak(1, 1, 1)),
        ([-2], Streak(0, 1, 1)),
        ([-6, -5, -4, -2, -1], Streak(2, 3, 5)),
        ([-6, -5, -4, -2, -1, 0], Streak(3, 3, 6)),
    ],
)
def test_a_streak_is_days_in_a_row_up_to_today_or_yesterday(
    store: Store, home: Path, noon: Moment, days: list[int], streak: Streak
) -> None:
    for day in days:
        store.record("zero/a", 3, Moment(noon.at_ms + day * DAY, 60), answer=1)
    assert stats.read(str(home), TODAY).streak == streak


def test_json_is_plain_and_adds_up(store: Store, home: Path, noon: Moment) -> None:
    for n in range(10):
        store.record(f"{'zero' if n % 2 else 'svm'}/a", 3, Moment(noon.at_ms + n * DAY, 60), answer=1, seconds=1.5)
    found = stats.read(str(home), TODAY + 9).as_json()
    assert found["day"] == "2026-09-30"
    assert found["answers"]["all"]["answers"] == 10 == sum(day["answers"] for day in found["days"])
    assert sum(topic["answers"] for topic in found["topics"].values()) == 10
    assert found["answers"]["all"]["seconds"] == 15.0
    assert found["streak"] == {"current": 10, "longest": 10, "days": 10}
    assert set(found["retention"]) == {"today", "week", "month", "year", "all"}
