"""Leeches: questions that are failed again and again. They want a demo or a better wording, not more reviews."""

from __future__ import annotations

LEECH_LAPSES = 8


def is_leech(lapses: int, threshold: int = LEECH_LAPSES) -> bool:
    """Whether a question with so many ``lapses`` is a leech; with ``threshold`` 0 none is."""
    return 0 < threshold <= lapses


def deserves_a_word(lapses_before: int, lapses: int, threshold: int = LEECH_LAPSES) -> bool:
    """Whether the answer that led to ``lapses`` should be remarked on: at the threshold, and every half of it after."""
    if lapses <= lapses_before or not is_leech(lapses, threshold):
        return False
    return (lapses - threshold) % max(1, (threshold + 1) // 2) == 0
