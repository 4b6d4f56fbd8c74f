"""The graph of topics: circles are found if and only if there are any, and the way to learn is an order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kb.knowledge import graph

names = st.sampled_from("abcdefg")
graphs = st.dictionaries(names, st.lists(names, max_size=3, unique=True), max_size=7)


def reachable(start: str, of: dict[str, list[str]]) -> set[str]:
    """All that can be reached from ``start`` in one step or more, within the graph."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for name in of.get(waiting.pop(), []):
            if name in of and name not in found:
                found.add(name)
                waiting.append(name)
    return found


@given(graphs)
def test_a_circle_is_found_if_and_only_if_a_topic_rests_on_itself(of: dict[str, list[str]]) -> None:
    found = graph.cycles(of)
    in_circles = [name for circle in found for name in circle]
    assert bool(found) == any(name in reachable(name, of) for name in of)
    assert len(in_circles) == len(set(in_circles))
    for circle in found:
        for name, needed in zip(circle, [*circle[1:], circle[0]], strict=True):
            assert needed in of[name]
    rest = {name: [needed for needed in of[name] if needed not in in_circles] for name in of if name not in in_circles}
    assert not any(name in reachable(name, rest) for name in rest)


acyclic = graphs.map(lambda of: {name: [needed for needed in inner if needed < name] for name, inner in of.items()})


@given(st.lists(names, min_size=1, max_size=3), acyclic)
def test_the_way_holds_all_that_is_needed_each_once_and_before_what_needs_it(
    goals: list[str], requires: dict[str, list[str]]
) -> None:
    way = graph.below(goals, requires, {})
    closure = set(goals)
    while more := {needed for name in closure for needed in requires.get(name, [])} - closure:
        closure |= more
    assert len(way) == len(set(way))
    assert set(way) == closure
    for place, name in enumerate(way):
        assert all(way.index(needed) < place for needed in requires.get(name, []))


def test_the_way_keeps_the_order_of_the_file_and_ends_a_branch_before_the_next() -> None:
    requires = {"top": ["left", "right"], "left": ["deep"], "right": ["deep", "other"]}
    assert graph.below(["top"], requires, {}) == ["deep", "left", "other", "right", "top"]


def test_a_parent_comes_before_its_children_and_both_before_what_requires_the_parent() -> None:
    requires = {"child": ["basis"], "goal": ["parent"]}
    includes = {"parent": ["child", "twin"]}
    assert graph.below(["goal"], requires, includes) == ["parent", "basis", "child", "twin", "goal"]


def test_a_child_may_require_its_parent() -> None:
    assert graph.below(["child"], {"child": ["parent"]}, {"parent": ["child", "twin"]}) == ["parent", "twin", "child"]


@given(st.lists(names, max_size=3), graphs)
def test_what_is_included_comes_once_and_circles_end(start: list[str], includes: dict[str, list[str]]) -> None:
    found = graph.within(start, includes)
    assert len(found) == len(set(found))
    full = {**{name: [] for name in "abcdefg"}, **includes}
    assert set(found) == set(start).union(*(reachable(name, full) for name in start))
    for name in found:  # nothing comes before a topic that holds it, unless it was named or held by another before
        holders = [other for other in found if name in includes.get(other, [])]
        assert name in start or any(found.index(holder) < found.index(name) for holder in holders)


def test_a_parent_stands_before_its_children_in_their_order() -> None:
    includes = {"p": ["b", "a"], "b": ["c"]}
    assert graph.within(["p"], includes) == ["p", "b", "c", "a"]
