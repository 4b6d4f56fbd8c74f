"""A learner, a schedule and some hundred days, without waiting for them; for comparing policies side by side.

The learner's memories follow the learner's own weights. The schedule sees grades only, as in life. Chance is drawn per
question and answer, so that two policies meet the same learner in the same luck.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log
from typing import NamedTuple

from kb.memory import credit, exam, fsrs
from kb.memory.days import DAY_MS, HOUR_MS, Moment
from kb.memory.fsrs import AGAIN, Memory
from kb.memory.history import Answer
from kb.memory.learners import Learner
from kb.memory.load import Load
from kb.memory.scheduler import Phase, Scheduler, State

FIRST_DAY = 20_000
_MOST_STEPS = 20  # of one question on one day; then it is left for tomorrow


@dataclass(frozen=True, slots=True)
class Policy:
    """A way to decide when to ask: ``scheduler``, evening out the days, credit (0: none) to prerequisites.

    ``exam`` is the floor under the recall of every question on the day after the course's last, if there is an exam.
    """

    name: str
    scheduler: Scheduler = field(default_factory=Scheduler)
    balance: bool = False
    easy_days: tuple[int, ...] = ()
    credit: float = 0.0
    exam: float | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What is learned: ``questions`` in their order, at most ``new_per_day`` a day, in ``minutes_per_day`` if given.

    ``requires[q]`` are the questions, all before q, that question q rests on. ``transfer`` is the share of a Good
    answer that passing q really is to them, in the learner's head. ``known`` are questions that have been answered
    before, as they stand on the first day (``shifted``); then those without a state are counted behind them.
    """

    questions: int = 1000
    days: int = 365
    new_per_day: int = 20
    minutes_per_day: float | None = None
    requires: Sequence[Sequence[int]] = ()
    transfer: float = 0.0
    known: Sequence[State] = ()


