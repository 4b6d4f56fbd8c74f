"""The desired retention of a topic: its own if it is set, else that of the nearest topic that holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping


def wanted(
    topic: str, table: Mapping[str, float], default: float, parents: Callable[[str], Iterable[str]] = lambda _: ()
) -> float:
    """The retention of ``topic`` by ``table``; ``parents`` are the topics that include a topic.

    Of several parents at the same distance the one with the highest retention decides.
    """
    ring, seen = [topic], {topic}
    while ring:
        found = [table[name] for name in ring if name in table]
        if found:
            return max(found)
        above = [parent for name in ring for parent in parents(name)]
        ring = [name for name in dict.fromkeys(above) if name not in seen]
        seen.update(ring)
    return default
