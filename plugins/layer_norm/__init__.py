"""Normalisation layers: which numbers share a mean and a variance."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "norms",
            run="norms:main",
            topic="layer-norm",
            summary="Batch, layer, instance, group and RMS norm by one formula, and what each depends on",
            params=(
                Param("batch", 32, min=2, max=1024, help="images in the batch"),
                Param("channels", 8, min=4, max=64, help="channels, a multiple of 4"),
                Param("eps", 1e-5, min=1e-8, max=1.0, help="ε under the root"),
                Param("seed", 0, min=0, help="seed of the filters and of γ and β"),
            ),
        )
    )
