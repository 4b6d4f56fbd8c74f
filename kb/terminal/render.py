"""Markdown and maths as lines for a terminal.

Paragraphs, flat lists, fenced code and displayed maths, which is what questions are made of, are laid out here: rich's
Markdown costs six times a bare start of Python. Headings, tables, quotes and nested lists go to rich (``richtext``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby

from kb.questions.markup import scan
from kb.terminal.page import Sheet
from kb.terminal.pieces import code_lines, maths_lines, maths_text
from kb.terminal.text import (
    BOLD,
    CODE,
    DIM,
    ITALIC,
    LINK,
    UNDERLINE,
    WIDEST,
    Line,
    Span,
    ansi,
    clean,
    line_width,
    width,
    wrap,
)

_HELD = 0xE000  # a private character stands for each piece of code and maths while emphasis is found
_EMPHASIS = re.compile(
    r"\\(?P<escaped>[\\`*_{}\[\]()#+\-.!$<>|~])"
    r"|\[(?P<label>[^\[\]]+)\]\((?P<target>[^()\s]+)\)"
    r"|<(?P<url>https?://[^<>\s]+)>"
    r"|(?P<stars>\*\*|(?<!\w)\*|\*(?!\w)|(?<!\w)__?(?=[^\s_])|(?<=[^\s_])__?(?!\w))"
)
_BLOCK = re.compile(r"^ {0,3}(#{1,6} |> ?|\|.*\||={3,}\s*$|(\*\s*){3,}$|(-\s*){3,}$|<[a-zA-Z/!])", re.MULTILINE)
_NESTED = re.compile(r"^ {2,}([-*+]|\d{1,3}[.)]) ", re.MULTILINE)
_ITEM = re.compile(r"^ {0,1}(?P<mark>[-*+]|\d{1,3}[.)]) +(?P<text>.*)$")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})\s*(?P<info>[^`]*)$")


def inline(text: str) -> list[Span]:
    """Inline Markdown and ``$maths$`` as spans."""
    held: list[Span] = []
    parts: list[str] = []
    for is_code, group in groupby(scan(_without_private(clean(text))), key=lambda piece: piece.code):
        pieces = list(group)
        if is_code:
            held.append(Span(_code_text("".join(piece.text for piece in pieces)), CODE))
            parts.append(chr(_HELD + len(held) - 1))
            continue
        for piece in pieces:
            if piece.kind == "maths":
                held.append(Span(maths_text(piece.text.strip("$"))))
                parts.append(chr(_HELD + len(held) - 1))
            else:
                parts.append(piece.text)
    return _released(_emphasised("".join(parts)), held)


def _without_private(text: str) -> str:
    return re.sub("[\ue000-\uf8ff]", "\ufffd", text).replace("\0", "")


def _code_text(text: str) -> str:
    ticks = len(text) - len(text.lstrip("`"))
    inner = text[ticks : len(text) - ticks] if ticks else text
    return inner[1:-1] if inner[:1] == inner[-1:] == " " and inner.strip() else inner


def _emphasised(text: str) -> list[Span]:
    """Emphasis, links and escapes; a mark without a partner stands for itself."""
    matches = list(_EMPHASIS.finditer(text))
    partner = _partners(text, matches)
    spans: list[Span] = []
    styles: list[str] = []
    at = 0
    for number, match in enumerate(matches):
        if match.start() < at:
            continue
        spans.append(Span(text[at : match.start()], ";".join(styles)))
        at = match.end()
        if match["escaped"]:
            spans.append(Span(match["escaped"], ";".join(styles)))
        elif match["label"]:
            spans.append(Span(match["label"], ";".join([*styles, UNDERLINE])))
            if match["target"].startswith("http"):
                spans.append(Span(f" ({match['target']})", ";".join([*styles, LINK])))
        elif match["url"]:
            spans.append(Span(match["url"], ";".join([*styles, LINK])))
        elif number in partner:
            style = BOLD if len(match["stars"]) == 2 else ITALIC
            if partner[number] > number:
                styles.append(style)
            elif style in styles:
                styles.reverse()
                styles.remove(style)
                styles.reverse()
        else:
            spans.append(Span(match[0], ";".join(styles)))
    spans.append(Span(text[at:], ";".join(styles)))
    return [span for span in spans if span.text]


def _partners(text: str, matches: list[re.Match[str]]) -> dict[int, int]:
    """Which opening mark of emphasis belongs to which closing one."""
    pairs: dict[int, int] = {}
    open_marks: list[int] = []
    for number, match in enumerate(matches):
        mark = match["stars"]
        if not mark:
            continue
        before, after = text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]
        can_open, can_close = bool(after) and not after.isspace(), bool(before) and not before.isspace()
        if can_close:
            for place in range(len(open_marks) - 1, -1, -1):
                if matches[open_marks[place]]["stars"] == mark and match.start() > matches[open_marks[place]].end():
                    pairs[open_marks[place]], pairs[number] = number, open_marks[place]
                    del open_marks[place:]
                    break
            else:
                if can_open:
                    open_marks.append(number)
        elif can_open:
            open_marks.append(number)
    return pairs


def _released(spans: Iterable[Span], held: list[Span]) -> list[Span]:
    """``spans`` with the pieces of code and maths put back in their places."""
    result: list[Span] = []
    for text, style in spans:
        for part in re.split("([\ue000-\uf8ff])", text):
            if len(part) == 1 and 0 <= ord(part) - _HELD < len(held):
                piece = held[ord(part) - _HELD]
                result.append(Span(piece.text, ";".join(filter(None, [style, piece.style]))))
            elif part:
                result.append(Span(part, style))
    return result


def lines(text: str, columns: int) -> list[Line]:
    """Markdown as lines of at most ``columns`` columns."""
    text = clean(text).strip("\n")
    if needs_blocks(text):
        from kb.terminal.richtext import block_lines

        return block_lines(text, columns)
    result: list[Line] = []
    previous = ""
    for kind, source in blocks(text):
        if result and not (kind == previous and kind in ("bullet", "number")):
            result.append([])
        previous = kind
        if kind == "code":
            result += code_lines(source, columns)
        elif kind == "maths":
            result += maths_lines(source, columns)
        elif kind in ("bullet", "number"):
            mark, _, rest = source.partition(" ")
            mark = " • " if kind == "bullet" else f" {mark} "
            result += wrap(inline(rest), columns, [Span(mark, DIM)], [Span(" " * width(mark))])
        else:
            result += wrap(inline(source), columns)
    return result


def needs_blocks(text: str) -> bool:
    """Whether ``text`` has Markdown that only rich lays out: headings, tables, quotes, nested lists, HTML."""
    return any(
        kind != "code" and (_BLOCK.search(source) or _NESTED.search(source)) for kind, source in _cut_fences(text)
    )


def _cut_fences(text: str) -> list[tuple[str, str]]:
    """``text`` as ("text" | "code", source) in turn; a fence that is not closed runs to the end."""
    result: list[tuple[str, str]] = []
    rows: list[str] = []
    fence = ""
    for row in text.split("\n"):
        match = _FENCE.match(row)
        if fence:
            if match and match["fence"].startswith(fence) and not match["info"].strip():
                result.append(("code", "\n".join(rows)))
                rows, fence = [], ""
            else:
                rows.append(row)
        elif match:
            result.append(("text", "\n".join(rows)))
            rows, fence = [], match["fence"]
        else:
            rows.append(row)
    result.append(("code" if fence else "text", "\n".join(rows)))
    return [(kind, source) for kind, source in result if kind == "code" or source.strip()]


def blocks(text: str) -> list[tuple[str, str]]:
    """The blocks of simple Markdown: ("text" | "code" | "maths" | "bullet" | "number", source)."""
    result: list[tuple[str, str]] = []
    for kind, source in _cut_fences(text):
        if kind == "code":
            result.append((kind, source))
            continue
        for number, part in enumerate(re.split(r"(?<!\\)\$\$(.+?)\$\$", source, flags=re.DOTALL)):
            result += [("maths", part)] if number % 2 else _paragraphs(part)
    return result


def _paragraphs(text: str) -> list[tuple[str, str]]:
    result: list[tuple[str, str]] = []
    for chunk in re.split(r"\n\s*\n", text):
        fresh = True
        for row in chunk.strip("\n").split("\n"):
            item = _ITEM.match(row)
            if item:
                kind = "bullet" if item["mark"] in "-*+" else "number"
                result.append((kind, f"{item['mark']} {item['text']}"))
            elif not row.strip():
                continue
            elif fresh:
                result.append(("text", row.strip()))
            else:
                kind, source = result[-1]
                joint = "\n" if source.endswith(("  ", "\\")) else " "
                result[-1] = (kind, source.rstrip(" \\" if joint == "\n" else " ") + joint + row.strip())
            fresh = False
    return result


def plain(text: str) -> str:
    """Inline Markdown and maths as plain text on one line."""
    return " ".join("".join(span.text for span in inline(text)).split())


def markdown(text: str, columns: int = WIDEST, colour: bool = False) -> str:
    """Markdown as a string of lines of at most ``columns`` columns, with colours if ``colour``."""
    return "\n".join(ansi(line, colour).rstrip() for line in lines(text, columns))


class Page(Sheet):
    """A sheet that knows Markdown."""

    def markdown(self, text: str, indent: int = 0) -> None:
        """Write Markdown."""
        for line in lines(text, self.width - indent):
            self.write([Span(" " * indent), *line] if line else [])

    def heading(self, text: str, aside: str = "") -> None:
        """Write a heading, with ``aside`` at the right end of its line where there is room."""
        title = inline(text)
        room = self.width - line_width(title) - width(aside)
        bold = [Span(part, f"{BOLD};{style}" if style else BOLD) for part, style in title]
        self.write([*bold, Span(" " * room), Span(aside, DIM)] if aside and room > 1 else bold)
