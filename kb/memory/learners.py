"""Simulated learners: memories that follow FSRS-6 with weights of their own, unknown to the schedule.

How often which button is pressed, how the steps within a day go and how long an answer takes are the defaults of the
simulator of fsrs-rs (``default_simulator_config``), which come from the logs of Anki users.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from math import exp

from kb.memory.fsrs import AGAIN, BOUNDS, DEFAULT_WEIGHTS, EASY, GOOD, HARD, Weights, check_weights
from kb.memory.scheduler import Phase

FIRST_GRADES = (0.24, 0.094, 0.495, 0.171)
PASSING_GRADES = (0.224, 0.631, 0.145)  # Hard, Good, Easy
STEP_GRADES: dict[Phase, dict[int, tuple[float, float, float, float]]] = {
    "learning": {
        AGAIN: (0.3686, 0.0628, 0.5108, 0.0577),
        HARD: (0.0442, 0.4553, 0.4457, 0.0549),
        GOOD: (0.0519, 0.047, 0.8462, 0.055),
    },
    "relearning": {
        AGAIN: (0.2157, 0.0643, 0.6595, 0.0604),
        HARD: (0.05, 0.4638, 0.4475, 0.0387),
        GOOD: (0.1057, 0.1434, 0.7266, 0.0244),
    },
}
"""How the next answer of the same day goes, by the one before it."""

SECONDS: dict[Phase, tuple[float, float, float, float]] = {
    "learning": (19.58, 18.79, 13.78, 10.71),
    "review": (19.38, 17.59, 12.38, 8.94),
    "relearning": (16.44, 15.25, 12.32, 8.03),
}
"""What an answer takes, by phase and grade."""

_GRADES = (AGAIN, HARD, GOOD, EASY)


@dataclass(frozen=True, slots=True)
class Learner:
    """A learner whose memory follows ``weights``; ``seed`` fixes every answer that chance decides."""

    weights: Weights
    seed: int = 0

    def first_grade(self, draw: random.Random) -> int:
        return draw.choices(_GRADES, FIRST_GRADES)[0]

    def review_grade(self, recall: float, draw: random.Random) -> int:
        """The grade of a review, where ``recall`` is the true probability. Always two draws: runs stay in step."""
        passing = draw.choices((HARD, GOOD, EASY), PASSING_GRADES)[0]
        return passing if draw.random() < recall else AGAIN

    def step_grade(self, phase: Phase, before: int, draw: random.Random) -> int:
        """The grade of an answer later on the same day, after ``before``."""
        return draw.choices(_GRADES, STEP_GRADES[phase][before])[0]

    def seconds(self, phase: Phase, grade: int) -> float:
        return SECONDS[phase][grade - 1]


def draw_learner(seed: int, spread: float = 0.3, around: Weights = DEFAULT_WEIGHTS) -> Learner:
    """A learner with weights ``around`` others: each times e^N(0, spread²), kept in its bounds. No spread: these."""
    if not spread:
        return Learner(check_weights(around), seed)
    draw = random.Random(f"learner/{seed}")
    weights = [
        min(max(default * exp(draw.gauss(0.0, spread)), low), high)
        for default, (low, high) in zip(around, BOUNDS, strict=True)
    ]
    weights[:4] = sorted(weights[:4])  # a better first grade leaves no weaker memory
    return Learner(check_weights(weights), seed)
