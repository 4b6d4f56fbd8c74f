"""Choosing among things that are shown in a list: by index in JSON, by number or letter in a typed line."""

from __future__ import annotations

import re
from typing import Any

from kb.errors import AnswerError
from kb.questions.base import kind_of


def typed(line: str) -> list[str]:
    """The numbers or letters of a typed line: ``1,3``, ``b``, ``3 1 2``, ``2 > 1``."""
    return [token for token in re.split(r"[\s,;+&>→]+|\band\b", line.strip().lower()) if token]


def place_of(token: str, count: int, what: str) -> int:
    """The index of the ``what`` that a person names by its number, from 1, or its letter; raises AnswerError."""
    token = token.strip("().:")
    if token.isascii() and token.isdigit() and len(token) < 4:
        place = int(token) - 1
    elif len(token) == 1 and "a" <= token <= "z":
        place = ord(token) - ord("a")
    else:
        place = -1
    if not 0 <= place < count:
        raise AnswerError(f"{token[:20]!r} is no {what}: type a number from 1 to {count}")
    return place


def indices(answer: list[Any] | tuple[Any, ...], count: int, what: str) -> list[int]:
    """``answer`` as different indices from 0 to ``count`` - 1; raises AnswerError."""
    for place in answer:
        if isinstance(place, bool) or not isinstance(place, int):
            raise AnswerError(f"an {what} is named by its index, a whole number, not {kind_of(place)}")
        if not 0 <= place < count:
            raise AnswerError(f"there is no {what} {place}: the indices go from 0 to {count - 1}")
    if len(set(answer)) < len(answer):
        raise AnswerError(f"an {what} was named twice")
    return list(answer)
