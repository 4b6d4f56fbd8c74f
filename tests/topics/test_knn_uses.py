"""Density, outliers and clusters from neighbours: against what is known exactly, and against scikit-learn's own LOF."""

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("sklearn", reason="the demos need the extra `demos`")

from sklearn.neighbors import LocalOutlierFactor  # noqa: E402

from kb import Report  # noqa: E402
from kb.plugins.knn import uses  # noqa: E402


def test_the_demo_holds_for_other_seeds_and_sizes():
    for points, seed in ((500, 1), (4000, 2)):
        report = Report()
        uses.main(report, points=points, seed=seed)
        assert [check for check in report.checks if not check.holds] == []


def test_density_of_a_lattice_is_its_points_per_area():
    side = 101  # a unit square with a point every 1/100: about 10,000 of 10,201 points to the unit of area, each 1/n
    line = np.arange(side) / 100
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    inside = np.array([[0.5, 0.5], [0.432, 0.618]])
    assert uses.density(points, inside, k=200) == pytest.approx(10000 / 10201, rel=0.03)


def test_density_scales_with_the_unit_of_length():
    rng = np.random.default_rng(0)
    points, queries = rng.random((300, 2)), rng.random((20, 2))
    wide = uses.density(10 * points, 10 * queries, k=7)
    assert wide == pytest.approx(uses.density(points, queries, k=7) / 100)


def test_the_local_ratio_ranks_outliers_as_lof_does():
    rng = np.random.default_rng(1)
    points = np.concatenate([rng.uniform(0, 1, (150, 2)), rng.uniform(10, 20, (150, 2)), [[3.0, 0.5], [1.9, 0.5]]])
    local = uses.outlyingness(points, k=10)[1]
    lof = -LocalOutlierFactor(10).fit(points).negative_outlier_factor_
    assert set(np.argsort(local)[-2:]) == set(np.argsort(lof)[-2:]) == {300, 301}


def test_outlyingness_does_not_change_with_the_unit_of_length():
    points = np.random.default_rng(2).random((100, 2))
    (radius, local), (radius_10, local_10) = (uses.outlyingness(unit * points, k=5) for unit in (1, 10))
    assert radius_10 == pytest.approx(10 * radius) and local_10 == pytest.approx(local)


def test_far_groups_are_separate_components():
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.random((40, 2)) + 100 * group for group in range(3)])
    found = uses.components(points, k=5)
    assert [len(set(found[40 * group : 40 * group + 40])) for group in range(3)] == [1, 1, 1]
    assert len(set(found)) == 3


def test_a_single_field_is_learned_without_error():
    assert uses.chessboard_error(1, 50, 5, np.random.default_rng(4)) == 0.0
