"""Learning using statistical invariants (Vapnik)."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "lusi",
            run="invariants:main",
            topic="lusi",
            summary="Kernel least squares that must keep statistical invariants, and whether that pays",
            params=(
                Param("splits", 20, min=5, max=500, help="random training sets of each size"),
                Param("seed", 0, min=0, help="seed of the splits"),
                Param("threads", 1, min=1, max=256, help="CPU threads of the linear algebra"),
            ),
        )
    )
