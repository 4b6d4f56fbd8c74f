"""The Transformer as a whole: its layers put together from the parts, and what each part is good for."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl

SEED = Param("seed", 0, min=0, help="seed of the weights")


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "transformer-block",
            run="block:main",
            topic="transformers",
            summary="Encoder and decoder put together from their parts, the same as PyTorch's to the last digits",
            params=(
                Param("width", 64, min=8, max=512, help="model width, a multiple of 2 and of heads"),
                Param("heads", 4, min=1, max=64),
                Param("layers", 2, min=1, max=12, help="layers of the encoder and of the decoder"),
                SEED,
            ),
        )
    )
    register(
        Demo(
            "transformer-parts",
            run="parts:main",
            topic="transformers",
            summary="A small Transformer learns to read digits, whole and with one part taken out at a time",
            params=(
                Param("steps", 80, min=10, max=2000, help="training steps"),
                Param("layers", 1, min=1, max=12),
                Param("width", 32, min=8, max=256, help="model width, a multiple of 8"),
                SEED,
            ),
        )
    )
