"""Understanding deep learning requires rethinking generalization, Zhang et al. 2016, https://arxiv.org/abs/1611.03530

A learner that fits the training set perfectly may know everything or nothing about new examples. Shuffle the labels:
the training error can still be 0, while the test error is that of guessing. So the training error cannot tell. What can
is the error p̂ on n test examples that played no part in fitting or choosing:

    p̂ ± 1.96 √(p̂ (1 − p̂) / n)          95 % interval, for n not too small

Data: scikit-learn's digits (real), 1,797 images of 64 pixels.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from kb import Report

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def nearest(train: Array, queries: Array) -> NDArray[np.int64]:
    """The index of each query's nearest training image."""
    closest: NDArray[np.int64] = ((train * train).sum(1) - 2 * queries @ train.T).argmin(1)  # ‖q‖² is the same for all
    return closest


def main(report: Report, permutations: int, models: int, seed: int) -> None:
    """Learn true and shuffled labels by heart, then look at the test error; and fool oneself with a test set."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    order = rng.permutation(len(digits.data))
    train, test = order[:1200], order[1200:]
    x, y = digits.data[train], digits.target[train]
    test_x, test_y = digits.data[test], digits.target[test]
    report.check("no-image-twice", len(np.unique(x, axis=0)), len(x))

    itself, closest = nearest(x, x), nearest(x, test_x)
    true_train, true_test = error(y[itself], y), error(y[closest], test_y)
    shuffled_train, shuffled_test = [], []
    for _ in range(permutations):
        labels = rng.permutation(y)
        shuffled_train.append(error(labels[itself], labels))
        shuffled_test.append(error(labels[closest], test_y))
    chance = 1 - float((np.bincount(y, minlength=10) / len(y)) @ (np.bincount(test_y, minlength=10) / len(test_y)))
    report.check("true-labels-by-heart", true_train, 0.0)
    report.check("shuffled-labels-by-heart", max(shuffled_train), 0.0)
    report.check("true-labels-generalise", true_test, at_most=0.05)
    spread = float(np.std(shuffled_test, ddof=1) / permutations**0.5)
    report.metric("true-test-error", true_test)
    report.metric("shuffled-test-error", float(np.mean(shuffled_test)))
    report.metric("chance", chance)
    report.check("shuffled-labels-do-not", abs(float(np.mean(shuffled_test)) - chance) / spread, at_most=6.0)
    network(report, x, y, test_x, test_y, rng)
    choosing(report, models, rng)
    report.bars(
        ["true labels", "shuffled labels"],
        {"training error": [true_train, 0.0], "test error": [true_test, float(np.mean(shuffled_test))]},
        stacked=False,
        title="One nearest neighbour on digits",
    )


def error(predicted: Labels, labels: Labels) -> float:
    """The share of wrong labels."""
    return float((predicted != labels).mean())


def network(report: Report, x: Array, y: Labels, test_x: Array, test_y: Labels, rng: np.random.Generator) -> None:
    """A small neural network learns 300 shuffled labels by heart too."""
    few, labels = x[:300] / 16, rng.permutation(y[:300])
    model = MLPClassifier((128,), max_iter=150, learning_rate_init=0.01, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(few, labels)
    report.metric("network-shuffled-test-error", error(model.predict(test_x / 16), test_y))
    report.check("a-network-learns-noise-by-heart", error(model.predict(few), labels), at_most=0.02)


def choosing(report: Report, models: int, rng: np.random.Generator, size: int = 100, worlds: int = 400) -> None:
    """Models that guess two classes at random: the best of them on a test set of ``size`` looks better than ½.

    How much better can it look? Hoeffding's inequality for one model, and a union bound over all M of them: with
    probability 1 − δ every score lies within √((ln M + ln(2/δ)) / 2n) of the true one.
    """
    scores = (rng.random((worlds, models, size)) < 0.5).mean(2)  # (worlds, models)
    best = scores.max(1)  # (worlds,): accuracy of the best model on the set it was chosen on
    report.metric("best-of-guessers", float(best.mean()))
    report.check("choosing-on-the-test-set-flatters", float(best.mean()), at_least=0.53)
    delta = 0.05
    farthest = np.abs(scores - 0.5).max(1)  # (worlds,)
    reach = float(((np.log(models) + np.log(2 / delta)) / (2 * size)) ** 0.5)
    alone = float((np.log(2 / delta) / (2 * size)) ** 0.5)  # for one model, fixed beforehand
    outside = float((farthest > reach).mean())  # the share of worlds in which some model lies outside
    report.metric("reach-of-all-models", reach)
    report.metric("worlds-outside-it", outside)
    report.metric("reach-of-one-model", alone)
    report.metric("worlds-outside-that", float((farthest > alone).mean()))
    report.check("all-models-within-the-bound", outside, at_most=delta)
    report.note(
        f"{models} models that toss a coin, 100 test examples: the best one scores {best.mean():.0%} on average."
    )
