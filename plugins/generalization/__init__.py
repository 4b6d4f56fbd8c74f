"""Generalisation: fitting the training set proves nothing."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "memorize",
            run="memorize:main",
            topic="generalization",
            summary="Digits with true and with shuffled labels: both are learned by heart, only one generalises",
            params=(
                Param("permutations", 20, min=10, max=500, help="shuffles of the labels"),
                Param("models", 20, min=2, max=200, help="useless models to choose the best of on a test set"),
                Param("seed", 0, min=0, help="seed of the split and the shuffles"),
            ),
        )
    )
