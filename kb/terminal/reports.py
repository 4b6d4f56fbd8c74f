"""A demo's report as lines of text: what was checked, what was measured, pictures, and what it ran on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from kb.demos.api import Demo
from kb.demos.evidence import Evidence
from kb.demos.numbers import say, statement
from kb.demos.report import Check, Metric, Report, Scalar, Table
from kb.terminal import plots
from kb.terminal.text import BAD, BOLD, DIM, GOOD, Line, Span, cut, one_line, width, wrap

_INDENT = [Span("    ")]


def heading(demo: Demo, parameters: Mapping[str, Scalar], device: str, columns: int) -> Iterator[Line]:
    """What will be shown, known before anything is loaded."""
    topic = f"  {demo.topic}" if demo.topic and demo.topic != demo.name else ""
    yield [Span(demo.name, BOLD), Span(topic, DIM)]
    if demo.summary:
        yield from wrap([Span(one_line(demo.summary))], columns)
    settings = [f"{name.replace('_', '-')} {say(value)}" for name, value in parameters.items()]
    yield from wrap([Span(one_line(" · ".join([*settings, f"on {device}"])), DIM)], columns)


def body(report: Report, evidence: Evidence, columns: int, colour: bool) -> Iterator[Line]:
    """Checks, metrics, tables, figures, notes, then versions: each part after an empty line."""
    parts: list[Iterable[Line]] = [
        checks(report.checks, columns),
        metrics(report.metrics, columns),
        *(table(item, columns) for item in report.tables),
        *(plots.draw(figure, columns, colour) for figure in report.figures),
        notes(report.notes, columns),
        footer(evidence, columns),
    ]
    for part in parts:
        lines = list(part)
        if lines:
            yield []
            yield from lines


def checks(items: Sequence[Check], columns: int) -> Iterator[Line]:
    """One line a check: pass or fail, its name, and measured, relation and bound."""
    names = max((width(one_line(check.name)) for check in items), default=0)
    for check in items:
        sign = Span("✓ ", GOOD) if check.holds else Span("✗ ", BAD)
        name, said = one_line(check.name), Span(one_line(statement(check)), "" if check.holds else BAD)
        if 4 + names + width(said.text) <= columns:
            yield [sign, Span(f"{name}{' ' * (names - width(name))}  "), said]
        else:
            yield from wrap([Span(name)], columns, [sign], [Span("  ")])
            yield from wrap([said], columns, _INDENT, _INDENT)


def metrics(items: Sequence[Metric], columns: int) -> Iterator[Line]:
    """Names, values aligned at their end, units."""
    names = max((width(one_line(metric.name)) for metric in items), default=0)
    values = [one_line(say(metric.value)) for metric in items]
    numbers = max((width(value) for value, m in zip(values, items, strict=True) if not _is_text(m.value)), default=0)
    for metric, value in zip(items, values, strict=True):
        name, unit = one_line(metric.name), one_line(metric.unit)
        shown = value if _is_text(metric.value) else value.rjust(numbers)
        if names + 2 + width(shown) + 1 + width(unit) <= columns:
            yield [Span(f"{name}{' ' * (names - width(name))}  {shown}"), Span(f" {unit}" if unit else "", DIM)]
        else:
            yield from wrap([Span(name)], columns)
            yield from wrap([Span(f"{value} {unit}")], columns, _INDENT, _INDENT)


def _is_text(value: Scalar) -> bool:
    return isinstance(value, str | bool)


def table(item: Table, columns: int) -> Iterator[Line]:
    """Columns aligned, numbers at their end; cells fold where the terminal is too narrow."""
    heads = [one_line(name) for name in item.columns]
    cells = [[one_line(say(cell)) for cell in row] for row in item.rows]
    right = [bool(item.rows) and all(not _is_text(row[n]) for row in item.rows) for n in range(len(heads))]
    widths = [max(1, *(width(row[n]) for row in [heads, *cells])) for n in range(len(heads))]
    room = columns - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 3:
        widths[widths.index(max(widths))] -= 1
    if item.name:
        yield from wrap([Span(one_line(item.name), BOLD)], columns)
    yield from _row(heads, widths, right, DIM)
    yield [Span("  ".join("─" * wide for wide in widths), DIM)]
    for row in cells:
        yield from _row(row, widths, right)


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool], style: str = "") -> Iterator[Line]:
    folded = [_fold(cell, wide) for cell, wide in zip(cells, widths, strict=True)]
    for n in range(max(map(len, folded), default=0)):
        parts = [lines[n] if n < len(lines) else "" for lines in folded]
        padded = [
            " " * (wide - width(part)) + part if end else part + " " * (wide - width(part))
            for part, wide, end in zip(parts, widths, right, strict=True)
        ]
        yield [Span("  ".join(padded).rstrip(), style)]


def _fold(text: str, columns: int) -> list[str]:
    lines = ["".join(span.text for span in line) for line in wrap([Span(text)], columns)]
    return [cut(line, columns)[0] for line in lines]


def notes(items: Sequence[str], columns: int) -> Iterator[Line]:
    """Each note as a paragraph behind a dot."""
    for note in items:
        yield from wrap([Span(one_line(note))], columns, [Span("• ")], [Span("  ")])


def footer(evidence: Evidence, columns: int) -> Iterator[Line]:
    """The verdict in words, then time, device and versions."""
    total, failed = len(evidence.checks), sum(not check.holds for check in evidence.checks)
    if failed:
        yield [Span(f"{failed} of {_count(total, 'check')} did not hold", BAD)]
    elif total:
        yield [Span(f"{_count(total, 'check')} held", GOOD)]
    words = [f"{evidence.seconds:.2f} s on {evidence.device}"]
    for name, value in evidence.versions.items():
        if name in ("threads", "cores"):
            words.append(_count(int(value), name[:-1]))
        else:
            words.append(str(value) if name in ("cpu", "gpu", "platform", "isa") else f"{name} {value}")
    yield from wrap([Span(one_line(" · ".join(words)), DIM)], columns)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
