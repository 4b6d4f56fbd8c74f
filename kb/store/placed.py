"""Placements: the topics that ten questions showed to be known (``kb place``), read from the log.

The data of a ``placed`` event are ``known`` (topic → probability that it is known, of all that the placement looked at)
and ``met`` (those of them that count as met from then on). The last event that names a topic holds for it, so a later
placement corrects an earlier one, and the order in which the logs of two devices arrive makes no difference.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from kb.errors import UsageError

KIND = "placed"

_IN_LOG = (
    "SELECT e.data FROM event e WHERE e.kind = 'placed' "
    "AND NOT EXISTS (SELECT 1 FROM event u WHERE u.undoes = e.id) ORDER BY e.id"
)


def checked(data: Mapping[str, Any] | None) -> dict[str, Any]:
    """The data of an event of this kind; UsageError if they are none."""
    data = dict(data or {})
    known, met = data.get("known"), data.get("met")
    if not isinstance(known, dict) or not all(_is_share(chance) for chance in known.values()):
        raise UsageError("a placement needs the probability, 0 to 1, that each topic is known")
    if not isinstance(met, list) or not all(isinstance(topic, str) and topic in known for topic in met):
        raise UsageError("a placement can mark as met only topics that it looked at")
    return data


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def known(db: sqlite3.Connection) -> set[str]:
    """The topics that count as met by the placements in the log."""
    found: set[str] = set()
    for (text,) in db.execute(_IN_LOG):
        data = json.loads(text)
        found = (found - data["known"].keys()) | set(data["met"])
    return found
