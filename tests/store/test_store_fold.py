"""The state follows from the log: step by step, by replay, after undos, and merged in any order, to the same bits."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.config import Settings
from kb.errors import StoreError, UsageError
from kb.memory import fsrs
from kb.memory.days import Moment
from kb.memory.scheduler import Scheduler, State
from kb.store import fold
from kb.store.store import Store

NOON = 1_790_000_400_000
HOUR = 3_600_000
SETTINGS = Settings(backups=False)
OTHER_WEIGHTS = tuple(weight * 1.05 for weight in fsrs.DEFAULT_WEIGHTS)
Derived = Callable[[Store], dict[str, list[tuple[Any, ...]]]]

questions = st.sampled_from(["zero/a", "zero/b", "zero-2/a", "svm/a"])
operations = st.one_of(
    st.tuples(st.just("answer"), questions, st.integers(1, 4), st.booleans(), st.integers(0, 10_000)),
    st.tuples(st.sampled_from(["suspend", "unsuspend", "bury", "unbury", "reset"]), questions),
    st.tuples(st.just("undo"), st.integers(1, 4)),
    st.tuples(st.just("undo any"), st.integers(1, 2)),
    st.tuples(st.just("regrade"), st.integers(1, 4)),
    st.tuples(st.just("params"), st.sampled_from([None, OTHER_WEIGHTS]), st.sampled_from([None, "zero"])),
)
# hours to the next operation: mostly forward, days apart, sometimes a clock set back
histories = st.lists(st.tuples(st.integers(-30, 400), st.sampled_from([-300, 0, 60]), operations), max_size=12)


def apply(store: Store, at: Moment, operation: tuple[Any, ...]) -> None:
    kind, *rest = operation
    if kind == "answer":
        question, grade, cram, took = rest
        store.record(question, grade, at, answer=1, seconds=took / 1000, correct=grade > 1, cram=cram)
    elif kind == "undo":
        store.undo(at, rest[0])
    elif kind == "undo any":
        store.undo(at, rest[0], ("answer", "suspend", "bury", "reset", "params"))
    elif kind == "regrade":
        if store.undoable():
            store.regrade(rest[0], at)
    elif kind == "params":
        store.append("params", at, data={"weights": rest[0], "topic": rest[1]})
    else:
        store.append(kind, at, rest[0])


def live(store: Store, history: list[tuple[int, int, tuple[Any, ...]]]) -> None:
    at_ms = NOON
    for hours, offset, operation in history:
        at_ms += hours * HOUR
        apply(store, Moment(at_ms, offset), operation)


@contextmanager
def stores(count: int, template: Path) -> Iterator[list[Store]]:
    """Fresh stores, each a device of its own; made by copying an empty one, which is quick."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        opened = []
        for n in range(count):
            home = Path(folder) / str(n)
            home.mkdir()
            shutil.copy(template, home / "kb.db")
            opened.append(stack.enter_context(Store.open(str(home), SETTINGS)))
        yield opened


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("template")
    with Store.open(str(home), SETTINGS) as store:
        store.rebuild()  # the least that makes a database
    return home / "kb.db"


@settings(max_examples=60, deadline=None)
@given(history=histories)
def test_a_replay_gives_the_same_bits(template: Path, derived: Derived, history: list[Any]) -> None:
    with stores(1, template) as (store,):
        live(store, history)
        before = derived(store)
        store.rebuild()
        assert derived(store) == before


@settings(max_examples=60, deadline=None)
@given(first=histories, second=histories, seed=st.integers())
@pytest.mark.slow
def test_logs_merge_in_any_order_to_the_same_state(
    template: Path, derived: Derived, first: list[Any], second: list[Any], seed: int
) -> None:
    with stores(4, template) as (one, two, shuffled, piecewise):
        live(one, first)
        live(two, second)
        ours, theirs = list(one.events()), list(two.events())
        everything = ours + theirs
        random.Random(seed).shuffle(everything)
        shuffled.merge(everything)
        for event in everything:
            piecewise.merge([event])
        assert one.merge(theirs) == len(theirs)
        two.merge(ours)
        assert [event.id for event in one.events()] == sorted(event.id for event in everything)
        states = [derived(store) for store in (one, two, shuffled, piecewise)]
        assert states[0] == states[1] == states[2] == states[3]
        one.rebuild()
        assert derived(one) == states[0]
        assert one.merge(everything) == 0
        assert derived(one) == states[0]


