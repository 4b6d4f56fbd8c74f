"""What a simulation starts from: the average learner's weights and no questions, or the learner's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kb.errors import UsageError
from kb.memory.days import Moment
from kb.memory.scheduler import Scheduler, State
from kb.quiz.exams import covered

if TYPE_CHECKING:
    from kb.knowledge.library import Library
    from kb.store.store import Store


class Start(NamedTuple):
    """The schedule, the questions answered before as they stand on the first day, and how many are new."""

    scheduler: Scheduler
    known: tuple[State, ...]
    new: int


def own(library: Library, store: Store, now: Moment, names: Sequence[str]) -> Start:
    """The learner's own weights, settings and questions (of the topics ``names``, or all). Nothing is changed."""
    from kb.memory.simulate import FIRST_DAY, shifted

    topics = covered(library, store, names)
    cards = [name for name in library.questions() if not topics or name.partition("/")[0] in topics]
    rows = store.states(dict.fromkeys([*cards, *store.seen(*topics)]))
    later = FIRST_DAY - store.study_day(now)
    known = [shifted(row.state, later) for _, row in sorted(rows.items()) if row.state and not row.suspended]
    if not known:
        raise UsageError("nothing has been answered yet", cure="leave --mine out, or begin with: kb quiz")
    new = sum(name not in rows or (rows[name].state is None and not rows[name].suspended) for name in cards)
    return Start(scheduler(store, topics), tuple(known), new)


def scheduler(store: Store, topics: Sequence[str] = ()) -> Scheduler:
    """The weights in force (of the one topic, else of all) and the settings."""
    return store.scheduler(f"{topics[0] if len(topics) == 1 else ''}/")
