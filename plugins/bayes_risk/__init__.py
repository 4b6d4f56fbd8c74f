"""The Bayes risk: the least that any classifier can reach."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "bayes-classifier",
            run="risk:main",
            topic="bayes-risk",
            summary="The lowest risk there is, by integral and by drawing labels; what costs and features do to it",
            params=(
                Param("samples", 200000, min=10000, max=10000000, help="labelled points drawn to check the integral"),
                Param("repeats", 200, min=50, max=5000, help="small training sets"),
                Param(
                    "cost",
                    10.0,
                    min=0.01,
                    max=1000.0,
                    help="cost of a false positive, that of a false negative being 1",
                ),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
