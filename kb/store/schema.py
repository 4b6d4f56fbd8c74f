"""The tables. ``event`` and ``evidence`` are what happened; all others are derived from ``event`` and can be thrown
away at any time.

``STEPS[n]`` takes a database from version n to n + 1; a step that has been released is never changed.
"""

from __future__ import annotations

APPLICATION_ID = 0x6B625343
"""In the file's header (PRAGMA application_id): says that an SQLite file is one of kb's."""

_V1_COUNTS = (
    "answers, again, hard, good, easy, correct, introduced, reviews, retained, "
    "mature, mature_retained, crammed, took_ms"
)

V1 = """
-- The log. Ids are UUIDv7 and order it; nothing is ever changed or deleted. An answer carries what was promised with
-- it (phase, step, due), so that a replay needs no settings, and settings can change without changing the past.
CREATE TABLE event (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL,
    at_ms INTEGER NOT NULL,               -- UTC milliseconds since 1970
    offset_minutes INTEGER NOT NULL,      -- local time ahead of UTC
    day INTEGER NOT NULL,                 -- study day, in days since 1970-01-01
    device TEXT NOT NULL,
    question TEXT,                        -- topic/id
    grade INTEGER,                        -- 1 Again, 2 Hard, 3 Good, 4 Easy
    answer TEXT,                          -- JSON
    seed INTEGER,
    took_ms INTEGER,
    correct INTEGER,                      -- 1, 0, or NULL where the learner grades
    hint INTEGER,
    cram INTEGER,                         -- 1: leaves the schedule alone
    phase TEXT,                           -- phase, step, due_ms, due_day: the promise
    step INTEGER,
    due_ms INTEGER,
    due_day INTEGER,
    undoes BLOB,                          -- the id of the event that this one takes back
    data TEXT,                            -- JSON: what other kinds of event carry
    CHECK (kind <> 'answer' OR (question IS NOT NULL AND grade IS NOT NULL AND grade BETWEEN 1 AND 4
        AND (cram IS 1 OR (phase IS NOT NULL AND step IS NOT NULL AND due_ms IS NOT NULL AND due_day IS NOT NULL)))),
    CHECK ((kind = 'undo') = (undoes IS NOT NULL)),
    CHECK (phase IS NULL OR phase IN ('learning', 'review', 'relearning'))
) STRICT, WITHOUT ROWID;
CREATE INDEX event_question ON event (question) WHERE question IS NOT NULL;
CREATE INDEX event_undoes ON event (undoes) WHERE undoes IS NOT NULL;
CREATE INDEX event_params ON event (id) WHERE kind = 'params';

CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never changed'); END;
CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'the log is append-only: an event is never deleted'); END;
-- INSERT OR REPLACE deletes without firing the trigger above
CREATE TRIGGER event_is_never_replaced BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the log is append-only: this event is in it already'); END;

-- Derived: the schedule of each question that has been answered.
CREATE TABLE state (
    question TEXT NOT NULL PRIMARY KEY,
    phase TEXT NOT NULL CHECK (phase IN ('learning', 'review', 'relearning')),
    step INTEGER NOT NULL,
    stability REAL NOT NULL,
    difficulty REAL NOT NULL,
    due_ms INTEGER NOT NULL,
    due_day INTEGER NOT NULL,
    last_ms INTEGER NOT NULL,
    last_day INTEGER NOT NULL,
    reps INTEGER NOT NULL,
    lapses INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX state_due ON state (due_day);
CREATE INDEX state_steps ON state (due_ms) WHERE phase <> 'review';

-- Derived: questions that are set aside.
CREATE TABLE hold (
    question TEXT NOT NULL PRIMARY KEY,
    suspended INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    buried_until INTEGER,                 -- the study day on which it comes back
    CHECK (suspended = 1 OR buried_until IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Derived: what was done, by topic and study day, and summed over either: topic '' is every topic, day -2147483648 is
-- every day. One table, so that an answer adds to its three rows in one statement, and three views, so that neither the
-- years nor the number of topics make a question to them slow. Whole numbers only: adding and taking away are exact.
CREATE TABLE rollup (
    topic TEXT NOT NULL,
    day INTEGER NOT NULL,
    answers INTEGER NOT NULL,             -- cram not counted
    again INTEGER NOT NULL,
    hard INTEGER NOT NULL,
    good INTEGER NOT NULL,
    easy INTEGER NOT NULL,
    correct INTEGER NOT NULL,             -- judged right (the learner's own grades not counted)
    introduced INTEGER NOT NULL,          -- first answers to new questions
    reviews INTEGER NOT NULL,             -- answers in the review phase: what true retention is measured on
    retained INTEGER NOT NULL,            -- of these, passed
    mature INTEGER NOT NULL,              -- of the reviews, those after an interval of 21 days or more
    mature_retained INTEGER NOT NULL,
    crammed INTEGER NOT NULL,
    took_ms INTEGER NOT NULL,
    PRIMARY KEY (topic, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX rollup_every_day ON rollup (topic) WHERE day = -2147483648;
CREATE VIEW day_total AS SELECT day, {counts} FROM rollup WHERE topic = '';
CREATE VIEW topic_total AS SELECT topic, {counts} FROM rollup WHERE day = -2147483648;
CREATE VIEW topic_day AS SELECT topic, day, {counts} FROM rollup WHERE topic <> '' AND day <> -2147483648;

-- Derived: how many questions (review phase, not suspended) fall due on each day.
CREATE TABLE load (
    due_day INTEGER NOT NULL PRIMARY KEY,
    questions INTEGER NOT NULL
) STRICT;

-- Derived: the FSRS weights in force, of everything ('') or of one topic, and the event that set them.
CREATE TABLE weights (
    topic TEXT NOT NULL PRIMARY KEY,
    weights TEXT NOT NULL,                -- JSON list
    event BLOB NOT NULL REFERENCES event (id)
) STRICT, WITHOUT ROWID;

-- Runs of demos, and what each of their checks proved.
CREATE TABLE evidence (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    demo TEXT NOT NULL,
    device TEXT NOT NULL,
    at TEXT NOT NULL,                     -- ISO time with offset
    seconds REAL NOT NULL,
    parameters TEXT NOT NULL,             -- JSON
    metrics TEXT NOT NULL,                -- JSON
    checks TEXT NOT NULL,                 -- JSON
    versions TEXT NOT NULL                -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_demo ON evidence (demo);
CREATE TABLE proof (
    name TEXT NOT NULL,                   -- demo/check
    evidence BLOB NOT NULL REFERENCES evidence (id),
    holds INTEGER NOT NULL CHECK (holds IN (0, 1)),
    PRIMARY KEY (name, evidence)
) STRICT, WITHOUT ROWID;
""".replace("{counts}", _V1_COUNTS)

