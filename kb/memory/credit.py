"""Credit for what an answer rests on: whoever passes an advanced question has used its prerequisites too.

The idea is that of implicit repetition in a hierarchy of knowledge (Math Academy's FIRe, https://www.mathacademy.com/faq).
kb's form: a pass counts as the share c of a Good answer to a question that it rests on,

    S' = S · (S_good/S)^c            the stability moves that share of the way, on a logarithmic scale
    t' = (1 − c) · t                 and so does the day from which forgetting is counted

with c = share · fade^(k − 1) for a prerequisite k steps away. It never brings a due day forward, and a failure takes
nothing. The simulator says what it is worth: reviews are saved where knowledge really carries over, and recall is lost
where it does not (``bench/policies.md``). How far it carries over differs from learner to learner, so kb leaves it off;
``carry_over`` reads it from a log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import floor, log

from kb.memory import fsrs
from kb.memory.days import DAY_MS, elapsed_days
from kb.memory.fsrs import AGAIN, GOOD, Memory, Weights
from kb.memory.history import Answer
from kb.memory.scheduler import Scheduler, State

FADE = 0.5


def share_at(distance: int, share: float, fade: float = FADE) -> float:
    """The share of a Good answer that a prerequisite ``distance`` steps away (1 is the nearest) gets."""
    return float(share * fade ** (distance - 1))


def partial_answer(memory: Memory, elapsed: float, share: float, w: Weights) -> tuple[Memory, float]:
    """``memory`` after the ``share`` (0..1) of a Good answer after ``elapsed`` days, and the days that then count."""
    good = fsrs.after(memory, GOOD, elapsed, w).stability
    stability = memory.stability * (good / memory.stability) ** share
    return Memory(stability, memory.difficulty), (1.0 - share) * elapsed


def credited(state: State, today: int, share: float, scheduler: Scheduler, retention: float | None = None) -> State:
    """``state`` of a prerequisite after the ``share`` of a Good answer today; unchanged while it is in steps."""
    elapsed = elapsed_days(state.last_day, today)
    if state.phase != "review" or elapsed == 0 or share <= 0.0:
        return state
    memory, remaining = partial_answer(state.memory, elapsed, share, scheduler.weights)
    moved = elapsed - floor(remaining + 0.5)
    wanted = scheduler.desired_retention if retention is None else retention
    before, after = (fsrs.interval_days(wanted, s, scheduler.weights) for s in (state.stability, memory.stability))
    grown = min(state.interval_days + floor(after - before + 0.5), scheduler.maximum_interval_days)
    later = moved + max(grown - state.interval_days, 0)
    return state._replace(
        stability=memory.stability,
        last_day=state.last_day + moved,
        last_ms=state.last_ms + moved * DAY_MS,
        due_day=state.due_day + later,
        due_ms=state.due_ms + later * DAY_MS,
    )


RestsOn = Callable[[str], Iterable[tuple[str, int]]]
"""The questions that a question rests on, each with its distance."""


def carry_over(
    answers: Iterable[Answer], rests_on: RestsOn, w: Weights, shares: Sequence[float] = (0.0, 0.1, 0.25, 0.5)
) -> dict[float, float]:
    """How well each of ``shares`` explains a log: the log loss of the answers to questions that had got credit.

    The share with the smallest loss is what passing an advanced question was worth to this learner. ``answers`` are in
    the order of time. Empty if no question ever got credit.
    """
    answers = list(answers)
    losses = {share: _loss_with(answers, rests_on, w, share) for share in shares}
    return {share: loss for share, loss in losses.items() if loss is not None}


def _loss_with(answers: Iterable[Answer], rests_on: RestsOn, w: Weights, share: float) -> float | None:
    memories: dict[str, Memory] = {}
    since: dict[str, float] = {}
    last: dict[str, int] = {}
    touched: set[str] = set()
    total, count = 0.0, 0
    for question, grade, day in answers:
        memory = memories.get(question)
        if memory is None:
            memories[question] = fsrs.first(grade, w)
        else:
            elapsed = day - since[question]
            if question in touched and elapsed >= 1:
                recall = fsrs.retrievability(elapsed, memory.stability, w)
                total -= log(max(recall if grade != AGAIN else 1.0 - recall, 1e-7))
                count += 1
            memories[question] = fsrs.after(memory, grade, elapsed, w)
        touched.discard(question)
        first_today = last.get(question) != day
        since[question] = last[question] = day
        if grade == AGAIN or not first_today:
            continue
        for below, distance in rests_on(question):
            if below in memories and day - since[below] >= 1:
                given = share_at(distance, share)
                memories[below], left = partial_answer(memories[below], day - since[below], given, w)
                since[below] = day - left
                touched.add(below)
    return total / count if count else None
