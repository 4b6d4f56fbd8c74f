"""A sitting: what comes next, ask, grade, record, undo. It prints nothing and knows no clock but those it is given.

Whatever is told about an answer (``Outcome``) is told after the store has it. A question whose card is broken or whose
grader raises is set aside with a line in ``notices``; the sitting goes on.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from kb.errors import AnswerError, KbError, NotStored, UsageError
from kb.memory.days import Moment
from kb.questions.base import Laboratory, NoLaboratory, Question, Verdict
from kb.quiz.plan import Deck, Plan
from kb.quiz.queue import Queue
from kb.quiz.turn import AGAIN, GOOD, HARD, Outcome, Revealed, Turn, check_grade

if TYPE_CHECKING:
    from kb.knowledge.library import Library
    from kb.memory.scheduler import State
    from kb.store.events import Event
    from kb.store.store import Store

T = TypeVar("T")

UNDOABLE = ("answer", "suspend", "bury")
_CRAM_BACK_MS = 60_000


class _SetAside(Exception):
    """The open question cannot go on; the text says why."""


class Sitting:
    """Asks the questions of a plan.

    ``clock`` gives the moment, ``stopwatch`` seconds that never go back; ``on_open`` hears of every question.
    """

    offers = True  # after a miss, a question of what it rests on

    def __init__(
        self,
        library: Library,
        kinds: Mapping[str, type[Question]],
        store: Store,
        plan: Plan,
        *,
        clock: Callable[[], Moment],
        laboratory: Laboratory | None = None,
        stopwatch: Callable[[], float] = time.monotonic,
        on_open: Callable[[Turn], None] = lambda turn: None,
    ) -> None:
        self.library = library
        self.store = store
        self.plan = plan
        self.notices: list[str] = []
        self.outcomes: list[Outcome] = []  # of this sitting, without those undone
        self.turn: Turn | None = None
        self.revealed: Revealed | None = None
        self.hinted = False
        self.not_stored = 0  # answers that could not be stored
        self.tries = 0  # attempts at the open question that failed and were not recorded
        self._kinds = kinds
        self._clock = clock
        self._laboratory = laboratory or NoLaboratory()
        self._stopwatch = stopwatch
        self._on_open = on_open
        self._started = self._shown = stopwatch()
        self._paused_at: float | None = None
        self._paused = 0.0
        self._asked = 0
        self._seeds: dict[str, int] = {}  # of questions that are to be asked again as they were
        self._base_seed = int.from_bytes(os.urandom(4), "big") if plan.seed is None else plan.seed
        self.deck = Deck(library, store, plan)
        self.queue: Queue = self.deck.fill(clock(), self._claim_of)
        self.notices += [str(error) for error in self.deck.broken()]

    # --- asking ----------------------------------------------------------------------------------------------------

    def next(self) -> Turn | None:
        """Open the next question; None if the sitting is over. An open one stays open."""
        while self.turn is None and not self.is_over:
            name = self.queue.take(self._clock().at_ms)
            if name is None:
                break
            try:
                self._open(name)
            except _SetAside as fault:
                self._set_aside(name, str(fault))
        return self.turn

    @property
    def is_over(self) -> bool:
        """Whether the limit of answers or of time is reached."""
        if self.plan.limit is not None and len(self.outcomes) >= self.plan.limit:
            return True
        return self.plan.minutes is not None and self.seconds >= self.plan.minutes * 60

    def _open(self, name: str) -> None:
        topic, card = self._guarded(lambda: self.library.question(name))
        question = self._guarded(lambda: self._kinds[card.kind](name, card))
        seed = self._seeds.pop(name, None)
        if seed is None:
            self._asked += 1
            seed = zlib.crc32(f"{self._base_seed} {name} {self._asked}".encode()) & 0x7FFFFFFF
        ask = self._guarded(lambda: question.ask(seed))
        self.turn = Turn(name, topic, card, question, ask, self._phase(name))
        self._on_open(self.turn)
        self._begin()

    def _begin(self) -> None:
        self.revealed = None
        self.hinted = False
        self.tries = 0
        self._shown = self._stopwatch()
        self._paused = 0.0

    def _phase(self, name: str) -> str:
        if any(outcome.turn.name == name and not outcome.right for outcome in self.outcomes):
            return "again"
        row = self.store.state(name)
        if row is None or row.state is None:
            return "new"
        return "review" if row.state.phase == "review" else "learning"

    def hint(self) -> str | None:
        """The hint of the open question, if it has one; from then on a right answer is graded Hard at best."""
        turn = self._current()
        if turn.ask.hint is not None:
            self.hinted = True
        return turn.ask.hint

    def pause(self) -> None:
        """Stop the time of the answer (an editor or a demo is open)."""
        if self._paused_at is None:
            self._paused_at = self._stopwatch()

    def resume(self) -> None:
        """Let the time of the answer go on."""
        if self._paused_at is not None:
            self._paused += self._stopwatch() - self._paused_at
            self._paused_at = None

    # --- answering -------------------------------------------------------------------------------------------------

    def check(self, answer: Any) -> Verdict | None:
        """Judge an answer without recording it. Raises AnswerError where it is none: the question stays open.

        None: the question could not be judged and was set aside.
        """
        turn = self._current()
        self.pause()  # a run may take its time
        try:
            verdict = self._guarded(lambda: turn.question.grade(answer, turn.ask, self._laboratory))
            if not isinstance(verdict, Verdict):
                raise _SetAside(f"its kind {turn.card.kind!r} gave no verdict but {type(verdict).__name__}")
        except _SetAside as fault:
            self._set_aside(turn.name, str(fault))
            return None
        finally:
            self.resume()
        return verdict

    def answer(self, answer: Any) -> Outcome | Revealed | None:
        """Judge and record an answer; one that the learner grades is revealed instead. None: it was set aside."""
        verdict = self.check(answer)
        return None if verdict is None else self.settle(answer, verdict)

    def settle(self, answer: Any, verdict: Verdict) -> Outcome | Revealed | None:
        """Record an answer that has been checked, or reveal it to the learner who grades it."""
        turn = self._current()
        try:
            why = self._guarded(lambda: turn.question.explain(turn.ask))
        except _SetAside as fault:
            self._set_aside(turn.name, str(fault))
            return None
        if verdict.correct is None:
            self.revealed = Revealed(turn, answer, verdict, why)
            return self.revealed
        right = HARD if self.hinted or self.tries else GOOD
        return self._record(Revealed(turn, answer, verdict, why), right if verdict.correct else AGAIN)

    def missed(self) -> None:
        """Count an attempt that failed and may be repeated (code); a right one is graded Hard from then on."""
        self.tries += 1

    def give_up(self, answer: Any = None) -> Outcome | Revealed | None:
        """Show the answer: recorded as wrong, or left to the learner's own grade. None: it was set aside."""
        turn = self._current()
        try:
            expected = self._guarded(lambda: turn.question.reveal(turn.ask, self._laboratory))
        except _SetAside as fault:
            self._set_aside(turn.name, str(fault))
            return None
        own_grade = getattr(turn.question, "self_graded", turn.card.kind == "recall")
        return self.settle(answer, Verdict(correct=None if own_grade else False, expected=expected))

    def grade(self, grade: int) -> Outcome:
        """The learner's own grade (1 to 4) of the revealed answer."""
        check_grade(grade)
        if self.revealed is None:
            raise UsageError("there is no revealed answer to grade")
        return self._record(self.revealed, grade)

    def _record(self, revealed: Revealed, grade: int) -> Outcome:
        turn, answer, verdict, why = revealed.turn, revealed.answer, revealed.verdict, revealed.why
        try:
            event = self.store.record(
                turn.name,
                grade,
                self._clock(),
                answer=answer,
                seed=turn.ask.seed,
                seconds=self.answer_seconds,
                correct=verdict.correct,
                hint=self.hinted,
                cram=self._spares_schedule(turn, grade),
            )
        except NotStored:
            self.not_stored += 1
            raise
        leech = grade == AGAIN and self._is_leech(turn.name)
        outcome = Outcome(turn, answer, verdict, grade, why, event, leech, self.store.ask_day(turn.name, event.day))
        self.outcomes.append(outcome)
        self.turn = self.revealed = None
        self._schedule(outcome)
        self.deck.met(turn.name, self.queue)
        return outcome

    def _spares_schedule(self, turn: Turn, grade: int) -> bool:
        return self.plan.cram

    def _is_leech(self, name: str) -> bool:
        row, lapses = self.store.state(name), self.store.settings.leech_lapses
        return lapses > 0 and row is not None and row.state is not None and row.state.lapses >= lapses

    def _schedule(self, outcome: Outcome) -> None:
        """Where an answered question goes in this sitting."""
        name, promise = outcome.turn.name, outcome.event.promise
        self.queue.drop(name)
        failed = not outcome.right
        if promise is None:
            if failed:
                self.queue.add_learning(name, outcome.event.at_ms + _CRAM_BACK_MS, failed=True)
        elif promise.phase != "review":
            self.queue.add_learning(name, promise.due_ms, failed)

    def regrade(self, grade: int) -> Outcome:
        """Give the answer before another grade."""
        check_grade(grade)
        if not self.outcomes:
            raise UsageError("no answer of this sitting can be regraded")
        last = self.outcomes[-1]
        newest = self.store.undoable()
        if newest is None or newest.id != last.event.id:
            raise UsageError("the last answer is not of this sitting: it cannot be regraded here")
        event = self.store.regrade(grade, self._clock())
        outcome = replace(last, grade=grade, event=event, ask_day=self.store.ask_day(last.turn.name, event.day))
        self.outcomes[-1] = outcome
        self._schedule(outcome)
        return outcome

    def preview(self) -> dict[int, State]:
        """What each grade would promise the open question now; nothing in a cram."""
        return {} if self.plan.cram else self.store.preview(self._current().name, self._clock())

    # --- going another way -----------------------------------------------------------------------------------------

    def skip(self) -> None:
        """Leave the open question for another sitting."""
        self._current()
        self.turn = self.revealed = None

    def bury(self, name: str | None = None) -> None:
        """Leave the open question (or ``name``) until tomorrow."""
        self._hold("bury", name)

    def suspend(self, name: str | None = None) -> None:
        """Ask the open question (or ``name``) no more, until it is taken up again."""
        self._hold("suspend", name)

    def _hold(self, kind: str, name: str | None) -> None:
        held = self._current().name if name is None else name
        self.store.append(kind, self._clock(), held)
        self.queue.drop(held)
        self.deck.met(held, self.queue)
        if self.turn is not None and self.turn.name == held:
            self.skip()

    def undo(self) -> Event | None:
        """Take back the last answer, bury or suspension, of this sitting or an earlier one; it is asked again.

        None if there is nothing to take back. The question that was open comes after it.
        """
        taken = self.store.undo(self._clock(), 1, UNDOABLE)
        if not taken:
            return None
        event = taken[0]
        self.outcomes = [outcome for outcome in self.outcomes if outcome.event.id != event.id]
        self.interpose(str(event.question), event.seed)
        return event

    def interpose(self, name: str, seed: int | None = None) -> None:
        """Ask ``name`` (as it was drawn with ``seed``) next; the question that is open comes after it."""
        opened, self.turn, self.revealed = self.turn, None, None
        if opened is not None:
            self._seeds[opened.name] = opened.ask.seed
            self.queue.put_first(opened.name)
        if seed is not None:
            self._seeds[name] = seed
        self.queue.put_first(name)

    def reset_progress(self, name: str) -> None:
        """A question has become another one: it starts again as new."""
        self.store.append("reset", self._clock(), name)

    def reload(self, library: Library) -> None:
        """Take ``library``, in which a file has been edited; an open question is asked again as it now stands."""
        self.library = self.deck.library = library
        turn = self.turn
        if turn is None:
            return
        hinted, tries = self.hinted, self.tries
        self.turn = None
        self._seeds[turn.name] = turn.ask.seed
        try:
            self._open(turn.name)
            self.hinted, self.tries = hinted, tries
        except _SetAside as fault:
            self._set_aside(turn.name, str(fault))

    # --- looking ---------------------------------------------------------------------------------------------------

    def now(self) -> Moment:
        """The moment, by the sitting's clock."""
        return self._clock()

    @property
    def seconds(self) -> float:
        """How long the sitting has lasted."""
        return self._stopwatch() - self._started

    @property
    def answer_seconds(self) -> float:
        """How long the open question has been open, pauses left out."""
        now = self._paused_at if self._paused_at is not None else self._stopwatch()
        return max(now - self._shown - self._paused, 0.0)

    @property
    def right(self) -> int:
        """How many answers of this sitting count as known."""
        return sum(outcome.right for outcome in self.outcomes)

    def remaining(self) -> tuple[int, int]:
        """How many questions are left as far as can be told now, the open one included: due (or to repeat), and new."""
        due, new, back = self.queue.counts(self._clock().at_ms)
        due += back
        if self.turn is not None:
            due, new = due + (self.turn.phase != "new"), new + (self.turn.phase == "new")
        if self.plan.limit is not None:
            room = max(self.plan.limit - len(self.outcomes), 0)
            due = min(due, room)
            new = min(new, room - due)
        return due, new

    # --- inside ----------------------------------------------------------------------------------------------------

    def _current(self) -> Turn:
        if self.turn is None:
            raise UsageError("no question is open")
        return self.turn

    def _claim_of(self, name: str) -> str | None:
        try:
            return self.library.question(name)[1].claim
        except KbError:
            return None

    def _guarded(self, call: Callable[[], T]) -> T:
        """Call into a card or its kind, which may come from anywhere: whatever it raises sets the question aside."""
        try:
            return call()
        except (AnswerError, NotStored):
            raise
        except KbError as error:
            raise _SetAside(str(error)) from error
        except Exception as error:
            raise _SetAside(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error

    def _set_aside(self, name: str, reason: str) -> None:
        self.turn = self.revealed = None
        self.notices.append(f"{name} was set aside: {' '.join(reason.split())}")
