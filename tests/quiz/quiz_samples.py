"""Two small topics, and a clock that is moved by hand."""

from __future__ import annotations

from kb.memory.days import Moment

ABACUS = """\
title: The abacus
summary: Beads on rods.
sources:
  knuth1997: {title: Seminumerical Algorithms, authors: Knuth, year: 1997, isbn: 0-201-89684-2}
body: |
  Beads count.
claims:
  - {id: beads, says: Beads count., verdict: added, source: knuth1997 §4.1}
  - {id: rods, says: Rods hold., verdict: added, source: knuth1997 §4.2}
questions:
  - id: pick
    kind: choice
    claim: beads
    ask: Which is **right**?
    hint: It is not left.
    options: [{text: right, right: true}, {text: left, why: That is the other hand.}, {text: middle, why: No.}]
    why: Right is right.
  - {id: word, kind: cloze, claim: beads, ask: "Beads sit on {{rods}}.", why: They slide on rods.}
  - {id: sum, kind: numeric, claim: rods, draw: {n: [3, 4, 5]}, ask: "What is {n} + {n}?", answer: 2*n, why: Doubling.}
  - {id: line-up, kind: order, claim: rods, ask: In order?, items: [one, two, three], why: They count up.}
  - {id: tell, kind: recall, claim: rods, ask: What is an abacus?, answer: A frame with beads., why: It counts.}
"""

BEADS = """\
title: Beads
summary: Beads after the abacus.
requires: [abacus]
tags: [round]
sources:
  knuth1997: {title: Seminumerical Algorithms, authors: Knuth, year: 1997, isbn: 0-201-89684-2}
body: Beads.
claims:
  - {id: round, says: Beads are round., verdict: added, source: knuth1997 §1}
questions:
  - {id: shape, kind: cloze, claim: round, ask: "Beads are {{round}}.", why: They roll.}
  - {id: count, kind: numeric, claim: round, tags: [number], ask: "2 + 3?", answer: 5, why: Five.}
"""

NOW_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
MINUTE = 60_000
DAY = 86_400_000


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS
        self.seconds = 0.0

    def __call__(self) -> Moment:
        return Moment(self.at_ms, 0)

    def pass_ms(self, ms: int) -> None:
        self.at_ms += ms
        self.seconds += ms / 1000
