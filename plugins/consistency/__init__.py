"""Consistency: which learners approach the Bayes risk, and which stop above it."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "consistency",
            run="limits:main",
            topic="consistency",
            summary="Excess risk over the number of examples: who goes to zero, who stays on a plateau",
            params=(
                Param("repeats", 6, min=4, max=200, help="training sets of each size"),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
