"""Inductive bias: no free lunch, what a strong bias buys, and what separates deduction from induction."""

from collections.abc import Callable

from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register: Callable[[Demo], None]) -> None:
    register(
        Demo(
            "no-free-lunch",
            run="lunch:main",
            topic="inductive-bias",
            summary="Five learners, all 256 targets on three bits, every training set: each errs on exactly half",
            params=(
                Param(
                    "examples", 4, min=1, max=7, help="distinct training points of the 8, in the metrics and pictures"
                ),
                Param(
                    "family",
                    "threshold",
                    choices=("all", "threshold", "monotone", "parity"),
                    help="the targets that the metrics average over",
                ),
            ),
        )
    )
    register(
        Demo(
            "strong-bias",
            run="strong:main",
            topic="inductive-bias",
            summary="Conjunctions against memorising, on a conjunction and on XOR: a strong bias helps if it is right",
            params=(
                Param("repeats", 200, min=20, max=5000, help="training sets of each size"),
                Param("epsilon", 0.1, min=0.02, max=0.5, help="the risk that the bound promises"),
                Param("delta", 0.05, min=0.001, max=0.5, help="how often the promise may fail"),
                Param("seed", 0, min=0, help="seed of the samples"),
            ),
        )
    )
    register(
        Demo(
            "arguments",
            run="arguments:main",
            topic="inductive-bias",
            summary="Arguments held against every truth table: what deduction guarantees, and induction does not",
            params=(
                Param("examples", 4, min=1, max=7, help="examples that the induction rests on, of the 8 there are"),
            ),
        )
    )
