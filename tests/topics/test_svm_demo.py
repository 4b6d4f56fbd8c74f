"""The demos of the svm topic: the solver against brute force, and what each check would catch."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from kb import Report
from kb.plugins.svm import dual, kernels, smo, trick

DUAL = {"C": 1.0, "kernel": "linear", "gamma": 0.03, "degree": 2}
TRICK = {"gamma": 1.0, "C": 1.0, "features": 2000}


def problem(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = np.where(np.arange(14) % 2, 1.0, -1.0)
    return rng.normal(size=(14, 2)) + y[:, None], y


@pytest.mark.parametrize("seed", range(5))
def test_the_dual_agrees_with_a_general_solver(seed: int) -> None:
    x, y = problem(seed)
    gram, price = kernels.linear(x, x), 0.7
    machine = smo.solve(gram, y, price)
    signed = gram * np.outer(y, y)
    slow = minimize(
        lambda a: a @ signed @ a / 2 - a.sum(),
        np.full(len(y), 0.1),
        jac=lambda a: signed @ a - 1,
        bounds=[(0, price)] * len(y),
        constraints={"type": "eq", "fun": lambda a: a @ y, "jac": lambda a: y},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert smo.dual(gram, y, machine) == pytest.approx(-slow.fun, rel=1e-6)
    assert smo.primal(gram, y, machine, price) == pytest.approx(-slow.fun, rel=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_dual_is_below_the_primal_for_any_allowed_alpha(seed: int) -> None:
    x, y = problem(seed)
    gram, rng = kernels.rbf(x, x, 0.5), np.random.default_rng(seed)
    alpha = rng.uniform(0, 0.7, len(y))
    for side in (1, -1):
        alpha[y == side] *= 0.5 / alpha[y == side].sum()
    machine = smo.Machine(alpha, rng.normal(), 0)
    assert smo.dual(gram, y, machine) < smo.primal(gram, y, machine, 0.7)


def test_two_points_by_hand() -> None:
    """x = ±1: w = 1, b = 0, α = ½ each, so that the margin is 2 wide."""
    x, y = np.array([[1.0], [-1.0]]), np.array([1.0, -1.0])
    machine = smo.solve(x @ x.T, y, 10.0)
    assert machine.alpha == pytest.approx([0.5, 0.5])
    assert machine.b == pytest.approx(0.0)


def test_the_explicit_features_of_degree_two() -> None:
    x = np.random.default_rng(0).normal(size=(6, 4))
    assert kernels.degree_two_map(x).shape == (6, 15)
    assert kernels.degree_two_map(x) @ kernels.degree_two_map(x).T == pytest.approx(kernels.poly(x, x))


def test_a_solver_that_stops_early_fails_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = kernels.breast_cancer()
    monkeypatch.setattr(dual, "solve", lambda gram, y, C, tolerance=1e-6: smo.solve(gram, y, C, most=300))
    report = Report()
    dual.certificate(report, kernels.linear(x, x), y, 1.0, np.random.default_rng(0))
    failed = {check.name for check in report.checks if not check.holds}
    assert {"duality-gap", "agrees-with-libsvm"} <= failed


def test_a_solver_that_counts_mistakes_fails_the_slack_check(monkeypatch: pytest.MonkeyPatch) -> None:
    """If only the wrong side had slack (y·f < 0), the counts would be equal."""
    x, y = kernels.breast_cancer()
    monkeypatch.setattr(dual, "decision", lambda gram, y, machine: np.sign(smo.decision(gram, y, machine)))
    report = Report()
    dual.prices(report, kernels.linear(x, x), y)
    assert not next(check for check in report.checks if check.name == "c-counts-slack-not-mistakes").holds


@pytest.mark.slow
@pytest.mark.parametrize("kernel", ["poly", "rbf"])
@pytest.mark.parametrize("price", [0.01, 1.0])
def test_other_kernels_hold_too(kernel: str, price: float) -> None:
    report = Report()
    dual.main(report, **{**DUAL, "kernel": kernel, "C": price}, seed=0)
    assert report.holds, [check for check in report.checks if not check.holds]


@pytest.mark.slow
def test_svm_dual_holds_for_24_seeds() -> None:
    """Seeds touch only the span, the subsample and the points on the boundary. Over 24 of them: in the span ≤ 1.5e-8
    (bound 1e-5), without penalty 0.32 to 0.83 (bound 0.1), left-out points ≤ 6e-7 (bound 1e-4), cosine ≤ 3e-16."""
    for seed in range(24):
        report = Report()
        dual.main(report, **DUAL, seed=seed)
        assert report.holds, (seed, [check for check in report.checks if not check.holds])


@pytest.mark.slow
def test_kernel_trick_holds_for_30_seeds() -> None:
    """Over 30 seeds: circles 0.415 to 0.503 (bound 0.3), wine 0.511 to 0.561 (bound 0.3), error of random
    features 0.80 to 1.28 times 1/√D (bound 3), ratio for 16 times the features 2.6 to 5.2 (bound 1.3)."""
    for seed in range(30):
        report = Report()
        trick.main(report, **TRICK, seed=seed)
        assert report.holds, (seed, [check for check in report.checks if not check.holds])
