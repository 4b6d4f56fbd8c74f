"""Bias and variance: what more data and fewer features do to each."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "bias-variance",
            run="decompose:main",
            topic="bias-variance",
            summary="Bias², variance and noise of polynomial fits, measured; learning curves with useless features",
            params=(
                Param("repeats", 300, min=100, max=5000, help="training sets of each size"),
                Param("sigma", 0.3, min=0.05, max=2.0, help="standard deviation of the noise"),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
