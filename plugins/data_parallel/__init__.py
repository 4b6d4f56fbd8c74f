"""DataParallel: one process, one thread a replica, and what that costs."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "gil",
            run="gil:main",
            topic="data-parallel",
            summary="One DataParallel step by hand: scatter, replicate, threads, gather; and threads against processes",
            devices=("cpu", "cuda"),
            params=(
                Param("replicas", 2, min=2, max=16, help="threads, and processes in the comparison"),
                Param("batch", 64, min=2, max=4096, help="samples in the whole batch"),
                Param("layers", 60, min=2, max=1000, help="tiny layers: more of them, more work for the interpreter"),
                Param("passes", 20, min=2, max=1000, help="forward and backward passes that are timed"),
                Param("seed", 0, min=0, help="seed of weights and data"),
            ),
        )
    )
