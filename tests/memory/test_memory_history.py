"""Answers as items, past-only splits, and the metrics, against fsrs-rs and by hand."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.memory import fsrs, history, metrics, sm2
from kb.memory.fsrs import DEFAULT_WEIGHTS
from kb.memory.history import Answer, Item, Review

answers = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(fsrs.GRADES), st.integers(0, 20)), max_size=60
).map(lambda drawn: [Answer(*row) for row in sorted(drawn, key=lambda row: row[2])])


def item(*reviews: tuple[int, int]) -> Item:
    return Item("q", tuple(Review(*review) for review in reviews))


def random_items(count: int, seed: int) -> list[Item]:
    draw = random.Random(seed)
    log = [Answer(f"q{draw.randint(0, 40)}", draw.choices(fsrs.GRADES, (2, 1, 6, 1))[0], n // 12) for n in range(count)]
    return history.items(log)


# --- items ---


def test_an_item_is_an_answer_after_a_night_with_all_that_came_before() -> None:
    log = [Answer("a", 3, 5), Answer("b", 1, 5), Answer("a", 3, 5), Answer("a", 1, 8), Answer("b", 3, 6)]
    assert history.items(log) == [
        Item("a", (Review(3, 0), Review(3, 0), Review(1, 3))),
        Item("b", (Review(1, 0), Review(3, 1))),
    ]


def test_a_clock_set_back_makes_no_item() -> None:
    assert history.items([Answer("a", 3, 5), Answer("a", 3, 4)]) == []


@given(answers)
def test_every_item_ends_after_a_night_and_no_first_answer_is_one(log: list[Answer]) -> None:
    for each in history.items(log):
        assert each.reviews[-1].elapsed_days >= 1
        assert len(each.reviews) >= 2
        assert each.reviews[0].elapsed_days == 0


@given(answers)
def test_predictions_know_nothing_of_the_outcome(log: list[Answer]) -> None:
    chosen = history.items(log)
    turned = [
        Item(question, (*reviews[:-1], Review(1 if reviews[-1].grade > 1 else 3, reviews[-1].elapsed_days)))
        for question, reviews in chosen
    ]
    one_by_one = [history.predictions([each], DEFAULT_WEIGHTS)[0] for each in turned]
    assert history.predictions(chosen, DEFAULT_WEIGHTS) == one_by_one


def test_predictions_follow_the_model() -> None:
    memory = fsrs.after(fsrs.first(3), 1, 2)
    assert history.predictions([item((3, 0), (1, 2), (3, 4))], DEFAULT_WEIGHTS) == [
        fsrs.retrievability(4, memory.stability)
    ]


@given(st.integers(0, 200), st.integers(1, 8))
def test_splits_train_on_the_past_only_and_test_each_item_once(count: int, parts: int) -> None:
    chosen = [Item(str(n), ()) for n in range(count)]
    splits = history.time_splits(chosen, parts)
    for train, test in splits:
        assert train + test == chosen[: len(train) + len(test)]
        assert len(test) == count // (parts + 1)
    assert [each for split in splits for each in split.test] == (chosen[len(splits[0].train) :] if splits else [])


# --- metrics ---

outcomes = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99)), min_size=1, max_size=50)


def test_log_loss_of_a_coin_is_ln_2() -> None:
    assert metrics.log_loss([True, False], [0.5, 0.5]) == pytest.approx(math.log(2))


@given(outcomes)
def test_log_loss_is_least_for_the_share_among_constants(pairs: list[tuple[bool, float]]) -> None:
    seen = [recalled for recalled, _ in pairs]
    share = sum(seen) / len(seen)
    best = metrics.log_loss(seen, [share] * len(seen))
    assert all(metrics.log_loss(seen, [p] * len(seen)) >= best - 1e-12 for _, p in pairs)


@given(outcomes)
def test_auc_is_the_share_of_pairs_in_the_right_order(pairs: list[tuple[bool, float]]) -> None:
    passes = [p for recalled, p in pairs if recalled]
    failures = [p for recalled, p in pairs if not recalled]
    measured = metrics.auc([recalled for recalled, _ in pairs], [p for _, p in pairs])
    if not passes or not failures:
        assert math.isnan(measured)
    else:
        right = sum((a > b) + (a == b) / 2 for a in passes for b in failures)
        assert measured == pytest.approx(right / len(passes) / len(failures))


@given(outcomes, st.integers(1, 12))
def test_calibration_counts_every_answer_once_in_order(pairs: list[tuple[bool, float]], bins: int) -> None:
    parts = metrics.calibration([recalled for recalled, _ in pairs], [p for _, p in pairs], bins)
    assert sum(part.answers for part in parts) == len(pairs)
    assert sum(part.actual * part.answers for part in parts) == pytest.approx(sum(recalled for recalled, _ in pairs))
    assert [part.predicted for part in parts] == sorted(part.predicted for part in parts)


def test_rmse_of_bins_sees_the_bias_of_a_bin_not_the_noise_in_it() -> None:
    same_bin = [item((3, 0), (3, 3)), item((3, 0), (1, 3))]
    assert metrics.rmse_bins(same_bin, [0.5, 0.5]) == 0
    assert metrics.rmse_bins(same_bin, [0.9, 0.9]) == pytest.approx(0.4)
    two_bins = [item((3, 0), (3, 3)), item((3, 0), (1, 4))]  # 3.62 lies between
    assert metrics.rmse_bins(two_bins, [0.5, 0.5]) == pytest.approx(0.5)


def test_nothing_has_no_score() -> None:
    assert all(math.isnan(value) for value in metrics.score([], [])[:3])


def test_log_loss_and_bins_agree_with_fsrs_rs() -> None:
    """fsrs-rs weighs the i-th of n items 1/4 + 3/4·(i/n)³: in the log loss, and in the weight of each bin."""
    rust = pytest.importorskip("fsrs_rs_python", reason="fsrs-rs-python is not installed")
    chosen = random_items(3000, seed=1)
    n = len(chosen)
    weights = [0.25 + 0.75 * (i / n) ** 3 for i in range(n)]
    predicted = history.predictions(chosen, DEFAULT_WEIGHTS)
    theirs = rust.FSRS(list(DEFAULT_WEIGHTS)).evaluate(
        [rust.FSRSItem([rust.FSRSReview(*review) for review in each.reviews]) for each in chosen]
    )
    losses = [-math.log(p if each.recalled else 1 - p) for each, p in zip(chosen, predicted, strict=True)]
    weighted = sum(w * loss for w, loss in zip(weights, losses, strict=True)) / sum(weights)
    assert weighted == pytest.approx(theirs.log_loss, rel=1e-3)

    bins: dict[tuple[int, int, int], list[float]] = {}
    for each, p, w in zip(chosen, predicted, weights, strict=True):
        entry = bins.setdefault(metrics.bin_of(each), [0, 0, 0])
        entry[0] += w
        entry[1] += 1
        entry[2] += p - each.recalled
    squares = sum(weight * (total / count) ** 2 for weight, count, total in bins.values())
    assert math.sqrt(squares / sum(weights)) == pytest.approx(theirs.rmse_bins, rel=1e-3)


# --- SM-2 ---


def test_the_intervals_of_sm2() -> None:
    """1, 6, then times the ease: the published rule. Good leaves the ease alone, Again starts over."""
    state = sm2.Repetition()
    intervals = []
    for grade in (3, 3, 3, 3, 1, 3, 3):
        state = sm2.step(state, grade)
        intervals.append(round(state.interval, 2))
    assert intervals == [1, 6, 15, 37.5, 1, 1, 6]


@pytest.mark.parametrize(("grade", "change"), [(1, -0.54), (2, -0.14), (3, 0.0), (4, 0.1)])
def test_the_ease_of_sm2(grade: int, change: float) -> None:
    assert sm2.step(sm2.Repetition(), grade).ease == pytest.approx(2.5 + change)
    assert sm2.step(sm2.Repetition(ease=1.3), grade).ease >= 1.3


def test_answers_of_the_same_day_move_sm2_only_if_they_are_counted() -> None:
    chosen = [item((3, 0), (3, 0), (3, 6))]
    assert sm2.predictions(chosen) == [pytest.approx(0.9)]
    assert sm2.predictions(chosen, count_same_day=False) == [pytest.approx(0.9**6)]
