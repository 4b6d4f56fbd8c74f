"""The memory of kb against two independent implementations, py-fsrs and fsrs-rs, over random histories."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from kb.memory import fsrs

pyfsrs = pytest.importorskip("fsrs", reason="py-fsrs is not installed")
rust = pytest.importorskip("fsrs_rs_python", reason="fsrs-rs-python is not installed")

History = list[tuple[int, int]]  # (grade, study days since the answer before)
RELATIVE = 1e-3


def random_history(draw: random.Random) -> History:
    """Up to 12 answers; three gaps in ten are of the same day, few are of years."""
    answers = []
    for _ in range(draw.randint(1, 12)):
        grade = draw.choices(fsrs.GRADES, (2, 1, 5, 2))[0]
        gap = draw.choice((0, 0, 0, 1, 2, 3, draw.randint(4, 30), draw.randint(4, 90), draw.randint(30, 700), 1))
        answers.append((grade, gap))
    return [(answers[0][0], 0), *answers[1:]]


def random_weights(draw: random.Random) -> fsrs.Weights:
    """Weights around the defaults, within their bounds (w19 within the tighter bound of fsrs-rs)."""
    drawn = [
        min(max(value * draw.uniform(0.7, 1.4), low), high)
        for value, (low, high) in zip(fsrs.DEFAULT_WEIGHTS, fsrs.BOUNDS, strict=True)
    ]
    return fsrs.check_weights(drawn)


def by_kb(history: History, w: fsrs.Weights) -> list[fsrs.Memory]:
    memory = fsrs.first(history[0][0], w)
    memories = [memory]
    for grade, gap in history[1:]:
        memory = fsrs.after(memory, grade, gap, w)
        memories.append(memory)
    return memories


def by_py_fsrs(history: History, w: fsrs.Weights) -> list[fsrs.Memory]:
    scheduler = pyfsrs.Scheduler(parameters=w, learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card = pyfsrs.Card(card_id=1)
    moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    memories = []
    for grade, gap in history:
        moment += timedelta(days=gap, minutes=1)  # its days are 24 hours: a minute more is still the same count
        card, _ = scheduler.review_card(card, pyfsrs.Rating(grade), moment)
        memories.append(fsrs.Memory(card.stability, card.difficulty))
    return memories


def by_fsrs_rs(histories: list[History], w: fsrs.Weights) -> list[list[fsrs.Memory]]:
    items = [rust.FSRSItem([rust.FSRSReview(grade, gap) for grade, gap in history]) for history in histories]
    states = rust.FSRS(list(w)).historical_memory_state_batch(items)
    return [[fsrs.Memory(state.stability, state.difficulty) for state in item] for item in states]


def agree(ours: list[fsrs.Memory], theirs: list[fsrs.Memory]) -> bool:
    return len(ours) == len(theirs) and all(
        mine == pytest.approx(other, rel=RELATIVE)
        for mine, other in zip(ours, theirs, strict=True)
        if max(mine.stability, other.stability) < fsrs.S_MAX  # py-fsrs has no upper clamp
    )


def compare(count: int, seed: int) -> None:
    """``count`` histories in batches of 100, each batch with weights of its own, the first with the defaults."""
    draw = random.Random(seed)
    w = fsrs.DEFAULT_WEIGHTS
    same_day = 0
    for _ in range(count // 100):
        histories = [random_history(draw) for _ in range(100)]
        same_day += sum(gap == 0 for history in histories for _, gap in history[1:])
        for history, theirs in zip(histories, by_fsrs_rs(histories, w), strict=True):
            ours = by_kb(history, w)
            assert agree(ours, theirs), (history, w)
            assert agree(ours, by_py_fsrs(history, w)), (history, w)
        w = random_weights(draw)
    assert same_day > count / 2  # the histories do hold answers of the same day


def test_500_random_histories_agree() -> None:
    compare(500, seed=1)


@pytest.mark.slow
def test_10_000_random_histories_agree() -> None:
    compare(10_000, seed=2)


def test_the_comparison_can_fail() -> None:
    """The difference of the two readings of a same-day Hard (c ≥ 1 from Good or from Hard on) is seen."""
    history = [(3, 0), (2, 0)]
    ours = by_kb(history, fsrs.DEFAULT_WEIGHTS)
    shrunk = [ours[0], ours[1]._replace(stability=ours[1].stability * 0.998)]
    assert not agree(shrunk, by_py_fsrs(history, fsrs.DEFAULT_WEIGHTS))


def test_weights_of_older_versions_convert_as_in_fsrs_rs() -> None:
    draw = random.Random(3)
    for count in (17, 19):
        for _ in range(50):
            old = random_weights(draw)[:count]
            assert fsrs.upgrade_weights(old) == pytest.approx(rust.check_and_fill_parameters(list(old)), rel=1e-5)


def test_states_of_sm2_convert_as_in_fsrs_rs() -> None:
    draw = random.Random(4)
    for _ in range(200):
        ease, interval, retention = draw.uniform(1.3, 3.5), draw.uniform(0.1, 2000), draw.uniform(0.75, 0.97)
        w = random_weights(draw)
        theirs = rust.FSRS(list(w)).memory_state_from_sm2(ease, interval, retention)
        ours = fsrs.from_sm2(ease, interval, retention, w)
        assert ours == pytest.approx((theirs.stability, theirs.difficulty), rel=RELATIVE)


def test_intervals_agree_with_fsrs_rs() -> None:
    draw = random.Random(5)
    for _ in range(200):
        w, stability, retention = random_weights(draw), draw.uniform(0.1, 3000), draw.uniform(0.7, 0.97)
        theirs = rust.FSRS(list(w)).next_interval(stability, retention, 3)
        assert fsrs.interval_days(retention, stability, w) == pytest.approx(theirs, rel=RELATIVE)
