"""The theorem holds for learners that nobody designed, and the checks see a learner that cheats."""

import random

import pytest

np = pytest.importorskip("numpy")

from kb import Report  # noqa: E402
from kb.plugins.inductive_bias import arguments, learners, lunch, strong  # noqa: E402


def run(main, **parameters):
    report = Report()
    main(report, **parameters)
    return report


@pytest.mark.parametrize("examples", range(1, 8))
@pytest.mark.slow
def test_holds_for_every_size(examples):
    assert run(lunch.main, examples=examples, family="threshold").holds


@pytest.mark.slow
def test_the_family_chooses_what_is_told():
    told = {}
    for family in ("all", "monotone", "parity"):
        report = run(lunch.main, examples=4, family=family)
        assert report.holds
        told[family] = {metric.name: metric.value for metric in report.metrics}["error-1-NN"]
    assert told == {"all": 0.5, "monotone": pytest.approx(0.3182, abs=1e-4), "parity": pytest.approx(0.5071, abs=1e-4)}


@pytest.mark.parametrize("seed", range(20))
def test_a_learner_of_random_answers_errs_on_half_too(seed):
    answers = {}

    def learner(points, labels):
        rng = random.Random(f"{seed}{points}{labels}")
        return answers.setdefault((points, labels), np.array([rng.randrange(2) for _ in range(8)], dtype=np.uint8))

    wrong, _ = lunch.errors(learner, 3)
    assert 2 * int(wrong.sum()) == 256 * 56 * 5


def test_one_target_at_a_time_it_is_the_plain_definition():
    """The sum over training sets, against the loop that one would write first."""
    target = 0b00010111  # the majority of three bits
    labels = learners.TARGETS[target]
    wrong = 0
    for points in lunch.combinations(range(8), 4):
        prediction = learners.nearest(points, tuple(labels[list(points)]))
        wrong += sum(prediction[x] != labels[x] for x in range(8) if x not in points)
    assert lunch.errors(learners.nearest, 4)[0][target] == wrong


@pytest.mark.slow
def test_leaving_one_target_out_breaks_the_sum(monkeypatch):
    agreeing = lunch.agreeing
    monkeypatch.setattr(lunch, "agreeing", lambda *data: agreeing(*data)[agreeing(*data) != 23])
    failed = {check.name for check in run(lunch.main, examples=4, family="all").checks if not check.holds}
    assert {"each-learner-is-wrong-on-half", "unseen-votes-are-tied"} <= failed


def test_families_have_the_sizes_of_the_literature():
    """104 threshold functions and 20 monotone ones (Dedekind) of three variables; 8 parities and their opposites."""
    assert {name: len(rows) for name, rows in learners.families().items()} == {
        "all": 256,
        "threshold": 104,
        "monotone": 20,
        "parity": 16,
    }


@pytest.mark.parametrize("examples", range(1, 8))
def test_arguments_hold(examples):
    assert run(arguments.main, examples=examples).holds


def test_a_fallacy_among_the_valid_forms_is_seen(monkeypatch):
    monkeypatch.setattr(arguments, "FORMS", arguments.FORMS[::-1])
    report = run(arguments.main, examples=4)
    assert not next(check for check in report.checks if check.name == "valid-forms-have-no-counterexample").holds


def test_a_class_that_lacks_the_target_is_seen(monkeypatch):
    """With ever wrong-signed hypotheses the right bias is wrong."""
    right = strong.conjunctions
    monkeypatch.setattr(strong, "conjunctions", lambda: -right())
    monkeypatch.setattr(strong, "SIZES", (32, 512))
    failed = {
        check.name for check in run(strong.main, repeats=20, epsilon=0.1, delta=0.05, seed=0).checks if not check.holds
    }
    assert {"the-right-class-holds-the-target", "the-bound-keeps-its-promise"} <= failed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("repeats", [20, 100])
def test_a_strong_bias_over_seeds(seed, repeats):
    assert run(strong.main, repeats=repeats, epsilon=0.1, delta=0.05, seed=seed).holds
