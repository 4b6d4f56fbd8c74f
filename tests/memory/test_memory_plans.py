"""Forecasts, exam plans and credit: what follows for the days ahead."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UsageError
from kb.memory import credit, days, exam, forecast, fsrs, history, plain
from kb.memory.days import DAY_MS, Moment
from kb.memory.fsrs import DEFAULT_WEIGHTS, GOOD, Memory
from kb.memory.history import Answer
from kb.memory.learners import Learner, draw_learner
from kb.memory.scheduler import Scheduler, State
from kb.memory.simulate import FIRST_DAY, Course, Policy, distances, simulate

TODAY = 20_000
SCHEDULER = Scheduler()

states = st.builds(
    lambda stability, difficulty, last, interval, reps: in_review(stability, difficulty, last, interval, reps),
    st.floats(0.5, 300),
    st.floats(1, 10),
    st.integers(0, 60),
    st.integers(1, 120),
    st.integers(1, 20),
)
shares = st.floats(0, 1)


def in_review(
    stability: float = 10.0, difficulty: float = 5.0, ago: int = 3, interval: int = 10, reps: int = 3
) -> State:
    last = TODAY - ago
    due = last + interval
    return State(
        "review", 0, stability, difficulty, days.day_start_ms(due, 0), due, last * DAY_MS, last, reps=reps, lapses=0
    )


# --- forecast ---


@given(st.lists(states, max_size=20), st.integers(1, 200))
def test_everything_that_is_due_in_the_time_is_counted_once(chosen: list[State], length: int) -> None:
    counts = forecast.due_counts(chosen, TODAY, length)
    assert sum(counts) == sum(state.due_day < TODAY + length for state in chosen)
    assert counts[0] == sum(state.due_day <= TODAY for state in chosen)


def test_what_is_never_asked_is_only_forgotten() -> None:
    state = in_review(interval=400)
    found = forecast.forecast({"a/b": state}, SCHEDULER, TODAY, 100)
    assert sum(found.reviews) == 0
    assert found.recall == fsrs.retrievability(103, state.stability)


@given(st.dictionaries(st.text(min_size=1, max_size=4), states, max_size=8), st.integers(1, 40))
def test_a_forecast_is_the_same_again_and_at_least_what_is_due(chosen: dict[str, State], length: int) -> None:
    found = forecast.forecast(chosen, SCHEDULER, TODAY, length)
    assert plain.as_json(found) == plain.as_json(forecast.forecast(chosen, SCHEDULER, TODAY, length))
    assert sum(found.reviews) >= sum(found.due)
    assert found.reviews[0] >= found.due[0]
    assert math.isnan(found.recall) if not chosen else 0 < found.recall <= 1


def test_new_questions_come_at_their_pace() -> None:
    scheduler = Scheduler(learning_steps=(), fuzz=False)
    found = forecast.forecast({}, scheduler, TODAY, 10, new=30, new_per_day=2)
    assert 0 < found.recall < 20 / 30
    everything = forecast.forecast({}, scheduler, TODAY, 10, new=30, new_per_day=30)
    assert everything.recall > 0.7


def test_the_forecast_comes_true_on_average() -> None:
    """A learner with the model's own weights makes as many reviews as are forecast, to a few per cent."""
    learner = Learner(DEFAULT_WEIGHTS, 5)
    _, known = course_log(learner, 300, 60)
    expected = forecast.forecast(known, SCHEDULER, FIRST_DAY + 60, 60)
    whole = simulate(learner, Policy("x"), Course(300, 120))
    part = simulate(learner, Policy("x"), Course(300, 60))
    assert sum(expected.reviews) == pytest.approx(whole.reviews - part.reviews, rel=0.1)
    assert expected.recall * 300 == pytest.approx(whole.recall, rel=0.02)


def course_log(learner: Learner, questions: int, length: int) -> tuple[list[Answer], dict[str, State]]:
    """The answers of a course, and the states that its schedule ended with."""
    log: list[Answer] = []
    known: dict[str, State] = {}

    def hear(answer: Answer, moment: Moment) -> None:
        log.append(answer)
        known[answer.question] = SCHEDULER.review(known.get(answer.question), answer.grade, moment, answer.question)

    simulate(learner, Policy("x"), Course(questions, length), hear)
    return log, known


