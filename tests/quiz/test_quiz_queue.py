"""The order of asking: laws of the queue, without a store or a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.quiz.queue import COMEBACKS, Queue

MINUTE = 60_000


def drain(queue: Queue, now_ms: int = 0) -> list[str]:
    names = []
    while (name := queue.take(now_ms)) is not None:
        names.append(name)
    return names


def test_due_reviews_come_weakest_first_before_new_ones() -> None:
    queue = Queue()
    queue.add_new(["z/new"])
    queue.add_reviews({"a/strong": 0.95, "b/weak": 0.3, "c/middle": 0.7})
    assert drain(queue) == ["b/weak", "c/middle", "a/strong", "z/new"]


def test_a_learning_step_comes_when_its_time_has_come_and_not_before() -> None:
    queue = Queue()
    queue.add_reviews({"a/1": 0.5})
    queue.add_learning("b/step", 10 * MINUTE)
    assert queue.take(0) == "a/1"
    assert queue.take(9 * MINUTE) is None
    assert queue.take(10 * MINUTE) == "b/step"


def test_a_ripe_step_goes_before_reviews() -> None:
    queue = Queue()
    queue.add_reviews({"a/1": 0.1})
    queue.add_learning("b/step", 5)
    assert drain(queue, 5) == ["b/step", "a/1"]


def test_what_was_failed_comes_back_before_its_time_once_nothing_else_is_left() -> None:
    queue = Queue()
    queue.add_reviews({"a/1": 0.5, "b/2": 0.6})
    first = queue.take(0)
    assert first == "a/1"
    queue.add_learning("a/1", MINUTE, failed=True)
    assert drain(queue) == ["b/2", "a/1"]


def test_a_failed_question_comes_back_early_only_so_often() -> None:
    queue = Queue()
    queue.add_reviews({"a/1": 0.5})
    asked = 0
    while (name := queue.take(0)) is not None:
        asked += 1
        queue.add_learning(name, MINUTE, failed=True)
    assert asked == 1 + COMEBACKS
    assert queue.take(MINUTE) == "a/1", "when its time has come it is asked all the same"


def test_passing_ends_the_early_returns() -> None:
    queue = Queue()
    queue.add_learning("a/1", MINUTE, failed=True)
    assert queue.take(0) == "a/1"
    queue.add_learning("a/1", 10 * MINUTE)
    assert queue.take(0) is None


def test_new_questions_alternate_between_topics_in_the_order_of_their_files() -> None:
    queue = Queue()
    queue.add_new(["a/1", "a/2", "a/3", "b/1", "b/2"])
    assert drain(queue) == ["a/1", "b/1", "a/2", "b/2", "a/3"]


def test_new_questions_come_from_three_topics_at_a_time() -> None:
    queue = Queue()
    queue.add_new([f"{topic}/{n}" for topic in "abcd" for n in range(3)])
    order = drain(queue)
    first_d = next(place for place, name in enumerate(order) if name.startswith("d"))
    assert {name[0] for name in order[:first_d]} == {"a", "b", "c"}
    assert sum(name.startswith("a") for name in order[:first_d]) == 3, "one topic is finished before a fourth begins"


def test_siblings_of_a_claim_are_kept_apart() -> None:
    claims = {"a/1": "x", "a/2": "x", "a/3": "y", "a/4": "z"}
    queue = Queue(claim_of=claims.get)
    queue.add_new(list(claims))
    order = drain(queue)
    assert abs(order.index("a/1") - order.index("a/2")) >= 2
    assert sorted(order) == sorted(claims)


def test_the_limit_counts_new_questions_only() -> None:
    queue = Queue(new_limit=2)
    queue.add_reviews({"r/1": 0.5})
    queue.add_new(["a/1", "a/2", "a/3"])
    assert drain(queue) == ["r/1", "a/1", "a/2"]
    assert queue.new_held_back() == 1


def test_what_was_undone_comes_first_and_does_not_count_twice() -> None:
    queue = Queue(new_limit=1)
    queue.add_new(["a/1", "a/2"])
    assert queue.take(0) == "a/1"
    queue.put_first("a/1")
    assert queue.new_limit == 0
    assert drain(queue) == ["a/1"]


NAMES = st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 9)).map(lambda t: f"{t[0]}/{t[1]}"), unique=True)


@given(NAMES, st.data())
def test_every_question_is_asked_exactly_once(names: list[str], data: st.DataObject) -> None:
    groups = {name: data.draw(st.sampled_from(["new", "review", "step"])) for name in names}
    queue = Queue(claim_of=lambda name: name[-1])
    queue.add_new([name for name in names if groups[name] == "new"])
    queue.add_reviews({name: data.draw(st.floats(0, 1)) for name in names if groups[name] == "review"})
    for name in names:
        if groups[name] == "step":
            queue.add_learning(name, data.draw(st.integers(0, 5)))
    due, new, back = queue.counts(5)
    assert (due + new, back) == (len(names), 0)
    assert sorted(drain(queue, 5)) == sorted(names)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60))
def test_no_review_waits_long_behind_less_urgent_ones(recalls: list[float]) -> None:
    """A review may be moved up by a few places for variety; none is passed over again and again."""
    queue = Queue(claim_of=lambda name: "same")
    recall = {f"t/{n}": value for n, value in enumerate(recalls)}
    queue.add_reviews(recall)
    order = drain(queue)
    urgent = sorted(recall, key=lambda name: recall[name])
    for place, name in enumerate(order):
        assert urgent.index(name) - place < 8


@pytest.mark.parametrize("group", ["new", "review", "step", "first"])
def test_drop_takes_a_question_out_wherever_it_stands(group: str) -> None:
    queue = Queue()
    if group == "new":
        queue.add_new(["a/1"])
    elif group == "review":
        queue.add_reviews({"a/1": 0.5})
    elif group == "step":
        queue.add_learning("a/1", 0, failed=True)
    else:
        queue.put_first("a/1")
    queue.drop("a/1")
    assert drain(queue) == []
