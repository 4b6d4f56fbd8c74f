"""Figures of a report as text."""

from __future__ import annotations

from collections.abc import Iterator

from kb.demos.report import Figure


def draw(figure: Figure, width: int, *, color: bool) -> Iterator[str]:
    yield figure.title
