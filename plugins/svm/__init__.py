"""Support vector machines: the margin, the dual, and kernels."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "svm-dual",
            run="dual:main",
            topic="svm",
            summary="The dual by SMO, with a certificate; margin, slack, support vectors, w in the span of the data",
            params=(
                Param("C", 1.0, min=0.01, max=1, help="price of one unit of slack"),
                Param("kernel", "linear", choices=("linear", "poly", "rbf"), help="kernel of the first part"),
                Param("gamma", 0.03, min=0.01, max=0.1, help="width of the rbf and scale of the poly kernel"),
                Param("degree", 2, min=1, max=3, help="degree of the poly kernel"),
                Param("seed", 0, min=0, help="seed of the subsample and the starting point"),
            ),
        )
    )
    register(
        Demo(
            "kernel-trick",
            run="trick:main",
            topic="svm",
            summary="A kernel is the inner product of features that nobody writes down: 496, or infinitely many",
            params=(
                Param("gamma", 1.0, min=0.1, max=10, help="width of the rbf kernel on the circles"),
                Param("C", 1.0, min=0.1, max=100, help="price of one unit of slack on the circles"),
                Param("features", 2000, min=100, max=20000, help="random features that imitate the rbf kernel"),
                Param("seed", 0, min=0, help="seed of the circles, the folds and the random features"),
            ),
        )
    )
