"""Whole documents of Markdown by rich: headings, tables, quotes, nested lists. Importing rich.markdown is slow, so only
texts that need it come here."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, ClassVar

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.theme import Theme

from kb.questions.markup import scan
from kb.terminal.pieces import code_lines, maths_lines, maths_text
from kb.terminal.text import Line, Span, ansi, clean

_DISPLAY = "kb-displayed-maths"
_THEME = Theme(
    {
        "markdown.h1": "bold",
        "markdown.h2": "bold",
        "markdown.h3": "bold dim",
        "markdown.h4": "italic",
        "markdown.code": "cyan",
        "markdown.block_quote": "dim",
        "markdown.item.bullet": "dim",
        "markdown.item.number": "dim",
        "markdown.link": "blue",
        "markdown.link_url": "blue",
        "markdown.hr": "dim",
        "markdown.table.border": "dim",
        "markdown.table.header": "bold",
    }
)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


class _LeftHeading(Heading):
    """A heading at the left edge, without a box."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.text.justify = "left"
        yield self.text


class _Block(CodeBlock):
    """Code as the rest of kb shows it; displayed maths comes through the same door."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        source = str(self.text).rstrip("\n")
        draw = maths_lines if self.lexer_name == _DISPLAY else code_lines
        for line in draw(source, options.max_width):
            for span in line:
                yield Segment(span.text, Style.parse("cyan") if span.style else None)
            yield Segment.line()


class _PlainTable(TableElement):
    """A table with one rule under its head."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                table.box = box.SIMPLE_HEAD
                table.pad_edge = False
                table.show_edge = False
            yield table


class _Document(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _LeftHeading,
        "fence": _Block,
        "code_block": _Block,
        "table_open": _PlainTable,
    }


def block_lines(text: str, columns: int) -> list[Line]:
    """Markdown as lines of at most ``columns`` columns."""
    console = Console(
        file=io.StringIO(),
        width=columns,
        force_terminal=True,
        color_system="standard",
        theme=_THEME,
        legacy_windows=False,
        _environ={},
    )
    rows = console.render_lines(_Document(_with_maths(clean(text)), hyperlinks=False), pad=False)
    result = [_line(row) for row in rows]
    while result and not result[-1]:
        result.pop()
    while result and not result[0]:
        result.pop(0)
    return result


def render(thing: Any, columns: int, colour: bool = False) -> str:
    """Any rich renderable (a table) as a string."""
    console = Console(
        file=io.StringIO(), width=columns, force_terminal=True, color_system="standard", theme=_THEME, _environ={}
    )
    rows = console.render_lines(thing, pad=False)
    return "\n".join(ansi(_line(row), colour).rstrip() for row in rows)


def _with_maths(text: str) -> str:
    """``text`` with its maths in Unicode, escaped for Markdown; displayed maths as a fence of its own."""
    parts: list[str] = []
    for piece in scan(text):
        if piece.kind == "maths" and piece.text.startswith("$$"):
            source = piece.text.strip("$").strip()
            parts.append(f"\n\n```{_DISPLAY}\n{' '.join(source.split())}\n```\n\n")
        elif piece.kind == "maths":
            parts.append(_SPECIAL.sub(r"\\\1", maths_text(piece.text.strip("$"))))
        else:
            parts.append(piece.text)
    return "".join(parts)


def _line(segments: Iterable[Segment]) -> Line:
    line: Line = []
    for segment in segments:
        if segment.control:
            continue
        text = segment.text.rstrip("\n")
        if text:
            line.append(Span(text, _codes(segment.style)))
    while line and not line[-1].text.strip():
        line.pop()
    if line:
        line[-1] = Span(line[-1].text.rstrip(), line[-1].style)
    return line


def _codes(style: Style | None) -> str:
    if style is None:
        return ""
    codes = [
        code for on, code in ((style.bold, "1"), (style.dim, "2"), (style.italic, "3"), (style.underline, "4")) if on
    ]
    if style.color is not None and style.color.number is not None and style.color.number < 8:
        codes.append(str(30 + style.color.number))
    return ";".join(codes)
