"""The Lack of A Priori Distinctions Between Learning Algorithms, Wolpert 1996, https://doi.org/10.1162/neco.1996.8.7.1341

Average over all targets f: X → {0, 1}, each alike, and every learner is wrong on exactly half of the points it was not
shown. The reason is in one line: for a training set D of m distinct points,

    2^(|X| − m) targets agree with D, and at each unseen x half of them say 0 and half say 1.

Whatever the learner says there, half of those targets make it wrong. The sum below runs over all of it: X = {0, 1}³,
all 256 targets, all training sets. No sampling, no seed; the numbers are integers. (The theorem's own domain, so no
real data.)
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

import numpy as np
from numpy.typing import NDArray

from kb import Report

from .learners import LEARNERS, POINTS, TARGETS, Learner, families

Counts = NDArray[np.int64]


def agreeing(points: tuple[int, ...], labels: tuple[int, ...]) -> Counts:
    """The targets that give ``points`` these ``labels``: 2^(8 − m) indices."""
    return np.flatnonzero((TARGETS[:, points] == labels).all(1))


def errors(learner: Learner, examples: int) -> tuple[Counts, Counts]:
    """For each target, errors summed over all training sets of ``examples`` points: on unseen points, and on all 8."""
    unseen_errors, all_errors = np.zeros((2, len(TARGETS)), dtype=np.int64)  # (256,) each
    for points in combinations(range(POINTS), examples):
        unseen = [x for x in range(POINTS) if x not in points]
        for labels in product((0, 1), repeat=examples):
            prediction = learner(points, labels)  # (8,): made once a training set, so no target can leak into it
            consistent = agreeing(points, labels)
            wrong = TARGETS[consistent] != prediction  # (2^(8−m), 8)
            unseen_errors[consistent] += wrong[:, unseen].sum(1)
            all_errors[consistent] += wrong.sum(1)
    return unseen_errors, all_errors


def votes(examples: int) -> int:
    """The largest lead of one label, at any unseen point, among the targets that agree with a training set."""
    lead = 0
    for points in combinations(range(POINTS), examples):
        unseen = [x for x in range(POINTS) if x not in points]
        for labels in product((0, 1), repeat=examples):
            ones = TARGETS[agreeing(points, labels)][:, unseen].sum(0, dtype=np.int64)  # (8 − m,)
            lead = max(lead, int(np.abs(2 * ones - 2 ** (POINTS - examples)).max()))
    return lead


def worst(by_size: list[Counts]) -> Fraction:
    """The largest expected risk over the targets, the training set being half of |X| iid draws.

    By Shalev-Shwartz and Ben-David 2014, proof of theorem 5.1, it is at least 1/4 for every learner.
    """
    draws = POINTS // 2
    total = [Fraction(0)] * len(TARGETS)
    for size in range(1, draws + 1):
        # sequences of `draws` points with exactly this set of values: surjections, by inclusion and exclusion
        sequences = sum((-1) ** j * comb(size, j) * (size - j) ** draws for j in range(size + 1))
        for target, wrong in enumerate(by_size[size - 1].tolist()):
            total[target] += Fraction(sequences * wrong, POINTS**draws * POINTS)
    return max(total)


def main(report: Report, examples: int, family: str) -> None:
    """Sum over everything; then over some targets only."""
    sizes = range(1, POINTS)
    found = {name: [errors(learner, size) for size in sizes] for name, learner in LEARNERS.items()}

    # 2 · errors − points tested, over all targets and training sets, for every m and learner: 0, as integers
    tested = [len(TARGETS) * comb(POINTS, size) * (POINTS - size) for size in sizes]
    off = [2 * int(found[name][n][0].sum()) - tested[n] for name in LEARNERS for n in range(len(sizes))]
    report.check("each-learner-is-wrong-on-half", max(map(abs, off)), 0)
    report.check("unseen-votes-are-tied", max(votes(size) for size in sizes), 0)
    report.metric("points-tested", tested[examples - 1])
    report.metric("targets-that-agree", 2 ** (POINTS - examples))

    # other families of targets: the average is no longer the same for all
    kinds = families()
    report.check("linear-thresholds", len(kinds["threshold"]), 104)
    report.check("monotone-targets", len(kinds["monotone"]), 20)
    denominator = comb(POINTS, examples) * (POINTS - examples)  # tests a target
    mean = {
        (name, kind): Fraction(int(found[name][examples - 1][0][members].sum()), len(members) * denominator)
        for name in LEARNERS
        for kind, members in kinds.items()
    }
    for name in LEARNERS:
        report.metric(f"error-{name.replace(' ', '-')}", float(mean[name, family]))
    report.metric("lowest-error", float(min(mean[name, family] for name in LEARNERS)))
    half = Fraction(1, 2)
    if examples >= 2:
        report.check("nearness-wins-on-thresholds", float(half - mean["1-NN", "threshold"]), at_least=0.04)
        others = [target for target in kinds["all"] if target not in kinds["threshold"]]  # 152
        lost = Fraction(int(found["1-NN"][examples - 1][0][others].sum()), len(others) * denominator) - half
        report.check("and-loses-on-the-others", float(lost), at_least=0.03)
    if examples >= 3:
        report.check("parity-wins-on-parities", float(half - mean["parity", "parity"]), at_least=0.05)
    # by construction: one is right exactly where the other is wrong
    report.check("the-opposite-loses-as-much", float(mean["1-NN", family] + mean["anti-1-NN", family]), 1.0)
    report.metric("spread-over-targets", float(np.ptp(found["1-NN"][examples - 1][0]) / denominator))
    report.check("single-targets-differ", float(np.ptp(found["1-NN"][examples - 1][0]) / denominator), at_least=0.5)

    hardest = {name: worst([both[1] for both in found[name]]) for name in LEARNERS}
    report.check("some-target-defeats-each", float(min(hardest.values())), at_least=0.25)

    report.table(
        f"Error on unseen points, {examples} examples",
        ("learner", *(f"{kind} ({len(members)})" for kind, members in kinds.items()), "worst expected risk"),
        [(name, *(float(mean[name, kind]) for kind in kinds), float(hardest[name])) for name in LEARNERS],
    )
    share = [(n + 0.5) / len(TARGETS) for n in range(len(TARGETS))]
    lines = {name: np.sort(found[name][examples - 1][0]) / denominator for name in LEARNERS}
    report.curve(
        share,
        {**lines, "mean of each": [0.5] * len(share)},
        title=f"Error on unseen points, target by target ({examples} examples)",
        xlabel="share of the 256 targets, easiest first",
        ylabel="error",
        dashed=["mean of each"],
    )
    report.bars(
        list(LEARNERS),
        {kind: [float(mean[name, kind]) for name in LEARNERS] for kind in kinds},
        stacked=False,
        title="Mean error by family of targets",
    )