@settings(max_examples=60, deadline=None)
@given(
    before=histories, grades=st.lists(st.tuples(questions, st.integers(1, 4), st.booleans()), min_size=1, max_size=5)
)
@pytest.mark.slow
def test_undo_goes_back_to_exactly_the_earlier_state(
    template: Path, derived: Derived, before: list[Any], grades: list[Any]
) -> None:
    with stores(1, template) as (store,):
        live(store, before)
        states = [derived(store)]
        start = max([NOON, *(event.at_ms for event in store.events())])
        for n, (question, grade, cram) in enumerate(grades):
            at = Moment(start + n * 30 * HOUR, 0)
            store.record(question, grade, at, answer=1, seconds=n, correct=True, cram=cram)
            states.append(derived(store))
        undone_at = Moment(start + 10_000 * HOUR, 60)
        for n, expected in enumerate(reversed(states[:-1])):
            store.close()  # as after a restart
            taken = store.undo(undone_at)
            assert [event.question for event in taken] == [grades[-1 - n][0]]
            assert derived(store) == expected


def test_undo_of_several_at_once_takes_the_latest_first_and_stops_at_the_first(store: Store, noon: Moment) -> None:
    given = [store.record(f"zero/{name}", 3, noon, answer=1) for name in "abc"]
    assert store.undo(noon, 2) == [given[2], given[1]]
    assert store.undoable() == given[0]
    assert store.undo(noon, 5) == [given[0]]
    assert store.undo(noon, 5) == []
    assert store.undoable() is None
    kinds = [event.kind for event in store.events()]
    assert kinds == ["answer"] * 3 + ["undo"] * 3
    assert store.undone() == {event.id for event in given}
    assert store.state("zero/a") is None


def test_an_answer_after_the_clock_was_set_back_is_still_the_last_one(store: Store, noon: Moment) -> None:
    store.record("zero/a", 4, Moment(noon.at_ms + 365 * 24 * HOUR, 60), answer="from a wrong clock")
    late = store.record("zero/a", 1, noon, answer="from the right one")
    row = store.state("zero/a")
    assert row is not None and row.state is not None
    assert row.state.last_ms == noon.at_ms
    assert row.state.due_day <= 20718
    assert store.undoable() == late


def test_the_state_is_what_the_scheduler_says(home: Path, noon: Moment) -> None:
    """The store's fold and ``Scheduler.review`` are two ways to one memory; weeks of answers agree to the last bit."""
    store = Store.open(str(home), SETTINGS._replace(balance=False))
    scheduler = Scheduler()
    chooser = random.Random(5)
    state: State | None = None
    at = noon
    for _ in range(60):
        grade = chooser.choice([1, 2, 3, 3, 3, 4])
        state = scheduler.review(state, grade, at, key="zero/a")
        event = store.record("zero/a", grade, at, answer=1)
        row = store.state("zero/a")
        assert row is not None
        assert row.state == state
        assert event.promise == (state.phase, state.step, state.due_ms, state.due_day)
        at = Moment(state.due_ms + chooser.choice([0, HOUR, 50 * HOUR]), chooser.choice([-480, 60, 765]))
    store.close()


def test_settings_that_change_do_not_change_the_past(home: Path, noon: Moment, derived: Derived) -> None:
    with Store.open(str(home), SETTINGS) as store:
        for n in range(6):
            store.record("zero/a", 3, Moment(noon.at_ms + n * 90 * HOUR, 60), answer=1)
        before = derived(store)
    other = SETTINGS._replace(desired_retention=0.7, learning_steps=(5,), rollover_hour=0, fuzz=False)
    with Store.open(str(home), other) as store:
        store.rebuild()
        assert derived(store) == before