def test_other_weights_see_other_memories_in_the_same_answers() -> None:
    log, known = course_log(Learner(DEFAULT_WEIGHTS, 5), 60, 40)
    assert forecast.reweighted(known, log, DEFAULT_WEIGHTS) == known
    w = (*DEFAULT_WEIGHTS[:2], 1.0, *DEFAULT_WEIGHTS[3:])
    changed = forecast.reweighted(known, log, w)
    assert changed != known
    for key, state in changed.items():
        assert state.due_day == known[key].due_day
        items = [answer for answer in log if answer.question == key]
        gaps = [0, *(b.day - a.day for a, b in pairwise(items))]
        reviews = [history.Review(answer.grade, gap) for answer, gap in zip(items, gaps, strict=True)]
        assert state.memory == history.memory_after(reviews, w)


def test_a_change_of_weights_is_previewed() -> None:
    """Weights of someone who forgets faster bring more reviews; the same weights change nothing."""
    log, known = course_log(Learner(DEFAULT_WEIGHTS, 5), 60, 40)
    today = FIRST_DAY + 40
    same = forecast.of_change(known, log, SCHEDULER, DEFAULT_WEIGHTS, today)
    assert same.before == same.after
    faster = (*(w / 4 for w in DEFAULT_WEIGHTS[:4]), *DEFAULT_WEIGHTS[4:8], 1.2, *DEFAULT_WEIGHTS[9:])
    change = forecast.of_change(known, log, SCHEDULER, faster, today)
    assert change.before == same.before
    assert sum(change.after.reviews) > 1.2 * sum(change.before.reviews)
    assert change.after.due == change.before.due
    seen = forecast.reweighted(known, log, faster)
    assert change.after == forecast.forecast(seen, Scheduler(faster), today, 30)


# --- exam ---


@given(states, st.integers(2, 200), st.floats(0.8, 0.97), st.text(max_size=6))
def test_a_question_is_never_asked_later_for_an_exam(state: State, ahead: int, wanted: float, key: str) -> None:
    exam_day = TODAY + ahead
    asked = exam.next_ask(key, state, exam_day, wanted, SCHEDULER)
    assert asked <= state.due_day
    assert asked > state.last_day or asked == state.due_day
    if asked < state.due_day:  # then it is the last time, before the exam and, where that is possible, enough
        assert asked < exam_day
        on_the_eve = recall_after_pass(state, exam_day - 1, exam_day)
        assert recall_after_pass(state, asked, exam_day) >= min(wanted, on_the_eve) - 1e-9


def recall_after_pass(state: State, day: int, exam_day: int) -> float:
    stability = fsrs.after(state.memory, GOOD, day - state.last_day).stability
    return fsrs.retrievability(exam_day - day, stability)


@given(states, st.integers(1, 200))
def test_what_will_be_recalled_anyway_is_left_alone(state: State, ahead: int) -> None:
    exam_day = max(TODAY + ahead, state.last_day + 1)
    recall = fsrs.retrievability(exam_day - state.last_day, state.stability)
    assert exam.next_ask("a/b", state, exam_day, min(recall, 0.99), SCHEDULER) == state.due_day


def test_the_last_reviews_are_spread_over_their_days() -> None:
    """200 questions with the same state, due after the exam, do not all come on one day."""
    state = in_review(stability=40, interval=60)
    asked = [exam.next_ask(f"q/{n}", state, TODAY + 30, 0.95, SCHEDULER) for n in range(200)]
    assert len(set(asked)) > 5
    assert max(asked.count(day) for day in set(asked)) < 40


@pytest.mark.parametrize(("stability", "ahead", "wanted"), [(40.0, 30, 0.95), (15.0, 40, 0.92), (90.0, 80, 0.95)])
def test_every_day_from_which_a_pass_is_enough_is_used_and_no_other(
    stability: float, ahead: int, wanted: float
) -> None:
    state, exam_day = in_review(stability=stability, interval=200), TODAY + ahead
    enough = [day for day in range(state.last_day + 1, exam_day) if recall_after_pass(state, day, exam_day) >= wanted]
    asked = {exam.next_ask(f"q/{n}", state, exam_day, wanted, SCHEDULER) for n in range(1500)}
    assert sorted(asked) == enough
    assert len(enough) < ahead  # some days are too early


@cache
def learned() -> dict[str, State]:
    return course_log(Learner(DEFAULT_WEIGHTS, 5), 200, 60)[1]


