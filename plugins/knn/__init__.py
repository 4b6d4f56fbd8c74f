"""k nearest neighbours: how many, and near in which sense."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "knn-k",
            run="neighbours:main",
            topic="knn",
            summary="How many neighbours: excess risk over k where the truth is known; digits and wine",
            params=(
                Param("repeats", 10, min=8, max=500, help="training sets of each size"),
                Param("queries", 1000, min=500, max=100000, help="points at which the risk is taken"),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
    register(
        Demo(
            "neighbour-uses",
            run="uses:main",
            topic="knn",
            summary="Neighbours without a vote: density, outliers, clusters, and the bias that it all rests on",
            params=(
                Param("points", 1000, min=500, max=4000, help="points of each synthetic set"),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
