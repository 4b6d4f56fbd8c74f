"""The room in which a sitting is held on a terminal: it shows what stands, takes keys, and opens the doors to the
editor and the demos. What is asked and what becomes of an answer is the sitting's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from kb.errors import AnswerError, KbError, NotStored
from kb.quiz.offer import Offer, offered, take
from kb.quiz.session import Sitting
from kb.quiz.turn import GOOD as GOOD_GRADE
from kb.quiz.turn import Outcome, Revealed, Turn
from kb.terminal import doors, views
from kb.terminal.context import App
from kb.terminal.ending import Ending
from kb.terminal.frame import FRAMED_FROM, Viewport, text_width
from kb.terminal.inputs import CodeInput, Complaint, Input, Submit, TextInput, input_for
from kb.terminal.screen import RESIZE, Screen
from kb.terminal.status import GRADES, back, key_line, progress_rule, status_line
from kb.terminal.text import BAD, DIM, Line, wrap
from kb.terminal.views import Body

_SCROLL = ("up", "down", "pgup", "pgdn")
_INSTANT = ("choice", "cloze", "numeric", "order", "recall")  # the kinds that are judged without running anything


class Room:
    """Holds a sitting on the terminal."""

    def __init__(self, app: App, sitting: Sitting, brief: bool = False, ending: Ending | None = None) -> None:
        self.app = app
        self.brief = brief
        self.ending = ending
        self.sitting = sitting
        self.turn: Turn | None = None
        self.entry: Input | None = None
        self.done: Outcome | None = None  # the verdict that is shown
        self.done_entry: Input | None = None
        self.offer: Offer | None = None  # of the verdict that is shown
        self.hint: str | None = None
        self.failed: tuple[str, str] | None = None  # of a program: why, and the case
        self.commanding = False  # Esc was pressed while typing: the next key is a command
        self.helping = False
        self.message: Line = []
        self.view = Viewport()
        self._told = 0

    def run(self) -> int:
        """Hold the sitting and show how it went; the exit code."""
        with Screen(self.app.environment) as self.screen, contextlib.suppress(EOFError):
            while self._prepare():
                self._draw()
                key = self.screen.key()
                if key == RESIZE:
                    continue
                self.message = []
                if not self._act(key):
                    break
        from kb.terminal.summary import show

        (show if self.ending is None else self.ending.show)(self.app, self.sitting, self.brief)
        return 0

    def _prepare(self) -> bool:
        """See to it that there is something to show; False at the end."""
        if self.done is not None:
            return True
        turn = self.sitting.next()
        self._tell_notices()
        if turn is None:
            return False
        if turn is not self.turn:
            self.turn = turn
            self.entry = input_for(turn)
            self.hint = None
            self.failed = None
            self._rewind()
        return True

    def _rewind(self) -> None:
        self.view.rewind()
        self.commanding = False

    def _tell_notices(self) -> None:
        fresh = self.sitting.notices[self._told :]
        self._told = len(self.sitting.notices)
        if fresh:
            more = f" (and {len(fresh) - 1} more)" if len(fresh) > 1 else ""
            self.message = views.message(fresh[0] + more)

    # --- keys ------------------------------------------------------------------------------------------------------

    def _act(self, key: str) -> bool:
        """What a key does; False ends the sitting."""
        if self.helping:
            self.helping = False
            return True
        if key.startswith("alt+") and not self._is_typing():  # Esc before a command is never wrong
            key = key.removeprefix("alt+")
        if self.done is not None:
            return self._act_after(key)
        if self.sitting.revealed is not None:
            return self._act_revealed(key)
        if self._is_typing():
            return self._act_typing(key)
        assert self.entry is not None
        self.commanding = False
        reaction = self.entry.press(key) if not self.entry.typing else False
        if isinstance(reaction, Submit):
            self._answer(reaction.answer)
        elif isinstance(reaction, Complaint):
            self.message = views.message(reaction.text)
        elif not reaction:
            return self._command(key)
        return True

    def _is_typing(self) -> bool:
        shown = self.done is not None or self.sitting.revealed is not None
        return not shown and not self.commanding and self.entry is not None and self.entry.typing

    def _act_typing(self, key: str) -> bool:
        entry = self.entry
        assert isinstance(entry, TextInput)
        if key == "esc":
            self.commanding = True
            return True
        if entry.empty and len(key) == 1 and key in f" ?{entry.commands}":
            return self._command(key)
        if key.startswith("alt+") and key not in ("alt+b", "alt+f", "alt+backspace"):
            return self._command(key.removeprefix("alt+"))
        reaction = entry.press(key)
        self.view.follow()
        if isinstance(reaction, Submit):
            self._answer(reaction.answer)
        elif isinstance(reaction, Complaint):
            self.message = views.message(reaction.text)
        elif not reaction:
            self.view.scroll(key)
        return True

    def _act_revealed(self, key: str) -> bool:
        if key in ("1", "2", "3", "4", " ", "enter"):
            grade = int(key) if key.isdigit() else GOOD_GRADE
            self._try(lambda: self._graded(self.sitting.grade(grade)))
            return True
        return self._command(key)

    def _act_after(self, key: str) -> bool:
        assert self.done is not None
        if key in (" ", "enter"):
            self._leave_verdict()
        elif key in ("1", "2", "3", "4"):
            if int(key) == self.done.grade:
                self._leave_verdict()
            else:
                self._try(lambda: self._graded(self.sitting.regrade(int(key))))
        elif key in ("s", "S"):
            hold = self.sitting.suspend if key == "S" else self.sitting.bury
            name = self.done.turn.name
            if self._try(lambda: hold(name)):
                self._leave_verdict()
                self._held(key, name)
        else:
            return self._command(key)
        return True

    def _command(self, key: str) -> bool:
        if key in ("q", "ctrl+d"):
            return False
        actions: dict[str, Callable[[], object]] = {
            " ": self._reveal,
            "enter": self._write_code if isinstance(self.entry, CodeInput) else self._reveal,
            "h": self._hint,
            "u": self._undo,
            "r": self._demo,
            "e": self._edit,
            "E": self._edit_card,
            "p": self._prerequisite,
            "s": lambda: self._hold("s"),
            "S": lambda: self._hold("S"),
            "?": lambda: setattr(self, "helping", True),
            "ctrl+l": lambda: None,
        }
        if key in actions:
            self._try(actions[key])
        elif key in _SCROLL:
            self.view.scroll(key)
        elif key != "esc":
            self.message = views.message("that key does nothing here; ? shows the keys", DIM)
        return True

    def _try(self, action: Callable[[], object]) -> bool:
        """Do something that may fail with a line; whether it did not."""
        try:
            action()
        except NotStored as error:
            self.message = views.message(str(error), BAD)
        except (AnswerError, KbError) as error:
            self.message = views.message(str(error))
        else:
            return True
        return False

    # --- what keys do ----------------------------------------------------------------------------------------------

    def _answer(self, answer: Any) -> None:
        def settle() -> Outcome | Revealed | None:
            if not isinstance(self.entry, CodeInput):
                return self.sitting.answer(answer)
            verdict = self.sitting.check(answer)
            if verdict is None or verdict.correct is not False:
                return None if verdict is None else self.sitting.settle(answer, verdict)
            self.sitting.missed()
            self.failed = (verdict.why, verdict.detail)
            self._rewind()
            return None

        self._settle(settle)

    def _settle(self, work: Callable[[], Outcome | Revealed | None]) -> None:
        """Let the sitting judge, which may run something, and show what came of it."""
        assert self.turn is not None
        runs = self.turn.card.kind not in _INSTANT
        if runs:
            self.message = views.message("Running … (Ctrl-C stops it)", DIM)
            self._draw()
            self.message = []

        def judged() -> None:
            with contextlib.ExitStack() as around:
                if runs:
                    around.enter_context(doors.quiet())
                    around.enter_context(doors.stoppable())
                result = work()
            if isinstance(result, Outcome):
                self.done, self.done_entry, self.offer = result, self.entry, offered(self.sitting, result)
            if result is not None:
                self._rewind()

        self._try(judged)
        if runs:
            self.screen.forget_keys()

    def _reveal(self) -> None:
        if self.done is not None or self.sitting.revealed is not None:
            return
        source = self.entry.source if isinstance(self.entry, CodeInput) and self.entry.written else None
        self._settle(lambda: self.sitting.give_up(source))

    def _hint(self) -> None:
        if self.done is not None or self.sitting.revealed is not None:
            self.message = views.message("the answer is shown already", DIM)
            return
        self.hint = self.sitting.hint()
        self.view.follow()
        if self.hint is None:
            self.message = views.message("this question has no hint", DIM)

    def _undo(self) -> None:
        event = self.sitting.undo()
        if event is None:
            self.message = views.message("there is nothing to undo", DIM)
            return
        self._leave_verdict()
        self.message = views.message(f"taken back: the {views.UNDONE[event.kind]} {event.question}", DIM)

    def _prerequisite(self) -> None:
        offer = take(self.sitting)
        self._leave_verdict()
        self.message = views.message(f"{offer.topic}, on which the question that you missed rests", DIM)

    def _demo(self) -> None:
        turn = self._shown_turn()
        if turn.demo is None:
            self.message = views.message("no demo is linked to this question", DIM)
            return
        if self.done is None and self.sitting.revealed is None:
            self.sitting.hinted = True
            self.message = views.message("the demo was run: a right answer is graded hard", DIM)
        with self._elsewhere():
            doors.run_demo(turn, self.app.environment)

    def ask_trust(self, danger: str, file: str) -> bool:
        """Whether the learner lets the code of a topic run where it cannot be shut in."""
        with self._elsewhere():
            return doors.ask_trust(danger, file, self.screen.colour)

    def _edit(self) -> None:
        if self.done is None and isinstance(self.entry, CodeInput):
            self._write_code()
        else:
            self._edit_card()

    def _write_code(self) -> None:
        entry, turn = self.entry, self.turn
        assert isinstance(entry, CodeInput) and turn is not None
        with self._elsewhere(timed=True):
            source = doors.write_code(turn, entry.source, self.app.environment)
        if source is None:
            self.message = views.message("nothing was changed; space shows a solution")
            return
        entry.source, entry.written = source, True
        self._answer(source)

    def _edit_card(self) -> None:
        from kb.terminal.mending import mend

        turn = self._shown_turn()
        with self._elsewhere():
            says = mend(self.app, self.sitting, turn)
        self.message = views.message(says, DIM)
        if self.done is not None and self.sitting.turn is None:
            return
        self.turn = None  # ask it again as it now stands

    def _hold(self, key: str) -> None:
        name = self._shown_turn().name
        (self.sitting.suspend if key == "S" else self.sitting.bury)()
        self._held(key, name)

    def _held(self, key: str, name: str) -> None:
        says = f"{name} is not asked again" if key == "S" else f"{name} rests until tomorrow"
        self.message = views.message(f"{says} (u undoes)", DIM)

    def _graded(self, outcome: Outcome) -> None:
        self._leave_verdict()
        again = back(outcome, self.sitting.now(), self.sitting.store.settings.rollover_hour)
        self.message = views.message(f"{', '.join(filter(None, [GRADES[outcome.grade], again]))} (u undoes)", DIM)

    def _leave_verdict(self) -> None:
        self.done = self.done_entry = None
        self._rewind()

    def _shown_turn(self) -> Turn:
        if self.done is not None:
            return self.done.turn
        assert self.turn is not None
        return self.turn

    @contextlib.contextmanager
    def _elsewhere(self, timed: bool = False) -> Any:
        """Lend the terminal; unless ``timed``, the time there doesn't count as time of the answer."""
        if not timed:
            self.sitting.pause()
        try:
            with self.screen.lent():
                yield
        finally:
            self.sitting.resume()

    # --- drawing ---------------------------------------------------------------------------------------------------

    def _draw(self) -> None:
        size = self.screen.size
        wide = text_width(size[0])[0]
        framed = size[1] >= FRAMED_FROM
        head: list[Line] = [views.header(self._shown_turn(), wide), []] if framed else []
        self.screen.draw(*self.view.compose(head, self._body(wide), self._foot(wide, framed), size))

    def _body(self, wide: int) -> Body:
        now = self.sitting.now()
        if self.helping:
            return Body(views.help_lines(wide))
        if self.done is not None:
            rollover = self.sitting.store.settings.rollover_hour
            return views.outcome(self.done, self.done_entry, now, rollover, wide, self.screen.colour, self.offer)
        assert self.turn is not None and self.entry is not None
        if self.sitting.revealed is not None:
            return views.revealed(self.sitting.revealed, self.entry, self.sitting.preview(), now, wide)
        if self.failed is not None:
            return views.failed_attempt(self.turn, self.entry, self.hint, *self.failed, columns=wide)
        body = views.question(self.turn, self.entry, self.hint, wide)
        return body._replace(cursor=None) if self.commanding else body

    def _foot(self, wide: int, framed: bool) -> list[Line]:
        sitting = self.sitting
        keys = key_line(self._keys(), wide)
        if not framed:
            return [self.message or keys]
        done = len(sitting.outcomes)
        due, new = sitting.remaining()
        status = status_line(done, due, new, sitting.right, sitting.seconds, wide)
        says = views.COMMANDS if self.commanding and not self.message else self.message
        return [*(wrap(says, wide)[:3] or [[]]), progress_rule(done, due + new, wide), keys, status]

    def _keys(self) -> list[tuple[str, str]]:
        if self.helping:
            return [("any key", "back")]
        if self.done is not None:
            return views.keys_after(self.offer)
        if self.sitting.revealed is not None:
            return views.KEYS_REVEALED
        assert self.entry is not None and self.turn is not None
        return views.open_keys(self.entry, bool(self.turn.ask.hint) and self.hint is None)
