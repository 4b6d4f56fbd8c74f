"""``kb import``: take in the review log of another program."""

from __future__ import annotations

import json
import re
from datetime import tzinfo

import click

from kb.errors import UsageError
from kb.terminal.context import App
from kb.terminal.group import option_json

HELP = """Take in a review log of another program, a CSV file, as answers to questions of a topic of its own.

The first line names the columns: card_id, review_rating (1 to 4), review_time (with its offset, or milliseconds since
1970) and review_duration (milliseconds; may be missing), as py-fsrs and the FSRS optimisers have them. What is here
already is passed over: reading a file twice adds nothing.

\b
Examples:
  kb import reviews.csv --topic anki
  kb import reviews.csv --topic anki --zone Europe/Berlin    the days as they were there
  kb optimize --topic anki                                   then learn from it
  kb stats anki
"""


@click.command(help=HELP)
@click.argument("file", metavar="CSV")
@click.option("--topic", required=True, metavar="NAME", help="The topic that the cards become questions of.")
@click.option("--zone", metavar="AREA/CITY", help="Where the learner lived; else the offset of each time tells.")
@option_json()
@click.pass_obj
def command(app: App, file: str, topic: str, zone: str | None, as_json: bool) -> None:
    from kb.store import answers, ids, reviewlog

    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", topic):
        raise UsageError(f"{topic!r} is no name of a topic", cure="use small letters, digits and hyphens")
    if topic in app.library.names():
        raise UsageError(f"{topic} is a topic of the library", cure="give the log a name of its own")
    reviews = reviewlog.read(file, app.moment(), _zone(zone))
    known = answers.known_ids(app.home, topic)
    events = list(reviewlog.events(reviews, topic, app.settings))
    fresh = [event for event in events if ids.from_text(event.id) not in known]
    if fresh:
        app.store.merge(fresh)
    questions = len({event.question for event in events})
    if as_json:
        click.echo(json.dumps({"topic": topic, "answers": len(events), "questions": questions, "new": len(fresh)}))
    else:
        click.echo(f"{topic}: {len(events):,} answers to {questions:,} questions, {len(fresh):,} of them new")


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise UsageError(f"there is no time zone {name!r}", cure="for example Europe/Berlin") from None
