"""How topics rest on each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

Graph = Mapping[str, Sequence[str]]  # a topic and those it names, in the order of its file


def cycles(graph: Graph) -> list[list[str]]:
    """Circles in ``graph``, each as ``[a, b, c]`` where a names b, b names c and c names a; no topic is in two."""
    rest = {name: [needed for needed in graph[name] if needed in graph] for name in sorted(graph)}
    found: list[list[str]] = []
    while True:
        try:
            TopologicalSorter(rest).prepare()
            return found
        except CycleError as error:
            circle = error.args[1][:0:-1]  # graphlib goes from what is needed to what needs it, and repeats the first
            start = circle.index(min(circle))
            found.append(circle[start:] + circle[:start])
            for name in circle:
                rest[name] = []


def below(names: Iterable[str], requires: Graph, includes: Graph) -> list[str]:
    """Everything that ``names`` rest on, and themselves, each once, in the order to learn it.

    What a topic requires comes before it and what it includes after it, in the order of its file; a topic that is
    required brings what it includes along.
    """
    order: dict[str, None] = {}
    entered: set[str] = set()
    stack: list[tuple[str, bool]] = [(name, False) for name in reversed([*names])]
    while stack:
        name, ready = stack.pop()
        if ready:
            order[name] = None
        elif name not in entered:
            entered.add(name)
            stack += [(child, False) for child in reversed(includes.get(name, ()))]
            stack.append((name, True))
            stack += [(needed, False) for needed in reversed(requires.get(name, ()))]
    return [*order]


def within(names: Iterable[str], includes: Graph) -> list[str]:
    """``names`` and all that they include, each once, a parent before its children."""
    order: dict[str, None] = {}
    stack = [*reversed([*names])]
    while stack:
        name = stack.pop()
        if name not in order:
            order[name] = None
            stack += reversed([child for child in includes.get(name, ()) if child not in order])
    return [*order]
