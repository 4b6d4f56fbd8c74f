"""Texts: drawn values are filled in where they belong, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import AnswerError
from kb.questions import markup

VALUES = {"n": 8, "psi": 7.5e9, "lr": 3e-5, "name": "adam", "x": [1, 0.5], "flag": True}


@given(st.text("ab {}$`n=:\\|\n1", max_size=60))
def test_the_pieces_are_the_text(text: str) -> None:
    assert "".join(piece.text for piece in markup.scan(text)) == text


@given(st.text("ab {}$`n=:\\|\n1", max_size=60))
def test_without_values_nothing_changes_but_formulas(text: str) -> None:
    try:
        filled = markup.fill(text, {})
    except AnswerError:
        assert "{=" in text
        return
    if "{=" not in text:
        assert filled == text


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a {n} b", "a 8 b"),
        ("{psi} weights", "7.5e9 weights"),
        ("{psi:.2g}", "7.5e9"),
        ("{psi:,.0f}", "7,500,000,000"),
        ("{lr}", "3e-5"),
        ("{name} {x} {flag}", "adam [1, 0.5] True"),
        ("{= 2*n}", "16"),
        ("{= psi/n :.3g}", "938e6".replace("938e6", "9.38e8")),
        ("{= psi/n}", "937.5e6"),
        ("{= n > 3}", "True"),
        ("$x_{n}$ and {n}", "$x_{n}$ and 8"),
        (r"$$\frac{n}{2}$$ {n}", r"$$\frac{n}{2}$$ 8"),
        ("costs $5 and {n} or $6", "costs $5 and 8 or $6"),
        (r"\$ {n} \$", r"\$ 8 \$"),
        (r"$a \$ {n}$ {n}", r"$a \$ {n}$ 8"),
        ("`{n}` and `{m}`", "`8` and `{m}`"),
        ("```python\nprint({n}, {m})\n```", "```python\nprint(8, {m})\n```"),
        ("{m} stays", "{m} stays"),
        ("{a b} {1} {} { n }", "{a b} {1} {} { n }"),
        ("a set {n, m}", "a set {n, m}"),
        ("{{gap|{n}}}", "{{gap|8}}"),
        ("{{ {= n*2} }}", "{{ 16 }}"),
        ("{{{n}}}", "{{8}}"),
        ("$a$ {n} $b$", "$a$ 8 $b$"),
        ("one $ {n} two", "one $ 8 two"),
        ("unclosed `{n}", "unclosed `8"),
    ],
)
def test_filling(text: str, filled: str) -> None:
    assert markup.fill(text, VALUES) == filled


@pytest.mark.parametrize("text", ["{n:q}", "{n:>9999}", "{= n/0}", "{= m}", "{name:.2f}", "{x:.2f}", "{= 9**9**9}"])
def test_what_cannot_be_filled_says_so(text: str) -> None:
    with pytest.raises(AnswerError):
        markup.fill(text, VALUES)


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("{n} {m} $x_{m}$ `{m}`", ["{m} names no drawn parameter"]),
        ("{{a {m}}}", ["{m} names no drawn parameter"]),
        ("{n:.2q}", ["{n:.2q}: '.2q' is not a format of numbers"]),
        ("{= n + 1} fine", []),
    ],
)
def test_what_is_wrong_with_a_text(text: str, faults: list[str]) -> None:
    assert markup.unknown(text, VALUES) == faults


def test_a_formula_in_a_text_names_what_it_lacks() -> None:
    (fault,) = markup.unknown("{= n + m}", VALUES)
    assert fault.startswith("{= n + m}: 'm' is no number")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (16384, "16384"),
        (7_000_000_000, "7000000000"),
        (1.5e9, "1.5e9"),
        (70e9, "70e9"),
        (999_999.5, "999999.5"),
        (1e6, "1e6"),
        (-2.5e7, "-25e6"),
        (8.0, "8"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "1e-5"),
        (0.0, "0"),
        ("text", "text"),
        ([1, [2.0, 3.5]], "[1, [2, 3.5]]"),
    ],
)
def test_numbers_are_shown_as_people_write_them(value: object, shown: str) -> None:
    assert markup.show(value) == shown


def test_gaps_are_counted_and_replaced() -> None:
    text = "a {{b|c}} $x_{{i}}$ `{{d}}`"
    assert markup.replace_gaps(text, lambda number, gap: f"<{number}:{gap}>") == "a <0:{{b|c}}> $x_{{i}}$ `<1:{{d}}>`"
    assert markup.gap_answers("{{ b | c }}") == ["b", "c"]
    assert markup.gap_answers("{{$P(y|x)$|`a|b`|posterior}}") == ["$P(y|x)$", "`a|b`", "posterior"]
    assert markup.gap_answers("{{a|}}") == ["a", ""]


def test_source_code_keeps_its_own_braces() -> None:
    source = "d = {1: 2}\nprint(f'{x=} {n} {other}', {n: 3})"
    assert markup.fill_code(source, {"n": 8}) == "d = {1: 2}\nprint(f'{x=} 8 {other}', {n: 3})"
    assert markup.fill_code(source, {}) == source