V2 = """
-- Derived: the exams that are planned, and the events that planned them.
CREATE TABLE exam (
    name TEXT NOT NULL PRIMARY KEY,
    day INTEGER NOT NULL,                 -- the study day of the exam
    wanted REAL NOT NULL,                 -- mean recall on that day
    floor REAL,                           -- the least recall of every question on that day; NULL: the schedule will do
    topics TEXT NOT NULL,                 -- JSON list
    event BLOB NOT NULL REFERENCES event (id)
) STRICT, WITHOUT ROWID;

-- Derived: the questions that an exam asks before their due day, and on which day.
CREATE TABLE ask (
    question TEXT NOT NULL,
    exam_day INTEGER NOT NULL,            -- from this day on the row says nothing any more
    day INTEGER NOT NULL,
    PRIMARY KEY (question, exam_day)
) STRICT, WITHOUT ROWID;
CREATE INDEX ask_day ON ask (day);
CREATE INDEX event_exam ON event (id) WHERE kind IN ('exam', 'exam-over');
"""

V3 = """
CREATE INDEX event_placed ON event (id) WHERE kind = 'placed';
"""

STEPS: tuple[str, ...] = (V1, V2, V3)
VERSION = len(STEPS)

DERIVED = ("state", "hold", "rollup", "load", "weights", "exam", "ask")
"""The tables that a replay of the log rebuilds."""

VIEWS = ("day_total", "topic_total", "topic_day")

TABLES = ("event", *DERIVED, "evidence", "proof")


def statements(script: str) -> list[str]:
    """The statements of ``script``, one by one (``executescript`` would commit the open transaction first)."""
    import sqlite3

    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending.strip())
            pending = ""
    return found
