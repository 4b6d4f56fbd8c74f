"""ZeRO: the stages 0 to 3 on real processes, measured."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "zero",
            run="stages:main",
            topic="zero",
            summary="ZeRO's stages 0 to 3 on real processes: bytes kept, elements sent, the same weights in the end",
            devices=("cpu", "cuda"),
            params=(
                Param("ranks", 2, min=1, max=64, help="processes; under torchrun, torchrun's"),
                Param("steps", 3, min=1, max=1000, help="optimizer steps"),
                Param("width", 256, min=8, max=8192, help="width of the hidden layers"),
                Param("depth", 4, min=1, max=64, help="hidden layers"),
                Param("batch", 32, min=1, max=4096, help="samples a rank and step"),
                Param("compare", True, help="also run torch's fully_shard and ZeroRedundancyOptimizer"),
                Param(
                    "fault",
                    "none",
                    choices=("none", "no-average", "keep-gradient", "keep-weights", "all-reduce"),
                    help="a mistake to make on purpose: a check must catch it",
                ),
                Param("seed", 0, min=0, help="seed of the weights"),
            ),
        )
    )
