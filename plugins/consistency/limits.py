"""Consistent Nonparametric Regression, Stone 1977, doi:10.1214/aos/1176343886

A learner is (Bayes-)consistent for a distribution if its risk converges to the Bayes risk as n → ∞, and universally
consistent if it is so for every distribution. k nearest neighbours are, if k → ∞ and k/n → 0. One neighbour is not:

    R(1-NN) → E[2η(X)(1 − η(X))]     which is above R* = E[min(η, 1 − η)] unless η is 0, ½ or 1 almost everywhere

Neither is a linear classifier on a problem that is not linear: it can do no better than the best line. A support vector
machine with a Gaussian kernel is, if its penalty vanishes at the right speed (Steinwart 2005). Convergence is a limit:
no finite n shows it, but the plateaus show. The problem is synthetic because excess risk needs the true η (see the
topic knn).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from kb import Report
from kb.plugins.knn.problem import Array, bayes_risk, eta, excess, grid, nearest_neighbour_limit, sample

SIZES = (50, 100, 200, 400, 800, 1600)


class Classifier(Protocol):
    """What scikit-learn's ``fit`` returns."""

    def predict(self, x: Array) -> NDArray[np.int64]: ...


Learner = Callable[[Array, NDArray[np.int64]], Classifier]


def neighbours(rule: Callable[[int], float]) -> Learner:
    """k nearest neighbours with k = rule(n), made odd."""
    return lambda x, y: KNeighborsClassifier(2 * int(rule(len(y)) / 2) + 1).fit(x, y)


LEARNERS: dict[str, Learner] = {
    "1 neighbour": neighbours(lambda n: 1),
    "√n neighbours": neighbours(lambda n: n**0.5),
    "n^(2/3) neighbours": neighbours(lambda n: n ** (2 / 3)),
    "linear (logistic)": lambda x, y: LogisticRegression().fit(x, y),
    # mean loss + λ‖w‖², λ = 1/(2nC): it must vanish, or the class stays small, but not too fast; here like n^(−0.4)
    "Gaussian SVM": lambda x, y: SVC(C=30 * len(y) ** -0.6, gamma=10.0).fit(x, y),
}


def best_line(points: Array, probabilities: Array) -> float:
    """The least excess risk of any line, by trying directions and offsets: a bound for linear classifiers."""
    least = 1.0
    for angle in np.linspace(0, np.pi, 60, endpoint=False):
        order = np.argsort(points @ np.array([np.cos(angle), np.sin(angle)]))
        gain = 2 * probabilities[order] - 1  # what answering 1 gains over answering 0
        below = np.concatenate([[0.0], np.cumsum(gain)])  # Σ gain on the near side of each cut
        best = max(below.max(), (below[-1] - below).max())  # 1 on the near side, or on the far side
        least = min(least, (np.maximum(gain, 0).sum() - best) / len(gain))
    return float(least)


def main(report: Report, repeats: int, seed: int) -> None:
    """Train each learner on more and more examples and follow its excess risk."""
    rng = np.random.default_rng(seed)
    points = grid(60)
    probabilities = eta(points)
    curves: dict[str, list[float]] = {name: [] for name in LEARNERS}
    for n in report.progress(SIZES, label="sizes"):
        sets = [sample(n, rng) for _ in range(repeats)]
        for name, learner in LEARNERS.items():
            runs = [excess(learner(x, y).predict(points), probabilities) for x, y in sets]
            curves[name].append(float(np.mean(runs)))
    limit = nearest_neighbour_limit() - bayes_risk()
    line = best_line(points, probabilities)
    report.metric("bayes-risk", bayes_risk())
    report.metric("one-neighbour-limit", limit)
    report.metric("best-line", line)
    rows = [(name, *values) for name, values in curves.items()]
    report.table("Mean excess risk R − R*", ("learner", *map(str, SIZES)), rows)

    one, root, linear = curves["1 neighbour"], curves["√n neighbours"], curves["linear (logistic)"]
    report.metric("one-neighbour-excess", one[-1])
    report.metric("root-n-neighbours-excess", root[-1])
    report.metric("linear-excess", linear[-1])
    report.check("one-neighbour-stays-above", min(one), at_least=0.05)
    report.check("one-neighbour-is-near-its-limit", one[-1], limit, atol=0.02)
    report.check("root-n-neighbours-fall", root[-1] / root[SIZES.index(100)], at_most=0.6)
    report.check("linear-stays-above-the-best-line", min(linear), at_least=0.95 * line)
    report.check("best-line-is-far-from-bayes", line, at_least=0.05)
    svm = curves["Gaussian SVM"]
    report.check("gaussian-svm-falls", svm[-1] / svm[SIZES.index(100)], at_most=0.6)
    report.check("gaussian-svm-beats-every-line", svm[-1], at_most=line / 2)
    plateaus = {"limit of 1 neighbour": [limit] * len(SIZES), "best line": [line] * len(SIZES)}
    report.curve(
        SIZES,
        curves | plateaus,
        log="xy",
        title="Excess risk over n",
        xlabel="examples n",
        ylabel="R − R*",
        dashed=tuple(plateaus),
    )
