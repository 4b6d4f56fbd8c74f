"""Understanding Machine Learning, Shalev-Shwartz and Ben-David 2014, https://doi.org/10.1017/CBO9781107298019

A strong bias is a small class H. If the target is *in* H, a learner that fits the training set has, with probability
1 − δ, a risk of at most ε after

    m ≥ (ln |H| + ln(1/δ)) / ε

examples. If it is not, no number of examples brings the risk below the **approximation error** min over h ∈ H of R(h).
Here H is all conjunctions of literals over 8 bits (x₁ ∧ ¬x₂, …; each bit asked for, negated, or left out: |H| = 3⁸),
against one nearest neighbour, whose bias is weak. Inputs are uniform on {0, 1}⁸, so risks are counted, not estimated:
that is why the data are made.
"""

from __future__ import annotations

from itertools import product
from math import ceil, log

import numpy as np
from numpy.typing import NDArray

from kb import Report

BITS = 8
INPUTS = np.array(list(product((0, 1), repeat=BITS)), dtype=np.int64)  # (256, 8)
DISTANCE = (INPUTS[:, None] != INPUTS[None]).sum(2)  # (256, 256), Hamming
SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
Labels = NDArray[np.int64]
Risks = NDArray[np.float64]


def conjunctions() -> NDArray[np.float32]:
    """All of H as ±1 on all inputs, (6561, 256). A literal is 0: x must be 0, 1: x must be 1, 2: either will do."""
    literals = np.array(list(product((0, 1, 2), repeat=BITS)))  # (6561, 8)
    holds = np.ones((len(literals), len(INPUTS)), dtype=bool)
    for bit in range(BITS):
        holds &= (literals[:, bit, None] == 2) | (literals[:, bit, None] == INPUTS[:, bit])
    return np.where(holds, 1, -1).astype(np.float32)


def fit(hypotheses: NDArray[np.float32], target: Labels, samples: Labels) -> Labels:
    """The hypothesis of least training error (the first of them) for each row of ``samples``: its index, (repeats,)."""
    counts = np.zeros((len(samples), len(INPUTS)), dtype=np.float32)  # how often each input was drawn
    np.add.at(counts, (np.arange(len(samples))[:, None], samples), 1)
    # Σ over the sample of h(x)·f(x) = m − 2 · errors, so the greatest agreement is the least error
    agreement = (counts * (2 * target - 1)) @ hypotheses.T  # (repeats, 6561)
    best: Labels = agreement.argmax(1)
    return best


def nearest(target: Labels, sample: Labels) -> Labels:
    """One nearest neighbour's answer on every input, (256,); of equally near ones the first input in the order."""
    points = np.unique(sample)
    copied: Labels = target[points[DISTANCE[:, points].argmin(1)]]
    return copied


def main(report: Report, repeats: int, epsilon: float, delta: float, seed: int) -> None:
    """Learning curves of both learners on both targets; the bound; which of the two a validation set picks."""
    rng = np.random.default_rng(seed)
    hypotheses = conjunctions()  # (6561, 256)
    predictions = (hypotheses > 0).astype(np.int64)
    first, second = INPUTS[:, 0], INPUTS[:, 1]
    targets = {"x₁ ∧ ¬x₂": first & (1 - second), "x₁ XOR x₂": first ^ second}  # in H; not in H
    best = {name: float((predictions != target).mean(1).min()) for name, target in targets.items()}
    report.check("the-right-class-holds-the-target", best["x₁ ∧ ¬x₂"], 0.0)
    report.check("the-wrong-class-errs-a-quarter", best["x₁ XOR x₂"], 0.25)

    curves: dict[str, list[float]] = {}
    lowest, chosen = 1.0, {}
    for name, target in targets.items():
        strong_line, weak_line = [], []
        for size in report.progress(SIZES, label=name):
            samples = rng.integers(len(INPUTS), size=(repeats, size))
            picked = predictions[fit(hypotheses, target, samples)]  # (repeats, 256)
            strong: Risks = (picked != target).mean(1)
            neighbours = np.array([nearest(target, sample) for sample in samples])  # (repeats, 256)
            weak: Risks = (neighbours != target).mean(1)
            strong_line.append(float(strong.mean()))
            weak_line.append(float(weak.mean()))
            if name == "x₁ XOR x₂":
                lowest = min(lowest, float(strong.min()))
            if size == 512:  # model selection: the class with fewer errors on 100 fresh examples
                fresh = rng.integers(len(INPUTS), size=(repeats, 100))
                rows = np.arange(repeats)[:, None]
                strong_wrong = (picked[rows, fresh] != target[fresh]).sum(1)
                weak_wrong = (neighbours[rows, fresh] != target[fresh]).sum(1)
                chosen[name] = strong_wrong <= weak_wrong
        curves[f"conjunctions on {name}"], curves[f"1-NN on {name}"] = strong_line, weak_line

    # the theorem: at m(ε, δ) at most a share δ of the training sets leaves a risk above ε
    needed = ceil((log(len(hypotheses)) + log(1 / delta)) / epsilon)
    target = targets["x₁ ∧ ¬x₂"]
    samples = rng.integers(len(INPUTS), size=(repeats, needed))
    risks = (predictions[fit(hypotheses, target, samples)] != target).mean(1)
    report.metric("examples-needed", needed)
    report.metric("share-above-epsilon", float((risks > epsilon).mean()))
    report.check("the-bound-keeps-its-promise", float((risks > epsilon).mean()), at_most=delta)

    at = SIZES.index(32)
    right, wrong = curves["conjunctions on x₁ ∧ ¬x₂"], curves["conjunctions on x₁ XOR x₂"]
    ahead = curves["1-NN on x₁ ∧ ¬x₂"][at] - right[at]
    report.metric("ahead-at-32-examples", ahead)
    report.check("a-right-bias-needs-less", ahead, at_least=0.05)
    report.check("a-wrong-bias-never-recovers", lowest, at_least=0.25)
    report.metric("risk-of-the-wrong-bias", wrong[-1])
    report.metric("risk-of-memorising", curves["1-NN on x₁ XOR x₂"][-1])
    report.check("a-weak-bias-gets-there", curves["1-NN on x₁ XOR x₂"][-1], at_most=0.05)
    report.check("validation-picks-the-right-bias", float(chosen["x₁ ∧ ¬x₂"].mean()), at_least=0.8)
    report.check("validation-drops-the-wrong-one", float(chosen["x₁ XOR x₂"].mean()), at_most=0.2)
    report.curve(
        SIZES,
        {**curves, "approximation error on XOR": [0.25] * len(SIZES)},
        log="x",
        title="A strong bias, right and wrong, and a weak one",
        xlabel="training examples",
        ylabel="risk",
        dashed=["approximation error on XOR"],
    )
