"""A demo's report as text for a terminal: what was checked, what was measured, pictures, and what it ran on."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from kb.demos.api import Demo
from kb.demos.evidence import Evidence
from kb.demos.report import Check, Metric, Report, Scalar, Table
from kb.terminal import plots
from kb.terminal.numbers import say
from kb.terminal.paint import Paint, width_of

_RELATION = {"<=": "≤", ">=": "≥", "==": "=", "≈": "≈"}


def heading(demo: Demo, parameters: dict[str, Scalar], device: str, paint: Paint, width: int) -> Iterator[str]:
    """What will be shown, known before anything is loaded."""
    yield paint.bold(demo.name) + (paint.dim(f"  {demo.topic}") if demo.topic and demo.topic != demo.name else "")
    yield from textwrap.wrap(demo.summary, width)
    settings = [f"{name.replace('_', '-')} {say(value)}" for name, value in parameters.items()]
    for line in textwrap.wrap(" · ".join([*settings, f"on {device}"]), width):
        yield paint.dim(line)


def body(report: Report, evidence: Evidence, paint: Paint, width: int) -> Iterator[str]:
    """Checks, metrics, tables, figures, notes, then versions: each part after an empty line."""
    parts: list[Iterable[str]] = [
        checks(report.checks, paint, width),
        metrics(report.metrics, paint, width),
        *(table(item, paint, width) for item in report.tables),
        *(plots.draw(figure, width, color=paint.on) for figure in report.figures),
        notes(report.notes, width),
        footer(report, evidence, paint, width),
    ]
    for part in parts:
        lines = list(part)
        if lines:
            yield ""
            yield from lines


def checks(items: Sequence[Check], paint: Paint, width: int) -> Iterator[str]:
    """One line a check: pass or fail, its name, and measured, relation and bound."""
    names = max((width_of(check.name) for check in items), default=0)
    for check in items:
        sign = paint.green("✓") if check.holds else paint.red("✗")
        said = statement(check)
        if 4 + names + width_of(said) <= width:
            yield f"{sign} {check.name:<{names}}  {said}"
        else:
            yield f"{sign} {check.name}"
            yield from textwrap.wrap(said, width, initial_indent="    ", subsequent_indent="    ")


def statement(check: Check) -> str:
    """``measured relation expected``, with more digits where four of them would hide the difference."""
    digits = 4
    same = check.measured == check.expected
    while digits < 17 and not same and say(check.measured, digits) == say(check.expected, digits):
        digits += 1
    text = f"{say(check.measured, digits)} {_RELATION.get(check.relation, check.relation)} {say(check.expected, digits)}"
    if check.tolerance:
        text += f" ± {say(check.tolerance, 2)}"
    return text if check.holds else f"{text}  does not hold"


def metrics(items: Sequence[Metric], paint: Paint, width: int) -> Iterator[str]:
    """Names, values aligned at their end, units."""
    names = max((width_of(metric.name) for metric in items), default=0)
    values = [say(metric.value) for metric in items]
    numbers = max((width_of(value) for value, m in zip(values, items, strict=True) if not _is_text(m.value)), default=0)
    for metric, value in zip(items, values, strict=True):
        shown = value if _is_text(metric.value) else value.rjust(numbers)
        if names + 2 + width_of(shown) + 1 + width_of(metric.unit) <= width:
            yield f"{metric.name:<{names}}  {shown} {paint.dim(metric.unit)}".rstrip()
        else:
            yield metric.name
            yield from textwrap.wrap(f"{value} {metric.unit}", width, initial_indent="    ", subsequent_indent="    ")


def _is_text(value: Scalar) -> bool:
    return isinstance(value, str | bool)


def table(item: Table, paint: Paint, width: int) -> Iterator[str]:
    """Columns aligned (numbers at their end); cells fold where the terminal is too narrow."""
    cells = [[say(cell) for cell in row] for row in item.rows]
    right = [all(not _is_text(row[n]) for row in item.rows) and bool(item.rows) for n in range(len(item.columns))]
    widths = [
        max(width_of(text) for text in [name, *(row[n] for row in cells)]) for n, name in enumerate(item.columns)
    ]
    room = width - 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > 6:
        widths[widths.index(max(widths))] -= 1
    if item.name:
        yield paint.bold(item.name)
    for line in _row(item.columns, widths, right):
        yield paint.dim(line)
    yield paint.dim("  ".join("─" * wide for wide in widths))
    for row in cells:
        yield from _row(row, widths, right)


def _row(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> Iterator[str]:
    folded = [textwrap.wrap(cell, wide) or [""] for cell, wide in zip(cells, widths, strict=True)]
    for n in range(max(map(len, folded), default=0)):
        parts = [lines[n] if n < len(lines) else "" for lines in folded]
        padded = [
            " " * (wide - width_of(part)) + part if end else part + " " * (wide - width_of(part))
            for part, wide, end in zip(parts, widths, right, strict=True)
        ]
        yield "  ".join(padded).rstrip()


def notes(items: Sequence[str], width: int) -> Iterator[str]:
    """Each note as a paragraph behind a dot."""
    for note in items:
        yield from textwrap.wrap(note, width, initial_indent="• ", subsequent_indent="  ")


def footer(report: Report, evidence: Evidence, paint: Paint, width: int) -> Iterator[str]:
    """The verdict in words, then time, device and versions."""
    total, failed = len(report.checks), sum(not check.holds for check in report.checks)
    if total and not failed:
        yield paint.green(f"{_count(total, 'check')} held" if total > 1 else "the check held")
    elif failed:
        yield paint.red(f"{failed} of {_count(total, 'check')} did not hold")
    words = [f"{say(round(evidence.seconds, 2))} s on {evidence.device}"]
    for name, value in evidence.versions.items():
        words.append({"cpu": str(value), "gpu": str(value), "platform": str(value), "isa": str(value)}.get(name, ""))
        words[-1] = words[-1] or (_count(int(value), name[:-1]) if name in ("threads", "cores") else f"{name} {value}")
    for line in textwrap.wrap(" · ".join(words), width):
        yield paint.dim(line)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
