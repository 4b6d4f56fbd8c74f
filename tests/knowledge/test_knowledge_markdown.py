"""Markdown as the linter sees it: formulas and prices, code that is left alone, fences that end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.knowledge.markdown import fences, formulas, without_fences
from kb.knowledge.snippets import snippets
from kb.questions import markup

FORMULAS = {
    "a $x$ b": ["x"],
    "$x$ and $y_{i}$.": ["x", "y_{i}"],
    "it costs $5 and $6": [],
    "$5 or $x$": ["x"],
    "$ x $": [],
    "\\$x$ $y$": ["y"],
    "`$x$` $y$": ["y"],
    "``a ` $x$`` $y$": ["y"],
    "an open ` then $y$": ["y"],
    "$$\n\\sum x\n$$": ["\\sum x"],
    "$a \\$ b$": ["a \\$ b"],
    "$a\nb$": ["a\nb"],
    "$a\n\nb$": [],
    "```\n$x$\n```\n$y$": ["y"],
    "~~~ python\n```\n$x$\n~~~\n$y$": ["y"],
    "```\n$x$": [],
}


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_found_outside_of_code(text: str) -> None:
    assert [formula.source for formula in formulas(text)] == FORMULAS[text]


def test_a_display_that_never_ends_is_told() -> None:
    (formula,) = formulas("so $$x = 1")
    assert (formula.source, formula.closed, formula.start) == ("x = 1", False, 3)


@pytest.mark.parametrize("text", ["a $\\alpha b", "$x_{i} is", "so $n^2 is", "`a` $\\beta"])
def test_a_formula_that_never_ends_is_told(text: str) -> None:
    (formula,) = formulas(text)
    assert not formula.closed


@pytest.mark.parametrize("text", ["$KB_HOME", "$5", "a $ b", "$PATH and $HOME", "US$ 5", "`$\\alpha`"])
def test_a_dollar_that_is_none_is_left_alone(text: str) -> None:
    assert not [formula for formula in formulas(text) if not formula.closed]


@given(st.text("ab $\\`{}_\n5", max_size=30))
@settings(max_examples=1000)
def test_the_linter_and_the_questions_agree_on_what_is_maths(text: str) -> None:
    if "```" in text or "{" in text or "$$" in text:
        return  # fences, and what only questions know; below is the shared part
    of_questions = [piece.text[1:-1] for piece in markup.scan(text) if piece.kind == "maths"]
    assert [formula.source for formula in formulas(text) if formula.closed] == of_questions


def test_fences_carry_their_words_their_text_and_their_line() -> None:
    (first, second, third) = fences("text\n```python run\na\n\nb\n```\n~~~~\n```\n~~~~\n```py")
    assert (first.info, first.text, first.line, first.closed) == (("python", "run"), "a\n\nb", 1, True)
    assert (second.info, second.text, second.line) == ((), "```", 6)
    assert (third.info, third.closed) == (("py",), False)


@given(st.text("a`~\n ", max_size=40))
def test_blanking_fences_keeps_every_place(text: str) -> None:
    blank = without_fences(text)
    assert [len(line) for line in blank.split("\n")] == [len(line) for line in text.split("\n")]
    assert all(one == other or one == " " for one, other in zip(blank, text, strict=True))


def test_snippets_are_paired_with_the_output_right_after_them() -> None:
    body = (
        "```python run\na\n```\n\n```output\nA\n```\n\n"
        "```python\nnot run\n```\n\n```python run\nb\n```\n\n```text\nx\n```\n\n```output\nB\n```\n"
    )
    found, complaints = snippets(body)
    assert [(each.source, each.output, each.line, each.output_line) for each in found] == [
        ("a", "A", 0, 4),
        ("b", None, 12, 12),
    ]
    assert [(each.line, each.rule) for each in complaints] == [(20, "snippet"), (12, "snippet")]
