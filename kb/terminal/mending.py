"""Mending a card in the middle of a sitting: the editor at its line, the progress kept."""

from __future__ import annotations

import os
import sys

from kb.errors import KbError
from kb.knowledge.loader import locate
from kb.quiz.session import Sitting
from kb.quiz.turn import Turn
from kb.terminal import doors, editing
from kb.terminal.context import App
from kb.terminal.text import BOLD, DIM, WARN, Span, ansi, one_line, wants_colour


def mend(app: App, sitting: Sitting, turn: Turn) -> str:
    """Open the card of ``turn`` in the learner's editor and take what was saved; a line that says what became of it.

    A file with a fault is offered again until it is right or left. Where the right answer has changed, the learner
    says whether it is the same question (the progress is kept) or a new one (it starts again).
    """
    file, line = place_of(turn)
    command = editing.editor(app.environment)
    if command is None:
        return f"the card is {file}:{line}; set $EDITOR to edit it from here"
    if not os.access(file, os.W_OK):
        return f"{file} cannot be written: copy it into a folder of $KB_PATH to change it"
    before = _stamp(file)
    while True:
        editing.edit_file(command, file, line)
        if _stamp(file) == before:
            return "the card is as it was"
        try:
            changed = _take(app, sitting, turn)
        except KbError as error:
            if not _again(app, error):
                return f"the question stays as it was: {error}"
            line = error.line or line
            continue
        break
    if changed is None:
        return "the question is no longer in the file"
    if changed and not _same(app):
        sitting.reset_progress(turn.name)
        return "the card is changed; the question starts again as new"
    return "the card is changed; the progress is kept"


def place_of(turn: Turn) -> tuple[str, int]:
    """The file and line of the card."""
    index = next((n for n, card in enumerate(turn.topic.questions) if card.id == turn.card.id), 0)
    try:
        return turn.topic.file, locate(turn.topic.file, ("questions", index))[0]
    except KbError:
        return turn.topic.file, 1


def _take(app: App, sitting: Sitting, turn: Turn) -> bool | None:
    """Take the edited file into the sitting; whether the right answer has changed, None if the question is gone."""
    from kb.knowledge.library import Library

    library = Library.open(app.environment, app.registry)
    topic = library.get(turn.topic.name)
    card = next((card for card in topic.questions if card.id == turn.card.id), None)
    changed = None
    if card is not None:
        question = app.registry.kinds[card.kind](turn.name, card)
        ask = question.ask(turn.ask.seed)
        changed = card.kind != turn.card.kind or question.expected(ask) != turn.question.expected(turn.ask)
    app.__dict__["library"] = library
    sitting.reload(library)
    return changed


def _again(app: App, error: KbError) -> bool:
    colour = wants_colour(sys.stdout, app.environment)
    sys.stdout.write("\n" + ansi([Span(one_line(str(error)), WARN)], colour) + "\n\n")
    return _choose("e edit again   any other key: leave it", colour) == "e"


def _same(app: App) -> bool:
    colour = wants_colour(sys.stdout, app.environment)
    sys.stdout.write("\n" + ansi([Span("The answer has changed. Same question, or a new one?", BOLD)], colour) + "\n\n")
    while True:
        key = _choose("s same: keep the progress   n new: start again", colour)
        if key in ("s", "n"):
            return key == "s"


def _choose(text: str, colour: bool) -> str:
    sys.stdout.write(ansi([Span(text, DIM)], colour) + " ")
    sys.stdout.flush()
    key = doors.wait_for_key()
    sys.stdout.write("\n")
    return key


def _stamp(file: str) -> tuple[int, int, int]:
    status = os.stat(file)
    return status.st_mtime_ns, status.st_size, status.st_ino