class Outcome(NamedTuple):
    """What a policy came to.

    ``retention`` is the share of ``reviews`` that were recalled, ``foreseen`` what the schedule expected that to be,
    ``log_loss`` how well it foresaw which. ``recall`` is the number of questions expected to be recalled on the day
    after the last, ``mean_recall`` that of all days, ``weekly_recall`` that of one day of each week (``recall_days``).
    ``introduced`` are the questions that have been met; ``daily`` the answers of each day, steps included.
    """

    policy: str
    introduced: int
    answers: int
    reviews: int
    retention: float
    foreseen: float
    log_loss: float
    recall: float
    mean_recall: float
    minutes: float
    daily: tuple[int, ...]
    weekly_recall: tuple[float, ...]

    @property
    def busiest(self) -> int:
        """The most answers on one day of the second half."""
        return max(self.daily[len(self.daily) // 2 :], default=0)

    @property
    def minutes_per_recalled(self) -> float:
        """Minutes spent for each question that is recalled at the end."""
        return self.minutes / self.recall if self.recall else float("inf")


class Summary(NamedTuple):
    """Means over the learners who followed a policy; the names are those of Outcome."""

    policy: str
    learners: int
    introduced: float
    reviews: float
    retention: float
    foreseen: float
    recall: float
    mean_recall: float
    minutes: float
    minutes_per_recalled: float
    busiest: float


def summary(outcomes: Sequence[Outcome]) -> Summary:
    """The means of ``outcomes``, which are of one policy."""
    names = Summary._fields[2:]
    means = (sum(getattr(outcome, name) for outcome in outcomes) / len(outcomes) for name in names)
    return Summary(outcomes[0].policy, len(outcomes), *means)


Listener = Callable[[Answer, Moment], None]


def simulate(learner: Learner, policy: Policy, course: Course, listener: Listener | None = None) -> Outcome:
    """``learner`` takes ``course`` under ``policy``. ``listener`` is told of every answer, in order."""
    run = _Run(learner, policy, course, listener)
    for day in range(course.days):
        run.study(FIRST_DAY + day)
    return run.outcome()


def compare(learners: Sequence[Learner], policies: Sequence[Policy], course: Course) -> dict[str, list[Outcome]]:
    """By the name of the policy, what it came to with each of ``learners``."""
    return {policy.name: [simulate(learner, policy, course) for learner in learners] for policy in policies}


class _Run:
    def __init__(self, learner: Learner, policy: Policy, course: Course, listener: Listener | None) -> None:
        self.learner, self.policy, self.course, self.listener = learner, policy, course, listener
        self.states = [policy.scheduler.adopt(state) for state in course.known]
        self.truths: list[Memory] = [state.memory for state in course.known]  # what the memories really are
        self.since: list[float] = [state.last_day for state in course.known]  # the day from which each is forgotten
        self.total = len(course.known) + course.questions
        self.draws = [random.Random(f"{learner.seed}/{question}") for question in range(self.total)]
        self.rests_on = distances(course.requires) if policy.credit or course.transfer else {}
        self.due: defaultdict[int, list[int]] = defaultdict(list)
        self.counts: Counter[int] = Counter()
        self.place: dict[int, int] = {}  # the day on which each question is counted
        self.load = Load(self.counts, policy.easy_days) if policy.balance or policy.easy_days else None
        self.daily: list[int] = []
        self.recalls: list[float] = []
        self.recall_days = recall_days(course.days)
        self.seconds = 0.0
        self.reviews = self.recalled = 0
        self.loss = self.foreseen = 0.0
        for question, state in enumerate(course.known):
            self._put(question, max(state.due_day, FIRST_DAY))

    def study(self, day: int) -> None:
        """One study day: what is due, the longest overdue first, then new questions, until the time is up."""
        self.today, self.clock, self.answered = day, 0.0, 0
        minutes = self.course.minutes_per_day
        limit = float("inf") if minutes is None else minutes * 60
        waiting = self.due.pop(day, ())
        for question in sorted(waiting, key=lambda question: (self.place[question], question)):
            if self.place[question] > day:  # credit has moved it
                continue
            if self.clock >= limit:
                self.due[day + 1].append(question)
            else:
                self._ask(question)
        last = min(len(self.states) + self.course.new_per_day, self.total)
        while len(self.states) < last and self.clock < limit:
            self._introduce()
        self.seconds += self.clock
        self.daily.append(self.answered)
        if day - FIRST_DAY in self.recall_days:
            self.recalls.append(self._recall(day))

    def outcome(self) -> Outcome:
        reviews = self.reviews
        return Outcome(
            policy=self.policy.name,
            introduced=len(self.states),
            answers=sum(self.daily),
            reviews=reviews,
            retention=self.recalled / reviews if reviews else float("nan"),
            foreseen=self.foreseen / reviews if reviews else float("nan"),
            log_loss=self.loss / reviews if reviews else float("nan"),
            recall=self._recall(FIRST_DAY + self.course.days),
            mean_recall=sum(self.recalls) / len(self.recalls) if self.recalls else 0.0,
            minutes=self.seconds / 60,
            daily=tuple(self.daily),
            weekly_recall=tuple(self.recalls),
        )

    def _introduce(self) -> None:
        question = len(self.states)
        grade = self.learner.first_grade(self.draws[question])
        moment = self._tick("learning", grade)
        self.states.append(self.policy.scheduler.review(None, grade, moment, f"q/{question}", load=self.load))
        self.truths.append(fsrs.first(grade, self.learner.weights))
        self.since.append(self.today)
        self._heard(question, grade, moment)
        self._finish(question, grade)

    def _ask(self, question: int) -> None:
        state, draw = self.states[question], self.draws[question]
        if state.phase != "review":  # left over from a long day
            self._finish(question, AGAIN)
            return
        elapsed = self.today - self.since[question]
        recall = fsrs.retrievability(elapsed, self.truths[question].stability, self.learner.weights)
        grade = self.learner.review_grade(recall, draw)
        foreseen = self.policy.scheduler.retrievability(state, Moment(_start_ms(self.today), 0))
        self.reviews += 1
        self.recalled += grade != AGAIN
        self.foreseen += foreseen
        self.loss -= log(max(foreseen if grade != AGAIN else 1.0 - foreseen, 1e-7))
        self._answer(question, grade)
        self._finish(question, grade)

    def _finish(self, question: int, grade: int) -> None:
        """The steps of the same day, the credit, and the day on which the question comes back."""
        passed = grade != AGAIN
        for _ in range(_MOST_STEPS):
            phase = self.states[question].phase
            if phase == "review":
                break
            grade = self.learner.step_grade(phase, grade, self.draws[question])
            self._answer(question, grade)
        if passed:
            for other, distance in self.rests_on.get(question, ()):
                self._credit(other, distance)
        state = self.states[question]
        day = state.due_day
        if self.policy.exam is not None:
            exam_day = FIRST_DAY + self.course.days
            day = exam.next_ask(f"q/{question}", state, exam_day, self.policy.exam, self.policy.scheduler)
        self._put(question, max(day, self.today + 1))

    def _answer(self, question: int, grade: int) -> None:
        state, w = self.states[question], self.learner.weights
        moment = self._tick(state.phase, grade)
        self.states[question] = self.policy.scheduler.review(state, grade, moment, f"q/{question}", load=self.load)
        self.truths[question] = fsrs.after(self.truths[question], grade, self.today - self.since[question], w)
        self.since[question] = self.today
        self._heard(question, grade, moment)

    def _credit(self, question: int, distance: int) -> None:
        """What an answer does to a question that it rests on: in the learner's head, and in the schedule."""
        elapsed = self.today - self.since[question]
        real = credit.share_at(distance, self.course.transfer)
        if real and elapsed >= 1:
            truth = self.truths[question]
            self.truths[question], left = credit.partial_answer(truth, elapsed, real, self.learner.weights)
            self.since[question] = self.today - left
        given = credit.share_at(distance, self.policy.credit)
        state = self.states[question]
        moved = credit.credited(state, self.today, given, self.policy.scheduler)
        self.states[question] = moved
        if moved.due_day > state.due_day > self.today:
            self.counts[self.place[question]] -= 1
            self._put(question, moved.due_day)

    def _put(self, question: int, day: int) -> None:
        self.due[day].append(question)
        self.counts[day] += 1
        self.place[question] = day

    def _tick(self, phase: Phase, grade: int) -> Moment:
        moment = Moment(_start_ms(self.today) + round(self.clock * 1000), 0)
        self.clock += self.learner.seconds(phase, grade)
        self.answered += 1
        return moment

    def _heard(self, question: int, grade: int, moment: Moment) -> None:
        if self.listener is not None:
            self.listener(Answer(f"q/{question}", grade, self.today), moment)

    def _recall(self, day: int) -> float:
        w = self.learner.weights
        return sum(
            fsrs.retrievability(day - since, truth.stability, w)
            for truth, since in zip(self.truths, self.since, strict=True)
        )


def recall_days(days: int) -> range:
    """The days of a course of ``days``, 0 being the first, on which ``weekly_recall`` is taken."""
    return range(-FIRST_DAY % 7, days, 7)


def shifted(state: State, days: int) -> State:
    """``state`` as it would be had everything happened ``days`` later."""
    ms = days * DAY_MS
    return state._replace(
        due_ms=state.due_ms + ms,
        due_day=state.due_day + days,
        last_ms=state.last_ms + ms,
        last_day=state.last_day + days,
    )


def _start_ms(day: int) -> int:
    """Eight in the morning of a study day, UTC."""
    return day * DAY_MS + 8 * HOUR_MS


def distances(requires: Sequence[Sequence[int]], most: int = 3) -> dict[int, list[tuple[int, int]]]:
    """For each question those that it rests on, up to ``most`` steps away, with the number of steps."""
    result = {}
    for question in range(len(requires)):
        found: dict[int, int] = {}
        ring = {question}
        for distance in range(1, most + 1):
            ring = {below for above in ring for below in requires[above]} - found.keys()
            found.update(dict.fromkeys(ring, distance))
        result[question] = sorted(found.items())
    return result
