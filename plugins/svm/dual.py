"""Support-Vector Networks, Cortes and Vapnik 1995, https://doi.org/10.1007/BF00994018

The dual of smo.py on real data (breast cancer, standardised), against scikit-learn's SVC. What is looked at:

    the gap       P − D, the certificate of optimality
    the slack     ξᵢ = max(0, 1 − yᵢf(xᵢ)): 0 < ξ < 1 is on the right side, but inside the margin; ξ > 1 is a mistake
    the margin    2/‖w‖ wide; without slack it is the distance between the convex hulls of the classes
    the span      w = Σ αᵢyᵢxᵢ, found by a solver of the primal that knows nothing of it (Schölkopf et al. 2001)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from kb import Report

from .kernels import Array, breast_cancer, linear, poly, rbf
from .smo import decision, dual, norm_squared, primal, solve

INSIDE = 1e-3  # slack below it counts as none: the solver's tolerance is 1e-6


def main(report: Report, C: float, kernel: str, gamma: float, degree: int, seed: int) -> None:
    """The solver and its certificate, then what C does, the hard margin, and the span of the data."""
    rng = np.random.default_rng(seed)
    x, y = breast_cancer()  # (n, d), (n,)
    gram = {"linear": linear(x, x), "poly": poly(x, x, degree, gamma), "rbf": rbf(x, x, gamma)}[kernel]  # (n, n)
    certificate(report, gram, y, C, rng)
    prices(report, linear(x, x), y)
    geometry(report, x, y, rng)
    hard_margin(report)
    span(report, x, y, rng)


def certificate(report: Report, gram: Array, y: Array, C: float, rng: np.random.Generator) -> None:
    """Our solution: allowed, optimal by its gap, equal to libsvm's, and made by the support vectors alone."""
    machine = solve(gram, y, C)
    f, support = decision(gram, y, machine), machine.alpha > 0
    value = primal(gram, y, machine, C)
    report.metric("smo-steps", machine.steps)
    report.metric("support-vectors", int(support.sum()))
    report.metric("margin-width", 2 / norm_squared(gram, y, machine) ** 0.5)
    report.check("duality-gap", (value - dual(gram, y, machine)) / value, at_most=1e-4)
    report.check("alphas-balance", float(abs(machine.alpha @ y) / machine.alpha.sum()), at_most=1e-9)

    def moved(beta: Array) -> float:
        """‖w − w'‖/‖w‖ for another machine's w' = Σ βᵢφ(xᵢ), by inner products alone."""
        difference = machine.alpha * y - beta  # w is compared, since b need not be unique, (n,)
        return float((max(float(difference @ gram @ difference), 0.0) / norm_squared(gram, y, machine)) ** 0.5)

    def trained_on(kept: NDArray[np.int64]) -> Array:
        """The β of a machine that sees only the points ``kept``, (n,)."""
        beta = np.zeros(len(y))
        beta[kept] = solve(gram[np.ix_(kept, kept)], y[kept], C).alpha * y[kept]
        return beta

    theirs = SVC(C=C, kernel="precomputed", tol=1e-6).fit(gram, y)
    beta = np.zeros(len(y))
    beta[theirs.support_] = theirs.dual_coef_[0]
    report.check("agrees-with-libsvm", moved(beta), at_most=1e-3)

    slack, everyone = np.maximum(0, 1 - y * f), np.arange(len(y))
    report.metric("with-slack", int((slack > INSIDE).sum()))
    report.metric("misclassified", int((y * f < 0).sum()))
    report.check("only-support-vectors-matter", moved(trained_on(np.flatnonzero(support))), at_most=1e-4)
    idle = np.flatnonzero(~support)
    dropped = rng.choice(idle, len(idle) // 2, replace=False)
    report.check("others-can-be-left-out", moved(trained_on(np.setdiff1d(everyone, dropped))), at_most=1e-4)
    worst = int(slack.argmax())  # the control: leaving out one support vector does move it
    report.check("a-support-vector-cannot", moved(trained_on(np.delete(everyone, worst))), at_least=1e-3)


def prices(report: Report, gram: Array, y: Array) -> None:
    """What C buys: the dearer the slack, the less of it, and the narrower the margin (both are theorems)."""
    rows, inside = [], []
    for C in report.progress((0.01, 0.03, 0.1, 0.3, 1.0), label="prices of slack"):
        machine = solve(gram, y, C)
        f = decision(gram, y, machine)
        slack, support = np.maximum(0, 1 - y * f), int((machine.alpha > 0).sum())
        inside.append(int(((slack > INSIDE) & (slack < 1 - INSIDE)).sum()))
        width = 2 / norm_squared(gram, y, machine) ** 0.5
        rows.append((C, width, support, slack.sum(), int((slack > INSIDE).sum()), int((y * f < 0).sum())))
    columns = ("C", "margin width", "support vectors", "Σ slack", "with slack", "misclassified")
    report.table("What C does (linear kernel)", columns, rows)
    first, last = rows[0], rows[-1]
    report.check("large-c-narrows-the-margin", first[1] / last[1], at_least=2.0)
    report.check("large-c-leaves-less-slack", first[3] / last[3], at_least=2.0)
    report.check("slack-without-a-mistake", min(inside), at_least=5)
    report.check("c-counts-slack-not-mistakes", min(row[4] - row[5] for row in rows), at_least=5)
    report.check("fewer-support-vectors-here", first[2] / last[2], at_least=2.0)
    report.curve(
        [row[0] for row in rows],
        {
            "support vectors": [row[2] for row in rows],
            "points with slack": [row[4] for row in rows],
            "misclassified": [row[5] for row in rows],
        },
        log="xy",
        title="Most points with slack are no mistakes",
        xlabel="C",
        ylabel="points of 569",
    )


def geometry(report: Report, x: Array, y: Array, rng: np.random.Generator) -> None:
    """w is perpendicular to the boundary, and b moves it along w. The boundary is found by looking at signs of f."""
    machine = solve(linear(x, x), y, 0.1)
    w = x.T @ (machine.alpha * y)  # (d,)

    def crossing(start: Array, end: Array, b: float) -> Array:
        """A point of the boundary between ``start`` and ``end``, where f has different signs, by bisection."""
        for _ in range(60):
            middle = (start + end) / 2
            start, end = (start, middle) if (middle @ w + b > 0) != (start @ w + b > 0) else (middle, end)
        return start

    ones, others = (np.flatnonzero((x @ w + machine.b > 0) == side) for side in (True, False))
    pairs = zip(rng.choice(ones, 40), rng.choice(others, 40), strict=True)
    points = np.array([crossing(x[i], x[j], machine.b) for i, j in pairs])  # (40, d)
    along = np.diff(points, axis=0)  # directions within the boundary, (39, d)
    cosines = along @ w / (np.linalg.norm(along, axis=1) * np.linalg.norm(w))
    report.check("w-is-perpendicular", float(abs(cosines).max()), at_most=1e-9)

    unit, reach = w / np.linalg.norm(w), 100.0
    found = [float(crossing(-reach * unit, reach * unit, machine.b + shift) @ unit) for shift in (0.0, 1.0)]
    report.check("plane-lies-at-minus-b-over-norm", found[0], -machine.b / float(np.linalg.norm(w)), rtol=1e-9)
    report.check("b-moves-it-along-w", found[1] - found[0], -1 / float(np.linalg.norm(w)), rtol=1e-6)


def hard_margin(report: Report) -> None:
    """Iris setosa against versicolor: separable, so no slack is needed and C may be as good as infinite."""
    iris = load_iris()
    x, y = iris.data[:100], np.where(iris.target[:100] == 0, 1.0, -1.0)
    gram = linear(x, x)
    machine = solve(gram, y, 1e6, tolerance=1e-8)
    report.check("nearest-points-sit-on-the-margin", float((y * decision(gram, y, machine)).min()), 1.0, atol=1e-6)
    # the nearest points of the two convex hulls are the averages that the α of each class make
    hulls = [(machine.alpha * (y == s)) @ x / machine.alpha[y == s].sum() for s in (1, -1)]  # (d,) each
    width = 2 / norm_squared(gram, y, machine) ** 0.5
    report.metric("hard-margin-width", width, "cm")
    report.check("width-is-the-distance-of-the-hulls", width, float(np.linalg.norm(hulls[0] - hulls[1])), rtol=1e-4)


def span(report: Report, x: Array, y: Array, rng: np.random.Generator) -> None:
    """The representer theorem: 20 points span 20 of 30 dimensions; the minimiser has nothing in the other ten.

    min ½λ‖w‖² + Σᵢ hinge(yᵢ(w·xᵢ + b))², by L-BFGS from a random w. Without the first term nothing pulls w
    into the span.
    """
    chosen = np.concatenate([rng.choice(np.flatnonzero(y == s), 10, replace=False) for s in (1, -1)])
    a, labels = x[chosen], y[chosen]  # (20, 30)
    start = np.append(rng.normal(size=a.shape[1]), 0.0)
    basis = np.linalg.qr(a.T)[0]  # orthonormal columns that span the data, (30, 20)

    def outside(penalty: float) -> float:
        """The share of ‖w‖ that is outside the span of the data."""

        def objective(v: Array) -> tuple[float, Array]:
            w, b = v[:-1], v[-1]
            slack = np.maximum(0, 1 - labels * (a @ w + b))  # (20,)
            pull = -2 * slack * labels
            return float(penalty * w @ w / 2 + slack @ slack), np.append(penalty * w + a.T @ pull, pull.sum())

        found = minimize(
            objective, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-12, "ftol": 0, "maxiter": 5000}
        )
        w = found.x[:-1]
        return float(np.linalg.norm(w - basis @ (basis.T @ w)) / np.linalg.norm(w))

    report.check("w-is-in-the-span-of-the-data", outside(1.0), at_most=1e-5)
    report.check("without-penalty-it-is-not", outside(0.0), at_least=0.1)
