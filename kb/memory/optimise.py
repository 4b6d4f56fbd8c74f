"""Learning the 21 weights from a learner's own answers, and keeping them only if they predict better.

fsrs-rs fits them (L2 towards the defaults, recent answers weigh more). kb then moves the result back towards the
defaults, the further the fewer answers there are: on real logs that predicts the future better than the fit itself.
Whether to change anything is decided on answers that neither the fit nor the weights in force have seen, all of them
later than those they have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kb.errors import MissingExtra
from kb.memory import fsrs, history, metrics
from kb.memory.fsrs import BOUNDS, DEFAULT_WEIGHTS, Weights
from kb.memory.history import Answer, Item
from kb.memory.metrics import Bin, Score

HALFWAY_ITEMS = 500
"""With this many items the weights lie halfway between the defaults and the fit."""

FEWEST_ITEMS = 100
HELD_OUT = 0.2
FEWEST_HELD_OUT = round(FEWEST_ITEMS * HELD_OUT)

CONSTANT, DEFAULTS, CURRENT, FITTED = PREDICTORS = ("constant", "defaults", "current", "fitted")


@dataclass(frozen=True, slots=True)
class Optimisation:
    """What a fit came to. ``weights`` are those to use from now on: the current ones unless ``better``.

    ``scores`` are of the ``held_out`` items, the latest ones, by predictor: the constant share of recalled answers,
    the default weights, the current ones, and weights fitted to the items before. ``calibration`` is by predictor too.
    ``kb.memory.plain.as_json`` makes JSON of it.
    """

    answers: int
    items: int
    held_out: int
    current: Weights
    weights: Weights
    better: bool
    reason: str
    scores: dict[str, Score]
    calibration: dict[str, list[Bin]]


def optimise(
    answers: Sequence[Answer],
    current: Weights = DEFAULT_WEIGHTS,
    *,
    learned_on: int | None = None,
    held_out: float = HELD_OUT,
    minimum: int = 0,
) -> Optimisation:
    """Fit weights to ``answers`` (in order of time) and compare them with ``current``.

    The share ``held_out`` of the items, the latest ones, judges weights that were fitted to the ones before. If these
    have the lower log loss, the same fit to all items gives the new weights. Needs fsrs-rs-python, else MissingExtra.

    ``learned_on`` is the study day on which ``current`` was fitted (None: to none of these answers). What was answered
    up to it would flatter ``current``, so only what came later judges; where that is too little, nothing changes.
    """
    items = history.items(answers)
    seen = 0 if learned_on is None else len(history.items(_until(answers, learned_on)))
    cut = max(len(items) - round(len(items) * held_out), seen)
    past, future = items[:cut], items[cut:]
    reason = ""
    if len(items) < max(minimum, FEWEST_ITEMS):
        reason = f"{len(items)} answers after at least a night are too few: {max(minimum, FEWEST_ITEMS)} are needed"
    elif len(future) < FEWEST_HELD_OUT and seen:
        reason = (
            f"only {len(future)} answers after at least a night are later than the fit that is in force; "
            f"{FEWEST_HELD_OUT} are needed to judge it"
        )
    if reason:
        return Optimisation(len(answers), len(items), 0, current, current, False, reason, {}, {})

    predicted = {
        CONSTANT: [sum(item.recalled for item in past) / len(past)] * len(future),
        DEFAULTS: history.predictions(future, DEFAULT_WEIGHTS),
        CURRENT: history.predictions(future, current),
        FITTED: history.predictions(future, learn(past)),
    }
    outcomes = [item.recalled for item in future]
    scores = {name: metrics.score(future, values) for name, values in predicted.items()}
    calibration = {name: metrics.calibration(outcomes, values) for name, values in predicted.items()}
    before, after = scores[CURRENT].log_loss, scores[FITTED].log_loss
    better = after < before
    whose = "neither fit" if seen else "the fit"
    unseen = f"which {whose} had {'' if seen else 'not '}seen"
    reason = f"log loss {after:.4f} against {before:.4f} on the last {len(future)} answers, {unseen}"
    weights = learn(items) if better else current
    return Optimisation(len(answers), len(items), len(future), current, weights, better, reason, scores, calibration)


def _until(answers: Sequence[Answer], day: int) -> Sequence[Answer]:
    """The answers up to the last one of study day ``day`` or before: a clock that was set back makes it no shorter."""
    last = max((n for n, answer in enumerate(answers, 1) if answer.day <= day), default=0)
    return answers[:last]


def learn(items: Sequence[Item]) -> Weights:
    """The weights that kb takes from ``items``: the fit, moved towards the defaults by how few items there are."""
    return shrink(fit(items), len(items))


def shrink(fitted: Weights, items: int) -> Weights:
    """The point on the line from the defaults to ``fitted`` at n/(n + 500), n being the number of ``items``."""
    share = items / (items + HALFWAY_ITEMS)
    return tuple((1 - share) * default + share * value for default, value in zip(DEFAULT_WEIGHTS, fitted, strict=True))


def fit(items: Sequence[Item]) -> Weights:
    """The weights that fsrs-rs fits to ``items``, deterministically. Raises MissingExtra if it is not installed."""
    try:
        import fsrs_rs_python as rust
    except ImportError:
        raise MissingExtra("fsrs-rs-python", "optimize") from None

    numbers: dict[str, int] = {}
    cards = [numbers.setdefault(item.question, len(numbers)) for item in items]
    training = [rust.FSRSItem([rust.FSRSReview(grade, elapsed) for grade, elapsed in item.reviews]) for item in items]
    fitted = rust.FSRS(list(DEFAULT_WEIGHTS)).compute_parameters(training, cards)
    # its numbers are of single precision: a weight on its bound can lie a hair beyond it
    return fsrs.check_weights([min(max(value, low), high) for value, (low, high) in zip(fitted, BOUNDS, strict=True)])
