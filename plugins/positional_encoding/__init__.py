"""Positions: what attention knows without them, and two ways to tell it."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "positions",
            run="rotations:main",
            topic="positional-encoding",
            summary="Sinusoids and RoPE as rotations; what attention can tell without positions, and what with them",
            params=(
                Param("dim", 64, min=4, max=512, help="features, a multiple of 2"),
                Param("base", 10000.0, min=1.5, max=1e7, help="base of the frequencies"),
                Param("offset", 7, min=0, max=1000, help="distance between query and key"),
                Param("furthest", 5000, min=100, max=100000, help="largest position"),
                Param("seed", 0, min=0, help="seed of the tokens and weights"),
            ),
        )
    )
