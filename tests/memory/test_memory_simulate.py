"""The simulator: the same seed gives the same year, the books balance, and known effects are seen."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.memory import days, fsrs
from kb.memory.days import Moment
from kb.memory.fsrs import DEFAULT_WEIGHTS
from kb.memory.history import Answer
from kb.memory.learners import Learner, draw_learner
from kb.memory.scheduler import Scheduler, State
from kb.memory.simulate import FIRST_DAY, Course, Outcome, Policy, _Run, compare, distances, simulate, summary
from kb.memory.sm2 import Sm2

AVERAGE = Learner(DEFAULT_WEIGHTS, 1)
SHORT = Course(questions=120, days=90)


@cache
def run(policy: Policy, course: Course = SHORT, learner: Learner = AVERAGE) -> Outcome:
    return simulate(learner, policy, course)


def test_the_same_seed_gives_the_same_year() -> None:
    assert simulate(draw_learner(4), Policy("x"), SHORT) == simulate(draw_learner(4), Policy("x"), SHORT)
    assert simulate(draw_learner(4), Policy("x"), SHORT) != simulate(draw_learner(5), Policy("x"), SHORT)


def test_drawn_learners_are_sound_and_differ() -> None:
    drawn = [draw_learner(seed).weights for seed in range(200)]
    assert all(fsrs.check_weights(w) == w for w in drawn)
    assert len(set(drawn)) == 200
    middle = sorted(w[8] for w in drawn)[100]
    assert middle == pytest.approx(DEFAULT_WEIGHTS[8], rel=0.1)
    assert draw_learner(7, spread=0.0).weights == DEFAULT_WEIGHTS


@settings(max_examples=15)
@given(st.integers(0, 1000), st.integers(1, 30), st.integers(1, 40), st.sampled_from([None, 2.0, 10.0]))
def test_the_books_balance(seed: int, questions: int, length: int, minutes: float | None) -> None:
    """What the listener hears is what is counted, in the order of time, and every state follows from it."""
    course = Course(questions, length, new_per_day=5, minutes_per_day=minutes)
    policy = Policy("x")
    heard: list[tuple[Answer, Moment]] = []
    found = simulate(draw_learner(seed), policy, course, lambda answer, moment: heard.append((answer, moment)))
    assert found.answers == len(heard) == sum(found.daily)
    assert len(found.daily) == length
    assert found.introduced == len({answer.question for answer, _ in heard}) <= min(questions, 5 * length)
    assert [moment for _, moment in heard] == sorted(moment for _, moment in heard)
    assert all(answer.day == days.study_day(moment) for answer, moment in heard)
    assert 0 <= found.recall <= found.introduced

    states: dict[str, State] = {}
    reviews = 0
    for answer, moment in heard:
        before = states.get(answer.question)
        if before is not None and before.phase == "review":
            assert before.due_day <= answer.day  # nothing is asked before its day
            reviews += 1
        states[answer.question] = policy.scheduler.review(before, answer.grade, moment, answer.question)
    assert reviews == found.reviews


def test_a_day_ends_when_its_minutes_are_over() -> None:
    found = run(Policy("x"), replace(SHORT, minutes_per_day=3.0))
    assert found.minutes <= 90 * (3 + 5)  # the last question of a day is finished
    assert found.introduced < run(Policy("x")).introduced or found.reviews < run(Policy("x")).reviews


def test_a_learner_as_the_schedule_thinks_is_recalled_as_it_foresees() -> None:
    found = run(Policy("x"), Course(400, 200))
    assert found.foreseen == pytest.approx(found.retention, abs=0.02)


def test_a_higher_retention_costs_more_and_brings_more() -> None:
    low, high = (run(Policy(f"{r}", Scheduler(desired_retention=r))) for r in (0.8, 0.95))
    assert high.reviews > 1.5 * low.reviews
    assert high.retention > low.retention
    assert high.mean_recall > low.mean_recall


def test_policies_side_by_side() -> None:
    found = compare([AVERAGE, draw_learner(1)], [Policy("kb"), Policy("sm-2", Sm2())], SHORT)
    assert {name: [outcome.policy for outcome in each] for name, each in found.items()} == {
        "kb": ["kb"] * 2,
        "sm-2": ["sm-2"] * 2,
    }
    assert found["kb"][0] == run(Policy("kb"))


def test_a_summary_is_the_mean_over_the_learners() -> None:
    outcomes = [run(Policy("kb")), run(Policy("kb"), learner=draw_learner(1))]
    found = summary(outcomes)
    assert (found.policy, found.learners) == ("kb", 2)
    assert found.reviews == (outcomes[0].reviews + outcomes[1].reviews) / 2
    assert found.busiest == (outcomes[0].busiest + outcomes[1].busiest) / 2


@pytest.mark.slow
def test_balancing_evens_out_the_days() -> None:
    """Over the last 60 days of five learners: the deviation of the answers a day gets smaller."""
    course = Course(400, 150)
    learners = [Learner(DEFAULT_WEIGHTS, seed) for seed in range(5)]
    plain, balanced = compare(learners, [Policy("plain"), Policy("balanced", balance=True)], course).values()
    assert sum(map(deviation, balanced)) < 0.9 * sum(map(deviation, plain))


def deviation(outcome: Outcome) -> float:
    counts = outcome.daily[-60:]
    middle = sum(counts) / len(counts)
    return math.sqrt(sum((count - middle) ** 2 for count in counts) / len(counts))


def test_easy_days_are_easier() -> None:
    outcome = run(Policy("easy", balance=True, easy_days=(5, 6)), Course(400, 150))
    by_weekday: dict[bool, list[int]] = {True: [], False: []}
    for day, count in enumerate(outcome.daily, FIRST_DAY):
        if day >= FIRST_DAY + 60:
            by_weekday[days.weekday(day) >= 5].append(count)
    weekend, workday = (sum(counts) / len(counts) for counts in by_weekday.values())
    assert weekend < 0.85 * workday


def test_credit_saves_reviews_and_costs_recall_where_nothing_carries_over() -> None:
    requires = tuple((q - 12, q - 11) if q >= 12 else () for q in range(150))
    course = Course(150, 150, requires=requires)
    plain, credited = run(Policy("plain"), course), run(Policy("credit", credit=0.25), course)
    assert credited.reviews < 0.8 * plain.reviews
    assert credited.recall < plain.recall - 5
    helped = replace(course, transfer=0.5)
    assert run(Policy("plain"), helped).recall > plain.recall
    assert run(Policy("credit", credit=0.25), helped).recall > credited.recall + 10


@pytest.mark.parametrize("seed", range(6))
def test_a_whole_transfer_is_a_good_answer_in_the_learner_s_head(seed: int) -> None:
    """The heard answers, and a Good for question 0 whenever question 1 is passed on a later day, explain the recall."""
    course = Course(2, 25, requires=((), (0,)), transfer=1.0)
    heard: list[Answer] = []
    found = simulate(Learner(DEFAULT_WEIGHTS, seed), Policy("x"), course, lambda answer, _: heard.append(answer))
    memories: dict[str, fsrs.Memory] = {}
    since: dict[str, int] = {}
    passed_on: dict[int, bool] = {}
    for index, (question, grade, day) in enumerate(heard):
        before = memories.get(question)
        memories[question] = fsrs.after(before, grade, day - since[question]) if before else fsrs.first(grade)
        since[question] = day
        if question == "q/1":
            passed_on.setdefault(day, grade != 1)
            done = index + 1 == len(heard) or heard[index + 1][::2] != (question, day)
            if done and passed_on[day] and since["q/0"] < day:
                better = fsrs.after(memories["q/0"], 3, day - since["q/0"]).stability
                memories["q/0"] = memories["q/0"]._replace(stability=better)
                since["q/0"] = day
    end = FIRST_DAY + course.days
    recall = sum(fsrs.retrievability(end - since[key], memory.stability) for key, memory in memories.items())
    assert found.recall == pytest.approx(recall)


def test_what_credit_has_moved_is_counted_on_its_new_day() -> None:
    """The load that balancing sees on the days ahead is what lies on them."""
    requires = tuple((q - 12, q - 11) if q >= 12 else () for q in range(60))
    going = _Run(AVERAGE, Policy("x", balance=True, credit=0.25), Course(60, 40, requires=requires), None)
    for day in range(FIRST_DAY, FIRST_DAY + 40):
        going.study(day)
        ahead = Counter(placed for placed in going.place.values() if placed > day)
        assert {placed: count for placed, count in going.counts.items() if placed > day and count} == ahead


def test_what_a_question_rests_on_and_how_far() -> None:
    assert distances([(), (0,), (0, 1), (2,), (3,)]) == {
        0: [],
        1: [(0, 1)],
        2: [(0, 1), (1, 1)],
        3: [(0, 2), (1, 2), (2, 1)],
        4: [(0, 3), (1, 3), (2, 2), (3, 1)],
    }


def test_without_steps_and_without_questions() -> None:
    found = run(Policy("x", Scheduler(learning_steps=(), relearning_steps=())))
    assert found.answers == found.introduced + found.reviews
    nothing = run(Policy("x"), Course(questions=0, days=3))
    assert nothing.daily == (0, 0, 0) and math.isnan(nothing.retention) and nothing.minutes_per_recalled == math.inf
