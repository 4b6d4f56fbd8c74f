"""Policies by name, for comparing them: several retentions, with and without what evens out the days, and SM-2."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb.errors import UnknownName
from kb.memory.scheduler import Scheduler
from kb.memory.simulate import Policy
from kb.memory.sm2 import Sm2

WEEKEND = (5, 6)

NAMES = {
    "fsrs": "FSRS-6 as kb uses it: fuzzed, the days evened out",
    "fuzz": "FSRS-6, fuzzed, the days as they come",
    "no-fuzz": "FSRS-6 to the day",
    "easy-days": "FSRS-6 as kb uses it, with easy days",
    "sm-2": "SM-2 of 1990, which knows no retention",
}

_SAID = {"fsrs": "", "fuzz": ", fuzz only", "no-fuzz": ", no fuzz", "easy-days": ", easy days"}


def named(
    names: Iterable[str], retentions: Sequence[float], base: Scheduler | None = None, easy_days: Sequence[int] = WEEKEND
) -> list[Policy]:
    """A policy for each of ``names`` at each of ``retentions`` (SM-2: one), in this order and each once.

    ``base`` gives the weights and steps; ``easy_days`` are weekdays, 0 is Monday.
    """
    base = base or Scheduler()
    found: dict[str, Policy] = {}
    for name in names:
        if name not in NAMES:
            raise UnknownName("policy", name, NAMES, listing=f"there are: {', '.join(NAMES)}")
        for retention in retentions:
            policy = _policy(name, retention, base, tuple(easy_days))
            found.setdefault(policy.name, policy)
    return list(found.values())


def _policy(name: str, retention: float, base: Scheduler, easy_days: tuple[int, ...]) -> Policy:
    if name == "sm-2":
        scheduler = Sm2(
            learning_steps=base.learning_steps,
            relearning_steps=base.relearning_steps,
            maximum_interval_days=base.maximum_interval_days,
        )
        return Policy("SM-2", scheduler)
    return Policy(
        f"FSRS-6 at {retention:g}{_SAID[name]}",
        replace(base, desired_retention=retention, fuzz=name != "no-fuzz"),
        balance=name in ("fsrs", "easy-days"),
        easy_days=easy_days if name == "easy-days" else (),
    )
