"""How a sitting went, and what comes next: data, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass

from kb.memory.days import Moment
from kb.quiz.citation import Citation, cite
from kb.quiz.offer import Offer, offered
from kb.quiz.session import Sitting
from kb.quiz.turn import Outcome


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that was missed and is not known yet, with where to read and what to run."""

    question: str
    ask: str  # Markdown
    expected: str
    citations: tuple[Citation, ...]
    demo: str | None
    offer: Offer | None


@dataclass(frozen=True, slots=True)
class Advice:
    """One command to type next, and why."""

    command: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """``asked`` and ``right`` count answers; ``tomorrow`` the reviews that will be due; times in UTC milliseconds."""

    asked: int
    right: int
    seconds: float
    misses: tuple[Miss, ...]
    left_due: int
    left_new: int
    held_back: int  # new questions that the day's limit keeps for later
    next_step_ms: int | None  # when the next learning step of the plan is due
    next_review_day: int | None  # the study day of the next review, when nothing is due
    tomorrow: int
    advice: Advice


def summarise(sitting: Sitting, now: Moment) -> Summary:
    """The summary of a sitting as it stands."""
    store = sitting.store
    day = store.study_day(now)
    due, new = _left(sitting, now)
    load = store.load(0, day + 1)
    later = store.load(day + 1, day + 3650) if not due else {}
    misses = _misses(sitting)
    step = sitting.queue.next_ms()
    return Summary(
        asked=len(sitting.outcomes),
        right=sitting.right,
        seconds=sitting.seconds,
        misses=misses,
        left_due=due,
        left_new=new,
        held_back=0 if sitting.plan.cram else sitting.queue.new_held_back(),
        next_step_ms=step,
        next_review_day=min(later, default=None),
        tomorrow=sum(load.values()),
        advice=_advice(sitting, misses, due, new, now),
    )


def _left(sitting: Sitting, now: Moment) -> tuple[int, int]:
    """What could be asked if the sitting went on, whatever its limit."""
    due, new, back = sitting.queue.counts(now.at_ms)
    opened = sitting.turn
    if opened is not None:
        due, new = due + (opened.phase != "new"), new + (opened.phase == "new")
    return due + back, new


def _misses(sitting: Sitting) -> tuple[Miss, ...]:
    """Each question that was missed, once, in the order of the sitting."""
    missed: dict[str, Outcome] = {}
    for outcome in sitting.outcomes:
        if not outcome.right:
            missed[outcome.turn.name] = outcome
    return tuple(
        Miss(
            question=name,
            ask=outcome.turn.ask.text,
            expected=outcome.verdict.expected,
            citations=tuple(cite(outcome.turn.topic, outcome.turn.source)),
            demo=outcome.turn.demo,
            offer=offered(sitting, outcome),
        )
        for name, outcome in missed.items()
    )


def _advice(sitting: Sitting, misses: tuple[Miss, ...], due: int, new: int, now: Moment) -> Advice:
    topics = " ".join(sitting.plan.topics)
    again = f"kb quiz {topics}".strip()
    if sitting.plan.cram:
        return Advice("kb quiz", "what is due by the schedule")
    if due:
        return Advice(again, "more is due")
    demo = next((miss.demo for miss in misses if miss.demo), None)
    if demo:
        return Advice(f"kb demo {demo}", "see for yourself what you missed")
    if new:
        return Advice(again, "there are new questions left")
    if sitting.queue.new_held_back():
        return Advice(f"{again} --new 10", "more new questions, beyond the day's limit")
    if sitting.queue.next_ms() is not None:
        return Advice(again, "once the learning steps have come")
    return Advice("kb next", "what to do next, and why")
