"""Typed words: the same answer in another spelling is right, a likely slip is only "almost"."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.questions.text import almost, normal, same, same_but_number


@given(st.text(max_size=40))
def test_a_text_is_the_same_as_itself_in_any_case_and_spacing(text: str) -> None:
    assert same(text, text)
    assert same(f"  {text.upper().lower()} ", text.lower())


@given(st.text(max_size=40), st.text(max_size=40))
def test_sameness_goes_both_ways(one: str, other: str) -> None:
    assert same(one, other) == same(other, one)
    assert same_but_number(one, other) == same_but_number(other, one)


SAME = [
    ("The Self-Attention", "selfattention"),
    ("self attention", "self-attention"),
    ("self‑attention", "self-attention"),
    ("pre-training", "Pretraining"),
    ("`torch.allclose`", "torch.allclose"),
    ("softmax.", "softmax"),
    ("a gradient", "gradient"),
    ("σ", "sigma"),
    (r"\sigma", "σ"),
    (r"$\sigma$", "sigma"),
    ("ϵ", r"\varepsilon"),
    ("λ", "lambda"),
    ("O(n²)", "O(n^2)"),
    ("O(n**2)", "o( n^2 )"),
    (r"$O(n \cdot d)$", "O(n*d)"),
    ("O(nd)", "O(n·d)"),
    ("≤", "<="),
    (r"\leq", "≤"),
    ("W_Q", "WQ"),
    ("GPT-3", "gpt 3"),
    ("k-means", "k means"),
    ("two", "2"),
    ("1,000", "1000"),
    ("1e3", "1000"),
    ("10 000", "10000"),
    ("−1", "-1"),
    ("normalisation", "normalization"),
    ("regularised", "regularized"),
    ("analyse", "analyze"),
    ("behaviour", "behavior"),
    ("naïve Bayes", "naive bayes"),
    ("ﬁne-tuning", "fine tuning"),
    ("*bold*", "bold"),
]
DIFFERENT = [
    ("1", "-1"),
    ("n-1", "n1"),
    ("n-1", "n+1"),
    ("2*3", "23"),
    ("1.5", "15"),
    ("O(n^2)", "O(n2)"),
    ("variance", "covariance"),
    ("reduces", "does not reduce"),
    ("precise", "precisely"),
    ("a", "b"),
    ("", "a"),
    ("q, k", "q k"),
    ("mean", "means"),
    ("ŷ", "y"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert same(one, other), (normal(one), normal(other))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_not_the_same(one: str, other: str) -> None:
    assert not same(one, other), (normal(one), normal(other))


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("gradient", "gradients", True),
        ("loss", "losses", True),
        ("entropies", "entropy", True),
        ("batch", "batches", True),
        ("bias", "bia", False),
        ("loss", "los", False),
        ("as", "a", False),
        ("radius", "radiu", False),
        ("gradient", "gradient", False),
        ("mean", "means", True),
    ],
)
def test_plurals(one: str, other: str, alike: bool) -> None:
    assert same_but_number(one, other) is alike


@pytest.mark.parametrize(
    ("typed", "wanted", "alike"),
    [
        ("softmx", "softmax", True),
        ("normalizaton", "normalization", True),
        ("attention", "retention", False),
        ("x", "y", False),
        ("l1", "l2", False),
        ("1024", "1025", False),
        ("relu", "gelu", False),
        ("sigmoid", "softmax", False),
    ],
)
def test_almost(typed: str, wanted: str, alike: bool) -> None:
    assert almost(typed, wanted) is alike
