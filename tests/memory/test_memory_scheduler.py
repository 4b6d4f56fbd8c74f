"""Laws of the scheduler: pure, ordered, previews are reviews; then steps, fuzz and the strange cases of clocks."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.memory import days, fsrs
from kb.memory.days import DAY_MS, Moment
from kb.memory.scheduler import Scheduler, State, fuzz_range

START = Moment(1_763_900_000_000, 60)
AGAIN, HARD, GOOD, EASY = fsrs.GRADES

grades = st.sampled_from(fsrs.GRADES)
gaps_ms = st.one_of(st.integers(0, 2 * 3_600_000), st.integers(0, 60 * DAY_MS), st.integers(0, 3000 * DAY_MS))
histories = st.lists(st.tuples(grades, gaps_ms), min_size=1, max_size=12)
keys = st.text(min_size=1, max_size=20)
schedulers = st.builds(
    Scheduler,
    desired_retention=st.floats(0.7, 0.97),
    learning_steps=st.sampled_from([(), (60,), (60, 600), (60, 600, 3600)]),
    relearning_steps=st.sampled_from([(), (600,), (600, 1200)]),
    maximum_interval_days=st.sampled_from([1, 2, 5, 36, 365, 36_500]),
    fuzz=st.booleans(),
)


def later(moment: Moment, days: float = 0, ms: int = 0) -> Moment:
    return Moment(moment.at_ms + round(days * DAY_MS) + ms, moment.offset_minutes)


def replay(scheduler: Scheduler, history: list[tuple[int, int]], key: str = "t/q") -> tuple[State, Moment]:
    """The state after answers of ``(grade, milliseconds since the one before)``, and the last moment."""
    state, moment = None, START
    for grade, gap in history:
        moment = later(moment, ms=gap)
        state = scheduler.review(state, grade, moment, key)
    assert state is not None
    return state, moment


def in_review(stability: float = 20.0, interval: int = 20, reps: int = 5, difficulty: float = 5.0) -> State:
    today = days.study_day(START)
    due = today + interval
    return State(
        "review", 0, stability, difficulty, days.day_start_ms(due, 60), due, START.at_ms, today, reps=reps, lapses=0
    )


@given(schedulers, histories, keys, gaps_ms)
def test_previews_are_the_reviews(scheduler: Scheduler, history: list[Any], key: str, gap: int) -> None:
    state, moment = replay(scheduler, history, key)
    moment = later(moment, ms=gap)
    preview = scheduler.preview(state, moment, key)
    assert preview == {grade: scheduler.review(state, grade, moment, key) for grade in fsrs.GRADES}


@given(schedulers, histories, keys, gaps_ms)
def test_a_better_grade_is_due_later(scheduler: Scheduler, history: list[Any], key: str, gap: int) -> None:
    state, moment = replay(scheduler, history, key)
    outcomes = scheduler.preview(state, later(moment, ms=gap), key)
    again, hard, good, easy = (outcomes[grade] for grade in fsrs.GRADES)
    assert again.due_day <= hard.due_day <= good.due_day <= easy.due_day
    for worse, better in ((again, hard), (hard, good), (good, easy)):
        if worse.phase != "review" and better.phase != "review":
            assert worse.due_ms <= better.due_ms
    for worse, better in ((hard, good), (good, easy)):
        if worse.phase == better.phase == "review" and better.interval_days < scheduler.maximum_interval_days:
            assert worse.due_day < better.due_day


@given(schedulers, histories, keys)
def test_the_same_history_gives_the_same_state(scheduler: Scheduler, history: list[Any], key: str) -> None:
    assert replay(scheduler, history, key) == replay(scheduler, history, key)


@given(schedulers, histories)
def test_the_state_is_sound(scheduler: Scheduler, history: list[Any]) -> None:
    state, moment = replay(scheduler, history)
    assert state.reps == len(history)
    assert state.lapses <= sum(grade == AGAIN for grade, _ in history)
    assert state.last_ms == moment.at_ms and state.last_day == days.study_day(moment)
    assert state.due_day == days.study_day(Moment(state.due_ms, moment.offset_minutes))
    assert state.due_ms > state.last_ms
    if state.phase == "review":
        assert 1 <= state.interval_days <= scheduler.maximum_interval_days
        assert state.step == 0
        assert state.due_ms == days.day_start_ms(state.due_day, moment.offset_minutes)


@given(histories)
def test_the_memory_is_that_of_the_model_on_study_days_whatever_the_steps(history: list[Any]) -> None:
    with_steps, _ = replay(Scheduler(), history)
    memory, day = None, 0
    moment = START
    for grade, gap in history:
        moment = later(moment, ms=gap)
        today = days.study_day(moment)
        memory = fsrs.first(grade) if memory is None else fsrs.after(memory, grade, today - day)
        day = today
    assert with_steps.memory == memory


@given(st.floats(0.01, 5000), st.floats(1, 10), st.integers(1, 400), st.integers(0, 800), keys)
def test_an_interval_that_the_model_grew_is_never_shortened(
    stability: float, difficulty: float, interval: int, waited: int, key: str
) -> None:
    state = in_review(stability, interval, difficulty=difficulty)
    fuzzed, plain = (Scheduler(fuzz=fuzz).preview(state, later(START, waited), key) for fuzz in (True, False))
    for grade in (HARD, GOOD, EASY):
        ideal = fsrs.interval_days(0.9, fuzzed[grade].stability)
        if math.floor(ideal + 0.5) > interval:
            assert fuzzed[grade].interval_days > interval
            assert plain[grade].interval_days > interval


# --- fuzz ---


@pytest.mark.parametrize(
    ("interval", "expected"),
    [(1, (1, 1)), (2.4, (2, 2)), (2.5, (2, 4)), (3, (2, 4)), (7, (5, 9)), (17, (14, 20)), (100, (93, 107))],
)
def test_the_range_of_fuzz(interval: float, expected: tuple[int, int]) -> None:
    assert fuzz_range(interval, 1, 36_500) == expected


@given(st.floats(1, 40_000), st.integers(1, 100), st.integers(101, 36_500))
def test_fuzz_stays_within_its_limits(interval: float, lowest: int, highest: int) -> None:
    low, high = fuzz_range(interval, lowest, highest)
    assert lowest <= low <= high <= highest


@given(st.floats(1, 5000), st.floats(1, 5000))
def test_a_longer_interval_has_no_earlier_range(a: float, b: float) -> None:
    shorter, longer = (fuzz_range(interval, 1, 36_500) for interval in sorted((a, b)))
    assert shorter[0] <= longer[0] and shorter[1] <= longer[1]


def test_every_day_of_the_range_is_drawn_alike() -> None:
    """Hard with an ideal of 17 days falls on each of 14..20 with the same frequency, and on no other day."""
    stability = next(s for s in (x / 100 for x in range(100, 2000)) if _hard_interval(s) >= 17)
    assert fuzz_range(_hard_interval(stability), 1, 36_500) == (14, 20)
    scheduler, state = Scheduler(), in_review(stability, 5)
    drawn = Counter(
        scheduler.review(state, HARD, later(START, 5), f"topic/question-{n}").interval_days for n in range(7000)
    )
    assert set(drawn) == set(range(14, 21))
    assert sum((count - 1000) ** 2 / 1000 for count in drawn.values()) < 22.5  # chi-squared, 6 degrees: p < 0.001


def _hard_interval(stability: float) -> float:
    return fsrs.interval_days(0.9, fsrs.after(fsrs.Memory(stability, 5.0), HARD, 5).stability)


def test_fuzz_depends_on_the_question_and_on_the_count_of_answers() -> None:
    scheduler = Scheduler()
    drawn = {
        (key, reps): scheduler.review(in_review(300, 200, reps), GOOD, later(START, 200), key).interval_days
        for key in ("a/b", "a/c", "a/d")
        for reps in range(5)
    }
    assert len(set(drawn.values())) > 8
    assert drawn == {
        (key, reps): scheduler.review(in_review(300, 200, reps), GOOD, later(START, 200), key).interval_days
        for key, reps in drawn
    }


def test_without_fuzz_the_interval_is_the_model_s() -> None:
    scheduler = Scheduler(fuzz=False, learning_steps=(), relearning_steps=())
    assert [state.interval_days for state in scheduler.preview(None, START).values()] == [1, 1, 2, 8]


@given(histories)
def test_nothing_is_due_past_the_maximum_interval(history: list[Any]) -> None:
    state, _ = replay(Scheduler(maximum_interval_days=10), history)
    assert state.interval_days <= 10


# --- steps ---


def delays(scheduler: Scheduler, state: State | None, moment: Moment = START) -> list[int | str]:
    """What each grade brings: seconds of a step, or days as ``3d``."""
    return [
        f"{after.interval_days}d" if after.phase == "review" else (after.due_ms - moment.at_ms) // 1000
        for after in scheduler.preview(state, moment).values()
    ]


def test_a_new_question_walks_through_the_steps() -> None:
    scheduler = Scheduler(fuzz=False)
    assert delays(scheduler, None) == [60, 330, 600, "8d"]
    second = scheduler.review(None, GOOD, START)
    assert (second.phase, second.step) == ("learning", 1)
    assert delays(scheduler, second) == [60, 600, "2d", "4d"]
    back = scheduler.review(second, AGAIN, START)
    assert (back.phase, back.step, back.lapses) == ("learning", 0, 0)


def test_one_step_is_half_as_long_again_after_hard_but_at_most_a_day_longer() -> None:
    assert delays(Scheduler(learning_steps=(600,), fuzz=False), None)[:3] == [600, 900, "2d"]
    week = 7 * 86_400
    assert delays(Scheduler(learning_steps=(week,), fuzz=False), None)[1] == week + 86_400


def test_a_lapse_is_relearned_and_graduates_to_the_interval_of_its_stability() -> None:
    scheduler = Scheduler(fuzz=False)
    state = in_review(20.0, 20)
    lapsed = scheduler.review(state, AGAIN, later(START, 20))
    assert (lapsed.phase, lapsed.step, lapsed.lapses) == ("relearning", 0, 1)
    again = scheduler.review(lapsed, AGAIN, later(START, 20))
    assert (again.phase, again.lapses) == ("relearning", 1)
    graduated = scheduler.review(lapsed, GOOD, later(START, 20))
    assert graduated.phase == "review"
    assert graduated.interval_days == max(1, round(fsrs.interval_days(0.9, graduated.stability)))


def test_without_steps_every_answer_is_a_review() -> None:
    scheduler = Scheduler(learning_steps=(), relearning_steps=())
    assert {state.phase for state in scheduler.preview(None, START).values()} == {"review"}
    lapsed = scheduler.review(in_review(), AGAIN, later(START, 20))
    assert (lapsed.phase, lapsed.lapses) == ("review", 1)
    assert lapsed.interval_days >= 1


def test_steps_that_were_shortened_since_do_not_strand_a_question() -> None:
    third = replay(Scheduler(learning_steps=(60, 600, 3600)), [(GOOD, 0), (GOOD, 0)])[0]
    assert third.step == 2
    assert delays(Scheduler(learning_steps=(60,), fuzz=False), third)[2] == "2d"
    assert Scheduler(learning_steps=()).review(third, AGAIN, START).phase == "review"


def test_a_step_may_cross_the_night() -> None:
    midnight = Moment(days.day_start_ms(days.study_day(START) + 1, 60) - 1000, 60)
    state = Scheduler().review(None, GOOD, midnight)
    assert state.due_day == state.last_day + 1


# --- clocks ---


def test_a_clock_set_back_counts_as_the_same_day() -> None:
    scheduler = Scheduler(fuzz=False)
    state = in_review()
    before = scheduler.review(state, GOOD, later(START, -400))
    same = scheduler.review(state, GOOD, START)
    assert before.memory == same.memory
    assert before.last_day == days.study_day(START) - 400
    assert before.due_day > before.last_day
    assert scheduler.retrievability(state, later(START, -400)) == 1.0


def test_a_pause_of_a_year() -> None:
    """What was passed all the same is worth much more, and the interval follows; what was failed starts small."""
    scheduler = Scheduler(fuzz=False)
    outcomes = scheduler.preview(in_review(10, 10), later(START, 375))
    assert outcomes[GOOD].stability == pytest.approx(fsrs.after(fsrs.Memory(10, 5), GOOD, 375).stability)
    assert outcomes[GOOD].interval_days > 100
    assert outcomes[AGAIN].stability < 5


def test_a_traveller_keeps_the_days_of_the_place_that_he_is_in() -> None:
    scheduler = Scheduler(fuzz=False)
    tokyo = Moment(1_763_980_000_000, 9 * 60)
    state = scheduler.review(scheduler.review(None, EASY, tokyo), GOOD, later(tokyo, 8))
    los_angeles = Moment(state.due_ms, -8 * 60)
    assert days.study_day(los_angeles) == state.due_day - 1  # there, the day has not begun
    passed = scheduler.review(state, GOOD, los_angeles)
    elapsed = state.interval_days - 1
    assert passed.memory == fsrs.after(state.memory, GOOD, elapsed)


@pytest.mark.parametrize("offsets", [(60, 120), (120, 60)])
def test_a_change_of_clocks_between_two_answers_is_no_extra_day(offsets: tuple[int, int]) -> None:
    scheduler = Scheduler(fuzz=False)
    evening = Moment(days.day_start_ms(20_000, offsets[0]) + 17 * 3_600_000, offsets[0])
    state = scheduler.review(None, EASY, evening)
    next_evening = Moment(days.day_start_ms(20_001, offsets[1]) + 17 * 3_600_000, offsets[1])
    assert scheduler.review(state, GOOD, next_evening).memory == fsrs.after(state.memory, GOOD, 1)


# --- what is refused ---


@pytest.mark.parametrize("grade", [0, 5, -1])
def test_a_grade_that_is_none(grade: int) -> None:
    with pytest.raises(UsageError, match="a grade is 1"):
        Scheduler().review(None, grade, START)


@pytest.mark.parametrize(
    "wrong",
    [
        {"desired_retention": 1.0},
        {"desired_retention": 0.0},
        {"desired_retention": math.nan},
        {"maximum_interval_days": 0},
        {"maximum_interval_days": 40_000},
        {"learning_steps": (60, -1)},
        {"relearning_steps": (math.nan,)},
        {"learning_steps": (0,)},
        {"rollover_hour": 24},
        {"rollover_hour": -1},
        {"weights": (1.0,) * 20},
    ],
)
def test_a_wrong_setting_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Scheduler(**wrong)


def test_a_wrong_retention_for_one_question_is_refused() -> None:
    with pytest.raises(UsageError, match="desired retention"):
        Scheduler().review(None, GOOD, START, retention=1.5)


@given(histories, st.floats(0.6, 0.85), st.floats(0.9, 0.98))
def test_a_higher_retention_asks_sooner(history: list[Any], low: float, high: float) -> None:
    scheduler = Scheduler(fuzz=False)
    state, moment = replay(scheduler, history)
    lazy, eager = (scheduler.review(state, EASY, later(moment, 5), retention=r) for r in (low, high))
    assert eager.due_day <= lazy.due_day
    assert eager.memory == lazy.memory
