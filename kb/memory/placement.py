"""Where to start: about ten questions, chosen one by one, to find which topics are known already.

What a person knows is a set of topics that contains the prerequisites of each of its members: a knowledge state in the
sense of Doignon and Falmagne (Knowledge Spaces, 1999). Many such states are drawn; each answer makes those more likely
that explain it, mistakes and lucky guesses allowed for. The next topic is the one whose answer tells most.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import TopologicalSorter
from heapq import heapify, heappop, heappush
from math import log

from kb.errors import UnknownName

STATES = 3000
SLIP = 0.1
"""The probability of a wrong answer on a known topic."""
GUESS = 0.2
"""The probability of a right answer on an unknown one."""
MOST_QUESTIONS = 10
SURE = 0.15
"""A topic is settled when it is known with a probability below this, or above one minus this."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What is believed after some answers. Make one with ``begin``; each ``answer`` gives the next one.

    ``topics`` are in a learning order; bit i of a state stands for the i-th. ``weights`` sum to 1.
    """

    topics: tuple[str, ...]
    requires: Mapping[str, frozenset[str]]
    states: tuple[int, ...]
    weights: tuple[float, ...]
    asked: tuple[tuple[str, bool], ...] = ()

    def known(self) -> dict[str, float]:
        """The probability, by topic in learning order, that it is known."""
        return {
            topic: sum(weight for state, weight in zip(self.states, self.weights, strict=True) if state >> bit & 1)
            for bit, topic in enumerate(self.topics)
        }

    def next_topic(self, among: Collection[str] | None = None) -> str | None:
        """The topic to ask about, of those ``among`` (all if None) not asked yet; None when there is no more to gain.

        The expected gain of information is largest where known and unknown are equally likely. Of nearly equal topics
        the earliest in the learning order is asked.
        """
        if len(self.asked) >= MOST_QUESTIONS:
            return None
        done = {topic for topic, _ in self.asked}
        best, most = None, 0.0
        for topic, chance in self.known().items():
            if topic in done or (among is not None and topic not in among) or min(chance, 1 - chance) < SURE:
                continue
            gain = _gain(chance)
            if gain > most + 1e-3:
                best, most = topic, gain
        return best

    def answer(self, topic: str, right: bool) -> Placement:
        """The belief after a right or wrong answer about ``topic`` (Bayes)."""
        if topic not in self.topics:
            raise UnknownName("topic", topic, self.topics)
        bit = self.topics.index(topic)
        if_known, if_not = (1 - SLIP, GUESS) if right else (SLIP, 1 - GUESS)
        weights = [
            weight * (if_known if state >> bit & 1 else if_not)
            for state, weight in zip(self.states, self.weights, strict=True)
        ]
        total = sum(weights)
        return replace(self, weights=tuple(weight / total for weight in weights), asked=(*self.asked, (topic, right)))

    def start(self) -> list[str]:
        """The topics to begin with, in learning order: more likely unknown than known, their prerequisites known."""
        known = {topic for topic, chance in self.known().items() if chance >= 0.5}
        return [topic for topic in self.topics if topic not in known and self.requires[topic] <= known]

    def mastered(self) -> list[str]:
        """The topics that are more likely known than not, in learning order."""
        return [topic for topic, chance in self.known().items() if chance >= 0.5]


def begin(requires: Mapping[str, Iterable[str]], *, states: int = STATES, seed: int = 0) -> Placement:
    """A placement in the graph ``requires`` (topic → its prerequisites), before the first answer.

    A prerequisite that is no topic of the graph itself is added. A cycle raises graphlib's CycleError.
    """
    graph = {topic: frozenset(below) for topic, below in requires.items()}
    for topic in {below for needed in graph.values() for below in needed}:
        graph.setdefault(topic, frozenset())
    order = _learning_order(graph)
    draw = random.Random(seed)
    above: dict[str, list[str]] = {topic: [] for topic in order}
    for topic in order:
        for below in sorted(graph[topic]):
            above[below].append(topic)
    drawn = tuple(_draw_state(order, graph, above, draw) for _ in range(states))
    return Placement(tuple(order), graph, drawn, (1 / states,) * states)


def _learning_order(graph: Mapping[str, frozenset[str]]) -> list[str]:
    """Prerequisites first; the same for the same graph, however it is written down."""
    sorter = TopologicalSorter({topic: graph[topic] for topic in sorted(graph)})
    sorter.prepare()
    order: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        order += ready
        sorter.done(*ready)
    return order


def _draw_state(
    order: Sequence[str], graph: Mapping[str, frozenset[str]], above: Mapping[str, Sequence[str]], draw: random.Random
) -> int:
    """A knowledge state: someone of random ability learned topics in a random order that the graph allows."""
    bits = {topic: bit for bit, topic in enumerate(order)}
    waiting_for = {topic: len(graph[topic]) for topic in order}
    ready = [(draw.random(), topic) for topic in order if not graph[topic]]
    heapify(ready)
    state = 0
    for _ in range(draw.randint(0, len(order))):
        _, topic = heappop(ready)
        state |= 1 << bits[topic]
        for follower in above[topic]:
            waiting_for[follower] -= 1
            if not waiting_for[follower]:
                heappush(ready, (draw.random(), follower))
    return state


def _gain(chance: float) -> float:
    """Mutual information, in nats, of the answer and of knowing the topic, which is known with ``chance``."""
    right = chance * (1 - SLIP) + (1 - chance) * GUESS
    return _entropy(right) - chance * _entropy(SLIP) - (1 - chance) * _entropy(GUESS)


def _entropy(chance: float) -> float:
    return -sum(p * log(p) for p in (chance, 1 - chance) if p > 0)
