"""Code and maths as lines for a terminal: the pieces that stand in every kind of Markdown."""

from __future__ import annotations

from kb.terminal.text import CODE, Line, Span, clean, cut, width, wrap


def maths_text(source: str) -> str:
    """LaTeX maths, without its dollar signs, on one line of Unicode; the source where that can't be done."""
    from kb.terminal.maths import to_unicode

    return clean(to_unicode(source)).replace("\n", " ")


def code_lines(source: str, columns: int) -> list[Line]:
    """Code as it is, set in by two columns; what is too long goes on in the next line."""
    result: list[Line] = []
    for row in clean(source).split("\n"):
        result += _hard_wrapped(Span(row, CODE), columns)
    return result


def _hard_wrapped(span: Span, columns: int) -> list[Line]:
    text, result = span.text, []
    while True:
        head, text = cut(text, max(columns - 2, 8))
        result.append([Span("  "), Span(head, span.style)])
        if not text:
            return result


def maths_lines(source: str, columns: int) -> list[Line]:
    """Displayed maths in two dimensions where they fit into ``columns``, on one line (wrapped) where not."""
    from kb.terminal.mathsbox import display

    drawn = display(source.strip())
    if drawn is not None and max(map(width, drawn)) <= columns - 4:
        return [[Span("    " + row)] for row in drawn]
    return wrap([Span(maths_text(source.strip()))], columns, [Span("    ")], [Span("      ")])
