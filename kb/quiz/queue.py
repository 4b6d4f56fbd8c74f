"""What is asked next. Pure: names, times and the order of asking; no store, no clock, no cards.

1. learning steps whose time has come; 2. reviews, those most likely forgotten first; 3. new questions, of at most three
topics in turn; 4. what was failed in this sitting comes back even before its time, once nothing else is left.
Neighbours are of different topics and claims as far as that costs little urgency.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

LOOKAHEAD = 8  # questions that may be moved up to keep topics and claims apart
CLAIMS_APART = 3  # siblings (questions of one claim) have at least so many others between them, if there are
TOPICS_AT_ONCE = 3  # new questions come from so many unfinished topics at a time
COMEBACKS = 4  # so often a failed question comes back in a sitting before its time


class Queue:
    """The names (``topic/id``) that a sitting has before it, and those that were just asked.

    ``new_limit`` is how many new questions may be asked (None: any number); ``claim_of`` tells the claim of a question.
    """

    def __init__(self, new_limit: int | None = None, claim_of: Callable[[str], str | None] = lambda name: None) -> None:
        self.new_limit = new_limit
        self._claim_of = claim_of
        self._first: list[str] = []  # asked before anything else: what was undone
        self._reviews: dict[str, float] = {}  # name → probability of recall, the lowest first
        self._learning: dict[str, int] = {}  # name → due_ms
        self._new: dict[str, list[str]] = {}  # topic → its new questions in the order of the file
        self._urgent: set[str] = set()  # topics whose new questions come before those of all others
        self._failures: dict[str, int] = {}  # name → failures in a row in this sitting
        self._recent: list[str] = []

    # --- filling ---

    def add_reviews(self, recall: dict[str, float]) -> None:
        """Questions whose day has come, each with the probability that it is remembered."""
        merged = self._reviews | recall
        self._reviews = dict(sorted(merged.items(), key=lambda item: item[1]))

    def add_learning(self, name: str, due_ms: int, failed: bool = False) -> None:
        """A question in its learning steps; one that was ``failed`` in this sitting may come before its time."""
        self._learning[name] = due_ms
        if failed:
            self._failures[name] = self._failures.get(name, 0) + 1
        else:
            self._failures.pop(name, None)

    def add_new(self, names: Iterable[str], urgent: bool = False) -> None:
        """New questions, in the order to learn them; topics of ``urgent`` ones come before all others."""
        for name in names:
            self._new.setdefault(_topic(name), []).append(name)
            if urgent:
                self._urgent.add(_topic(name))

    def put_first(self, name: str) -> None:
        """Ask ``name`` next, wherever it stood."""
        self.drop(name)
        self._first.insert(0, name)

    def drop(self, name: str) -> None:
        """Take a question out, wherever it stands."""
        self._learning.pop(name, None)
        self._reviews.pop(name, None)
        if name in self._first:
            self._first.remove(name)
        siblings = self._new.get(_topic(name), [])
        if name in siblings:
            siblings.remove(name)
            if not siblings:
                del self._new[_topic(name)]

    # --- asking ---

    def take(self, now_ms: int) -> str | None:
        """The next question, taken out; None if nothing may be asked now."""
        name = self._choose(now_ms)
        if name is None:
            return None
        if self.new_limit is not None and name in self._new.get(_topic(name), ()):
            self.new_limit -= 1
        self.drop(name)
        self._recent = [*self._recent[-CLAIMS_APART + 1 :], name]
        return name

    def _choose(self, now_ms: int) -> str | None:
        if self._first:
            return self._first[0]
        waiting = sorted(self._learning, key=lambda name: self._learning[name])
        ripe = [name for name in waiting if self._learning[name] <= now_ms]
        if ripe:
            return self._apart(ripe)
        if self._reviews:
            return self._apart([name for name, _ in zip(self._reviews, range(LOOKAHEAD), strict=False)])
        if self._new and (self.new_limit is None or self.new_limit > 0):
            return self._next_new()
        back = [name for name in waiting if self._comes_back(name)]
        return self._apart(back) if back else None

    def _comes_back(self, name: str) -> bool:
        return 0 < self._failures.get(name, 0) <= COMEBACKS

    def _next_new(self) -> str:
        """Of the topics under way, that which waited longest is next."""
        topics = ([topic for topic in self._new if topic in self._urgent] or list(self._new))[:TOPICS_AT_ONCE]
        asked = [_topic(name) for name in self._recent]
        waited = {
            topic: max((place for place, one in enumerate(asked) if one == topic), default=-1) for topic in topics
        }
        return self._apart(self._new[min(topics, key=lambda topic: waited[topic])])

    def _apart(self, names: Sequence[str]) -> str:
        """The first of ``names`` that has nothing in common with its predecessors; else the least bad one."""

        def closeness(name: str) -> int:
            repeated = bool(self._recent) and self._recent[-1] == name
            same_topic = bool(self._recent) and _topic(self._recent[-1]) == _topic(name)
            return 4 * repeated + 2 * any(self._siblings(name, one) for one in self._recent) + same_topic

        return min(names[:LOOKAHEAD], key=closeness)

    def _siblings(self, one: str, other: str) -> bool:
        if one == other or _topic(one) != _topic(other):
            return False
        claim = self._claim_of(one)
        return claim is not None and claim == self._claim_of(other)

    # --- looking ---

    def counts(self, now_ms: int) -> tuple[int, int, int]:
        """How many are due (reviews, ripe steps, what was undone), new (within the limit), and to come back early."""
        ripe = [name for name, due_ms in self._learning.items() if due_ms <= now_ms]
        back = [name for name, due_ms in self._learning.items() if due_ms > now_ms and self._comes_back(name)]
        new = sum(map(len, self._new.values()))
        if self.new_limit is not None:
            new = min(new, max(self.new_limit, 0))
        return len(self._first) + len(self._reviews) + len(ripe), new, len(back)

    def new_held_back(self) -> int:
        """How many new questions the limit keeps for another time."""
        if self.new_limit is None:
            return 0
        return max(sum(map(len, self._new.values())) - max(self.new_limit, 0), 0)

    def next_ms(self) -> int | None:
        """When the next learning step is due."""
        return min(self._learning.values(), default=None)


def _topic(name: str) -> str:
    return name.partition("/")[0]
