"""LOF: identifying density-based local outliers, Breunig et al. 2000, doi:10.1145/342009.335388; for the density,
A Nonparametric Estimate of a Multivariate Density Function, Loftsgaarden and Quesenberry 1965,
doi:10.1214/aoms/1177700079

What neighbours tell without a vote. Let r_k(x) be the distance from x to its k-th nearest of n points in d dimensions.

    density      f̂(x) = k / (n · V_d · r_k(x)^d)           V_d: the volume of the unit ball, π for d = 2
    outlier      r_k(x) / mean of r_k over x's neighbours   far above 1: its neighbours lie closer together than it does
    clusters     the components of the graph that ties each point to its k nearest

The last demo asks for the bias behind all of it, that near points are alike: labels from a chessboard whose fields are
smaller than the gaps between the points break it. Points are synthetic, since their density, outliers and clusters must
be known; the digits (scikit-learn's) are real.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits

from kb import Report

from .problem import Array

Indices = NDArray[np.int64]
FIELDS = (1, 2, 4, 8, 16, 32, 64, 128)  # a side of the chessboard


def near(points: Array, queries: Array, k: int, itself: bool) -> tuple[Array, Indices]:
    """Distances to the ``k`` nearest points and their indices, (queries, k); ``itself``: the queries are the points."""
    far, index = cKDTree(points).query(queries, k + itself)
    far, index = far.reshape(len(queries), -1), index.reshape(len(queries), -1)
    return far[:, int(itself) :], index[:, int(itself) :]  # a point's first neighbour is the point


def density(points: Array, queries: Array, k: int) -> Array:
    """f̂ at each query in the plane, (queries,): ``k`` points in the smallest disc that holds as many."""
    radius = near(points, queries, k, itself=False)[0][:, -1]  # (queries,)
    return k / (len(points) * np.pi * radius**2)


def outlyingness(points: Array, k: int) -> tuple[Array, Array]:
    """For each point r_k, and r_k over the mean r_k of its neighbours: a plain form of LOF."""
    far, index = near(points, points, k, itself=True)
    radius = far[:, -1]  # (n,)
    return radius, radius / radius[index].mean(1)


def components(points: Array, k: int) -> NDArray[np.int32]:
    """The component of each point in the graph of ``k`` nearest neighbours, (n,)."""
    index = near(points, points, k, itself=True)[1]
    rows = np.repeat(np.arange(len(points)), k)
    graph = coo_matrix((np.ones(len(rows)), (rows, index.ravel())), shape=(len(points), len(points)))
    found: NDArray[np.int32] = connected_components(graph, directed=False)[1]
    return found


def rings(count: int, rng: np.random.Generator) -> tuple[Array, Indices]:
    """Points on two circles about one centre, radius 1 and 3, each moved a little: (count, 2), and which circle."""
    which = np.arange(count) % 2
    angle = 2 * np.pi * rng.random(count)
    radius = 1 + 2 * which + rng.normal(0, 0.1, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1), which


def agreement(found: NDArray[np.int32], truth: Indices) -> float:
    """The share of points whose group is right, for two groups under the better of their two names."""
    same = float((found == truth).mean())
    return max(same, 1 - same)


def chessboard_error(fields: int, count: int, k: int, rng: np.random.Generator) -> float:
    """The error of ``k`` nearest neighbours on noise-free labels from a board of ``fields`` × ``fields``."""
    points, queries = rng.random((count, 2)), rng.random((2000, 2))
    colour = [(np.floor(fields * where).sum(1) % 2).astype(np.int64) for where in (points, queries)]
    votes = colour[0][near(points, queries, k, itself=False)[1]].mean(1)
    return float(((votes > 0.5) != (colour[1] == 1)).mean())


def main(report: Report, points: int, seed: int) -> None:
    """Density, outliers, clusters; then the bias that all three rest on."""
    rng = np.random.default_rng(seed)

    # density: a standard normal in the plane, f(x) = exp(−‖x‖²/2) / 2π
    sample, queries = rng.normal(size=(points, 2)), rng.normal(size=(500, 2))
    ratio = density(sample, queries, k=30) / (np.exp(-(queries**2).sum(1) / 2) / (2 * np.pi))
    report.metric("density-median-error", float(np.median(np.abs(ratio - 1))))
    report.check("density-from-the-kth-distance", float(np.median(np.abs(ratio - 1))), at_most=0.3)

    # outliers: one point beside a tight cluster, nearer to it than the points of a loose cluster are to each other
    tight, loose = rng.uniform(-0.25, 0.25, (200, 2)), rng.uniform(5, 15, (200, 2))
    odd = np.array([[1.0, 0.0]])  # off the tight square by one and a half of its sides
    radius, local = outlyingness(np.concatenate([tight, loose, odd]), k=10)
    report.metric("farther-from-their-neighbours", int((radius > radius[-1]).sum()))
    report.check("the-distance-alone-misses-it", int((radius > radius[-1]).sum()), at_least=20)
    report.check("the-local-ratio-finds-it", int((local > local[-1]).sum()), 0)

    # the same on real images: digits, and the same images with their pixels shuffled
    images = load_digits().data
    order = rng.permutation(len(images))
    known, fresh = images[order[:1200]], images[order[1200:]]
    shuffled = rng.permuted(fresh[:100], axis=1)
    usual, strange = (near(known, queries, 5, itself=False)[0][:, -1] for queries in (fresh, shuffled))
    ranked = float((strange[:, None] > usual).mean())  # the area under the ROC curve
    report.metric("shuffled-digit-ranked-above-a-digit", ranked)
    report.check("shuffled-digits-stand-out", ranked, at_least=0.95)

    # clusters: the graph follows the rings; two centres cannot
    ringed, which = rings(points, rng)
    found = components(ringed, k=10)
    report.check("the-graph-has-two-parts", int(found.max()) + 1, 2)
    report.check("the-graph-finds-the-rings", agreement(found, which), 1.0)
    centres = KMeans(2, n_init=4, random_state=seed).fit_predict(ringed)
    report.metric("k-means-agreement", agreement(centres, which))
    report.check("two-centres-do-not", agreement(centres, which), at_most=0.7)

    # the bias: near points share a category
    errors = [chessboard_error(fields, points, 5, rng) for fields in FIELDS]
    report.metric("error-on-a-fine-chessboard", errors[-1])
    report.check("near-points-alike-it-learns", errors[FIELDS.index(2)], at_most=0.1)
    report.check("near-points-unlike-it-does-not", errors[FIELDS.index(128)], at_least=0.4)
    report.curve(
        FIELDS,
        {"five neighbours": errors, "guessing": [0.5] * len(FIELDS)},
        log="x",
        title=f"Labels from a chessboard, {points} points",
        xlabel="fields a side",
        ylabel="error",
        dashed=["guessing"],
    )
