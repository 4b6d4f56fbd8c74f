"""Verdicts of the kinds that need nothing but the card."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.questions.base import NoLaboratory, Question, Verdict

Make = Callable[..., Question]


def grade(question: Question, answer: Any, seed: int = 0) -> Verdict:
    return question.grade(answer, question.ask(seed), NoLaboratory())


# --- choice -----------------------------------------------------------------------------------------------------------

SIZES = """
kind: choice
draw: {n: [10, 20]}
options:
  - {text: "{= n^2}", right: true}
  - {text: "{= 2*n}", why: "{n} was doubled."}
  - {text: "{n}", why: Not squared.}
"""
MEMORY = """
kind: choice
options:
  - {text: weights, right: true}
  - {text: gradients, right: true}
  - {text: the seed, why: It is a number.}
  - {text: the log, why: It is on disk.}
"""


def test_a_wrong_option_is_explained_by_its_own_mistake(make: Make) -> None:
    question = make(SIZES)
    ask = question.ask(5)
    n = ask.values["n"]
    by_text = {text: place for place, text in enumerate(ask.options)}
    assert grade(question, by_text[str(n**2)], 5) == Verdict(True, str(n**2), "", 1.0)
    assert grade(question, by_text[str(2 * n)], 5) == Verdict(False, str(n**2), f"{n} was doubled.", 0.0)
    assert grade(question, [by_text[str(n)]], 5).why == "Not squared."


@given(st.sets(st.integers(0, 3), min_size=1), st.integers())
def test_several_are_scored_by_the_jaccard_index(make: Make, written: set[int], seed: int) -> None:
    question = make(MEMORY)
    ask = question.ask(seed)
    verdict = question.grade([ask.written.index(place) for place in written], ask, NoLaboratory())
    assert verdict.correct is (written == {0, 1})
    assert verdict.score == len(written & {0, 1}) / len(written | {0, 1})
    assert ("It is a number." in verdict.why) is (2 in written)


def test_what_is_missing_is_named(make: Make) -> None:
    question = make(MEMORY)
    ask = question.ask(0)
    assert grade(question, [ask.options.index("weights")]).why == "Also right: gradients."


def test_options_are_drawn_again_until_they_differ(make: Make) -> None:
    question = make(SIZES.replace("[10, 20]", "[1, 2, 3]"))  # 2² = 2·2 and 1² = 1
    assert {question.ask(seed).values["n"] for seed in range(40)} == {3}


def test_an_order_that_is_a_scale_stays(make: Make) -> None:
    question = make("{kind: choice, shuffle: false, options: [{text: 1, right: true}, {text: 2.5, why: w}]}")
    assert {question.ask(seed).options for seed in range(20)} == {("1", "2.5")}


@pytest.mark.parametrize(("line", "answer"), [("2", 1), ("b", 1), ("B)", 1), (" 3. ", 2), ("(1)", 0)])
def test_a_choice_is_typed_by_number_or_letter(line: str, answer: int, make: Make) -> None:
    question = make(SIZES)
    assert question.parse(line, question.ask(0)) == answer


@pytest.mark.parametrize("line", ["1,3", "3 1", "a c", "1 and 3", "1+3", "1;3"])
def test_several_are_typed_in_a_row(line: str, make: Make) -> None:
    question = make(MEMORY)
    assert sorted(question.parse(line, question.ask(0))) == [0, 2]
    assert question.parse("4", question.ask(0)) == [3]


# --- cloze ------------------------------------------------------------------------------------------------------------

SIGNAL = """
kind: cloze
draw: {n: [2, 3]}
ask: A sum of {{sines|sine waves}} and {{cosines}} over $x_{i}$; squared {n} is {{ {= n^2} }}.
reject: {tangents: A tangent is unbounded., cosine wave: Name the function.}
"""


def cloze(make: Make, *typed: str, text: str = SIGNAL) -> Verdict:
    return grade(make(text), list(typed))


def test_the_gaps_are_blank_and_the_maths_is_left_alone(make: Make) -> None:
    ask = make(SIGNAL).ask(0)
    n = ask.values["n"]
    assert ask.text == f"A sum of (1) ____ and (2) ____ over $x_{{i}}$; squared {n} is (3) ____."
    assert ask.gaps == 3


def test_words_are_compared_gap_by_gap(make: Make) -> None:
    square = str(make(SIGNAL).ask(0).values["n"] ** 2)
    assert cloze(make, "Sine-Waves", "cosines", square).correct
    plural = cloze(make, "sine", "cosines", square)
    assert plural.correct and "Singular or plural" in plural.note
    rejected = cloze(make, "tangent", "cosines", square)
    assert (rejected.correct, rejected.why) == (False, "(1) A tangent is unbounded.")
    assert rejected.score == pytest.approx(2 / 3)
    assert cloze(make, "sines", "cosine waves", square).why == "(2) Name the function."
    assert cloze(make, "cosines", "sines", square).why.count("word of another gap") == 2
    slip = cloze(make, "sines", "cosinse", square)
    assert not slip.correct and "Almost" in slip.why
    assert cloze(make, "sines", "elephants", square).why == ""
    assert not cloze(make, "sines", "cosines", "five").correct


def test_rejecting_comes_before_a_lenient_plural(make: Make) -> None:
    text = "{kind: cloze, ask: 'The {{mean}}.', reject: {means: One of them.}}"
    assert cloze(make, "means", text=text).why == "One of them."
    assert cloze(make, "The mean", text=text).correct


def test_any_order_takes_them_in_any_order_but_each_once(make: Make) -> None:
    text = "{kind: cloze, any_order: true, ask: '{{a|b}}, {{b|c}} and {{delta}}.'}"
    assert cloze(make, "delta", "b", "a", text=text).correct
    assert cloze(make, "b", "c", "delta", text=text).correct
    twice = cloze(make, "delta", "delta", "a", text=text)
    assert not twice.correct and twice.score == pytest.approx(2 / 3)


@pytest.mark.parametrize("line", ["sines; cosines; 4", "sines ;cosines;4", "sines, cosines, 4"])
def test_gaps_are_typed_with_semicolons(line: str, make: Make) -> None:
    question = make(SIGNAL)
    assert question.parse(line, question.ask(0)) == ["sines", "cosines", "4"]


def test_one_gap_takes_the_whole_line(make: Make) -> None:
    question = make("{kind: cloze, ask: '{{a; b, c}}'}")
    assert question.parse("a; b, c", question.ask(0)) == ["a; b, c"]
    assert grade(question, "a; b, c").correct  # a text alone will do


# --- numeric ----------------------------------------------------------------------------------------------------------

MODEL_STATES = """
kind: numeric
draw: {psi: [7.5e9]}
ask: "{psi}?"
answer: 16 * psi / 1e9
unit: GB
tolerance: 1%
mistakes:
  - {answer: 4 * psi / 1e9, why: "The optimizer's {= 12*psi/1e9} GB were forgotten."}
