"""Text for a terminal: nothing dangerous gets through, nothing is lost in wrapping, no line is too wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.terminal.text import Span, ansi, clean, cut, line_width, shorten, width, wrap

ANYTHING = st.text(max_size=80)


@given(ANYTHING)
def test_no_control_character_is_left(text: str) -> None:
    cleaned = clean(text)
    assert not any((ord(c) < 0x20 and c != "\n") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in cleaned)
    assert not set(cleaned) & set("\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    assert clean(cleaned) == cleaned


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    assert clean("\x1b]0;title\x07\x1b[31mred") == "␛]0;title␇␛[31mred"


@given(st.lists(st.tuples(ANYTHING.map(clean), st.sampled_from(["", "1", "31"]))), st.integers(8, 60))
def test_wrapping_loses_nothing_and_keeps_to_the_width(spans: list[tuple[str, str]], columns: int) -> None:
    lines = wrap([Span(*span) for span in spans], columns, [Span("- ")], [Span("  ")])
    assert all(line_width(line) <= columns for line in lines)
    seen = "".join("".join(span.text for span in line)[2:] for line in lines)
    given_text = "".join(text for text, _ in spans)
    assert seen.replace(" ", "") == given_text.replace(" ", "").replace("\n", "")


def test_lines_break_at_spaces() -> None:
    lines = wrap([Span("one two three four")], 9)
    assert [ansi(line, False) for line in lines] == ["one two", "three", "four"]


def test_a_word_keeps_together_across_styles() -> None:
    lines = wrap([Span("aaa b"), Span("cc", "1"), Span("d eee")], 8)
    assert [ansi(line, False) for line in lines] == ["aaa bccd", "eee"]


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("", 0), ("x̄ᵀ", 2)])
def test_width_counts_columns(text: str, columns: int) -> None:
    assert width(text) == columns


@given(ANYTHING.map(clean), st.integers(1, 40))
def test_shorten_and_cut(text: str, columns: int) -> None:
    head, rest = cut(text, columns)
    assert head + rest == text
    assert width(shorten(text, max(columns, 3))) <= max(columns, 3)


def test_no_colour_means_no_escape() -> None:
    line = [Span("a", "1;31"), Span("b")]
    assert ansi(line, False) == "ab"
    assert ansi(line, True) == "\x1b[1;31ma\x1b[0mb"
