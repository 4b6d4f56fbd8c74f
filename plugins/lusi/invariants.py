"""Complete statistical theory of learning, Vapnik and Izmailov 2020, http://proceedings.mlr.press/v128/vapnik20a.html

A statistical invariant asks that a predicate φ has the same average with the prediction as with the labels:

    Σᵢ φ(xᵢ) f(xᵢ) = Σᵢ φ(xᵢ) yᵢ

Data: breast cancer (real, scikit-learn's), standardised, y ∈ {0, 1}. The predicates are the mean of all features and
the first five features, chosen by us and not by a teacher; V is the identity. So this shows the mechanism and repeats
none of the authors' experiments. What it does to the error is reported, not checked.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_breast_cancer
from threadpoolctl import threadpool_limits

from kb import Report

from .solver import Array, Fit, fit, objective, violation

SIZES = (16, 32, 64, 128)
GAMMAS = (0.1, 1.0, 10.0)
WIDTH = 1 / 30  # of the rbf kernel


def data() -> tuple[Array, Array, Array]:
    """Features (569, 30), labels (569,), and the predicates at all points (6, 569)."""
    bunch = load_breast_cancer()
    x = (bunch.data - bunch.data.mean(0)) / bunch.data.std(0)
    return x, bunch.target.astype(float), np.vstack([x.mean(1), x[:, :5].T])


def rbf(x: Array) -> Array:
    """k(x, z) = exp(−‖x − z‖²/30) for all pairs, (n, n)."""
    squares = (x * x).sum(1)
    similarity: Array = np.exp(-WIDTH * np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0))
    return similarity


def main(report: Report, splits: int, seed: int, threads: int) -> None:
    """The invariants themselves, the constant, what they cost, what they bring; then two neighbours in theory."""
    rng = np.random.default_rng(seed)
    with threadpool_limits(threads):  # for hundreds of small systems more threads are slower
        x, y, phi = data()
        gram = rbf(x)
        mechanism(report, gram, y, phi, rng)
        errors(report, gram, y, phi, splits, rng)
        logistic(report, x[:, :5], y)
        convergence(report)


def mechanism(report: Report, gram: Array, y: Array, phi: Array, rng: np.random.Generator) -> None:
    """Ten training sets of 64 points at γ = 1: held with the constraints, not without; φ ≡ 1 is held anyway."""
    none, ones = np.empty((0, 64)), np.ones((1, 64))
    seen: dict[str, list[float]] = {name: [] for name in ("with", "without", "one", "no b", "moved", "price")}
    for _ in range(10):
        train = rng.choice(len(y), 64, replace=False)
        k, labels, here = gram[np.ix_(train, train)], y[train], phi[:, train]  # (64, 64), (64,), (6, 64)
        free, bound = fit(k, labels, 1.0, none), fit(k, labels, 1.0, here)
        seen["with"].append(violation(here, labels, bound.at(k)))
        seen["without"].append(violation(here, labels, free.at(k)))
        seen["one"].append(violation(ones, labels, free.at(k)))
        seen["no b"].append(violation(ones, labels, fit(k, labels, 1.0, none, intercept=False).at(k)))
        seen["moved"].append(float(abs(fit(k, labels, 1.0, ones).at(k) - free.at(k)).max()))
        seen["price"].append(objective(k, labels, 1.0, bound) / objective(k, labels, 1.0, free) - 1)
    report.metric("violation-with", max(seen["with"]))
    report.metric("violation-without", max(seen["without"]))
    report.check("invariants-hold", max(seen["with"]), at_most=1e-10)
    report.check("without-constraints-they-do-not", min(seen["without"]) / max(seen["with"]), at_least=100)
    report.check("mean-prediction-is-the-class-rate", max(seen["one"]), at_most=1e-10)
    report.check("the-constant-changes-nothing", max(seen["moved"]), at_most=1e-8)
    report.check("without-intercept-the-rate-is-off", min(seen["no b"]), at_least=1e-4)
    report.check("a-constraint-costs-training-fit", min(seen["price"]), at_least=0.0)


def errors(report: Report, gram: Array, y: Array, phi: Array, splits: int, rng: np.random.Generator) -> None:
    """Errors on the points not trained on, paired: the same sets with, without, and with meaningless predicates."""
    rows, curves = [], {}
    gains: dict[tuple[float, int], float] = {}
    for gamma in report.progress(GAMMAS, label="penalties"):
        mean = []
        for n in SIZES:
            runs = []
            for _ in range(splits):
                order = rng.permutation(len(y))
                train, test = order[:n], order[n:]
                k, across = gram[np.ix_(train, train)], gram[np.ix_(test, train)]
                predicates = (np.empty((0, n)), phi[:, train], rng.normal(size=(len(phi), n)))
                fits: list[Fit] = [fit(k, y[train], gamma, p) for p in predicates]
                runs.append([100 * float(((f.at(across) > 0.5) != (y[test] > 0.5)).mean()) for f in fits])
            percent = np.array(runs)  # (splits, 3)
            gain = percent[:, 0] - percent[:, 1]
            gains[gamma, n] = float(gain.mean())
            if (gamma, n) == (10.0, 16):
                noise = float((percent[:, 0] - percent[:, 2]).mean())
            mean.append(percent.mean(0))
            rows.append((gamma, n, *percent.mean(0), gain.mean(), gain.std(ddof=1) / splits**0.5))
        if gamma != 1.0:
            curves[f"γ = {gamma:g}, plain"] = [row[0] for row in mean]
            curves[f"γ = {gamma:g}, with invariants"] = [row[1] for row in mean]
    curves["γ = 10, noise predicates"] = [row[2] for row in mean]
    columns = ("γ", "n", "plain, %", "invariants, %", "noise predicates, %", "gain, points", "± s.e.")
    report.table("Error on the other points", columns, rows)
    report.metric("gain-over-regularised", gains[10.0, 16], "points")
    report.metric("gain-tuned", round(gains[0.1, 128], 9), "points")
    report.metric("gain-of-noise", noise, "points")
    report.note(
        "The gain is large where the plain machine is over-regularised (γ = 10, few points), and there predicates of "
        "pure noise bring most of it too: a constraint is not penalised, whatever it means. With a fitting γ the gain "
        "is about 0."
    )
    report.note("None of this is checked: it depends on the data, on γ and on the predicates.")
    report.curve(SIZES, curves, log="x", title="Invariants help where γ is too large", xlabel="n", ylabel="error, %")


def logistic(report: Report, x: Array, y: Array) -> None:
    """Maximum likelihood sets Σᵢ xᵢ(pᵢ − yᵢ) = 0: logistic regression keeps its features. A penalty breaks that."""
    a = np.column_stack([np.ones(len(y)), x])  # (n, 6)

    def off(penalty: float) -> float:
        """The violation for the features after Newton's method on −log-likelihood + ½λ‖w‖²; b is not penalised."""
        weights, ridge = np.zeros(a.shape[1]), penalty * np.diag([0.0] + [1.0] * x.shape[1])
        for _ in range(50):
            p = 1 / (1 + np.exp(-a @ weights))  # (n,)
            gradient = a.T @ (p - y) + ridge @ weights
            weights -= np.linalg.solve((a.T * (p * (1 - p))) @ a + ridge, gradient)
        return violation(x.T, y, 1 / (1 + np.exp(-a @ weights)))

    report.check("likelihood-keeps-features", off(0.0), at_most=1e-10)
    report.check("a-penalty-breaks-that", off(1.0), at_least=1e-4)


def convergence(report: Report) -> None:
    """sin(2πkx) on [0, 1] goes to 0 weakly, every functional ∫φf does, but not strongly: its norm stays."""
    x = (np.arange(200_000) + 0.5) / 200_000
    waves = {k: np.sin(2 * np.pi * k * x) for k in (1, 4, 16, 64)}
    # ∫₀¹ x sin(2πkx) dx = −1/(2πk);  ∫₀¹ sin²(2πkx) dx = ½
    rows = [(k, float((x * f).mean()), float((f * f).mean())) for k, f in waves.items()]
    report.table("sin(2πkx): weak without strong convergence", ("k", "∫ x·f", "‖f‖²"), rows)
    report.check("functionals-vanish", rows[-1][1], -1 / (2 * np.pi * 64), rtol=1e-4)
    report.check("the-norm-does-not", rows[-1][2], 0.5, rtol=1e-9)
