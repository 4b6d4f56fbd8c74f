"""Review logs of other programs as events: the CSV that py-fsrs and the FSRS optimisers read.

A row is a card, a rating from 1 to 4, a time, and the milliseconds that the answer took. Cards become questions of one
topic. What the other program promised is not in such a file; what came true stands for it: each answer is taken to have
promised the day of the next one, and the last one of a card promises what FSRS-6 says.

The id of an event follows from its row, so that a log that has been read once adds nothing when it is read again.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import blake2b
from itertools import groupby
from typing import NamedTuple

from kb.config import Settings
from kb.errors import KbError, UsageError
from kb.memory.days import Moment, day_start_ms, study_day
from kb.memory.scheduler import Scheduler, State
from kb.store import ids
from kb.store.events import Event, Promise

DEVICE = "import"
COLUMNS = {
    "card": ("card_id", "card", "cid"),
    "rating": ("review_rating", "rating", "grade", "ease"),
    "time": ("review_time", "review_datetime", "time", "datetime"),
    "duration": ("review_duration", "duration"),
}
"""What a row must have (the duration may be missing) and the names that it goes by."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST_FIELD = 1000


class Review(NamedTuple):
    """A row: ``took_ms`` is None where the file has no duration."""

    line: int
    card: str
    rating: int
    moment: Moment
    took_ms: int | None


def read(path: str, now: Moment, zone: tzinfo | None = None) -> list[Review]:
    """The rows of the CSV file at ``path``. A fault raises KbError with the file and the line.

    ``zone`` is where the learner lived; without it the offset in each time says so (0 where the time is a number).
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            places = _places(next(rows, []), path)
            return [_review(row, places, path, rows.line_num, now, zone) for row in rows if any(map(str.strip, row))]
    except OSError as error:
        raise UsageError(f"cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise KbError("is not UTF-8", file=path, cure="save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise KbError(f"is no CSV file: {error}", file=path) from None


def events(reviews: Sequence[Review], topic: str, settings: Settings) -> Iterator[Event]:
    """The answers that ``reviews`` are, to questions of ``topic``, card by card."""
    scheduler = Scheduler(
        desired_retention=settings.retention.get(topic, settings.desired_retention),
        learning_steps=(),
        relearning_steps=(),
        maximum_interval_days=settings.maximum_interval_days,
        fuzz=settings.fuzz,
        rollover_hour=settings.rollover_hour,
    )
    ordered = sorted(reviews, key=lambda review: (review.card, review.moment.at_ms, review.line))
    for card, of_card in groupby(ordered, key=lambda review: review.card):
        yield from _of_card(f"{topic}/{card}", list(of_card), scheduler)


def _of_card(question: str, reviews: list[Review], scheduler: Scheduler) -> Iterator[Event]:
    state: State | None = None
    phase = "learning"
    last: bytes | None = None
    repeated: dict[tuple[int, int, int | None], int] = {}
    for place, (_, _, rating, moment, took_ms) in enumerate(reviews):
        day = study_day(moment, scheduler.rollover_hour)
        state = scheduler.review(state, rating, moment, question)
        following = reviews[place + 1].moment if place + 1 < len(reviews) else None
        next_day = None if following is None else max(study_day(following, scheduler.rollover_hour), day)
        if following is None or next_day is None:
            promise = Promise("review", 0, state.due_ms, state.due_day)
        elif next_day == day:
            promise = Promise(phase, 0, following.at_ms, day)
        else:
            due_ms = day_start_ms(next_day, following.offset_minutes, scheduler.rollover_hour)
            promise = Promise("review", 0, due_ms, next_day)
        phase = "relearning" if promise.phase == "review" else phase
        twin = (moment.at_ms, rating, took_ms)
        copy = repeated[twin] = repeated.get(twin, 0) + 1
        last = _identifier(question, moment.at_ms, rating, took_ms, copy, last)
        yield Event(
            *(ids.to_text(last), "answer", *moment, day, DEVICE, question, rating), took_ms=took_ms, promise=promise
        )


def _identifier(question: str, at_ms: int, rating: int, took_ms: int | None, copy: int, last: bytes | None) -> bytes:
    text = f"{question}\0{at_ms}\0{rating}\0{took_ms}\0{copy}"
    return ids.next_id(at_ms, last, lambda size: blake2b(text.encode(), digest_size=size).digest())


def _places(header: Sequence[str], path: str) -> dict[str, int]:
    named = [name.strip().lower() for name in header]
    places = {}
    for what, names in COLUMNS.items():
        found = next((named.index(name) for name in names if name in named), None)
        if found is not None:
            places[what] = found
        elif what != "duration":
            cure = "the first line must name card_id, review_rating, review_time and review_duration"
            raise KbError(f"has no column {names[0]}", file=path, line=1, cure=cure)
    return places


def _review(
    row: Sequence[str], places: dict[str, int], path: str, line: int, now: Moment, zone: tzinfo | None
) -> Review:
    try:
        fields = {what: row[place].strip() for what, place in places.items()}
    except IndexError:
        raise KbError(f"has {len(row)} fields, too few", file=path, line=line) from None
    try:
        moment = _moment(fields["time"], zone)
        if moment.at_ms > now.at_ms:
            raise ValueError(f"the review at {fields['time']} is in the future")
        return Review(line, _card(fields["card"]), _rating(fields["rating"]), moment, _took(fields.get("duration", "")))
    except ValueError as error:
        raise KbError(str(error), file=path, line=line) from None


def _card(text: str) -> str:
    if not text or not text.isprintable() or "/" in text or len(text) > _LARGEST_FIELD:
        raise ValueError(f"card_id must be a name without slash, not {text[:40]!r}")
    return text


def _rating(text: str) -> int:
    if text not in ("1", "2", "3", "4"):
        raise ValueError(f"review_rating must be 1 (Again), 2 (Hard), 3 (Good) or 4 (Easy), not {text[:40]!r}")
    return int(text)


def _took(text: str) -> int | None:
    if not text:
        return None
    try:
        took = float(text)
    except ValueError:
        took = -1.0
    if not 0 <= took < 1 << 53:
        raise ValueError(f"review_duration must be milliseconds, not {text[:40]!r}")
    return round(took)


def _moment(text: str, zone: tzinfo | None) -> Moment:
    try:
        if text.isascii() and text.isdigit():
            when = _EPOCH + timedelta(milliseconds=int(text))
        else:
            when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            raise ValueError
        at_ms = (when - _EPOCH) // timedelta(milliseconds=1)
        if at_ms < 0:
            raise ValueError
        offset = (when if zone is None else when.astimezone(zone)).utcoffset()
    except (ValueError, OverflowError):
        shown = "2026-11-23T10:00:00+00:00, or milliseconds since 1970"
        raise ValueError(f"review_time must be a time with its offset ({shown}), not {text[:40]!r}") from None
    assert offset is not None
    return Moment(at_ms, round(offset.total_seconds() / 60))
