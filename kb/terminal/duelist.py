"""``kb due`` for people. On the way of every prompt, so it imports next to nothing."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from kb.memory.days import Moment

MOST_TOPICS = 20


def write(counts: Mapping[str, Any], now: Moment, environment: Mapping[str, str]) -> None:
    """Write what is due: the sums, the topics that have something to do, and when the next question comes."""
    colour = sys.stdout.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"

    def paint(text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if colour else text

    rows = [f"{paint(summary(counts), '1')}"]
    topics = {name: row for name, row in counts["topics"].items() if row["due"] or row["learning"]}
    if topics:
        rows.append("")
    wide = max(map(len, topics), default=0)
    ordered = sorted(topics.items(), key=lambda item: (-item[1]["due"], item[0]))
    for name, row in ordered[:MOST_TOPICS]:
        parts = [f"{row[key]:>5} {word}" for key, word in (("due", "due"), ("learning", "learning"), ("new", "new"))]
        rows.append(f"{name:<{wide}} {parts[0]} {paint(''.join(parts[1:]), '2')}")
    if len(ordered) > MOST_TOPICS:
        rows.append(paint(f"and {len(ordered) - MOST_TOPICS} more topics (--json lists them all)", "2"))
    if counts["next_at"] and not counts["due"]:
        rows += ["", f"The next question comes {ahead(counts['next_at'], now)}."]
    sys.stdout.write("\n".join(rows) + "\n")


def as_json(counts: Mapping[str, Any]) -> str:
    """``counts`` as JSON. Topics' names are slugs and times have no quotes, so that nothing needs escaping, and the
    import of ``json``, a tenth of the budget of ``kb due``, is spared."""
    if not all(name.replace("-", "").isalnum() for name in counts["topics"]):
        import json

        return json.dumps(counts, ensure_ascii=False)

    def numbers(row: Mapping[str, Any]) -> str:
        return f'"due": {row["due"]:d}, "learning": {row["learning"]:d}, "new": {row["new"]:d}'

    topics = ", ".join(f'"{name}": {{{numbers(row)}}}' for name, row in counts["topics"].items())
    next_at = f'"{counts["next_at"]}"' if counts["next_at"] else "null"
    return f'{{{numbers(counts)}, "next_at": {next_at}, "topics": {{{topics}}}}}'


def summary(counts: Mapping[str, Any]) -> str:
    """``12 due, 3 in learning, 40 new``."""
    due = f"{counts['due']:,} due" if counts["due"] else "nothing due"
    learning = [f"{counts['learning']:,} in learning"] if counts["learning"] else []
    return ", ".join([due, *learning, f"{counts['new']:,} new"])


def ahead(iso_time: str, now: Moment) -> str:
    """A time from now: ``in 12 min``, ``tomorrow at 04:00``."""
    from datetime import datetime

    at = datetime.fromisoformat(iso_time)
    minutes = (at.timestamp() * 1000 - now.at_ms) / 60_000
    if minutes < 90:
        return f"in {max(round(minutes), 1)} min"
    if minutes < 20 * 60:
        return f"in {round(minutes / 60)} h, at {at:%H:%M}"
    days = round(minutes / 1440)
    return f"on {at:%A}, {at.day} {at:%B}" + (f" (in {days} days)" if days > 1 else "")
