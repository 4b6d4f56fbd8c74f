"""How an answer is given on a terminal: choosing, ordering, typing. Pure: keys in, lines and answers out."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from kb.errors import AnswerError
from kb.questions.base import Ask, Question, Verdict
from kb.quiz.turn import Turn
from kb.terminal.keys import LineEditor
from kb.terminal.render import inline, lines
from kb.terminal.text import ACCENT, BAD, BOLD, DIM, GOOD, Line, Span, styled, wrap


class Submit(NamedTuple):
    """The answer is complete; ``answer`` is the kind's JSON."""

    answer: Any


class Complaint(NamedTuple):
    """The key was for the input, but the answer won't do yet; the text says why."""

    text: str


class View(NamedTuple):
    """The lines of an input, and where the cursor stands in them (row, column), if it shows."""

    lines: list[Line]
    cursor: tuple[int, int] | None = None


Reaction = Submit | Complaint | bool  # True: something changed; False: the key is not for the input


class Input(Protocol):
    """One way of answering; ``typing`` says that letters are part of the answer, not commands."""

    typing: bool

    def press(self, key: str) -> Reaction: ...

    def view(self, columns: int) -> View: ...

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        """What stands in the place of the input once the verdict is known."""

    def keys(self) -> list[tuple[str, str]]:
        """The keys that this input adds, for the foot of the screen."""


def input_for(turn: Turn) -> Input:
    """The way of answering that fits what the question shows."""
    ask, question = turn.ask, turn.question
    if ask.options:
        return ChoiceInput(question, ask)
    if ask.items:
        return OrderInput(question, ask)
    if ask.starter is not None:
        return CodeInput(ask)
    if getattr(question, "self_graded", ask.kind == "recall"):
        return RecallInput()
    return TextInput(question, ask)


class ChoiceInput:
    """One or several of numbered options: digits choose, arrows and Enter do too."""

    typing = False

    def __init__(self, question: Question, ask: Ask) -> None:
        self.question = question
        self.ask = ask
        self.options = ask.options
        self.several = bool(getattr(question, "several", False))
        self.chosen: set[int] = set()
        self.at: int | None = None

    def press(self, key: str) -> Reaction:
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            start = -1 if step == 1 else 0
            self.at = ((start if self.at is None else self.at) + step) % len(self.options)
            return True
        if key in "123456789" and len(key) == 1:
            place = int(key) - 1
            if place >= len(self.options):
                return Complaint(f"there are {len(self.options)} options")
            self.at = place if self.several else self.at
            return self._choose(place)
        if key == "enter":
            if self.several:
                return Submit(sorted(self.chosen)) if self.chosen else Complaint("choose at least one")
            return Complaint("press the number of an option") if self.at is None else Submit(self.at)
        return False

    def _choose(self, place: int) -> Reaction:
        if not self.several:
            return Submit(place)
        self.chosen ^= {place}
        return True

    def view(self, columns: int) -> View:
        result: list[Line] = []
        for place, option in enumerate(self.options):
            mark = ("◉ " if place in self.chosen else "○ ") if self.several else ""
            style = BOLD if place == self.at or place in self.chosen else ""
            result += _item(f"{place + 1}  {mark}", option, columns, head=ACCENT, style=style)
        return View(result)

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        picked = set(answer) if isinstance(answer, list) else {answer}
        right = self._right(verdict)
        result: list[Line] = []
        for place, option in enumerate(self.options):
            good = place in right
            mark = "✓" if good else "✗" if place in picked else " "
            style = GOOD if good else BAD if place in picked else DIM
            bold = f"{BOLD};{style}" if place in picked else style
            result += _item(f"{mark}  ", option, columns, head=bold, style=style)
        if not right or self.question.kind != "choice":
            head = [Span("  Answer  ", DIM)]
            result += [[], *wrap(inline(verdict.expected), columns, head, [Span(" " * 10)])]
        return result

    def _right(self, verdict: Verdict) -> set[int]:
        """The options that are right, as far as the kind tells."""
        reference = self.question.reference(self.ask)
        if reference is not None:
            return set(reference) if isinstance(reference, list) else {reference}
        expected = verdict.expected
        return {
            place for place, text in enumerate(self.options) if expected == text or expected.startswith(f"{text} (")
        }

    def keys(self) -> list[tuple[str, str]]:
        choose = (f"1-{min(len(self.options), 9)}", "choose")
        return [choose, ("enter", "answer")] if self.several else [choose]


