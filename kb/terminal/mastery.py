"""How much of each topic is in the head today, on the tree of what rests on what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.terminal.text import BOLD, DIM, GOOD, WARN, Line, Span, shorten, width

if TYPE_CHECKING:
    from kb.knowledge.catalog import Entry
    from kb.store.insight import Share

SHOWN = 30
_BAR = 20


class Mastery(NamedTuple):
    """``known`` questions of ``questions`` are expected to be remembered today; ``seen`` have been answered."""

    topic: str
    known: float
    seen: int
    questions: int
    requires: Sequence[str]

    @property
    def share(self) -> float:
        """What is remembered of the whole topic: questions never seen count 0."""
        return self.known / self.questions if self.questions else 0.0

    def as_json(self) -> dict[str, Any]:
        """The mastery with its share."""
        return {**self._asdict(), "known": round(self.known, 3), "mastery": round(self.share, 6)}


def of_topics(entries: Sequence[Entry], found: Mapping[str, Share], chosen: Sequence[str] | None) -> list[Mastery]:
    """Topics that have questions (of ``chosen``, or all), and the topics of imported logs behind them."""
    by_name = {entry.name: entry for entry in entries}
    names = [*by_name, *(name for name in found if name not in by_name)]
    result = []
    for name in names:
        part, entry = found.get(name), by_name.get(name)
        seen = part.seen if part else 0
        questions = max(len(entry.questions) if entry else seen, seen)
        if questions and (chosen is None or name in chosen):
            result.append(Mastery(name, part.recall if part else 0.0, seen, questions, entry.requires if entry else []))
    return result


def tree(topics: Sequence[Mastery], columns: int) -> Iterator[Line]:
    """Each topic below the last of its prerequisites, with a bar; those begun and what they rest on."""
    by_name = {one.topic: one for one in topics}
    touched = {one.topic for one in topics if one.seen}
    wanted = touched | {need for name in touched for need in by_name[name].requires if need in by_name}
    rows = [row for row in _walk(by_name) if row[1].topic in wanted]
    names = max((2 * depth + width(one.topic) for depth, one in rows), default=0)
    names = min(names, columns - _BAR - 24)
    yield [Span("what you know today", BOLD), Span("  each topic below what it rests on", DIM)]
    for depth, one in rows[:SHOWN]:
        name = shorten("  " * depth + one.topic, names)
        filled = round(one.share * _BAR)
        style = GOOD if one.share >= 0.8 else WARN if one.share >= 0.4 else ""
        yield [
            Span(f"  {name}{' ' * (names - width(name))}  "),
            Span("█" * filled, style),
            Span("·" * (_BAR - filled), DIM),
            Span(f" {one.share:>4.0%}"),
            Span(f"  {one.seen:,} of {one.questions:,} seen", DIM),
        ]
    if len(rows) > SHOWN:
        yield [Span(f"  and {len(rows) - SHOWN} more: kb stats --json", DIM)]


def _walk(by_name: Mapping[str, Mastery]) -> Iterator[tuple[int, Mastery]]:
    below: dict[str | None, list[str]] = {}
    for name, one in by_name.items():
        needs = [need for need in one.requires if need in by_name]
        below.setdefault(needs[-1] if needs else None, []).append(name)

    def visit(name: str, depth: int) -> Iterator[tuple[int, Mastery]]:
        yield depth, by_name[name]
        for follower in below.get(name, ()):
            yield from visit(follower, min(depth + 1, 8))

    for root in below.get(None, ()):
        yield from visit(root, 0)
