"""A sitting that finds where to start: about ten questions, each of the topic whose answer tells most.

An answer is an answer: it is in the log before the next question. One that is right puts its question on the schedule;
a wrong one to a question never asked before leaves it new, because it waits, as all do, for what its topic rests on.
Only a placement that came to its end marks topics as met, and that mark is an event which can be taken back.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.errors import KbError
from kb.knowledge.model import QuestionCard
from kb.memory.placement import MOST_QUESTIONS, STATES, Placement, begin
from kb.quiz.queue import Queue
from kb.quiz.session import Sitting
from kb.quiz.turn import AGAIN, Turn

if TYPE_CHECKING:
    from kb.knowledge.library import Library

_DRAWN = 1_000_000  # topics times states: what keeps the beginning within a second in a library of any size
_FEWEST_STATES = 300
_QUICK = ("choice", "cloze", "numeric", "order")
_MANY_OPTIONS = 3  # fewer are guessed too easily


class Placed(NamedTuple):
    """What a placement found. ``known`` is the probability, by topic in learning order, that it is known.

    ``start`` are the topics to begin with, the one that most others rest on first; ``met`` those that were marked as
    met: none if it was broken off (``complete`` is False) or had nothing to ask.
    """

    known: dict[str, float]
    start: list[str]
    met: list[str]
    answers: dict[str, bool]
    complete: bool
    command: str
    why: str


class Placing(Sitting):
    """Asks about ten questions over the topics of the plan and all that they rest on."""

    offers = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.queue = Queue(None, self._claim_of)
        self.graph = graph_of(self.library, self.plan.topics)
        states = max(_FEWEST_STATES, min(STATES, _DRAWN // max(len(self.graph), 1)))
        self._before = begin(self.graph, states=states, seed=self.plan.seed or 0)
        self._believed: tuple[tuple[tuple[str, bool], ...], Placement] = ((), self._before)
        self._draw = random.Random(self._base_seed)
        self._tried: set[str] = set()
        self._left: dict[str, list[str]] = {}
        day = self.store.study_day(self.now())
        entries = {entry.name: entry for entry in self.library.entries()}
        names = [f"{topic}/{identity}" for topic in self.graph for identity in entries[topic].questions]
        rows = self.store.states(names)
        self._new = {name for name in names if name not in rows or rows[name].state is None}
        for name in names:
            if name not in rows or not rows[name].is_held(day):
                self._left.setdefault(name.partition("/")[0], []).append(name)

    # --- asking ----------------------------------------------------------------------------------------------------

    def next(self) -> Turn | None:
        """Open the next question: one that was undone, else one of the topic that tells most; None at the end."""
        while self.turn is None and not self.is_over:
            if not self.queue.counts(self.now().at_ms)[0]:
                name = self._choose()
                if name is None:
                    break
                self.queue.put_first(name)
            super().next()
        return self.turn

    def _choose(self) -> str | None:
        while (topic := self.belief.next_topic(among=self._left.keys())) is not None:
            names = self._left[topic]
            name = min(names, key=lambda name: (*self._slowness(name), self._draw.random()))
            names.remove(name)
            if not names:
                del self._left[topic]
            if name not in self._tried:
                self._tried.add(name)
                return name
        return None

    def _slowness(self, name: str) -> tuple[int, bool]:
        """How unfit a question is for a placement: first what takes long, then what was asked before."""
        try:
            card = self.library.question(name)[1]
        except KbError:
            return 9, True  # asking it will say what is wrong
        return self._rank(card), name not in self._new

    def _rank(self, card: QuestionCard) -> int:
        if card.kind == "choice":
            return 0 if len(card.fields.get("options", ())) >= _MANY_OPTIONS else 1
        if card.kind in _QUICK:
            return 0
        if card.kind == "predict":  # quick where the run is on record
            demo = card.demo or card.fields.get("demo")
            return 2 if demo is not None and self.store.evidence_of(demo) is not None else 3
        return 4 if card.kind == "recall" else 5

    def _schedule(self, outcome: Any) -> None:
        """Nothing comes back in a placement."""
        self.queue.drop(outcome.turn.name)

    def _spares_schedule(self, turn: Turn, grade: int) -> bool:
        return self.plan.cram or (grade == AGAIN and turn.phase == "new")

    def remaining(self) -> tuple[int, int]:
        """At most so many questions are left."""
        asked = {topic for topic, _ in self.belief.asked}
        left = min(MOST_QUESTIONS - len(asked), len(self.graph) - len(asked))
        return 0, max(left, int(self.turn is not None))

    # --- finding ---------------------------------------------------------------------------------------------------

    @property
    def belief(self) -> Placement:
        """What is believed after the answers as they stand now, undone ones left out."""
        last: dict[str, bool] = {}
        for outcome in self.outcomes:
            if outcome.turn.topic.name in self.graph:
                last[outcome.turn.topic.name] = outcome.right
        answers = tuple(last.items())
        if answers != self._believed[0]:
            belief = self._before
            for topic, right in answers:
                belief = belief.answer(topic, right)
            self._believed = answers, belief
        return self._believed[1]

    def conclude(self) -> Placed:
        """What was found. A placement that came to its end is written to the log: the known topics count as met."""
        belief = self.belief
        complete = self.turn is None and bool(belief.asked)
        known = {topic: round(chance, 3) for topic, chance in belief.known().items()}
        met = belief.mastered() if complete else []
        start = self._start(belief)
        if complete:
            self.store.append("placed", self.now(), data={"known": known, "met": met})
        command, why = self._advice(belief, start, complete)
        return Placed(known, start, met, dict(belief.asked), complete, command, why)

    def _start(self, belief: Placement) -> list[str]:
        opens = {topic: sum(topic in below for below in self.graph.values()) for topic in self.graph}
        return sorted(belief.start(), key=lambda topic: -opens[topic])

    def _advice(self, belief: Placement, start: list[str], complete: bool) -> tuple[str, str]:
        goal = " ".join(self.plan.topics)
        if not complete:
            again = f"kb place {goal}".strip()
            return again, "it was broken off before it could tell; your answers are kept"
        if not start:
            return f"kb quiz {goal}".strip(), "you seem to know all of it: answering its questions keeps it so"
        first = start[0]
        needs = sorted(self.graph[first], key=belief.topics.index)
        why = "all that it rests on seems known" if needs else "it rests on nothing else"
        above = [topic for topic in belief.topics if first in self.graph[topic]]
        if above:
            why += f", and {_listed(above)} {'rests' if len(above) == 1 else 'rest'} on it"
        return f"kb learn {first}", why


def graph_of(library: Library, names: Iterable[str] = ()) -> Mapping[str, frozenset[str]]:
    """The topics (``names`` and all on the way to them, or all there are) that have questions, and what each rests on,
    directly or not."""
    wanted = [*names]
    topics = {name for top in wanted for name in library.path(top)} if wanted else set(library.names())
    asked = {entry.name for entry in library.entries() if entry.questions and entry.name in topics}
    return {name: frozenset(library.requires(name)) & asked for name in sorted(asked)}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
