"""Nearest neighbor pattern classification, Cover and Hart 1967; for the rate, Samworth 2012, https://arxiv.org/abs/1101.5783

A point gets the majority label of its k nearest training points. Small k follows the noise (variance), large k blurs
(bias). The best k grows with n like n^(4/(d+4)) under smoothness, in two dimensions n^(2/3): far faster than log n.

The first problem is synthetic, since excess risk can only be computed where the truth is known (problem.py). Digits and
wine (scikit-learn's) are real, scored by leaving one out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from sklearn.datasets import load_digits, load_wine

from kb import Report

from .problem import Array, bayes_risk, eta, excess, sample

SIZES = (100, 400, 1600)
KS = (1, 3, 5, 7, 11, 15, 21, 31, 41, 55, 81, 101, 137, 161, 201, 301, 401, 601, 799)


def odd(value: float) -> int:
    """The nearest odd whole number: no ties between two classes."""
    return max(1, 2 * round((value - 1) / 2) + 1)


def votes(x: Array, y: NDArray[np.int64], queries: Array, most: int) -> NDArray[np.int64]:
    """For each query the number of 1s among its 1, 2, …, ``most`` nearest, (queries, most)."""
    _, nearest = cKDTree(x).query(queries, most)
    return np.cumsum(y[nearest.reshape(len(queries), most)], axis=1)


def excess_of(ks: list[int], n: int, queries: int, rng: np.random.Generator) -> list[float]:
    """The excess risk of k nearest neighbours trained on ``n`` points, for each k."""
    x, y = sample(n, rng)
    points = rng.random((queries, 2))
    probabilities, count = eta(points), votes(x, y, points, max(ks))
    return [excess(2 * count[:, k - 1] > k, probabilities) for k in ks]


def leave_one_out(x: Array, y: NDArray[np.int64], ks: list[int]) -> list[float]:
    """Accuracy for each k when every point is classified by the others; ties go to the smaller label."""
    away = distances(x)
    np.fill_diagonal(away, np.inf)  # a point is not its own neighbour
    labels = y[np.argsort(away, axis=1, kind="stable")[:, : max(ks)]]  # (n, k)
    found = []
    for k in ks:
        count = np.stack([(labels[:, :k] == label).sum(1) for label in range(y.max() + 1)], 1)  # (n, classes)
        found.append(float((count.argmax(1) == y).mean()))
    return found


def distances(x: Array) -> Array:
    """Squared Euclidean distances between all rows, (n, n): ‖a‖² − 2 a·b + ‖b‖²."""
    squares = (x * x).sum(1)
    found: Array = squares[:, None] - 2 * x @ x.T + squares
    return found


def main(report: Report, repeats: int, queries: int, seed: int) -> None:
    """Excess risk over k, then accuracy on real data."""
    rng = np.random.default_rng(seed)
    curves: dict[str, list[float]] = {}
    rows = []
    for n in report.progress(SIZES, label="sizes"):
        rules = {"ln n": odd(np.log(n)), "√n": odd(n**0.5), "n^(2/3)": odd(n ** (2 / 3))}
        ks = sorted({*(k for k in KS if k <= 0.5 * n), *rules.values()})
        runs = np.array([excess_of(ks, n, queries, rng) for _ in range(repeats)])  # (repeats, ks)
        mean = runs.mean(0)
        best = ks[int(mean.argmin())]
        curves[f"n = {n}"] = [float(mean[ks.index(k)]) if k in ks else float("nan") for k in KS]
        rows.append((n, best, *rules.values(), *(float(mean[ks.index(k)]) for k in (best, *rules.values()))))
        report.metric(f"best-k-{n}", best)
        if n == SIZES[-1]:
            gap = runs[:, ks.index(rules["ln n"])] - runs[:, ks.index(rules["n^(2/3)"])]
            error = float(gap.std(ddof=1) / repeats**0.5)
            report.metric("cost-of-ln-n", float(gap.mean()))
            report.check("ln-n-is-too-small", float(gap.mean()) / error, at_least=4.0)
            report.check("one-neighbour-overfits", float(mean[0] / mean.min()), at_least=3.0)
            report.check("too-many-underfit", float(mean[ks.index(799)] / mean.min()), at_least=3.0)
            report.check("best-k-is-far-above-ln-n", best / rules["ln n"], at_least=4.0)
    columns = ("n", "best k", "ln n", "√n", "n^(2/3)", "excess: best", "ln n", "√n", "n^(2/3)")
    report.table("Excess risk over the Bayes risk", columns, rows)
    report.metric("bayes-risk", bayes_risk())
    real(report)
    report.curve(KS, curves, log="xy", title="Excess risk over k", xlabel="neighbours k", ylabel="R(k) − R*")


def real(report: Report) -> None:
    """Digits: hardly any noise, so few neighbours do. Wine: nothing works before the features are scaled."""
    digits = load_digits()
    ks = [1, 3, 5, 7, 15, 42, 150]
    accuracy = leave_one_out(digits.data, digits.target, ks)
    report.table(
        "Digits, 10 classes, leave one out",
        ("k", "accuracy, %"),
        [(k, 100 * a) for k, a in zip(ks, accuracy, strict=True)],
    )
    report.metric("digits-accuracy-1", accuracy[0])
    report.check("digits-few-neighbours-do", accuracy[0] - accuracy[ks.index(42)], at_least=0.01)
    pair = (digits.target == 3) | (digits.target == 8)
    two = leave_one_out(digits.data[pair], (digits.target[pair] == 8).astype(np.int64), [1])
    report.metric("digits-3-or-8", two[0])
    report.check("two-classes-of-digits", two[0], at_least=0.97)
    nearest = distances(digits.data).argmin(1)  # now a point is its own neighbour
    report.check("one-neighbour-fits-the-training-set", float((digits.target[nearest] != digits.target).mean()), 0.0)

    wine = load_wine()
    scaled = (wine.data - wine.data.mean(0)) / wine.data.std(0)
    raw, standard = (leave_one_out(data, wine.target, [5])[0] for data in (wine.data, scaled))
    report.metric("wine-raw", raw)
    report.metric("wine-scaled", standard)
    report.check("distance-decides", standard - raw, at_least=0.2)

    # with all neighbours the vote is the same everywhere: the majority class
    most = leave_one_out(scaled, wine.target, [len(scaled) - 1])[0]
    report.check(
        "all-neighbours-vote-for-the-majority", most, float(np.bincount(wine.target).max() / len(scaled)), atol=1e-12
    )
