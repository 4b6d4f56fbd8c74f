"""DistributedDataParallel: a bucketed reducer on autograd hooks, beside torch's own."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "ddp",
            run="parallel:main",
            topic="ddp",
            summary="A bucketed gradient reducer on real processes, against torch's DistributedDataParallel",
            devices=("cpu", "cuda"),
            params=(
                Param("ranks", 2, min=2, max=64, help="processes; under torchrun, torchrun's"),
                Param("width", 256, min=8, max=4096, help="width of the three hidden layers"),
                Param("bucket", 0.25, min=0.0001, max=1000.0, help="a bucket's cap in MiB"),
                Param("batch", 64, min=2, max=2048, help="samples a rank"),
                Param("steps", 3, min=2, max=100, help="optimizer steps"),
                Param("overlap", True, help="launch a bucket as soon as it is ready, not after backward"),
                Param("seed", 0, min=0, help="each rank seeds its weights with this plus its rank"),
            ),
        )
    )
