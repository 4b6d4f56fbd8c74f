"""Writes a report into a folder: a PNG for each figure, report.json with all the numbers, report.md to read."""

from __future__ import annotations

import json
import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from kb.demos.api import Demo
from kb.demos.evidence import Evidence, json_value
from kb.demos.numbers import RELATION, say
from kb.demos.report import Report, Scalar
from kb.errors import KbError, MissingExtra

_RESERVED = {"con", "prn", "aux", "nul", "report"}  # Windows' devices, and our own files


def check_folder(folder: str) -> None:
    """Make ``folder`` and prove, before the demo runs, that the result can be saved there."""
    import importlib.util

    try:
        found = importlib.util.find_spec("matplotlib") is not None
    except ImportError:
        found = False
    if not found:
        raise MissingExtra("matplotlib", "demos")
    try:
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise KbError(f"cannot make the folder {folder!r}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise KbError(f"cannot write into the folder {folder!r}")


def save(report: Report, evidence: Evidence, demo: Demo, folder: str) -> list[str]:
    """Write everything into ``folder`` (made if need be) and return the files' paths.

    Files are named by the figures' titles. Raises MissingExtra without matplotlib and KbError where nothing can be
    written.
    """
    names = file_names([figure.title for figure in report.figures])
    written = []
    try:
        os.makedirs(folder, exist_ok=True)
        if report.figures:
            try:
                from kb.demos import pictures
            except ImportError as error:
                raise MissingExtra("matplotlib", "demos") from error
            caption = f"{_command(evidence, demo)} · {' · '.join(_provenance(evidence))}"
            for figure, name in zip(report.figures, names, strict=True):
                path = os.path.join(folder, name)
                pictures.write(figure, path, caption)
                written.append(path)
        for name, text in (
            (
                "report.json",
                json.dumps(document(report, evidence, demo), ensure_ascii=False, indent=1, allow_nan=False),
            ),
            ("report.md", "\n".join(markdown(report, evidence, demo, names)) + "\n"),
        ):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8", errors="replace") as file:
                file.write(text)
            written.append(path)
    except OSError as error:
        raise KbError(f"the report could not be saved in {folder!r}: {error.strerror or error}") from None
    return written


def pictures(report: Report, folder: str, caption: str) -> list[str]:
    """Write the figures of ``report`` into ``folder``, which is there (``check_folder``); the paths of the files."""
    try:
        from kb.demos import pictures as drawn
    except ImportError as error:
        raise MissingExtra("matplotlib", "demos") from error
    written = []
    try:
        for figure, name in zip(report.figures, file_names([one.title for one in report.figures]), strict=True):
            written.append(os.path.join(folder, name))
            drawn.write(figure, written[-1], caption)
    except OSError as error:
        raise KbError(f"the pictures could not be saved in {folder!r}: {error.strerror or error}") from None
    return written


def file_names(titles: Sequence[str]) -> list[str]:
    """A file name for each title: letters, digits and hyphens only, all different even where case does not count."""
    names: list[str] = []
    for title in titles:
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        stem = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60].strip("-")
        if not stem or stem in _RESERVED:
            stem = f"figure-{stem}".strip("-")
        name, n = f"{stem}.png", 1
        while name in names:
            n += 1
            name = f"{stem}-{n}.png"
        names.append(name)
    return names


def document(report: Report, evidence: Evidence, demo: Demo) -> dict[str, Any]:
    """The whole report as JSON: what ``kb demo NAME --json`` prints, and time, tables, figures' data and notes."""
    result = evidence.as_json()
    for shown, check in zip(result["checks"], evidence.checks, strict=True):
        shown["tolerance"] = json_value(check.tolerance)
    return {
        **result,
        "summary": demo.summary,
        "topic": demo.topic,
        "at": evidence.at,
        "notes": report.notes,
        "tables": [_plain(asdict(table)) for table in report.tables],
        "figures": [{"kind": type(figure).__name__.lower(), **_plain(asdict(figure))} for figure in report.figures],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return json_value(value)


def markdown(report: Report, evidence: Evidence, demo: Demo, pictures: Sequence[str]) -> Iterator[str]:
    """The report as lines of Markdown."""
    yield from (f"# {demo.name}", "")
    if demo.summary:
        yield from (demo.summary, "")
    settings = [f"{name} {say(value)}" for name, value in evidence.parameters.items()]
    yield from (" · ".join([*settings, f"on {evidence.device}", evidence.at]), "")
    if evidence.checks:
        yield "## Checks"
        rows: list[list[Scalar]] = [
            [
                "✓" if check.holds else "✗ does not hold",
                check.name,
                say(check.measured, 6),
                RELATION.get(check.relation, check.relation),
                say(check.expected, 6) + (f" ± {say(check.tolerance, 2)}" if check.tolerance else ""),
            ]
            for check in evidence.checks
        ]
        yield from _table(["", "check", "measured", "", "expected"], rows)
    if evidence.metrics:
        yield "## Measured"
        yield from _table(["metric", "value", "unit"], [[m.name, say(m.value, 6), m.unit] for m in evidence.metrics])
    for table in report.tables:
        yield f"## {table.name}"
        yield from _table(table.columns, table.rows)
    for figure, file in zip(report.figures, pictures, strict=True):
        yield from (f"![{figure.title or 'figure'}]({file})", "")
    for note in report.notes:
        yield from (f"- {note}", "")
    yield " · ".join([f"{evidence.seconds:.2f} s", *_provenance(evidence)])


def _table(columns: Sequence[str], rows: Sequence[Sequence[Scalar]]) -> Iterator[str]:
    def line(cells: Sequence[Scalar]) -> str:
        return "| " + " | ".join(" ".join(say(cell).replace("|", "\\|").split()) for cell in cells) + " |"

    yield from ("", line(columns), "|" + " --- |" * len(columns), *map(line, rows), "")


def _command(evidence: Evidence, demo: Demo) -> str:
    """The command that gives this result."""
    words = ["kb demo", evidence.demo]
    for param in demo.params:
        value = evidence.parameters.get(param.key, param.default)
        name = param.key.replace("_", "-")
        if value != param.default:
            words.append(f"--{name} {value}" if param.type is not bool else f"--{name}" if value else f"--no-{name}")
    return " ".join([*words, *([f"--device {evidence.device}"] if evidence.device != "cpu" else [])])


def _provenance(evidence: Evidence) -> list[str]:
    versions = evidence.versions
    shown = [f"{name} {versions[name]}" for name in ("torch", "numpy", "kb") if name in versions]
    return [*shown, str(versions.get("gpu") or versions.get("cpu") or evidence.device)]
