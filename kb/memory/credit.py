"""Credit for what an answer rests on: whoever passes an advanced question has used its prerequisites too.

The idea is that of implicit repetition in a hierarchy of knowledge (Math Academy's FIRe, https://www.mathacademy.com/faq).
kb's form: a pass counts as the share c of a Good answer to a question that it rests on,

    S' = S^(1 − c) · S_good^c        the stability moves that share of the way, on a logarithmic scale
    t' = (1 − c) · t                 and so does the day from which forgetting is counted

with c = share · fade^(k − 1) for a prerequisite k steps away. It never brings a due day forward, and a failure takes
nothing. The simulator says what it is worth: reviews are saved where knowledge really carries over, and recall is lost
where it does not (``bench/memory.md``). Nobody knows how far it carries over for a given learner, so kb leaves it off.
"""

from __future__ import annotations

from math import floor

from kb.memory import fsrs
from kb.memory.days import DAY_MS, elapsed_days
from kb.memory.fsrs import GOOD, Memory, Weights
from kb.memory.scheduler import Scheduler, State

FADE = 0.5


def share_at(distance: int, share: float, fade: float = FADE) -> float:
    """The share of a Good answer that a prerequisite ``distance`` steps away (1 is the nearest) gets."""
    return float(share * fade ** (distance - 1))


def partial_answer(memory: Memory, elapsed: float, share: float, w: Weights) -> tuple[Memory, float]:
    """``memory`` after the ``share`` (0..1) of a Good answer after ``elapsed`` days, and the days that then count."""
    good = fsrs.after(memory, GOOD, elapsed, w).stability
    stability = memory.stability ** (1.0 - share) * good**share
    return Memory(stability, memory.difficulty), (1.0 - share) * elapsed


def credited(state: State, today: int, share: float, scheduler: Scheduler, retention: float | None = None) -> State:
    """``state`` of a prerequisite after the ``share`` of a Good answer today; unchanged while it is in steps."""
    elapsed = elapsed_days(state.last_day, today)
    if state.phase != "review" or elapsed == 0 or share <= 0.0:
        return state
    memory, remaining = partial_answer(state.memory, elapsed, share, scheduler.weights)
    moved = elapsed - floor(remaining + 0.5)
    last_day = state.last_day + moved
    wanted = scheduler.desired_retention if retention is None else retention
    interval = min(
        floor(fsrs.interval_days(wanted, memory.stability, scheduler.weights) + 0.5), scheduler.maximum_interval_days
    )
    later = max(last_day + interval - state.due_day, 0)
    return state._replace(
        stability=memory.stability,
        last_day=last_day,
        last_ms=state.last_ms + moved * DAY_MS,
        due_day=state.due_day + later,
        due_ms=state.due_ms + later * DAY_MS,
    )
