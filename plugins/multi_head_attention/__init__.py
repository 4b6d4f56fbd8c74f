"""Multi-head attention: what a head sees, what is split, and what is lost."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "multi-head",
            run="heads:main",
            topic="multi-head-attention",
            summary="What one head sees of a token, the rank of its scores, and the cost of heads: three ways to split",
            params=(
                Param("dim", 64, min=8, max=512, help="features of a token, a multiple of heads"),
                Param("heads", 8, min=2, max=64, help="number of heads"),
                Param("groups", 2, min=1, max=64, help="key-value heads of grouped-query attention; divides heads"),
                Param("seed", 0, min=0, help="seed of the weights"),
            ),
        )
    )
