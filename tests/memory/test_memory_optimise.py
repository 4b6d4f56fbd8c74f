"""Fitting weights: on the past only, kept only if better; recovered from learners whose weights are known."""

from __future__ import annotations

import json
import sys
from functools import cache

import pytest

from kb.errors import MissingExtra
from kb.memory import fsrs, history, optimise, plain
from kb.memory.fsrs import DEFAULT_WEIGHTS
from kb.memory.history import Answer
from kb.memory.learners import Learner
from kb.memory.simulate import Course, Policy, simulate

FAST_FORGETTER = fsrs.check_weights(
    (0.05, 0.3, 0.6, 1.5, 7.5, 0.83, 3.0, 0.001, 1.3, 0.1666, 0.7, *DEFAULT_WEIGHTS[11:20], 0.3)
)


@cache
def log_of(weights: fsrs.Weights, questions: int, length: int) -> list[Answer]:
    answers: list[Answer] = []
    simulate(Learner(weights, 3), Policy("any"), Course(questions, length), lambda answer, _: answers.append(answer))
    return answers


@pytest.fixture(autouse=True)
def _needs_fsrs_rs(request: pytest.FixtureRequest) -> None:
    if "without_fsrs_rs" not in request.node.name:
        pytest.importorskip("fsrs_rs_python", reason="fsrs-rs-python is not installed")


def test_someone_who_forgets_fast_gets_other_weights() -> None:
    found = optimise.optimise(log_of(FAST_FORGETTER, 200, 90))
    assert found.better
    assert found.weights != DEFAULT_WEIGHTS
    assert found.scores["fitted"].log_loss < found.scores["current"].log_loss
    assert found.scores["current"] == found.scores["defaults"]
    assert found.scores["fitted"].log_loss < found.scores["constant"].log_loss
    own = (0.05, 0.3, 0.6, 1.5)  # the first stabilities moved towards them
    assert all(
        abs(w - o) < abs(d - o) for w, o, d in zip(found.weights[1:4], own[1:], DEFAULT_WEIGHTS[1:4], strict=True)
    )


def test_weights_are_kept_if_the_fit_predicts_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimise, "fit", lambda items: FAST_FORGETTER)
    found = optimise.optimise(log_of(DEFAULT_WEIGHTS, 200, 90), DEFAULT_WEIGHTS)
    assert not found.better
    assert found.weights is found.current is DEFAULT_WEIGHTS
    assert found.scores["current"].log_loss < found.scores["fitted"].log_loss


def test_what_is_held_out_is_not_learned_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item that is predicted by fitted weights lies after every item of the fit."""
    seen: list[list[history.Item]] = []
    fit = optimise.fit

    def watched(items: list[history.Item]) -> fsrs.Weights:
        seen.append(list(items))
        return fit(items)

    monkeypatch.setattr(optimise, "fit", watched)
    log = log_of(FAST_FORGETTER, 200, 90)
    found = optimise.optimise(log)
    items = history.items(log)
    assert seen[0] == items[: len(items) - found.held_out]
    assert found.scores["fitted"].answers == found.held_out == round(0.2 * len(items))
    assert seen[1] == items  # only what is used afterwards is fitted to everything


def test_weights_in_force_are_not_judged_on_what_they_have_learned_from() -> None:
    log = log_of(FAST_FORGETTER, 200, 90)
    days = sorted({answer.day for answer in log})
    first = optimise.optimise(log)
    assert first.better
    later = [answer for answer in log if answer.day > days[-20]]
    again = optimise.optimise(log, first.weights, learned_on=days[-1])
    assert (again.better, again.weights, again.scores) == (False, first.weights, {})
    assert "only 0 answers" in again.reason

    early = optimise.optimise([answer for answer in log if answer.day <= days[-20]])
    found = optimise.optimise(log, early.weights, learned_on=days[-20])
    assert 20 <= found.held_out <= len(later) < found.items * 0.2 + len(later)
    outcomes = history.items(log)[-found.held_out :]
    assert all(item.question in {answer.question for answer in later} for item in outcomes)
    assert found.held_out == len(history.items(log)) - len(history.items(log[: len(log) - len(later)]))
    assert found.scores["current"].log_loss == pytest.approx(
        optimise.metrics.score(outcomes, history.predictions(outcomes, early.weights)).log_loss
    )


def test_too_few_answers_change_nothing() -> None:
    found = optimise.optimise(log_of(FAST_FORGETTER, 200, 90)[:60])
    assert (found.better, found.weights, found.scores) == (False, DEFAULT_WEIGHTS, {})
    assert "too few" in found.reason
    assert optimise.optimise([]).items == 0


def test_the_same_log_gives_the_same_weights() -> None:
    log = log_of(FAST_FORGETTER, 200, 90)
    assert optimise.optimise(log) == optimise.optimise(log)


def test_few_items_stay_near_the_defaults_and_many_near_the_fit() -> None:
    assert optimise.shrink(FAST_FORGETTER, 0) == DEFAULT_WEIGHTS
    halfway = optimise.shrink(FAST_FORGETTER, optimise.HALFWAY_ITEMS)
    assert halfway == pytest.approx([(a + b) / 2 for a, b in zip(DEFAULT_WEIGHTS, FAST_FORGETTER, strict=True)])
    assert optimise.shrink(FAST_FORGETTER, 10**9) == pytest.approx(FAST_FORGETTER, rel=1e-4)
    assert fsrs.check_weights(halfway) == halfway


def test_the_report_is_json() -> None:
    found = optimise.optimise(log_of(FAST_FORGETTER, 200, 90))
    shown = json.loads(json.dumps(plain.as_json(found), allow_nan=False))
    assert set(shown["scores"]) == set(optimise.PREDICTORS) == set(shown["calibration"])
    assert sum(part["answers"] for part in shown["calibration"]["fitted"]) == found.held_out


def test_without_fsrs_rs_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsrs_rs_python", None)
    with pytest.raises(MissingExtra, match=r"kb-scribbles\[optimize\]"):
        optimise.optimise(log_of(FAST_FORGETTER, 200, 90))
