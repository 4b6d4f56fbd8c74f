"""Learning the weights from the learner's own answers: what would change, and making it so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kb.errors import UsageError
from kb.memory import forecast
from kb.memory.days import Moment
from kb.memory.forecast import Change
from kb.memory.optimise import FEWEST_ITEMS, Optimisation, optimise
from kb.memory.scheduler import State
from kb.store import answers

if TYPE_CHECKING:
    from kb.store.events import Event
    from kb.store.store import Store

AHEAD_DAYS = 30


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fit for ``topics`` (None: everything), and what it does to the ``load`` (None: the weights stay)."""

    topics: tuple[str, ...] | None
    optimisation: Optimisation
    load: Change | None


def propose(store: Store, now: Moment, topics: Sequence[str] | None = None) -> Proposal:
    """Fit weights to the answers of the log (of ``topics``) and look ahead. Nothing is changed."""
    log = answers.read(store.home, topics)
    names = tuple(dict.fromkeys(answer.question.partition("/")[0] for answer in log))
    # weights of single topics stay what they are when everything is fitted
    whose = f"{names[0] if topics and names else ''}/"
    scheduler = store.scheduler(whose)
    found = optimise(log, scheduler.weights, learned_on=store.fitted_on(whose))
    load = None
    if found.better:
        states = _states(store, names)
        load = forecast.of_change(states, log, scheduler, found.weights, store.study_day(now), AHEAD_DAYS)
    return Proposal(None if topics is None else names, found, load)


def apply(store: Store, now: Moment, proposal: Proposal) -> list[Event]:
    """Write the new weights into the log; each event can be taken back."""
    found = proposal.optimisation
    if not found.better:
        raise UsageError("weights that are no better are not taken")
    data = {"weights": list(found.weights)}
    scores = {name: round(score.log_loss, 6) for name, score in found.scores.items()}
    about = {"answers": found.answers, "log_loss": scores}
    if proposal.topics is None:
        return [store.append("params", now, data={**data, **about})]
    return [store.append("params", now, data={**data, "topic": topic, **about}) for topic in proposal.topics]


def is_time(total: int, answered: int, every: int) -> bool:
    """Whether the last ``answered`` of ``total`` answers passed a multiple of ``every`` (0: never)."""
    return every > 0 and total >= max(every, FEWEST_ITEMS) and total // every > (total - answered) // every


def _states(store: Store, topics: Sequence[str]) -> dict[str, State]:
    rows = store.states(store.seen(*topics)) if topics else {}
    return {name: row.state for name, row in rows.items() if row.state is not None and not row.suspended}
