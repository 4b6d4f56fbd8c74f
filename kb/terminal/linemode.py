"""A sitting line by line: plain text out, an answer a line in. For pipes, dumb terminals and screen readers."""

from __future__ import annotations

import sys

from kb.errors import AnswerError, NotStored, UsageError
from kb.quiz.citation import cite
from kb.quiz.offer import offered, take
from kb.quiz.session import Sitting
from kb.quiz.turn import Outcome, Revealed, Turn
from kb.terminal import editing
from kb.terminal.context import App
from kb.terminal.ending import Ending
from kb.terminal.jsonmode import Refused, read_line
from kb.terminal.render import Page, inline, lines
from kb.terminal.status import GRADES, back
from kb.terminal.summary import show
from kb.terminal.text import BAD, BOLD, DIM, GOOD, WARN, Line, Span, clean

HELP = (
    "a line is an answer; lines that begin with a colon are commands:",
    "  :hint   :show (the answer)   :skip   :undo   :1 :2 :3 :4 (grade the answer before)",
    "  :bury   :suspend   :prerequisite (ask what the answer before leans on)   :help   :quit",
)


class LineSitting:
    """Holds a sitting over stdin and stdout as text."""

    def __init__(
        self, app: App, sitting: Sitting, file: str | None = None, brief: bool = False, ending: Ending | None = None
    ) -> None:
        self._app = app
        self._brief = brief
        self._sitting = sitting
        self._file = file
        self._end = show if ending is None else ending.show
        self._page = Page.of(app.environment)
        self._shown: Turn | None = None
        self._told = 0

    def run(self) -> int:
        """Ask and answer until there is nothing left, ``:quit``, or the end of the input; the exit code."""
        while self._ask():
            try:
                if not self._act():
                    break
            except (AnswerError, NotStored, UsageError, Refused) as error:
                self._say(str(error), BAD if isinstance(error, NotStored) else WARN)
        self._tell()
        self._end(self._app, self._sitting, self._brief)
        return 0

    def _ask(self) -> bool:
        turn = self._sitting.next()
        self._tell()
        if turn is None:
            return False
        if turn is not self._shown:
            self._shown = turn
            self._show_question(turn)
        return True

    def _act(self) -> bool:
        """Read a line and do what it says; False ends the sitting."""
        sitting, turn = self._sitting, self._shown
        assert turn is not None
        if turn.ask.starter is not None and self._file is not None:
            source, self._file = editing.read_text(self._file), None
            self._show(sitting.answer(source))
            return True
        line = self._read()
        if line is None:
            return False
        if line.startswith(":"):
            return self._command(line[1:].strip())
        if sitting.revealed is not None:
            if line.strip() not in ("1", "2", "3", "4"):
                raise AnswerError("grade yourself: 1 again, 2 hard, 3 good, 4 easy")
            self._show(sitting.grade(int(line)))
        elif turn.ask.starter is not None:
            self._show(sitting.answer(self._rest_of(line)))
        elif getattr(turn.question, "self_graded", turn.card.kind == "recall"):
            self._show(sitting.give_up(line))
        elif not line.strip():
            self._page.write([Span(turn.question.how, DIM)])
            self._prompt()
        else:
            self._show(sitting.answer(turn.question.parse(line, turn.ask)))
        return True

    def _rest_of(self, first: str) -> str:
        """A program: ``first`` and the lines up to one with a single dot."""
        rows = [] if first == "." else [first]
        while rows or first != ".":
            line = read_line(sys.stdin.buffer)
            if line is None or line == b".":
                break
            rows.append(_decoded(line))
            if sum(map(len, rows)) > editing.MAX_BYTES:
                raise AnswerError("the answer is too long")
        return "\n".join(rows) + "\n"

    def _command(self, word: str) -> bool:
        sitting = self._sitting
        if word in ("q", "quit", "exit"):
            return False
        if word in ("h", "hint"):
            hint = sitting.hint()
            self._say(f"Hint: {hint}" if hint else "This question has no hint.")
        elif word in ("show", "reveal"):
            if sitting.revealed is None:
                self._show(sitting.give_up())
        elif word == "skip":
            sitting.skip()
        elif word in ("u", "undo"):
            event = sitting.undo()
            if event is None:
                raise UsageError("there is nothing to undo")
            self._shown = None
            self._say(f"Taken back: the {event.kind} of {event.question}.")
        elif word in ("1", "2", "3", "4"):
            self._show(sitting.grade(int(word)) if sitting.revealed is not None else sitting.regrade(int(word)))
        elif word in ("p", "prerequisite"):
            take(sitting)
            self._shown = None
        elif word in ("s", "bury"):
            sitting.bury()
        elif word in ("S", "suspend"):
            sitting.suspend()
        elif word in ("?", "help"):
            for row in HELP:
                self._page.write([row])
            self._prompt()
        else:
            raise UsageError(f"no command :{clean(word)[:40]}; :help lists them")
        return True

    # --- showing ---------------------------------------------------------------------------------------------------

    def _show_question(self, turn: Turn) -> None:
        page, ask = self._page, turn.ask
        left = sum(self._sitting.remaining())
        page.write()
        page.write([Span(turn.name, BOLD), Span(f"  {turn.card.kind} · {turn.phase} · {left} left", DIM)])
        page.markdown(ask.text)
        for number, text in enumerate([*ask.options, *ask.items], start=1):
            page.text([f"{number}  ", *inline(text)], indent=2, hang=3)
        if ask.starter is not None:
            page.write([Span("(end the program with a line that has a single dot)", DIM)])
            for row in clean(ask.starter).rstrip("\n").split("\n"):
                page.write([f"  {row}"])
        self._prompt()

    def _show(self, result: Outcome | Revealed | None) -> None:
        if isinstance(result, Revealed):
            self._titled("Answer: ", result.verdict.expected, BOLD)
            self._say(result.why)
            self._sources(result.turn)
            self._page.write([Span("Grade yourself: 1 again, 2 hard, 3 good, 4 easy", DIM)])
            self._prompt()
        elif result is not None:
            self._show_outcome(result)

    def _show_outcome(self, outcome: Outcome) -> None:
        verdict = outcome.verdict
        word = {True: "Right", False: "Wrong", None: "Graded"}[verdict.correct]
        style = {True: GOOD, False: BAD, None: BOLD}[verdict.correct]
        again = back(outcome, self._sitting.now(), self._sitting.store.settings.rollover_hour)
        says = ", ".join(filter(None, [GRADES[outcome.grade].capitalize(), again]))
        self._page.write([Span(f"{word}.", f"{BOLD};{style}"), Span(f" {says}", DIM)])
        if verdict.correct is None:
            self._offer(outcome)
            return
        if not verdict.correct:
            self._titled("Answer: ", verdict.expected, BOLD)
        for remark in filter(None, [verdict.why, verdict.note]):
            self._say(remark)
        for row in clean(verdict.detail).rstrip("\n").split("\n") if verdict.detail else ():
            self._page.write([f"  {row}"])
        self._say(outcome.why)
        self._sources(outcome.turn)
        self._offer(outcome)

    def _offer(self, outcome: Outcome) -> None:
        """After a miss: what it leans on, and how to be asked that now."""
        offer = offered(self._sitting, outcome)
        if offer is not None:
            self._page.text([Span(f"It rests on {offer.topic} ({offer.why}): :p asks a question of that now", DIM)])

    def _sources(self, turn: Turn) -> None:
        for citation in cite(turn.topic, turn.source):
            self._page.text([Span(clean(f"{citation.text} {citation.where}".strip()), DIM)], hang=2)
        if turn.demo:
            self._page.write([Span(turn.demo_says, DIM)])

    def _titled(self, title: str, text: str, style: str) -> None:
        body: list[Line] = lines(text, self._page.width - len(title))
        for number, line in enumerate(body):
            self._page.write([Span(title if not number else " " * len(title), style), *line])

    def _say(self, text: str, style: str = "") -> None:
        """A remark, in Markdown; one of the tool's own if it has a ``style``."""
        if style:
            self._page.text([Span(clean(text), style)])
            self._prompt()
        elif text.strip():
            self._page.markdown(text)

    def _tell(self) -> None:
        for notice in self._sitting.notices[self._told :]:
            sys.stderr.write(f"kb: {clean(notice)}\n")
        self._told = len(self._sitting.notices)
        self._page.flush()

    def _prompt(self) -> None:
        self._page.stream.write("> ")
        self._page.flush()

    def _read(self) -> str | None:
        self._page.flush()
        line = read_line(sys.stdin.buffer)
        if not self._page.stream.isatty():
            self._page.write()  # nobody typed the end of the prompt's line
        return None if line is None else _decoded(line)


def _decoded(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise AnswerError("the line is not UTF-8") from None
