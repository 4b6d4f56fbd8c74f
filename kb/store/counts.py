"""What is due, counted in SQL for the commands of every prompt: imports sqlite3 and next to nothing else.

"New" are the questions that were never answered, "learning" those in (re)learning steps, due or not yet, and "due" the
reviews whose study day has come, or that an exam asks before it, together with the steps whose time has come. Held
questions (suspended, buried) never count; neither do questions that no topic has any more.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from kb.memory.days import Moment, day_start_ms, study_day
from kb.store import connection, faults
from kb.store.schema import STEPS

_CHECKED_BYTES = 1 << 17  # a larger database is not checked page by page here: this is on the way of every prompt
_ASKED = "SELECT a.question FROM main.ask a WHERE a.day <= :day AND a.exam_day > :day"  # by an exam, before their day
_OR_ASKED = f" OR s.question IN ({_ASKED})"
_DUE = f"CASE s.phase WHEN 'review' THEN s.due_day <= :day{_OR_ASKED} ELSE s.due_ms <= :now END"
_FREE = "(h.question IS NULL OR NOT h.suspended AND coalesce(h.buried_until, :day) <= :day)"

# Driven by the topics in order of name, whose questions lie together under "topic/" ("0" is the character after "/"):
# so the groups come ready, without a sort over all questions.
_COUNTS = f"""
SELECT t.name, total({_FREE} AND {_DUE}), total({_FREE} AND s.phase <> 'review'),
       total({_FREE} AND q.name IS NOT NULL AND s.question IS NULL)
FROM content.topic t
LEFT JOIN content.question q ON q.name > t.name || '/' AND q.name < t.name || '0'
LEFT JOIN main.state s ON s.question = q.name
LEFT JOIN main.hold h ON h.question = q.name
{{chosen}}
GROUP BY t.name
"""
_HOLD = "LEFT JOIN main.hold h ON h.question = q.name\n"

_NEXT = f"""
SELECT s.{{column}} FROM main.state s
CROSS JOIN content.question q ON q.name = s.question
LEFT JOIN main.hold h ON h.question = s.question
WHERE {{condition}} AND {_FREE} {{chosen}}
ORDER BY s.{{column}} LIMIT 1
"""
_NEXT_STEP = _NEXT.replace("{column}", "due_ms").replace("{condition}", "s.phase <> 'review' AND s.due_ms > :now")
_NEXT_REVIEW = _NEXT.replace("{column}", "due_day").replace("{condition}", "s.phase = 'review' AND s.due_day > :day")

_NEXT_ASK = f"""
SELECT a.day FROM main.ask a
CROSS JOIN content.question q ON q.name = a.question
LEFT JOIN main.hold h ON h.question = a.question
WHERE a.day > :day AND {_FREE} {{chosen}}
ORDER BY a.day LIMIT 1
"""

_CHOSEN = """IN (
    WITH RECURSIVE chosen(name) AS (
        SELECT value FROM json_each(:topics)
        UNION SELECT i.child FROM content.includes i JOIN chosen c ON i.parent = c.name
    ) SELECT name FROM chosen)"""


def counts(
    db_path: str,
    index_path: str,
    moment: Moment,
    topics: Sequence[str] | None = None,
    rollover_hour: int = 4,
) -> dict[str, Any]:
    """What ``kb due --json`` prints: counts over all topics, or over ``topics`` and what they include.

    ``index_path`` is the file of ``kb.knowledge.index``. ``next_at`` is the ISO time at which the next question becomes
    due that is not due yet, or None. A database that does not exist counts as empty and is not made.
    """
    day = study_day(moment, rollover_hour)
    values: dict[str, Any] = {"day": day, "now": moment.at_ms}
    if topics is not None:
        import json

        values["topics"] = json.dumps(list(topics))
    db = connection.open_to_read(db_path, _CHECKED_BYTES)
    if db is None:
        db = sqlite3.connect(":memory:")
        for script in STEPS:
            db.executescript(script)
    try:
        with faults.reading(db_path):
            db.execute("ATTACH ? AS content", (index_path,))
            chosen = "" if topics is None else f"WHERE t.name {_CHOSEN}"
            rows = db.execute(_counts_for(db).format(chosen=chosen), values).fetchall()
            chosen = "" if topics is None else f"AND q.topic {_CHOSEN}"
            step = db.execute(_NEXT_STEP.format(chosen=chosen), values).fetchone()
            review = db.execute(_NEXT_REVIEW.format(chosen=chosen), values).fetchone()
            ask = db.execute(_NEXT_ASK.format(chosen=chosen), values).fetchone()
    finally:
        db.close()
    by_topic = {name: {"due": int(due), "learning": int(steps), "new": int(new)} for name, due, steps, new in rows}
    upcoming = [step[0]] if step else []
    upcoming += [day_start_ms(row[0], moment.offset_minutes, rollover_hour) for row in (review, ask) if row]
    return {
        **{count: sum(numbers[count] for numbers in by_topic.values()) for count in ("due", "learning", "new")},
        "next_at": _iso(min(upcoming), moment.offset_minutes) if upcoming else None,
        "topics": by_topic,
    }


def _counts_for(db: sqlite3.Connection) -> str:
    """The query of the counts without the tables that are empty, as they mostly are: that halves its cost."""
    held, asked = db.execute("SELECT EXISTS (SELECT 1 FROM main.hold), EXISTS (SELECT 1 FROM main.ask)").fetchone()
    query = _COUNTS if asked else _COUNTS.replace(_OR_ASKED, "")
    return query if held else query.replace(_HOLD, "").replace(_FREE, "1")


def _iso(at_ms: int, offset_minutes: int) -> str:
    from datetime import UTC, datetime, timedelta, timezone  # sqlite3 has imported it already

    local = timezone(timedelta(minutes=offset_minutes))
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(local).isoformat()
