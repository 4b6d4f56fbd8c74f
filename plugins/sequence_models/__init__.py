"""Sequence models before self-attention: what becomes of a gradient in a recurrence, and what a context vector is."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "sequence-models",
            run="recurrence:main",
            topic="sequence-models",
            summary="How a gradient fares through a recurrence, against its bound; attention's context vector by hand",
            params=(
                Param("steps", 100, min=100, max=400, help="length of the sequence"),
                Param("width", 32, min=32, max=128, help="size of the hidden state"),
                Param("seed", 0, min=0, help="seed of the weights"),
            ),
        )
    )
