"""Drawing: the same everywhere for a seed, within what the card allows, refused with a reason where it cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.questions.parameters import DrawFault, Parameters, Stream, number

DRAW: dict[str, Any] = {
    "psi": ["1.5e9", 7.5e9, "70e9"],
    "k": {"from": 1, "to": 9},
    "lr": {"from": 0.1, "to": 0.9, "step": 0.1},
    "ranks": {"from": 2, "to": 1024, "factor": 2},
    "x": {"shape": [2, 2], "from": -3, "to": 3},
    "name": ["adam", "sgd"],
    "twice": {"value": "2*k + 1"},
}


@given(st.integers())
def test_a_draw_is_what_the_rules_allow(seed: int) -> None:
    drawn = Parameters(DRAW, "psi > 2e9 or k < 5").draw(seed)
    assert drawn["psi"] in (1.5e9, 7.5e9, 70e9)
    assert drawn["k"] in range(1, 10) and type(drawn["k"]) is int
    assert drawn["lr"] in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
    assert drawn["ranks"] in [2**power for power in range(1, 11)]
    assert len(drawn["x"]) == 2 and all(value in range(-3, 4) for row in drawn["x"] for value in row)
    assert drawn["twice"] == 2 * drawn["k"] + 1
    assert drawn["psi"] > 2e9 or drawn["k"] < 5
    assert drawn == Parameters(DRAW, "psi > 2e9 or k < 5").draw(seed)


def test_golden_draws() -> None:
    """These must never change: a question is made again from the seed in the log."""
    parameters = Parameters(DRAW)
    assert [list(parameters.draw(seed).values()) for seed in (0, 1, -1, 2**70)] == GOLDEN


GOLDEN: list[Any] = [
    [1500000000.0, 2, 0.4, 2, [[-3, 0], [0, 2]], "sgd", 5],
    [1500000000.0, 8, 0.3, 2, [[-2, -3], [-1, -3]], "sgd", 17],
    [7500000000.0, 7, 0.5, 512, [[-3, 0], [-1, 1]], "sgd", 15],
    [7500000000.0, 7, 0.1, 2, [[-3, 1], [2, 1]], "sgd", 15],
]


def test_another_process_with_another_hash_seed_draws_the_same() -> None:
    program = f"from kb.questions.parameters import Parameters; print(Parameters({DRAW!r}).draw(11))"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "77"}
    )
    assert run.stdout.strip() == repr(Parameters(DRAW).draw(11))


@given(st.integers(), st.integers(1, 12))
def test_a_permutation_is_one(seed: int, count: int) -> None:
    assert sorted(Stream(seed, "x").permutation(count)) == list(range(count))


def test_permutations_are_fair() -> None:
    """Each of the 6 orders of 3 things, 500 expected of each: 5 standard deviations are 102."""
    seen = Counter(tuple(Stream(seed, "x").permutation(3)) for seed in range(3000))
    assert len(seen) == 6
    assert all(398 <= count <= 602 for count in seen.values())


def test_streams_of_one_seed_differ_by_label() -> None:
    assert Stream(1, "draw").permutation(12) != Stream(1, "options").permutation(12)


@pytest.mark.parametrize(
    ("draw", "where", "name", "says"),
    [
        ({"n": []}, None, "n", "nothing to draw from"),
        ({"n": 3}, None, "n", "list of choices"),
        ({"n": {}}, None, "n", "'from' is missing"),
        ({"n": {"from": 1}}, None, "n", "'to' is missing"),
        ({"n": {"from": 3, "to": 1}}, None, "n", "is empty"),
        ({"n": {"from": 0.1, "to": 0.9}}, None, "n", "needs a step"),
        ({"n": {"from": 1, "to": 9, "step": 0}}, None, "n", "above 0"),
        ({"n": {"from": 1, "to": 9, "stop": 2}}, None, "n", "'stop' is not known"),
        ({"n": {"from": 1, "to": "many"}}, None, "n", "must be a number"),
        ({"n": {"from": 0, "to": 8, "factor": 2}}, None, "n", "starts above 0"),
        ({"n": {"from": 0, "to": 10**12}}, None, "n", "steps"),
        ({"n": {"shape": [100, 100], "from": 0, "to": 1}}, None, "n", "numbers in all"),
        ({"n": {"shape": "3", "from": 0, "to": 1}}, None, "n", "list of one to four sizes"),
        ({"n": {"value": "m + 1"}, "m": [1]}, None, "n", "'m' is no number"),
        ({"n": [{"a": 1}]}, None, "n", "a choice is"),
        ({"n": [None]}, None, "n", "a choice is"),
        ({"2n": [1]}, None, "2n", "cannot be the name"),
        ({"lambda": [1]}, None, "lambda", "cannot be the name"),
        ({"pi": [1]}, None, "pi", "cannot be the name"),
        ({"n": [1]}, "m > 1", None, "'m' is no number"),
        ({"n": [1]}, "n >", None, "not a number or a formula"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw: dict[str, Any], where: str | None, name: str | None, says: str) -> None:
    with pytest.raises(DrawFault, match=says) as caught:
        Parameters(draw, where)
    assert caught.value.name == name


def test_conditions_that_nothing_fulfils_end_with_a_reason() -> None:
    with pytest.raises(DrawFault, match="none of 1000 draws"):
        Parameters({"n": [1, 2]}, "n > 2").draw(0)
    with pytest.raises(DrawFault, match="divides by zero"):
        Parameters({"n": [1]}, "1 / (n - 1) > 0").draw(0)


def test_accept_draws_again() -> None:
    parameters = Parameters({"n": [1, 2, 3]})
    assert {parameters.draw(seed, lambda values: values["n"] != 2)["n"] for seed in range(50)} == {1, 3}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("7.5e9", 7.5e9),
        ("1e-3", 1e-3),
        ("2^20", 2**20),
        ("-4", -4),
        ("1/2", "1/2"),
        ("3D", "3D"),
        ("", ""),
        (True, True),
    ],
)
def test_what_yaml_leaves_as_text_is_a_number_only_if_it_is_written_as_one(written: object, read: object) -> None:
    assert number(written) == read and type(number(written)) is type(read)
