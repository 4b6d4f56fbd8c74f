"""What a missed question leans on: the prerequisite that is weakest, and a question of it to ask now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kb.errors import UsageError
from kb.memory.days import Moment
from kb.quiz.session import Sitting
from kb.quiz.turn import Outcome


class Offer(NamedTuple):
    """A prerequisite and its weakest question; ``recall`` is the mean of what was answered, None if nothing was."""

    topic: str
    question: str
    recall: float | None
    unseen: int  # questions never answered

    @property
    def why(self) -> str:
        """How it stands, in a few words."""
        if self.recall is None:
            return "you have not met it yet"
        if self.unseen:
            return f"{self.unseen} of its questions you have not met yet"
        return f"you remember it with {self.recall:.0%}"


def offered(sitting: Sitting, outcome: Outcome) -> Offer | None:
    """The weakest prerequisite of a question that was missed; None if it was known, or nothing is left to ask of any.

    Those that its topic names are looked at before what these rest on in turn.
    """
    if outcome.right or not sitting.offers:
        return None
    topic, library = outcome.turn.topic, sitting.library
    near = [library.resolve(name) for name in topic.requires]
    far = [name for name in library.requires(topic.name) if name not in near]
    known = {one.turn.name for one in sitting.outcomes if one.right}
    now = sitting.now()
    return _weakest(sitting, near, known, now) or _weakest(sitting, far, known, now)


def take(sitting: Sitting) -> Offer:
    """Ask now what the last answer was a miss for; a question that is open comes after it. UsageError if none is."""
    offer = offered(sitting, sitting.outcomes[-1]) if sitting.outcomes else None
    if offer is None:
        raise UsageError("nothing was missed just now that rests on another topic")
    if sitting.is_over:
        raise UsageError("the sitting is over", cure=f"kb learn {offer.topic}")
    sitting.interpose(offer.question)
    return offer


def _weakest(sitting: Sitting, topics: Iterable[str], known: set[str], now: Moment) -> Offer | None:
    """The topic with the lowest mean recall, where a question never answered counts as forgotten."""
    store, day = sitting.store, sitting.store.study_day(now)
    entries = {entry.name: entry for entry in sitting.library.entries()}
    placed = store.placed()
    found: list[tuple[float, Offer]] = []
    for topic in topics:
        names = [f"{topic}/{identity}" for identity in entries[topic].questions]
        rows = store.states(names)
        names = [name for name in names if name not in rows or not rows[name].is_held(day)]
        recall = {}
        for name in names:
            state = rows[name].state if name in rows else None
            if state is not None:
                recall[name] = store.scheduler(name).retrievability(state, now)
        open_names = [name for name in names if name not in known]
        if not open_names:
            continue
        unseen = len(names) - len(recall)
        total = sum(recall.values())
        mean = total / len(recall) if recall else None
        weakness = (total + unseen * (topic in placed)) / len(names)
        weakest = min(open_names, key=lambda name: recall.get(name, 0.0))
        found.append((weakness, Offer(topic, weakest, mean, unseen)))
    return min(found, key=lambda pair: pair[0])[1] if found else None
