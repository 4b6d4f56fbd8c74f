"""Evening out the days, siblings, leeches, and the retention of a topic."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.memory import days, leeches, retention, siblings
from kb.memory.days import DAY_MS, Moment
from kb.memory.load import Load
from kb.memory.scheduler import Scheduler, State, fuzz_range

TODAY = 20_000
MOMENT = Moment(TODAY * DAY_MS + 12 * days.HOUR_MS, 0)
units = st.floats(0, 1, exclude_max=True)


def in_review(stability: float = 60.0, interval: int = 30) -> State:
    last = TODAY - interval
    return State("review", 0, stability, 5.0, days.day_start_ms(TODAY, 0), TODAY, last * DAY_MS, last, 4, 0)


def drawn(load: Load, low: int, high: int, count: int = 2000) -> Counter[int]:
    return Counter(load.pick(TODAY, low, high, n / count) for n in range(count))


@given(
    st.integers(1, 200), st.integers(0, 30), units, st.dictionaries(st.integers(TODAY, TODAY + 300), st.integers(0, 50))
)
def test_the_day_lies_in_the_range(low: int, width: int, u: float, due: dict[int, int]) -> None:
    assert low <= Load(due, easy_days=(5, 6)).pick(TODAY, low, low + width, u) <= low + width


def test_empty_days_are_alike_and_come_before_full_ones() -> None:
    load = Load({TODAY + 10: 30, TODAY + 11: 0, TODAY + 12: 5})
    counts = drawn(load, 10, 14)
    assert counts[10] + counts[12] <= 1
    assert abs(counts[11] - counts[13]) <= 1 and abs(counts[13] - counts[14]) <= 1


def test_of_full_days_the_emptier_is_likelier() -> None:
    counts = drawn(Load({TODAY + 10: 20, TODAY + 11: 10, TODAY + 12: 40}), 10, 12)
    assert counts[11] > counts[10] > counts[12] > 0


def test_beyond_ninety_days_nothing_is_balanced() -> None:
    counts = drawn(Load({TODAY + 95: 1000}), 94, 97)
    assert sorted(counts) == [94, 95, 96, 97]
    assert max(counts.values()) - min(counts.values()) <= 1


def test_an_easy_day_gets_its_share() -> None:
    """With half a share, an easy day with 5 questions is as full as an ordinary one with 12."""
    saturday = next(interval for interval in range(10, 17) if days.weekday(TODAY + interval) == 5)
    due = {TODAY + saturday: 5, TODAY + saturday - 1: 12}
    counts = drawn(Load(due, easy_days=(5,)), saturday - 1, saturday)
    ratio = counts[saturday] / counts[saturday - 1]
    assert ratio == pytest.approx(((saturday - 1) / saturday) ** 3, rel=0.05)


def test_a_free_day_is_used_only_if_there_is_no_other() -> None:
    saturday = next(interval for interval in range(10, 17) if days.weekday(TODAY + interval) == 5)
    load = Load({TODAY + saturday - 1: 500}, easy_days=(5,), easy_share=0.0)
    assert drawn(load, saturday - 1, saturday)[saturday] == 0
    assert drawn(load, saturday, saturday)[saturday] == 2000


def test_a_day_with_a_sibling_is_avoided() -> None:
    counts = drawn(Load(sibling_days={TODAY + 10}), 10, 12)
    assert counts[10] <= 2


@given(st.dictionaries(st.integers(TODAY, TODAY + 120), st.integers(0, 80)), st.text(max_size=8))
def test_under_a_load_previews_are_reviews_and_keep_their_order(due: dict[int, int], key: str) -> None:
    scheduler, load = Scheduler(), Load(due, easy_days=(6,))
    preview = scheduler.preview(in_review(), MOMENT, key, load=load)
    assert preview == {grade: scheduler.review(in_review(), grade, MOMENT, key, load=load) for grade in preview}
    assert preview[2].due_day < preview[3].due_day < preview[4].due_day


def test_the_load_moves_the_day_and_not_the_memory() -> None:
    scheduler = Scheduler()
    before = in_review(stability=10, interval=9)
    plain = scheduler.review(before, 3, MOMENT, "t/q")
    full = Load({plain.due_day: 100})
    moved = scheduler.review(before, 3, MOMENT, "t/q", load=full)
    assert moved.due_day != plain.due_day
    assert moved.memory == plain.memory
    low, high = fuzz_range(plain.stability, 1, 36_500)
    assert low <= moved.interval_days <= high


# --- leeches ---


def test_a_leech_is_remarked_on_at_the_threshold_and_every_half_of_it_after() -> None:
    remarked = [lapses for lapses in range(1, 25) if leeches.deserves_a_word(lapses - 1, lapses)]
    assert remarked == [8, 12, 16, 20, 24]
    assert not leeches.deserves_a_word(8, 8)  # a pass of a leech


def test_a_leech() -> None:
    assert [leeches.is_leech(lapses) for lapses in (0, 7, 8, 9)] == [False, False, True, True]
    assert not leeches.is_leech(99, threshold=0)
    assert [n for n in range(1, 5) if leeches.deserves_a_word(n - 1, n, threshold=1)] == [1, 2, 3, 4]


# --- siblings ---


def claim(question: str) -> str | None:
    return question[0] if question[0] != "-" else None


def test_one_of_each_family_is_asked() -> None:
    assert siblings.set_aside(["a1", "b1", "a2", "-1", "-2", "b2"], claim) == (["a1", "b1", "-1", "-2"], ["a2", "b2"])


def test_a_family_that_was_asked_today_waits() -> None:
    assert siblings.set_aside(["a2", "b1"], claim, answered={"a"}) == (["b1"], ["a2"])


def test_what_has_been_begun_is_finished() -> None:
    asked, waiting = siblings.set_aside(["a2", "a3"], claim, answered={"a"}, in_steps=lambda name: name == "a2")
    assert (asked, waiting) == (["a2"], ["a3"])


@given(st.lists(st.text(alphabet="ab-12", min_size=1, max_size=2)))
def test_nothing_is_lost_between_today_and_tomorrow(queue: list[str]) -> None:
    asked, waiting = siblings.set_aside(queue, claim)
    assert sorted(asked + waiting) == sorted(queue)
    families = [claim(question) for question in asked if claim(question)]
    assert len(families) == len(set(families))


# --- retention ---

PARENTS = {"zero": ["distributed"], "fsdp": ["distributed", "memory"], "distributed": ["training"], "loop": ["loop"]}


@pytest.mark.parametrize(
    ("topic", "expected"),
    [("zero", 0.95), ("distributed", 0.85), ("fsdp", 0.9), ("training", 0.8), ("bloom", 0.7), ("loop", 0.7)],
)
def test_the_nearest_topic_decides(topic: str, expected: float) -> None:
    table = {"zero": 0.95, "distributed": 0.85, "memory": 0.9, "training": 0.8}
    assert retention.wanted(topic, table, 0.7, lambda name: PARENTS.get(name, [])) == expected