def test_a_plan_gets_there_with_fewer_reviews_than_a_higher_retention() -> None:
    start = FIRST_DAY + 60
    found = exam.plan(exam.Preparation(learned(), SCHEDULER, start, start + 60, 0.97))
    assert found.usual.recall < 0.97
    assert found.reached and 0.97 <= found.planned.recall < 0.98
    assert found.floor is not None and found.floor < 0.97
    assert found.extra_reviews > 0
    assert found.retention is not None and found.retention > 0.9
    dear = forecast.forecast(learned(), SCHEDULER, start, 60, retention=found.retention)
    assert sum(found.planned.reviews) < sum(dear.reviews)
    assert found.recall_now < found.usual.recall
    assert set(found.asks) == set(learned())
    assert all(found.today <= day <= max(found.today, learned()[key].due_day) for key, day in found.asks.items())
    assert set(found.asked_today()) == {key for key, day in found.asks.items() if day == start}


def test_where_the_usual_schedule_is_enough_nothing_is_added() -> None:
    start = FIRST_DAY + 60
    found = exam.plan(exam.Preparation(learned(), SCHEDULER, start, start + 60, 0.85))
    assert (found.floor, found.extra_reviews, found.reached) == (None, 0, True)
    assert found.asks == {key: max(state.due_day, start) for key, state in learned().items()}


def test_what_cannot_be_reached_is_tried_and_said() -> None:
    """Twenty questions that were just failed, tomorrow the exam."""
    state = in_review(stability=0.3, difficulty=10.0, ago=1, interval=1)
    found = exam.plan(exam.Preparation({f"q/{n}": state for n in range(20)}, SCHEDULER, TODAY, TODAY + 1, 0.99))
    assert not found.reached and found.retention is None
    assert len(found.asked_today()) == 20


def test_a_plan_holds_for_a_learner_whom_it_does_not_know() -> None:
    """Recall on the day, in the simulator: the plan beats the usual schedule, for average and other learners."""
    for seed in (None, 0, 1):
        learner = Learner(DEFAULT_WEIGHTS, 9) if seed is None else draw_learner(seed)
        course = Course(150, 60)
        usual, planned = (simulate(learner, Policy("x", exam=wanted), course) for wanted in (None, 0.95))
        assert planned.recall > usual.recall
        if seed is None:
            assert planned.recall / 150 > 0.95


def test_new_questions_are_met_in_the_first_four_fifths() -> None:
    found = exam.plan(exam.Preparation({}, SCHEDULER, TODAY, TODAY + 50, 0.9, new=100, usual_new_per_day=1))
    assert found.new_per_day == 3  # 100 in 40 days
    assert found.recall_now == 0
    assert found.planned.recall > found.usual.recall
    assert exam.Preparation({}, SCHEDULER, TODAY, TODAY + 50, new=100).new_per_day == 20  # never slower than usual
    assert math.isnan(exam.Preparation({}, SCHEDULER, TODAY, TODAY + 50).recall_now())