class OrderInput:
    """Items put in order by pressing their numbers; Backspace takes the last one back, Enter answers."""

    typing = False

    def __init__(self, question: Question, ask: Ask) -> None:
        self.question = question
        self.ask = ask
        self.items = ask.items
        self.order: list[int] = []
        self.pending = ""  # the first digit of a number from 10 on

    def press(self, key: str) -> Reaction:
        if key == "backspace" and (self.order or self.pending):
            if self.pending:
                self.pending = ""
            else:
                self.order.pop()
            return True
        if key == "enter":
            if len(self.order) == len(self.items):
                return Submit(list(self.order))
            return Complaint(f"{len(self.items) - len(self.order)} of {len(self.items)} items are still to be placed")
        if len(key) == 1 and key in "0123456789":
            return self._digit(key)
        return False

    def _digit(self, key: str) -> Reaction:
        number = int(self.pending + key)
        if len(self.items) > 9 and not self.pending and 1 <= number * 10 <= len(self.items):
            self.pending = key
            return True
        self.pending = ""
        place = number - 1
        if not 0 <= place < len(self.items):
            return Complaint(f"the items are numbered 1 to {len(self.items)}")
        if place in self.order:
            return Complaint(f"item {number} is placed already; Backspace takes the last one back")
        self.order.append(place)
        if len(self.order) == len(self.items) - 1:  # the last one has no choice
            self.order += [rest for rest in range(len(self.items)) if rest not in self.order]
        return True

    def view(self, columns: int) -> View:
        result: list[Line] = []
        for place, item in enumerate(self.items):
            placed = place in self.order
            rank = f"{self.order.index(place) + 1}." if placed else ""
            head = f"  {place + 1:>{len(str(len(self.items)))}}  "
            first = [Span(head, ACCENT), Span(f"{rank:<4}", BOLD)]
            spans = styled(inline(item), DIM) if placed else inline(item)
            result += wrap(spans, columns, first, [Span(" " * (len(head) + 4))])
        chain = " → ".join(str(place + 1) for place in self.order) + (self.pending and f" → {self.pending}…")
        full = len(self.order) == len(self.items)
        says = "   Enter answers" if full else ""
        return View([*result, [], [Span("  Order  ", DIM), Span(chain or "…", BOLD), Span(says, DIM)]])

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        given = list(answer) if isinstance(answer, list) else []
        reference = self.question.reference(self.ask)
        if not isinstance(reference, list):
            return [[Span("  "), *line] for line in lines(verdict.expected, columns - 2)]
        result: list[Line] = []
        for number, place in enumerate(reference):
            own = given.index(place) if place in given else None
            good = own == number
            mark, style = ("✓", GOOD) if good else ("✗", BAD) if own is not None else (" ", DIM)
            aside = "" if good or own is None else f"   (you: {own + 1}.)"
            spans = [*inline(self.items[place]), Span(aside, DIM)]
            result += wrap(spans, columns, [Span(f"  {mark}  {number + 1}. ", style)], [Span(" " * 8)])
        return result

    def keys(self) -> list[tuple[str, str]]:
        return [("1, 2, …", "place in order"), ("⌫", "take back"), ("enter", "answer")]


