"""A Probabilistic Theory of Pattern Recognition, Devroye, Györfi and Lugosi 1996, doi:10.1007/978-1-4612-0711-5

With η(x) = P(Y = 1 | x), no classifier has a smaller probability of error than f*(x) = 1{η(x) > ½}:

    R* = E[ min(η(X), 1 − η(X)) ]

With costs c_FP and c_FN the best rule answers 1 where η > c_FP / (c_FP + c_FN). R* belongs to the distribution, the
loss and the features: it is no property of a data set. The problem is synthetic because η must be known (topic knn).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from kb import Report
from kb.plugins.knn.problem import Array, eta, excess, grid, sample


def bayes_risk(probabilities: Array) -> float:
    """E[min(η, 1 − η)] over equally likely points."""
    return float(np.minimum(probabilities, 1 - probabilities).mean())


def cost_of(threshold: float, probabilities: Array, false_positive: float) -> float:
    """Expected cost of answering 1 where η > ``threshold``; a false negative costs 1."""
    says_one = probabilities > threshold
    return float(np.where(says_one, false_positive * (1 - probabilities), probabilities).mean())


def main(report: Report, samples: int, repeats: int, cost: float, seed: int) -> None:
    """The integral against drawn labels; classifiers above it; training errors below it; costs; fewer features."""
    rng = np.random.default_rng(seed)
    points = grid()  # (160000, 2)
    probabilities = eta(points)
    least = bayes_risk(probabilities)
    report.metric("bayes-risk", least)

    # the risk of f* estimated from labels, without using min(η, 1 − η)
    x, y = sample(samples, rng)
    wrong = (eta(x) > 0.5) != (y == 1)
    error = float((least * (1 - least) / samples) ** 0.5)
    report.check("labels-agree-with-the-integral", float(abs(wrong.mean() - least) / error), at_most=6.0)
    another = float(((eta(x) > 0.8) != (y == 1)).mean())
    report.check("another-threshold-is-worse", (another - least) / error, at_least=6.0)

    classifiers = {
        "logistic regression": LogisticRegression(),
        "15 nearest neighbours": KNeighborsClassifier(15),
        "random forest": RandomForestClassifier(20, random_state=seed),
    }
    train_x, train_y = sample(1000, rng)
    rows, leads = [], []
    for name, classifier in classifiers.items():
        above = excess(classifier.fit(train_x, train_y).predict(points), probabilities)
        training = float((classifier.predict(train_x) != train_y).mean())
        rows.append((name, training, least + above, above))
        # errors of the classifier less errors of f*, on the same fresh labels: η does not enter
        lead = (classifier.predict(x[:20000]) != y[:20000]).astype(float) - wrong[:20000]
        leads.append(float(lead.mean() / (lead.std() / len(lead) ** 0.5)))
    report.table("1,000 training points", ("classifier", "training error", "risk", "above R*"), rows)
    report.metric("smallest-lead-of-the-bayes-rule", min(leads), "s.e.")
    report.check("none-beats-it", min(leads), at_least=-4.0)
    report.check("a-training-error-can", min(row[1] for row in rows), at_most=least - 0.05)

    below = small_tests(classifiers["logistic regression"], repeats, least, rng)
    report.metric("small-tests-below-bayes-risk", below)
    report.check("a-small-test-can", below, at_least=1 / repeats)

    # costs move the threshold to c_FP / (c_FP + 1)
    thresholds = np.linspace(0.005, 0.995, 199)
    costs = [cost_of(threshold, probabilities, cost) for threshold in thresholds]
    best = float(thresholds[int(np.argmin(costs))])
    report.metric("best-threshold", best)
    report.check("best-threshold-is-the-cost-ratio", best, float(np.clip(cost / (cost + 1), 0.005, 0.995)), atol=0.02)

    # fewer features, a higher Bayes risk: η given x₁ alone is the average over x₂
    size = round(len(points) ** 0.5)
    alone = probabilities.reshape(size, size).mean(1)  # (size,)
    report.metric("bayes-risk-of-one-feature", bayes_risk(alone))
    report.check("dropping-a-feature-costs", bayes_risk(alone) - least, at_least=0.05)

    report.curve(
        thresholds,
        {"expected cost": costs, f"least, at η > {best:.3g}": [min(costs)] * len(thresholds)},
        title=f"Cost over the threshold, c_FP = {cost:g}",
        xlabel="threshold on η",
        ylabel="cost",
        dashed=[f"least, at η > {best:.3g}"],
    )
    line = (np.arange(100) + 0.5) / 100
    across = eta(np.stack([line, np.full(100, 0.4)], 1))  # (100,): through the middle of the disc
    report.curve(
        line,
        {
            "η(x)": across,
            "min(η, 1 − η)": np.minimum(across, 1 - across),
            "½": [0.5] * 100,
        },
        title="What no rule avoids: min(η, 1 − η), along x₂ = 0.4",
        xlabel="x₁",
        ylabel="probability",
        dashed=["½"],
    )


def small_tests(classifier: LogisticRegression, repeats: int, least: float, rng: np.random.Generator) -> float:
    """The share of test sets of 50 points on which a classifier that is worse than R* looks better than R*."""
    x, y = sample(500, rng)
    classifier.fit(x, y)
    errors: NDArray[np.float64] = np.empty(repeats)
    for number in range(repeats):
        test_x, test_y = sample(50, rng)
        errors[number] = (classifier.predict(test_x) != test_y).mean()
    return float((errors < least).mean())
