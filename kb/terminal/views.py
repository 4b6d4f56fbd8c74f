"""What stands on the screen of a sitting: the question, the verdict, the help. Lines only; ``room`` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kb.memory.days import Moment
from kb.memory.scheduler import State
from kb.quiz.citation import cite
from kb.quiz.offer import Offer
from kb.quiz.turn import Outcome, Revealed, Turn
from kb.terminal.inputs import Input
from kb.terminal.render import inline, lines
from kb.terminal.status import GRADE_STYLES, GRADES, back, short_when
from kb.terminal.text import BAD, BOLD, DIM, GOOD, WARN, Line, Span, clean, cut, line_width, shorten, width, wrap

LEECH = "`e` rewrites the card, `r` runs its demo, `S` suspends it."
MOST_ROWS = 20  # of a program's output; what taught something stands at its beginning
_PHASES = {"new": "new", "learning": "learning", "review": "", "again": "once more"}


class Body(NamedTuple):
    """The scrolling part of a screen.

    ``focus`` is the row that must be seen: near the top with what follows it, or near the bottom (``at_end``) with what
    stands before it. ``cursor`` is the row and column of typing.
    """

    lines: list[Line]
    focus: int = 0
    cursor: tuple[int, int] | None = None
    at_end: bool = False


def header(turn: Turn, columns: int) -> Line:
    """The topic at the left, the kind at the right."""
    aside = " · ".join(filter(None, [turn.card.kind, _PHASES.get(turn.phase, turn.phase)]))
    title = shorten("".join(span.text for span in inline(turn.topic.title)), columns - width(aside) - 3)
    return [Span(title, BOLD), Span(" " * max(columns - width(title) - width(aside), 1)), Span(aside, DIM)]


def question(turn: Turn, entry: Input, hint: str | None, columns: int) -> Body:
    """The open question and its input."""
    result = [*lines(turn.ask.text, columns), []]
    view = entry.view(columns)
    cursor = None if view.cursor is None else (len(result) + view.cursor[0], view.cursor[1])
    result += view.lines
    if hint is not None:
        result += [[], *_labelled("Hint", WARN, hint, columns)]
    focus = cursor[0] if cursor is not None else len(result) - 1 if hint is not None else 0
    return Body(result, focus, cursor, at_end=True)


def failed_attempt(turn: Turn, entry: Input, hint: str | None, why: str, detail: str, columns: int) -> Body:
    """A program that failed, with the case that it failed on, and the hint if it was asked for."""
    result = [*lines(turn.ask.text, columns), []]
    focus = len(result)
    result += wrap([Span("✗ Not yet. ", f"{BOLD};{BAD}"), *inline(why)], columns)
    result += [[], *_as_it_is(detail, columns)] if detail else []
    result += [[], *entry.view(columns).lines]
    if hint is not None:
        result += [[], *_labelled("Hint", WARN, hint, columns)]
        focus = len(result) - 1
    return Body(result, focus)


def revealed(shown: Revealed, entry: Input, previews: dict[int, State], now: Moment, columns: int) -> Body:
    """The answer to a question that the learner grades."""
    result = [*lines(shown.turn.ask.text, columns), []]
    focus = len(result)
    result += [[Span("Answer", f"{BOLD};{GOOD}")]]
    result += entry.settled(shown.answer, shown.verdict, columns)
    result += _teaching(shown.turn, shown.why, columns)
    return Body([*result, [], grade_line(previews, now, columns)], focus)


def outcome(
    done: Outcome,
    entry: Input | None,
    now: Moment,
    rollover_hour: int,
    columns: int,
    colour: bool = False,
    offer: Offer | None = None,
) -> Body:
    """The verdict on an answer, what there is to learn from it, and the plot of the run that settled it."""
    turn, verdict = done.turn, done.verdict
    result = [*lines(turn.ask.text, columns), []]
    if entry is not None:
        result += [*entry.settled(done.answer, verdict, columns), []]
    focus = len(result)
    result.append(verdict_line(done, now, rollover_hour, columns))
    for remark in filter(None, [verdict.why, verdict.note]):
        result += [[], *lines(remark, columns)]
    if verdict.detail:
        result += [[], *_as_it_is(verdict.detail, columns)]
    if done.leech:
        result += [[], *_labelled("Forgotten again and again", WARN, LEECH, columns)]
    result += _teaching(turn, done.why, columns, offer)
    for figure in getattr(verdict.figure, "figures", ()):
        from kb.terminal.plots import draw

        result += [[], *draw(figure, columns, colour)]
    for note in getattr(verdict.figure, "notes", ()):
        result += [[], *wrap([Span(clean(note), DIM)], columns)]
    return Body(result, focus)


def verdict_line(done: Outcome, now: Moment, rollover_hour: int, columns: int) -> Line:
    """Right or wrong at the left, the grade and when it comes back at the right."""
    verdict = done.verdict
    if verdict.correct is None:
        left = [Span("Graded", BOLD)]
    elif verdict.correct:
        left = [Span("✓ Right", f"{BOLD};{GOOD}")]
    else:
        left = [Span("✗ Wrong", f"{BOLD};{BAD}")]
        if verdict.score is not None and 0 < verdict.score < 1:
            left.append(Span(f" · {verdict.score:.0%} of it right", DIM))
    again = back(done, now, rollover_hour)
    right = [Span(GRADES[done.grade].capitalize(), GRADE_STYLES[done.grade]), Span(again and f" · {again}", DIM)]
    gap = columns - line_width(left) - line_width(right)
    return [*left, Span(" " * max(gap, 2)), *right]


def grade_line(previews: dict[int, State], now: Moment, columns: int) -> Line:
    """The four grades, each with when the question would come back."""
    spans: Line = []
    for grade, name in GRADES.items():
        state = previews.get(grade)
        ahead = f" {short_when(state.due_ms, state.due_day, now)}" if state is not None and columns >= 60 else ""
        spans += [Span(f"{grade} ", f"{BOLD};{GRADE_STYLES[grade]}"), Span(f"{name}", GRADE_STYLES[grade])]
        spans += [Span(f"{ahead}", DIM), Span("   ")]
    return spans[:-1]


def _teaching(turn: Turn, why: str, columns: int, offer: Offer | None = None) -> list[Line]:
    """Why, where it is written, which demo shows it, and the weakest topic that it rests on if it was missed."""
    result: list[Line] = [[], *lines(why, columns)] if why.strip() else []
    result.append([])
    for citation in cite(turn.topic, turn.source):
        title = f" — {citation.title}" if citation.title else ""
        where = f", {citation.where}" if citation.where else ""
        whole = clean(f"{citation.text}{title}{where}")
        short = whole if width(whole) <= columns else clean(f"{citation.text}{where}")
        result += wrap([Span(short, DIM)], columns, [], [Span("  ")])
    if turn.demo is not None:
        result += wrap([Span("r", BOLD), Span(f"  {turn.demo_says}", DIM)], columns)
    if offer is not None:
        says = f"  asks about {offer.topic} now, on which this rests: {offer.why}"
        result += wrap([Span("p", BOLD), Span(says, DIM)], columns, [], [Span("   ")])
    return result if any(result) else []


def _labelled(label: str, style: str, text: str, columns: int) -> list[Line]:
    return wrap([Span(f"{label}  ", f"{BOLD};{style}"), *inline(text)], columns, [], [Span(" " * (len(label) + 2))])


def _as_it_is(text: str, columns: int) -> list[Line]:
    """Output or a diff, line by line: what is expected green, what was got red."""
    result: list[Line] = []
    rows = clean(text).rstrip("\n").split("\n")
    if len(rows) > MOST_ROWS:
        rows = [*rows[:MOST_ROWS], f"… {len(rows) - MOST_ROWS} more lines"]
    for row in rows:
        word = row.strip().split(" ", 1)[0].rstrip(":")
        style = (
            GOOD if row.startswith("+") or word == "expected" else BAD if row.startswith("-") or word == "got" else DIM
        )
        rest = row
        while True:
            head, rest = cut(rest, max(columns - 2, 8))
            result.append([Span("  "), Span(head, style)])
            if not rest:
                break
    return result


COMMANDS: Line = [Span("h hint  u undo  r demo  e edit  s bury  S suspend  q quit  Esc back", WARN)]
UNDONE = {"answer": "answer to", "suspend": "suspension of", "bury": "burying of"}
KEYS_REVEALED = [("1-4", "grade"), ("space", "good"), ("u", "undo"), ("r", "demo"), ("e", "edit"), ("?", "keys")]


def keys_after(offer: Offer | None) -> list[tuple[str, str]]:
    """The keys at a verdict; with an ``offer`` also the one that takes it."""
    asked = [("p", "prerequisite")] if offer is not None else []
    more = [("1-4", "grade"), ("u", "undo"), ("r", "demo"), ("e", "edit"), ("?", "keys")]
    return [("space", "next"), *asked, *more]


def open_keys(entry: Input, hint: bool) -> list[tuple[str, str]]:
    """The keys at an open question, most useful first; ``hint`` says whether one is to be had."""
    asked = [("h", "hint")] if hint else []
    if entry.typing and not getattr(entry, "commands", ""):
        return [*entry.keys(), ("space", "show"), ("esc", "commands"), ("?", "keys")]
    return [*entry.keys(), ("space", "show"), *asked, ("u", "undo"), ("q", "quit"), ("?", "keys")]


HELP: tuple[tuple[str, str], ...] = (
    ("space", "show the answer; after it, go on"),
    ("1 … 9", "choose an option, place an item"),
    ("1 2 3 4", "grade: again, hard, good, easy"),
    ("u", "undo the last answer, also of an earlier sitting"),
    ("h", "hint (a right answer is then graded hard)"),
    ("r", "run the demo that shows it, and come back"),
    ("p", "after a miss: a question of what it rests on"),
    ("e", "edit the card in your editor; write code"),
    ("s", "bury: not again before tomorrow"),
    ("S", "suspend: not again until you unsuspend it"),
    ("↑ ↓ PgUp PgDn", "scroll"),
    ("q", "end the sitting; Ctrl-C does too"),
    ("Esc", "before these keys while you type (an empty number field takes u h q S as they are)"),
)


def help_lines(columns: int) -> list[Line]:
    """The keys, one a line."""
    room = max(width(keys) for keys, _ in HELP) + 3
    result: list[Line] = [[Span("Keys", BOLD)], []]
    for keys, does in HELP:
        head = [Span(f"  {keys}", BOLD), Span(" " * (room - width(keys)))]
        result += wrap([Span(does)], columns, head, [Span(" " * (room + 2))])
    result += [
        [],
        *wrap([Span("Every answer is stored before its verdict is shown. Nothing is lost by leaving.", DIM)], columns),
    ]
    return result


def message(text: str, style: str = WARN) -> Line:
    """A short remark above the keys."""
    return [Span(" ".join(clean(text).split()), style)]


def joined(parts: Iterable[list[Line]]) -> list[Line]:
    """Groups of lines with an empty line between them."""
    result: list[Line] = []
    for part in parts:
        result += [[], *part] if result and part else part
    return result
