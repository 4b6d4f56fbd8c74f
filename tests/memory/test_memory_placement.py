"""Placement: prerequisites are believed, answers move the belief, ten questions find most of what is known."""

from __future__ import annotations

import random
from graphlib import CycleError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import UnknownName
from kb.memory import placement
from kb.memory.placement import Placement, begin

LADDER = {f"step-{n}": [f"step-{n - 1}"] if n else [] for n in range(9)}


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, set[str]]:
    size = draw(st.integers(1, 12))
    return {
        f"t{i:02}": {f"t{j:02}" for j in draw(st.sets(st.integers(0, max(i - 1, 0)), max_size=3)) if j < i}
        for i in range(size)
    }


@given(graphs(), st.integers(0, 99))
def test_whoever_knows_a_topic_knows_what_it_requires(graph: dict[str, set[str]], seed: int) -> None:
    start = begin(graph, states=50, seed=seed)
    for state in start.states:
        known = {topic for bit, topic in enumerate(start.topics) if state >> bit & 1}
        assert all(graph[topic] <= known for topic in known)


@given(graphs(), st.integers(0, 99), st.data())
def test_a_prerequisite_is_never_less_likely_than_what_rests_on_it(
    graph: dict[str, set[str]], seed: int, data: st.DataObject
) -> None:
    placed = begin(graph, states=80, seed=seed)
    for _ in range(data.draw(st.integers(0, 4))):
        placed = placed.answer(data.draw(st.sampled_from(placed.topics)), data.draw(st.booleans()))
    known = placed.known()
    assert sum(placed.weights) == pytest.approx(1)
    assert all(known[below] >= known[topic] - 1e-9 for topic in graph for below in graph[topic])


@given(graphs(), st.booleans(), st.data())
def test_an_answer_moves_the_belief_its_way(graph: dict[str, set[str]], right: bool, data: st.DataObject) -> None:
    before = begin(graph, states=80)
    topic = data.draw(st.sampled_from(before.topics))
    after = before.answer(topic, right).known()[topic]
    assert after >= before.known()[topic] - 1e-9 if right else after <= before.known()[topic] + 1e-9


@pytest.mark.parametrize("right", [True, False])
def test_the_belief_in_one_topic_is_bayes(right: bool) -> None:
    """A right answer: 0.9 if known, 0.2 if guessed; a wrong one: 0.1 by a slip, 0.8 if unknown."""
    before = begin({"only": []})
    prior = before.known()["only"]
    assert prior == pytest.approx(0.5, abs=0.05)
    if_known, if_not = (0.9, 0.2) if right else (0.1, 0.8)
    posterior = prior * if_known / (prior * if_known + (1 - prior) * if_not)
    assert before.answer("only", right).known()["only"] == pytest.approx(posterior)


@given(graphs())
def test_one_starts_where_everything_needed_is_known(graph: dict[str, set[str]]) -> None:
    placed = begin(graph, states=80)
    mastered = set(placed.mastered())
    assert set(placed.start()).isdisjoint(mastered)
    assert all(graph[topic] <= mastered for topic in placed.start())
    assert placed.start() or len(mastered) == len(graph)


def test_the_first_question_halves_the_ladder() -> None:
    assert begin(LADDER).next_topic() in ("step-3", "step-4", "step-5")


def walk(placed: Placement, knows: set[str], draw: random.Random | None = None) -> Placement:
    while (topic := placed.next_topic()) is not None:
        right = topic in knows
        if draw is not None:
            right = draw.random() < (1 - placement.SLIP if right else placement.GUESS)
        placed = placed.answer(topic, right)
    return placed


@pytest.mark.parametrize("known", range(10))
def test_on_a_ladder_the_rung_is_found(known: int) -> None:
    placed = walk(begin(LADDER), {f"step-{n}" for n in range(known)})
    assert len(placed.mastered()) == known
    assert placed.start() == ([f"step-{known}"] if known < 9 else [])
    assert len(placed.asked) <= 7


def test_at_most_ten_questions_none_of_them_twice() -> None:
    placed = walk(begin({f"t{n}": [] for n in range(40)}), {f"t{n}" for n in range(0, 40, 2)})
    asked = [topic for topic, _ in placed.asked]
    assert len(asked) == len(set(asked)) == placement.MOST_QUESTIONS


@pytest.mark.slow
def test_choosing_beats_chance_over_many_people() -> None:
    """30 people with slips and guesses, on graphs of 30 topics: chosen questions tell more than as many by lot."""
    right = {"chosen": 0, "by lot": 0, "none": 0}
    for seed in range(30):
        draw = random.Random(seed)
        graph = {f"t{i:02}": {f"t{j:02}" for j in draw.sample(range(i), min(i, 2)) if i - j < 12} for i in range(30)}
        start = begin(graph, states=800, seed=seed)
        state = begin(graph, states=1, seed=seed + 500).states[0]
        knows = {topic for bit, topic in enumerate(start.topics) if state >> bit & 1}
        chosen = walk(start, knows, draw)
        lot = start
        for topic in draw.sample(start.topics, len(chosen.asked)):
            lot = lot.answer(topic, draw.random() < (1 - placement.SLIP if topic in knows else placement.GUESS))
        for name, placed in (("chosen", chosen), ("by lot", lot), ("none", start)):
            right[name] += sum((topic in knows) == (p >= 0.5) for topic, p in placed.known().items())
    assert right["chosen"] > right["by lot"] > right["none"]
    assert right["chosen"] / 900 > 0.83


def test_only_topics_that_have_questions_are_asked() -> None:
    assert begin(LADDER).next_topic(among={"step-8"}) in ("step-8", None)
    assert begin(LADDER).next_topic(among=set()) is None


def test_the_same_seed_gives_the_same_placement_however_the_graph_is_written() -> None:
    turned = {topic: LADDER[topic] for topic in reversed(LADDER)}
    assert begin(LADDER, seed=3) == begin(turned, seed=3)
    assert begin(LADDER, seed=3) != begin(LADDER, seed=4)


def test_an_empty_library_has_nothing_to_ask() -> None:
    placed = begin({})
    assert placed.next_topic() is None and placed.start() == []


def test_a_cycle_and_a_topic_that_is_not_there() -> None:
    with pytest.raises(CycleError):
        begin({"a": ["b"], "b": ["a"]})
    with pytest.raises(UnknownName, match="step-88"):
        begin(LADDER).answer("step-88", True)