def test_fitted_weights_change_memory_but_no_promise_and_can_be_undone(
    store: Store, noon: Moment, derived: Derived
) -> None:
    for question in ("zero/a", "svm/a"):
        for n in range(4):
            store.record(question, 3, Moment(noon.at_ms + n * 90 * HOUR, 60), answer=1)
    before, rows = derived(store), store.states(["zero/a", "svm/a"])
    store.append("params", noon, data={"weights": OTHER_WEIGHTS, "topic": "zero"})
    after = store.states(["zero/a", "svm/a"])
    assert after["svm/a"] == rows["svm/a"]
    old, new = rows["zero/a"].state, after["zero/a"].state
    assert old is not None and new is not None
    assert new.memory != old.memory
    assert new._replace(stability=0, difficulty=0) == old._replace(stability=0, difficulty=0)
    assert store.scheduler("zero/x").weights == OTHER_WEIGHTS
    assert store.scheduler("svm/x").weights == fsrs.DEFAULT_WEIGHTS
    store.undo(noon, kinds=("params",))
    assert derived(store) == before


def test_cram_leaves_the_schedule_alone(store: Store, noon: Moment) -> None:
    store.record("zero/a", 3, noon, answer=1)
    row = store.state("zero/a")
    crammed = store.record("zero/a", 1, noon, answer=1, seconds=2, cram=True)
    store.record("zero/new", 3, noon, answer=1, cram=True)
    assert crammed.promise is None
    assert store.state("zero/a") == row
    assert store.state("zero/new") is None
    counts = store.day_counts(20717)
    assert (counts.answers, counts.crammed, counts.took_ms) == (1, 2, 2000)


def test_the_rollups_count_by_phase_and_age(store: Store, noon: Moment) -> None:
    """A question learned in two steps, reviewed young, failed, relearned, then reviewed mature."""
    at = noon
    for grade, correct in [(3, True), (3, True), (3, True), (1, False), (3, True), (4, True), (4, True), (1, False)]:
        store.record("zero/a", grade, at, answer=1, seconds=1, correct=correct)
        row = store.state("zero/a")
        assert row is not None and row.state is not None
        at = Moment(row.state.due_ms, 60)
    total = fold.Tally(*map(sum, zip(*(store.day_counts(day) for day in range(20_700, 23_000)), strict=True)))
    assert total == fold.Tally(
        *(8, 2, 0, 4, 2, 6),  # answers, again, hard, good, easy, correct
        *(1, 5, 3, 1, 0, 0, 8000),  # introduced, reviews, retained, mature, mature retained, crammed, time
    )


def test_load_follows_due_days_and_leaves_the_suspended_out(store: Store, noon: Moment) -> None:
    event = store.record("zero/a", 4, noon, answer=1)
    assert event.promise is not None
    due = event.promise.due_day
    assert store.load(0, 100_000) == {due: 1}
    store.append("suspend", noon, "zero/a")
    assert store.load(0, 100_000) == {}
    store.append("unsuspend", noon, "zero/a")
    assert store.load(due, due) == {due: 1}


def test_an_event_that_differs_from_ours_is_refused_whole(store: Store, noon: Moment) -> None:
    event = store.record("zero/a", 3, noon, answer=1)
    more = store.record("zero/b", 3, noon, answer=1)
    store.undo(noon)
    before = list(store.events())
    forged = event._replace(grade=4)
    fresh = more._replace(id="017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    with pytest.raises(StoreError, match="differs"):
        store.merge([fresh, forged])
    assert list(store.events()) == before


def test_events_of_a_newer_kb_are_kept_and_change_nothing(store: Store, noon: Moment, derived: Derived) -> None:
    event = store.record("zero/a", 3, noon, answer=1)
    before = derived(store)
    stranger = event._replace(id="01a0ffff-79b0-7cc3-98c4-dc0c0c07398f", kind="credit", promise=None, data={"x": 1})
    assert store.merge([stranger]) == 1
    assert derived(store) == before
    assert list(store.events())[-1].data == {"x": 1}
    store.rebuild()
    assert derived(store) == before


@pytest.mark.parametrize("kind", ["answer", "undo", "nonsense", "suspend", "bury"])
def test_append_takes_what_it_can(store: Store, noon: Moment, kind: str) -> None:
    with pytest.raises(UsageError):
        store.append(kind, noon)
    assert list(store.events()) == []
