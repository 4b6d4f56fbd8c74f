"""What a sitting is to be about, and the questions that follow from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.errors import KbError, UnknownName
from kb.memory.days import Moment
from kb.quiz.exams import Demand
from kb.quiz.queue import Queue

if TYPE_CHECKING:
    from kb.knowledge.library import Library
    from kb.store.store import Row, Store

UNSEEN_LAST = 2.0  # in a cram the questions never seen stand behind all others, whose recall is at most 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The wishes of the command line. Empty ``topics`` means all; None means no limit, or the settings' limit."""

    topics: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()  # these, and no others unless topics are named too
    limit: int | None = None  # answers
    new: int | None = None  # new questions, instead of what the day still allows
    minutes: float | None = None
    tags: tuple[str, ...] = ()
    cram: bool = False  # the schedule is left alone
    seed: int | None = None  # for the same questions, drawn and shuffled the same way


class Deck:
    """The questions of a plan: fills the queue, and opens a topic when all that it rests on has been met."""

    def __init__(self, library: Library, store: Store, plan: Plan) -> None:
        self.library = library
        self.store = store
        self.plan = plan
        self.topics = library.expand(plan.topics) if plan.topics else _in_learning_order(library)
        self._waiting: dict[str, list[str]] = {}  # topic → its new questions, while a prerequisite is not met
        self._unmet: dict[str, set[str]] = {}  # topic → its questions that were never answered

    def names(self) -> list[str]:
        """Every question of the plan."""
        chosen = list(self.plan.questions)
        if chosen and not self.plan.topics:
            return chosen
        names = [*chosen, *(name for name in self.library.questions(self.plan.topics or None) if name not in chosen)]
        if not self.plan.topics:
            place = {topic: number for number, topic in enumerate(self.topics)}
            names.sort(key=lambda name: place[_topic(name)])  # stable: the order of the file stays
        return self._tagged(names) if self.plan.tags else names

    def _tagged(self, names: Iterable[str]) -> list[str]:
        """Those of ``names`` that bear one of the tags, themselves or through their topic."""
        wanted, known, result = set(self.plan.tags), set(), []
        for name in names:
            topic, card = self.library.question(name)
            tags = {*topic.tags, *card.tags}
            known |= tags
            if tags & wanted:
                result.append(name)
        for tag in self.plan.tags:
            if tag not in known:
                raise UnknownName("tag", tag, known, listing=f"there are: {', '.join(sorted(known)) or 'none'}")
        return result

    def fill(self, moment: Moment, claim_of: Callable[[str], str | None]) -> Queue:
        """The queue of everything that may be asked at ``moment``, or will be soon."""
        names = self.names()
        rows = self.store.states(names)
        day = self.store.study_day(moment)
        demand = Demand(self.store, day)
        queue = Queue(self._new_limit(day), claim_of)
        free = [name for name in names if name not in rows or not rows[name].is_held(day)]
        new = [name for name in free if name not in rows or rows[name].state is None]
        if self.plan.cram:
            recall = dict.fromkeys(new, UNSEEN_LAST) | self._recall(free, rows, moment)
            queue.add_reviews(recall)
            return queue
        due = []
        for name in free:
            state = rows[name].state if name in rows else None
            if state is None:
                continue
            if state.phase != "review":
                queue.add_learning(name, state.due_ms)
            elif state.due_day <= day or name in demand.asked:
                due.append(name)
        queue.add_reviews(self._recall(due, rows, moment))
        for_exam = demand.first(new)
        if for_exam:  # they are asked first, as if their topics had been named, and however many the days left take
            queue.add_new(for_exam, urgent=True)
            if self.plan.new is None and queue.new_limit is not None:
                queue.new_limit = max(queue.new_limit, demand.new_today(new))
            new = [name for name in new if name not in set(for_exam)]
        if self.plan.topics or self.plan.questions:
            queue.add_new(new)
        else:
            self._open_topics(queue, new, moment)
        return queue

    def met(self, question: str, queue: Queue) -> None:
        """A question has been answered: topics that waited for the last one of its topic open."""
        topic = _topic(question)
        self._unmet.get(topic, set()).discard(question)
        if self._waiting and not self._unmet.get(topic):
            self._open_ready(queue)

    def broken(self) -> list[KbError]:
        """What is wrong with the files that this plan would have asked from, had they not been left out."""
        if self.plan.questions and not self.plan.topics:
            return []
        entries = self.library.entries()
        usable = {entry.file for entry in entries}
        errors: list[KbError] = [error for error in self.library.broken() if error.file and error.file not in usable]
        if not self.plan.topics:
            return errors
        included = {name for entry in entries if entry.name in self.topics for name in entry.includes}
        return [error for error in errors if error.file and _stem(error.file) in included]

    def _new_limit(self, day: int) -> int | None:
        if self.plan.cram:
            return None
        if self.plan.new is not None:
            return self.plan.new
        return max(self.store.settings.new_per_day - self.store.day_counts(day).introduced, 0)

    def _recall(self, names: Iterable[str], rows: dict[str, Row], moment: Moment) -> dict[str, float]:
        """The probability that each of ``names`` that has a state is remembered now."""
        result: dict[str, float] = {}
        schedulers = {}
        for name in names:
            state = rows[name].state if name in rows else None
            if state is not None:
                topic = _topic(name)
                if topic not in schedulers:
                    schedulers[topic] = self.store.scheduler(name)
                result[name] = schedulers[topic].retrievability(state, moment)
        return result

    def _open_topics(self, queue: Queue, new: Iterable[str], moment: Moment) -> None:
        """Sort the new questions into those that may be asked and those that wait for prerequisites."""
        seen, placed = self.store.seen(), self.store.placed()
        suspended = {row.question for row in self.store.held(moment) if row.suspended}
        for name in self.library.questions():
            if name not in seen and name not in suspended and _topic(name) not in placed:
                self._unmet.setdefault(_topic(name), set()).add(name)
        begun = {_topic(name) for name in seen}

        def order(name: str) -> tuple[bool, bool]:
            """What was begun goes on first, what a placement judged known waits for all else."""
            return _topic(name) in placed, _topic(name) not in begun

        for name in sorted(new, key=order):
            self._waiting.setdefault(_topic(name), []).append(name)
        self._open_ready(queue)

    def _open_ready(self, queue: Queue) -> None:
        for topic in list(self._waiting):
            if not any(self._unmet.get(needed) for needed in self.library.requires(topic)):
                queue.add_new(self._waiting.pop(topic))

    @property
    def waiting(self) -> dict[str, list[str]]:
        """The topics whose new questions wait, and the prerequisites that they wait for."""
        return {
            topic: [needed for needed in self.library.requires(topic) if self._unmet.get(needed)]
            for topic in self._waiting
        }


def _in_learning_order(library: Library) -> list[str]:
    """Every topic, behind all that it rests on."""
    order: dict[str, None] = {}
    for name in library.names():
        if name not in order:
            order.update(dict.fromkeys(library.path(name)))
    return list(order)


def _topic(name: str) -> str:
    return name.partition("/")[0]


def _stem(file: str) -> str:
    return os.path.splitext(os.path.basename(file))[0]