class TextInput:
    """Typed words or numbers, a field for each gap."""

    typing = True

    def __init__(self, question: Question, ask: Ask) -> None:
        self.question = question
        self.ask = ask
        # no number begins with these: in an empty field they are commands at once
        self.commands = "uhqS" if ask.kind == "numeric" else ""
        self.fields = [LineEditor() for _ in range(max(ask.gaps, 1))]
        self.at = 0

    def press(self, key: str) -> Reaction:
        if key in ("tab", "down", "backtab", "up") and len(self.fields) > 1:
            self.at = (self.at + (1 if key in ("tab", "down") else -1)) % len(self.fields)
            return True
        if key == "enter":
            return self._enter()
        if key in ("up", "down", "tab", "backtab"):
            return False
        return self.fields[self.at].press(key)

    @property
    def empty(self) -> bool:
        """Whether nothing has been typed."""
        return not any(field.text.strip() for field in self.fields)

    def _enter(self) -> Reaction:
        if len(self.fields) > 1 and ";" in self.fields[0].text and not any(field.text for field in self.fields[1:]):
            return self._parsed(self.fields[0].text)  # all gaps in the first field
        if self.at < len(self.fields) - 1 and any(not field.text.strip() for field in self.fields):
            self.at += 1
            return True
        if self.empty:
            return Complaint("type an answer, or press space to see it")
        if len(self.fields) > 1:
            return Submit([field.text.strip() for field in self.fields])
        return self._parsed(self.fields[0].text)

    def _parsed(self, text: str) -> Reaction:
        try:
            return Submit(self.question.parse(text, self.ask))
        except AnswerError as error:
            return Complaint(str(error))

    def view(self, columns: int) -> View:
        result: list[Line] = []
        cursor = None
        for number, field in enumerate(self.fields):
            label = f"  ({number + 1}) " if len(self.fields) > 1 else "  "
            room = max(columns - len(label) - 3, 8)
            text, column = field.view(room)
            head = ACCENT if number == self.at else DIM
            if number == self.at:
                cursor = (len(result), len(label) + 2 + column)
            result.append([Span(label, DIM), Span("› ", head), Span(text, BOLD)])
        how = "type the missing words" if len(self.fields) > 1 else self.question.how
        return View([*result, [], [Span(f"  {how}", DIM)]], cursor)

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        given = "; ".join(map(str, answer)) if isinstance(answer, list) else "" if answer is None else str(answer)
        style = GOOD if verdict.correct else BAD
        result = wrap([Span(given or "–", style)], columns, [Span("  You     ", DIM)], [Span(" " * 10)])
        return result + wrap(inline(verdict.expected), columns, [Span("  Answer  ", DIM)], [Span(" " * 10)])

    def keys(self) -> list[tuple[str, str]]:
        more = [("tab", "next gap")] if len(self.fields) > 1 else []
        return [("enter", "answer"), *more]


class RecallInput:
    """Nothing to type: say it to yourself, then look."""

    typing = False

    def press(self, key: str) -> Reaction:
        return False

    def view(self, columns: int) -> View:
        return View([[Span("  Say it in your own words, then press space.", DIM)]])

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        return [[Span("  "), *line] for line in lines(verdict.expected, columns - 2)]

    def keys(self) -> list[tuple[str, str]]:
        return []


class CodeInput:
    """A program, written in an editor; what was written last is shown."""

    typing = False

    def __init__(self, ask: Ask) -> None:
        self.source = ask.starter or ""
        self.written = False

    def press(self, key: str) -> Reaction:
        return False

    def view(self, columns: int) -> View:
        from kb.terminal.pieces import code_lines

        return View([[Span("  "), *line] for line in code_lines(self.source.rstrip("\n"), columns - 2)])

    def settled(self, answer: Any, verdict: Verdict, columns: int) -> list[Line]:
        from kb.terminal.pieces import code_lines

        shown = self.view(columns).lines if self.written else []
        if verdict.correct:
            return shown
        expected = verdict.expected.strip("\n")
        body = lines(expected, columns - 2) if "```" in expected else code_lines(expected, columns - 2)
        return [*shown, [], [Span("  A solution", DIM)], *([Span("  "), *line] for line in body)]

    def keys(self) -> list[tuple[str, str]]:
        return [("e", "write it in your editor")]


def _item(label: str, text: str, columns: int, head: str, style: str) -> list[Line]:
    spans = inline(text)
    return wrap(
        styled(spans, style) if style else spans, columns, [Span(f"  {label}", head)], [Span(" " * (2 + len(label)))]
    )
