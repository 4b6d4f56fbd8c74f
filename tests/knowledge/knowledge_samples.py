"""A sound topic to test with, as text and as a value."""

from __future__ import annotations

from typing import Any

import yaml

SOUND = """\
title: A sound topic
summary: What it is about.
sources:
  vaswani2017: {title: Attention Is All You Need, authors: Vaswani et al., year: 2017, arxiv: "1706.03762"}
claims:
  - {id: scale, says: Scores are scaled., verdict: added, source: vaswani2017 §3.2.1}
questions:
  - id: why
    kind: recall
    claim: scale
    ask: Why are they scaled?
    answer: To keep the variance at one.
    why: The variance of a dot product grows with its length.
"""


def sound(**changes: Any) -> dict[str, Any]:
    """The sound topic as a value, with other or further keys."""
    value: dict[str, Any] = yaml.safe_load(SOUND)
    return {**value, **changes}


def text_of(value: object) -> str:
    """A value as the text of a topic file."""
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False)