"""


@pytest.mark.parametrize(
    ("answer", "correct"),
    [
        ("120", True),
        (120, True),
        (120.9, True),
        (121.3, False),
        ("120e9 B", True),
        ("0.12 TB", True),
        ("16*7.5 GB", True),
        ("111.76 GiB", True),
        ("120 GiB", False),
    ],
)
def test_a_number_in_any_unit_of_the_dimension(answer: object, correct: bool, make: Make) -> None:
    assert grade(make(MODEL_STATES), answer).correct is correct


def test_a_wrong_number_is_explained_by_the_mistake_that_gives_it(make: Make) -> None:
    question = make(MODEL_STATES)
    verdict = grade(question, "30")
    assert (verdict.correct, verdict.why, verdict.expected) == (
        False,
        "The optimizer's 90 GB were forgotten.",
        "120 GB",
    )
    assert "1000" in grade(question, "0.12").why
    assert grade(question, "77").why == ""
    assert grade(question, "4*7.5").why == "Your formula gives 30 GB. The optimizer's 90 GB were forgotten."
    assert grade(question, "8*15").note == "Your formula gives 120 GB."


@pytest.mark.parametrize(
    ("formula", "tolerance", "answer", "correct"),
    [
        ("512", None, 512, True),
        ("512", None, 513, False),
        ("512", None, "512.0", True),
        ("1/3", None, 0.333, True),
        ("1/3", None, 0.34, False),
        ("0", None, 0, True),
        ("0", "0.1", 0.05, True),
        ("10", "0.5", 10.5, True),
        ("10", "0.5", 10.6, False),
        ("100", "1%", 101, True),
        ("100", "1%", 101.1, False),
        ("0.3", "0%", "0.1 + 0.2", True),
        ("2^200", None, "2^200", True),
    ],
)
def test_tolerances_of_numbers(formula: str, tolerance: str | None, answer: object, correct: bool, make: Make) -> None:
    question = make("{kind: numeric}", answer=formula, **({"tolerance": tolerance} if tolerance else {}))
    assert grade(question, answer).correct is correct


# --- order ------------------------------------------------------------------------------------------------------------

STEPS = "{kind: order, items: [forward, backward, all-reduce, step]}"


@given(st.permutations(range(4)), st.integers())
def test_the_score_of_an_order_is_the_share_of_pairs_the_right_way_round(
    make: Make, written: list[int], seed: int
) -> None:
    question = make(STEPS)
    ask = question.ask(seed)
    verdict = question.grade([ask.written.index(place) for place in written], ask, NoLaboratory())
    inversions = sum(written[i] > written[j] for i in range(4) for j in range(i + 1, 4))
    assert verdict.score == pytest.approx(1 - inversions / 6)
    assert verdict.correct is (inversions == 0)
    assert bool(verdict.why) is (inversions > 0)


@given(st.integers())
def test_items_are_never_shown_in_the_right_order(make: Make, seed: int) -> None:
    assert list(make("{kind: order, items: [a, b]}").ask(seed).items) == ["b", "a"]


def test_a_slip_in_an_order_is_named(make: Make) -> None:
    question = make(STEPS)
    ask = question.ask(0)
    places = [ask.items.index(item) for item in ("forward", "all-reduce", "backward", "step")]
    verdict = question.grade(places, ask, NoLaboratory())
    assert verdict.why == "“backward” comes before “all-reduce”."
    assert verdict.expected == "1. forward\n2. backward\n3. all-reduce\n4. step"


@pytest.mark.parametrize("line", ["3 1 2 4", "3,1,2,4", "3>1>2>4", "3124", "cabd", "C A B D", "3. 1. 2. 4."])
def test_an_order_is_typed(line: str, make: Make) -> None:
    question = make(STEPS)
    assert question.parse(line, question.ask(0)) == [2, 0, 1, 3]
