"""Markdown on a terminal."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.terminal.render import inline, lines, markdown, needs_blocks, plain
from kb.terminal.text import BOLD, CODE, ITALIC, line_width


def styles(text: str) -> list[tuple[str, str]]:
    return [(span.text, span.style) for span in inline(text)]


def test_emphasis_code_and_maths() -> None:
    assert styles("a **b** *c* `d*e` $x_i^2$") == [
        ("a ", ""),
        ("b", BOLD),
        (" ", ""),
        ("c", ITALIC),
        (" ", ""),
        ("d*e", CODE),
        (" ", ""),
        ("xᵢ²", ""),
    ]


@pytest.mark.parametrize(
    "text", ["2*3*4", "snake_case_name", "a * b * c", "5 < 6 > 4", "$5 and $6", "x_ y", "of (1) ____ and (2) ____."]
)
def test_what_is_no_markup_stays(text: str) -> None:
    assert plain(text) == text


def test_escapes_and_links() -> None:
    assert plain(r"\*no\* [here](https://example.org/a) <https://b.org>") == (
        "*no* here (https://example.org/a) https://b.org"
    )


def test_code_in_bold_keeps_both() -> None:
    assert styles("**see `x` now**") == [("see ", BOLD), ("x", f"{BOLD};{CODE}"), (" now", BOLD)]


def test_paragraphs_lists_code_and_displayed_maths() -> None:
    text = "One\ntwo.\n\n- a\n- b\n\n```python\nx  =  1\n```\n\n$$\\frac{a}{b}$$\n\nEnd."
    assert markdown(text, 40).split("\n") == [
        "One two.",
        "",
        " • a",
        " • b",
        "",
        "  x  =  1",
        "",
        "     a",
        "    ───",
        "     b",
        "",
        "End.",
    ]


def test_a_table_and_a_heading_are_left_to_rich() -> None:
    text = "# Title\n\n| a | $b_1$ |\n|---|---|\n| 1 | 2*3 |\n"
    assert needs_blocks(text)
    shown = markdown(text, 40)
    assert "Title" in shown and "b₁" in shown and "\x1b" not in shown


def test_plain_questions_do_without_rich() -> None:
    code = (
        "import sys; from kb.terminal.render import markdown;"
        "markdown('What is **this**?\\n\\n```\\n# no heading\\n```\\n- item', 60);"
        "print([m for m in sys.modules if m.split('.')[0] in ('rich', 'pygments', 'markdown_it')])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("text", ["\x1b[31mred", "`\x1b]0;x\x07`", "# \x1b[2J", "| \x1b |\n|--|\n| \x1b |", "$\x1b$"])
@pytest.mark.parametrize("colour", [True, False])
def test_no_escape_of_the_content_reaches_the_terminal(text: str, colour: bool) -> None:
    import re

    shown = re.sub("\x1b\\[[0-9;]*m", "", markdown(text, 40, colour))
    assert "\x1b" not in shown and "\x07" not in shown


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.sampled_from(list("ab *_`$\\{}[]()<>|#-1.\n\x1b")), max_size=80), st.sampled_from([20, 40, 80])
)
def test_any_text_is_laid_out_within_its_width(text: str, columns: int) -> None:
    for line in lines(text, columns):
        assert line_width(line) <= columns
        assert not any("\n" in span.text or "\x1b" in span.text for span in line)
