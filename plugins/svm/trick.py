"""A Training Algorithm for Optimal Margin Classifiers, Boser, Guyon, Vapnik 1992, https://doi.org/10.1145/130385.130401

A kernel k(x, z) = φ(x)·φ(z) gives the inner products without the feature vectors:

    (1 + x·z)²        30 multiplications for 30 features; φ has (d+1)(d+2)/2 = 496 entries
    exp(−γ‖x − z‖²)   φ has infinitely many: the Gram matrix of any n distinct points has rank n

It is one only if every Gram matrix is positive semidefinite. tanh(x·z − 1) is none.
Breast cancer and wine are real (scikit-learn's); the circles are synthetic, made so that no line separates them.
"""

from __future__ import annotations

from math import comb

import numpy as np
from sklearn.datasets import load_wine, make_circles
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.svm import SVC

from kb import Report

from .kernels import Array, breast_cancer, degree_two_map, poly, random_features, rbf


def main(report: Report, gamma: float, C: float, features: int, seed: int) -> None:
    """Explicit features, infinitely many, none at all; then circles, units and random features."""
    rng = np.random.default_rng(seed)
    x, y = breast_cancer()  # (569, 30)
    explicit(report, x, y)
    semidefinite(report, x)
    circles(report, gamma, C, seed)
    units(report, seed)
    randomised(report, x, features, rng)


def explicit(report: Report, x: Array, y: Array) -> None:
    """The kernel (1 + x·z)² and its 496 features written out: the same inner products, the same classifier."""
    d = x.shape[1]
    phi, gram = degree_two_map(x), poly(x, x)  # (n, 496), (n, n)
    report.check("features-of-degree-2", phi.shape[1], comb(d + 2, 2))
    report.check("kernel-is-the-inner-product", float(abs(phi @ phi.T - gram).max() / gram.max()), at_most=1e-12)
    by_kernel = SVC(C=0.01, kernel="precomputed", tol=1e-6).fit(gram, y).decision_function(gram)
    by_features = SVC(C=0.01, kernel="linear", tol=1e-6).fit(phi, y).decision_function(phi)
    report.check("same-classifier", float(abs(by_kernel - by_features).max() / abs(by_kernel).max()), at_most=1e-4)
    rows = [(p, comb(d + p, p), d + 1) for p in (1, 2, 3, 5, 8)]
    report.table(
        "Features against the work of one kernel value (d = 30)", ("degree", "features", "multiplications"), rows
    )


def semidefinite(report: Report, x: Array) -> None:
    """A kernel's Gram matrix has no negative eigenvalue; the rbf kernel's has not even a zero."""
    spectra = {
        "rbf": np.linalg.eigvalsh(rbf(x, x, 1 / 30)),
        "degree 2": np.linalg.eigvalsh(poly(x, x)),
        "tanh": np.linalg.eigvalsh(np.tanh(x @ x.T - 1)),
    }
    rows = [(name, values[0], values[-1], int((values < -1e-8 * values[-1]).sum())) for name, values in spectra.items()]
    report.table("Eigenvalues of the Gram matrix, 569 points", ("kernel", "least", "largest", "negative"), rows)
    report.check("degree-2-is-semidefinite", rows[1][1] / rows[1][2], at_least=-1e-12)
    report.check("rbf-has-full-rank", rows[0][1], at_least=1e-5)
    report.check("tanh-is-no-kernel", rows[2][1], at_most=-10.0)


def circles(report: Report, gamma: float, C: float, seed: int) -> None:
    """Two rings: no line separates them, a plane in the feature space of the rbf kernel does."""
    x, y = make_circles(400, factor=0.4, noise=0.1, random_state=seed)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    straight, curved = SVC(kernel="linear", C=C), SVC(kernel="rbf", gamma=gamma, C=C)
    scores = [float(cross_val_score(model, x, y, cv=folds).mean()) for model in (straight, curved)]
    report.metric("circles-linear", scores[0])
    report.metric("circles-rbf", scores[1])
    report.check("rbf-beats-linear-on-circles", scores[1] - scores[0], at_least=0.3)

    curved.fit(x, y)
    report.metric("circles-support-vectors", len(curved.support_))
    line = np.linspace(-1.4, 1.4, 120)
    points = np.stack(np.meshgrid(line, line[::-1]), -1)  # (120, 120, 2), the top row is the highest
    f = curved.decision_function(points.reshape(-1, 2)).reshape(120, 120)
    picture = np.clip(f, -1.25, 1.25)
    for margin in (-1.0, 0.0, 1.0):  # the boundary and the margins, as lines where the sign of f − margin changes
        above = f > margin
        edge = np.zeros_like(above)
        edge[:-1] |= above[:-1] != above[1:]
        edge[:, :-1] |= above[:, :-1] != above[:, 1:]
        picture[edge] = 0.0 if margin else -2.5
    for place, label in zip(x, y, strict=True):
        column, row = (int(np.abs(line - v).argmin()) for v in (place[0], -place[1]))
        picture[row, column] = 2.5 if label else -2.5
    report.image(
        picture,
        title="Circles: f(x), boundary, margins, points",
        xlabel="x₁, from −1.4 to 1.4",
        ylabel="x₂, from 1.4 down to −1.4",
    )


def units(report: Report, seed: int) -> None:
    """Wine in its own units, and scaled: a kernel of distances is ruled by the largest unit."""
    wine = load_wine()
    scaled = (wine.data - wine.data.mean(0)) / wine.data.std(0)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    raw, standard = (
        float(cross_val_score(SVC(kernel="rbf", gamma=1 / 13), data, wine.target, cv=folds).mean())
        for data in (wine.data, scaled)
    )
    report.metric("wine-raw", raw)
    report.metric("wine-scaled", standard)
    report.check("scaling-decides", standard - raw, at_least=0.3)


def randomised(report: Report, x: Array, features: int, rng: np.random.Generator) -> None:
    """D random features instead of an n × n matrix: the error of one kernel value has deviation at most 1/√D."""
    gram = rbf(x, x, 1 / 30)
    counts = (features // 16, features // 4, features)
    errors = []
    for count in counts:
        z = random_features(x, 1 / 30, count, rng)  # (n, D)
        errors.append(float(((z @ z.T - gram) ** 2).mean() ** 0.5))
    report.metric("random-features-error", errors[-1])
    # 2 cos a cos b = cos(a − b) + cos(a + b): variance (1 − k²)²/2 + 1/2 ≤ 1, and 1/D for the mean of D of them
    report.check("random-features-approach", errors[-1] * features**0.5, at_most=3.0)
    report.check("sixteen-times-the-features", errors[0] / errors[-1], at_least=1.3)
    report.table("Random features", ("features", "root mean square error"), list(zip(counts, errors, strict=True)))
