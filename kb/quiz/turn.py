"""What a sitting hands out: a question that is open, an answer that waits for its grade, and what became of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kb.errors import UsageError
from kb.knowledge.model import QuestionCard, Topic
from kb.questions.base import Ask, Question, Verdict
from kb.quiz.citation import demo_of, is_shown_by, source_of

if TYPE_CHECKING:
    from kb.store.events import Event

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that is open. ``phase`` is "new", "learning", "review" or "again" (failed before in this sitting)."""

    name: str
    topic: Topic
    card: QuestionCard
    question: Question
    ask: Ask
    phase: str

    @property
    def source(self) -> str | None:
        """The source as the file has it."""
        return source_of(self.topic, self.card)

    @property
    def demo(self) -> str | None:
        """The demo that shows what the question is about, or the topic's first."""
        return demo_of(self.topic, self.card)

    @property
    def demo_says(self) -> str:
        """What there is to be said of the demo, without promising more than it shows."""
        if self.demo is None:
            return ""
        shown = is_shown_by(self.topic, self.card, self.demo)
        return f"kb demo {self.demo} shows it" if shown else f"kb demo {self.demo} is a demo of this topic"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer; it is stored. ``due_ms`` is None in a cram."""

    turn: Turn
    answer: Any
    verdict: Verdict
    grade: int
    why: str
    event: Event
    leech: bool = False  # it has been forgotten so often that the card, not the learner, needs work
    ask_day: int | None = None  # the study day on which an exam asks the question before its due day

    @property
    def right(self) -> bool:
        """Whether it counts as known."""
        return self.grade > AGAIN

    @property
    def due_ms(self) -> int | None:
        """When the question comes back."""
        return None if self.event.promise is None else self.event.promise.due_ms


@dataclass(frozen=True, slots=True)
class Revealed:
    """An answer that waits for the learner's own grade."""

    turn: Turn
    answer: Any
    verdict: Verdict
    why: str


def check_grade(grade: Any) -> None:
    """UsageError unless ``grade`` is 1 to 4."""
    if isinstance(grade, bool) or grade not in (AGAIN, HARD, GOOD, EASY):
        raise UsageError(f"a grade is 1 (Again), 2 (Hard), 3 (Good) or 4 (Easy), not {grade!r}")
