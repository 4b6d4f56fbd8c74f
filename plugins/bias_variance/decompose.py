"""Neural Networks and the Bias/Variance Dilemma, Geman, Bienenstock, Doursat 1992, doi:10.1162/neco.1992.4.1.1

For squared loss the expected error of a fit f̂ at x, over training sets and over the noise of y = f(x) + ε, splits into

    E[(y − f̂(x))²] = σ² + (E f̂(x) − f(x))² + E[(f̂(x) − E f̂(x))²]
                     noise      bias²              variance

Polynomials are fitted to sin(2πx) with noise on x in [0, 1]: synthetic, since bias needs the true f. More data divide
the variance; they leave the bias of a straight line where it is. The second part is real: breast-cancer data
(scikit-learn's) with useless features added.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kb import Report

Array = NDArray[np.float64]
SIZES = (20, 40, 80, 320, 1280)
GRID = (np.arange(200) + 0.5) / 200  # midpoints: averages over it are integrals over [0, 1]


def truth(x: Array) -> Array:
    """f."""
    return np.sin(2 * np.pi * x)


def fits(degree: int, n: int, repeats: int, sigma: float, rng: np.random.Generator) -> Array:
    """Least-squares polynomials from ``repeats`` training sets, at the grid's points: (repeats, 200)."""
    found = []
    at_grid = legendre.legvander(2 * GRID - 1, degree)
    for _ in range(repeats):
        x = rng.random(n)
        y = truth(x) + sigma * rng.standard_normal(n)
        coefficients, *_ = np.linalg.lstsq(legendre.legvander(2 * x - 1, degree), y, rcond=None)
        found.append(at_grid @ coefficients)
    return np.array(found)


def split(predictions: Array) -> tuple[float, float, float]:
    """bias², variance and mean squared distance from the noise-free f, averaged over x."""
    mean = predictions.mean(0)  # (200,)
    bias = float(((mean - truth(GRID)) ** 2).mean())
    variance = float(((predictions - mean) ** 2).mean())
    return bias, variance, float(((predictions - truth(GRID)) ** 2).mean())


def main(report: Report, repeats: int, sigma: float, seed: int) -> None:
    """Decompose for polynomials of three degrees over the number of examples."""
    rng = np.random.default_rng(seed)
    parts: dict[int, list[tuple[float, float]]] = {}
    rows, worst = [], 0.0
    for degree in report.progress((1, 3, 5), label="degrees"):
        parts[degree] = []
        for n in SIZES:
            predictions = fits(degree, n, repeats, sigma, rng)
            bias, variance, distance = split(predictions)
            worst = max(worst, abs(distance - bias - variance) / distance)
            parts[degree].append((bias, variance))
            rows.append((degree, n, bias, variance, sigma**2, bias + variance + sigma**2))
            if degree == 3 and n == 80:
                fresh_noise(report, predictions, bias + variance + sigma**2, sigma, rng)
    report.table("Expected squared error, split", ("degree", "n", "bias²", "variance", "noise", "sum"), rows)
    report.check("bias-and-variance-add-up", worst, at_most=1e-12)
    line, cubic = parts[1], parts[3]
    report.metric("line-bias", line[-1][0])
    report.metric("cubic-variance-ratio", cubic[3][1] / cubic[4][1])
    report.check("variance-falls-like-1-over-n", cubic[3][1] / cubic[4][1], 4.0, rtol=0.4)
    report.check("more-data-leave-the-bias", line[2][0] / line[4][0], 1.0, rtol=0.1)
    report.check("the-lines-bias-is-the-integral", line[-1][0], 0.5 - 3 / np.pi**2, rtol=0.02)
    quintic = parts[5]
    report.check("fewer-features-less-variance", cubic[3][1] / quintic[3][1], at_most=0.9)
    report.check("fewer-features-more-bias", cubic[3][0] / quintic[3][0], at_least=5.0)
    # a fit that is systematically wrong depends on where its few points lie, which adds to its variance
    report.check("too-few-features-can-have-more-variance", line[2][1] / cubic[2][1], at_least=1.05)
    useless(report, rng)
    for degree, name in ((1, "line"), (3, "cubic")):
        report.bars(
            [f"n = {n}" for n in SIZES],
            {"bias²": [b for b, _ in parts[degree]], "variance": [v for _, v in parts[degree]]},
            title=f"A {name}: bias² and variance over n",
        )


def fresh_noise(report: Report, predictions: Array, expected: float, sigma: float, rng: np.random.Generator) -> None:
    """Labels that no fit has seen: their squared error is noise + bias² + variance."""
    y = truth(GRID) + sigma * rng.standard_normal(predictions.shape)
    each = ((y - predictions) ** 2).mean(1)  # (repeats,): one number a training set, independent of each other
    error = float(each.std(ddof=1) / len(each) ** 0.5)
    report.check("fresh-labels-add-the-noise", abs(float(each.mean()) - expected) / error, at_most=6.0)


def useless(report: Report, rng: np.random.Generator, splits: int = 8, n: int = 60) -> None:
    """Real data, few examples: 200 features of pure noise raise the test error; so does dropping nearly all."""
    data = load_breast_cancer()
    x, y = data.data, data.target
    errors: dict[str, list[float]] = {"30 features": [], "30 + 200 useless": [], "only the first": []}
    for _ in range(splits):
        order = rng.permutation(len(x))
        train, test = order[:n], order[n:]
        noise = rng.standard_normal((len(x), 200))
        for name, features in (
            ("30 features", x),
            ("30 + 200 useless", np.hstack([x, noise])),
            ("only the first", x[:, :1]),
        ):
            model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
            model.fit(features[train], y[train])
            errors[name].append(float((model.predict(features[test]) != y[test]).mean()))
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    report.table(
        f"Breast cancer, {n} training examples", ("features", "test error, %"), [(k, 100 * v) for k, v in means.items()]
    )
    report.metric("useless-features-cost", 100 * (means["30 + 200 useless"] - means["30 features"]), "points")
    report.check("useless-features-hurt", means["30 + 200 useless"] - means["30 features"], at_least=0.02)
    report.check("too-few-features-hurt-too", means["only the first"] - means["30 features"], at_least=0.02)