@pytest.mark.parametrize("wanted", [0.8, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("ahead", [1, 10, 45])
@pytest.mark.slow
def test_a_plan_foresees_no_less_than_the_usual_schedule(wanted: float, ahead: int) -> None:
    """What is wanted, or if that is out of reach, no less than the schedule brings by itself."""
    found = exam.plan(exam.Preparation(learned(), SCHEDULER, FIRST_DAY + 60, FIRST_DAY + 60 + ahead, wanted, new=30))
    assert found.planned.recall >= min(found.usual.recall, wanted)
    assert found.extra_reviews >= 0
    again = exam.Preparation(learned(), SCHEDULER, FIRST_DAY + 60, FIRST_DAY + 60 + ahead, wanted, new=30)
    assert again.follow(found.floor, found.retention) == found


def test_topics_keep_their_own_schedulers() -> None:
    """Where half of the questions are kept at 0.97, the other half at 0.8, the forecast is the mean of both."""
    start, known = FIRST_DAY + 60, learned()
    halves = [{key: state for n, (key, state) in enumerate(known.items()) if n % 2 == half} for half in (0, 1)]
    by_key = {key: Scheduler(desired_retention=r) for half, r in zip(halves, (0.97, 0.8), strict=True) for key in half}
    mixed = forecast.forecast(known, SCHEDULER, start, 40, scheduler_of=by_key.__getitem__)
    alone = [forecast.forecast(half, by_key[next(iter(half))], start, 40) for half in halves]
    assert sum(mixed.reviews) == sum(sum(one.reviews) for one in alone)
    assert mixed.recall == pytest.approx(sum(one.recall for one in alone) / 2)


@pytest.mark.parametrize("ahead", [0, -3])
def test_an_exam_that_is_over_cannot_be_planned(ahead: int) -> None:
    with pytest.raises(UsageError, match="after today"):
        exam.plan(exam.Preparation({}, SCHEDULER, TODAY, TODAY + ahead))


def test_a_recall_that_nobody_has_cannot_be_planned() -> None:
    with pytest.raises(UsageError, match="retention"):
        exam.plan(exam.Preparation({}, SCHEDULER, TODAY, TODAY + 3, 1.0))


# --- credit ---


@given(states, shares)
def test_credit_never_brings_a_day_forward_nor_weakens_a_memory(state: State, share: float) -> None:
    after = credit.credited(state, TODAY, share, SCHEDULER)
    assert after.due_day >= state.due_day
    assert after.stability >= state.stability
    assert state.last_day <= after.last_day <= TODAY
    assert (after.reps, after.lapses, after.difficulty) == (state.reps, state.lapses, state.difficulty)
    elapsed = TODAY - state.last_day
    assert fsrs.retrievability(TODAY - after.last_day, after.stability) >= fsrs.retrievability(elapsed, state.stability)


@given(st.floats(1, 300), st.floats(1, 10), st.integers(1, 300))
def test_no_share_is_nothing_and_the_whole_share_is_a_good(stability: float, difficulty: float, elapsed: int) -> None:
    memory = Memory(stability, difficulty)
    nothing, left = credit.partial_answer(memory, elapsed, 0.0, DEFAULT_WEIGHTS)
    assert nothing.stability == pytest.approx(stability) and left == elapsed
    whole, left = credit.partial_answer(memory, elapsed, 1.0, DEFAULT_WEIGHTS)
    assert whole.stability == pytest.approx(fsrs.after(memory, GOOD, elapsed).stability) and left == 0


@given(st.floats(1, 200), st.floats(1, 10), st.integers(1, 60))
def test_the_whole_credit_promises_what_a_good_answer_would(stability: float, difficulty: float, ago: int) -> None:
    ideal = fsrs.interval_days(0.9, stability)
    state = in_review(stability, difficulty, ago, interval=max(1, round(ideal)))
    good = fsrs.interval_days(0.9, fsrs.after(state.memory, GOOD, ago).stability)
    after = credit.credited(state, TODAY, 1.0, SCHEDULER)
    assert after.last_day == TODAY
    assert abs(after.due_day - (TODAY + good)) <= 1.5  # two roundings
    assert after.due_ms - state.due_ms == (after.due_day - state.due_day) * DAY_MS


@given(states)
def test_next_to_no_credit_changes_next_to_nothing(state: State) -> None:
    assert credit.credited(state, TODAY, 1e-12, SCHEDULER).due_day == state.due_day


def test_credit_fades_with_distance() -> None:
    assert [credit.share_at(distance, 0.4) for distance in (1, 2, 3)] == [0.4, 0.2, 0.1]


def test_no_credit_in_the_steps_and_on_the_same_day() -> None:
    learning = in_review()._replace(phase="learning")
    assert credit.credited(learning, TODAY, 0.5, SCHEDULER) == learning
    fresh = in_review(ago=0)
    assert credit.credited(fresh, TODAY, 0.5, SCHEDULER) == fresh


@pytest.mark.parametrize("transfer", [0.0, 0.5])
def test_carry_over_is_found_in_a_log(transfer: float) -> None:
    requires = [(q - 12, q - 11) if q >= 12 else () for q in range(150)]
    below = distances(requires)
    log: list[Answer] = []
    course = Course(150, 150, requires=requires, transfer=transfer)
    simulate(Learner(DEFAULT_WEIGHTS, 2), Policy("x"), course, lambda answer, _: log.append(answer))
    losses = credit.carry_over(
        log, lambda question: [(f"q/{q}", k) for q, k in below[int(question[2:])]], DEFAULT_WEIGHTS
    )
    best = min(losses, key=losses.__getitem__)
    assert best == 0.0 if transfer == 0.0 else best >= 0.25


def test_without_prerequisites_there_is_no_carry_over() -> None:
    assert credit.carry_over([Answer("a", 3, 1), Answer("a", 3, 5)], lambda _: [], DEFAULT_WEIGHTS) == {}
