"""Maths as Unicode: golden renderings, and the law that nothing crashes and nothing is swallowed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.terminal.maths import problem, to_unicode
from kb.terminal.mathsbox import display

GOLDEN = {
    r"\operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V": "softmax(QKᵀ/√dₖ)V",
    r"\frac{a+b}{2c}": "(a + b)/(2c)",
    r"\frac{1}{2}\|w\|^2": "½‖w‖²",
    r"\frac{\partial L}{\partial w}": "∂L/∂w",
    r"p(x \mid y) = \frac{p(y\mid x) p(x)}{p(y)}": "p(x ∣ y) = p(y ∣ x)p(x)/p(y)",
    r"\sum_{i=1}^n x_i": "∑ᵢ₌₁ⁿ xᵢ",
    r"\sum_{i\in S} y_i": "∑_(i∈S) yᵢ",
    r"\hat y = \bar x + \tilde\theta": "ŷ = x̄ + θ̃",
    r"\alpha_{ij} = \exp(e_{ij}) / \sum_k \exp(e_{ik})": "αᵢⱼ = exp(eᵢⱼ)/∑ₖ exp(eᵢₖ)",
    r"d_{\text{model}} h": "d_model h",
    r"e^{-x^2}": "e^(−x²)",
    r"10^{-5}": "10⁻⁵",
    r"\sqrt[3]{y} + \sqrt{x+1}": "∛y + √(x + 1)",
    r"\begin{pmatrix} a & b \\ c & d\end{pmatrix}": "(a  b; c  d)",
    r"\mathbb{E}_{x\sim p}[\log p(x)]": "𝔼_(x∼p)[log p(x)]",
    r"\underset{\theta}{\arg\max}\; L(\theta)": "arg max_θ L(θ)",
    r"x'_i": "xᵢ′",
    r"y_{<t}": "y_(<t)",
    r"-\log p - x": "−log p − x",
    r"\binom{n}{k}": "(n choose k)",
    r"\left\lceil \frac{n}{k} \right\rceil": "⌈n/k⌉",
    r"a \neq b, \not\in": "a ≠ b, ∉",
    r"16ψ / N": "16ψ/N",
    "1{,}000": "1,000",
    r"\sigma^2 + \mathrm{Var}(x)": "σ² + Var(x)",
    r"-\mathrm{Var}(x)": "−Var(x)",
    r"a+\text{noise}+b": "a + noise + b",
    r"x = 1 \text{ if } y \text{ is } > 0": "x = 1 if y is > 0",
}


@pytest.mark.parametrize(("latex", "wanted"), GOLDEN.items())
def test_golden(latex: str, wanted: str) -> None:
    import unicodedata

    assert to_unicode(latex) == unicodedata.normalize("NFC", wanted)
    assert problem(latex) is None
    if "text{" in latex and "_" not in latex:
        assert display(latex) == [wanted], "words are spaced alike in both"


@pytest.mark.parametrize(
    "latex", [r"\foo{x}", r"\frac{a", "{{{", "x_1^2_3", "x^", r"\left( x", r"\begin{foo}x\end{foo}"]
)
def test_what_cannot_be_rendered_is_shown_as_it_was_written(latex: str) -> None:
    assert to_unicode(latex) == latex
    assert problem(latex)


PIECES = [*r"\{}^_&$ab12+-=()[]|,.' ", r"\frac", r"\sqrt", r"\left", r"\right", r"\sum", r"\hat", r"\begin{pmatrix}"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_formula_crashes(latex: str) -> None:
    assert isinstance(to_unicode(latex), str)
    drawn = display(latex)
    assert drawn is None or all("\n" not in row for row in drawn)


@pytest.mark.parametrize("latex", ["{" * 5000 + "}" * 5000, r"\frac{" * 300 + "x" + "}{y}" * 300, "x" * 100_000])
def test_a_formula_made_to_hurt_is_shown_as_it_was_written(latex: str) -> None:
    assert to_unicode(latex) == latex.strip()
    assert problem(latex)


def test_displayed_maths_stands_in_two_dimensions() -> None:
    drawn = display(r"\operatorname{softmax}\left(\frac{QK^\top}{\sqrt{d_k}}\right)V")
    assert drawn == [
        "       ⎛ QKᵀ ⎞",
        "softmax⎜─────⎟V",
        "       ⎝ √dₖ ⎠",
    ]


def test_a_sum_carries_its_limits() -> None:
    assert display(r"\sum_{i=1}^{n} x_i") == [" n", " ∑  xᵢ", "i=1"]


def test_cases_stand_behind_a_brace() -> None:
    drawn = display(r"f(x)=\begin{cases}1 & \text{if } x>0\\0&\text{otherwise}\end{cases}")
    assert drawn == ["f(x) = ⎰1  if x > 0", "       ⎱0  otherwise"]


def test_all_rows_of_a_box_are_equally_wide_before_they_are_trimmed() -> None:
    from kb.terminal.mathsbox import draw
    from kb.terminal.mathstree import parse
    from kb.terminal.text import width

    for latex in [*GOLDEN, r"\sqrt{\frac{a}{b}}", r"\begin{bmatrix}1&2\\3&\frac{1}{x}\end{bmatrix}^2"]:
        box = draw(parse(latex))
        assert all(width(row) <= box.width for row in box.rows)
        assert 0 <= box.axis < len(box.rows)
