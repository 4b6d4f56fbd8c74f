"""Residual connections: what a shortcut does to gradients and to training."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "residual",
            run="depth:main",
            topic="residual-connections",
            summary="How a gradient fares through 50 layers, plain, residual, pre-norm and post-norm, and who learns",
            params=(
                Param("depth", 50, min=2, max=200, help="layers"),
                Param("width", 64, min=8, max=512, help="features of a layer"),
                Param(
                    "init", "default", choices=("default", "he"), help="torch's default for Linear, or He's for ReLU"
                ),
                Param("steps", 60, min=1, max=1000, help="training steps"),
                Param("seed", 0, min=0, help="seed of the weights"),
            ),
        )
    )
