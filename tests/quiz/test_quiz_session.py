"""Sittings over a real store and library: what is asked, what is recorded, what can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from quiz_samples import DAY, MINUTE

from kb.errors import AnswerError, NotStored, UnknownName, UsageError
from kb.quiz.session import Sitting
from kb.quiz.turn import Outcome, Revealed
from kb.store.store import Store

Sit = Callable[..., Sitting]


def right_answer(sitting: Sitting) -> Any:
    assert sitting.turn is not None
    return sitting.turn.question.reference(sitting.turn.ask)


def wrong_answer(sitting: Sitting) -> Any:
    turn = sitting.turn
    assert turn is not None
    if turn.ask.options:
        return next(place for place in range(len(turn.ask.options)) if place != right_answer(sitting))
    return {"cloze": ["nonsense"], "numeric": -1, "order": [*reversed(right_answer(sitting) or [])]}[turn.card.kind]


def answer(sitting: Sitting, right: bool = True) -> Outcome:
    result = sitting.answer(right_answer(sitting) if right else wrong_answer(sitting))
    if isinstance(result, Revealed):
        result = sitting.grade(3 if right else 1)
    assert isinstance(result, Outcome)
    return result


def play(sitting: Sitting, right: bool = True) -> list[str]:
    asked = []
    while (turn := sitting.next()) is not None:
        if turn.topic.name not in ("abacus", "beads"):  # what ships with kb
            sitting.skip()
            continue
        asked.append(turn.name)
        answer(sitting, right)
    return asked


# --- what is asked -----------------------------------------------------------------------------------------------


def test_every_new_question_of_a_named_topic_is_asked_once(sit: Sit) -> None:
    asked = play(sit("abacus"))
    assert sorted(asked) == [f"abacus/{name}" for name in ("line-up", "pick", "sum", "tell", "word")]


def test_the_same_seed_gives_the_same_sitting(sit: Sit) -> None:
    def shown(seed: int) -> list[object]:
        sitting = sit("abacus", seed=seed)
        result = []
        while (turn := sitting.next()) is not None:
            result.append((turn.name, turn.ask.seed, turn.ask.text, turn.ask.options))
            sitting.skip()
        return result

    assert shown(7) == shown(7)
    assert shown(7) != shown(8)


def test_a_new_question_waits_for_what_its_topic_rests_on(sit: Sit, store: Store, clock: Any) -> None:
    sitting = sit(new=10_000)
    assert sitting.deck.waiting["beads"] == ["abacus"]
    asked = play(sitting)
    assert "beads" not in sitting.deck.waiting
    first_of_beads = next(place for place, name in enumerate(asked) if name.startswith("beads"))
    assert {name for name in asked[:first_of_beads] if name.startswith("abacus")} == {
        f"abacus/{name}" for name in ("line-up", "pick", "sum", "tell", "word")
    }


def test_naming_a_topic_asks_it_whatever_it_rests_on(sit: Sit) -> None:
    assert sorted(play(sit("beads"))) == ["beads/count", "beads/shape"]


def test_a_suspended_question_does_not_hold_up_what_rests_on_it(sit: Sit, store: Store, clock: Any) -> None:
    for name in ("line-up", "pick", "sum", "tell", "word"):
        store.append("suspend", clock(), f"abacus/{name}")
    asked = play(sit(new=10_000))
    assert "beads/shape" in asked and not any(name.startswith("abacus") for name in asked)


def test_failed_questions_come_back_in_the_same_sitting(sit: Sit) -> None:
    sitting = sit("beads")
    first = sitting.next()
    assert first is not None
    answer(sitting, right=False)
    second = sitting.next()
    assert second is not None and second.name != first.name
    answer(sitting)
    third = sitting.next()
    assert third is not None and (third.name, third.phase) == (first.name, "again")
    answer(sitting)
    assert sitting.next() is None, "what was passed waits for its next step"


def test_a_learning_step_is_asked_when_its_time_comes(sit: Sit, clock: Any) -> None:
    play(sit("beads"))
    assert sit("beads").next() is None
    clock.pass_ms(10 * MINUTE)
    turn = sit("beads").next()
    assert turn is not None and turn.phase == "learning"


def test_due_reviews_come_before_new_questions(sit: Sit, clock: Any) -> None:
    sitting = sit("beads")
    sitting.next()
    sitting.answer(right_answer(sitting))
    sitting.regrade(4)  # easy: out of the learning steps
    known = sitting.outcomes[0].turn.name
    clock.pass_ms(60 * DAY)
    turn = sit("beads").next()
    assert turn is not None and (turn.name, turn.phase) == (known, "review")


def test_what_was_begun_goes_on_before_another_topic_begins(sit: Sit, store: Store, clock: Any) -> None:
    for name in ("line-up", "pick", "sum", "tell", "word"):
        store.append("suspend", clock(), f"abacus/{name}")
    play(sit("beads", limit=1))
    clock.pass_ms(DAY)
    store.append("suspend", clock(), "beads/shape")
    turn = sit().next()
    assert turn is not None and turn.name == "beads/count"


def test_a_question_that_is_forgotten_again_and_again_is_told(sit: Sit, store: Store, clock: Any) -> None:
    store.settings = store.settings._replace(leech_lapses=2)
    leeches = []
    for _ in range(3):
        store.record("beads/count", 4, clock(), answer=5)
        clock.pass_ms(30 * DAY)
        sitting = sit("beads", limit=1)
        sitting.next()
        leeches.append(answer(sitting, right=False).leech)
        clock.pass_ms(DAY)
    assert leeches == [False, True, True]


def test_the_days_limit_of_new_questions_holds_over_sittings(sit: Sit, store: Store) -> None:
    store.settings = store.settings._replace(new_per_day=3)
    assert len(play(sit("abacus"))) == 3
    sitting = sit("abacus")
    assert sitting.next() is None
    assert sitting.queue.new_held_back() == 2
    assert len(play(sit("abacus", new=1))) == 1, "--new lifts it"


def test_limit_counts_answers(sit: Sit) -> None:
    sitting = sit("abacus", limit=2)
    assert len(play(sitting, right=False)) == 2


def test_minutes_end_a_sitting(sit: Sit, clock: Any) -> None:
    sitting = sit("abacus", minutes=5)
    sitting.next()
    answer(sitting)
    clock.pass_ms(5 * MINUTE)
    assert sitting.next() is None


def test_tags_choose_questions_by_their_own_and_their_topics_tags(sit: Sit) -> None:
    assert play(sit("beads", tags=("number",))) == ["beads/count"]
    assert sorted(play(sit("beads", tags=("round",), new=9))) == ["beads/shape"]
    with pytest.raises(UnknownName, match="rund"):
        sit("beads", tags=("rund",))


def test_one_question_can_be_named(sit: Sit) -> None:
    assert play(sit(questions=("abacus/word",))) == ["abacus/word"]


def test_unknown_names_are_told(sit: Sit) -> None:
    with pytest.raises(UnknownName, match="abacus"):
        sit("abacuss")


# --- cramming ----------------------------------------------------------------------------------------------------


def test_cram_leaves_the_schedule_alone(sit: Sit, store: Store, clock: Any) -> None:
    play(sit("abacus"))
    before = store.states([f"abacus/{name}" for name in ("line-up", "pick", "sum", "tell", "word")])
    clock.pass_ms(DAY)
    asked = play(sit("abacus", cram=True), right=True)
    assert len(asked) == 5
    assert store.states(before) == before
    assert store.day_counts(store.study_day(clock())).crammed == 5


def test_cram_begins_with_the_weakest(sit: Sit, store: Store, clock: Any) -> None:
    play(sit("abacus"))
    store.record("abacus/word", 1, clock(), answer=["x"])
    clock.pass_ms(3 * DAY)
    turn = sit("abacus", cram=True).next()
    assert turn is not None and turn.name == "abacus/word"


# --- grades ------------------------------------------------------------------------------------------------------


def test_right_is_good_wrong_is_again_and_hints_cap_at_hard(sit: Sit) -> None:
    sitting = sit(questions=("abacus/pick",))
    sitting.next()
    assert answer(sitting).grade == 3
    sitting.undo()
    sitting.next()
    assert sitting.hint() == "It is not left."
    assert answer(sitting).grade == 2
    sitting.undo()
    sitting.next()
    assert answer(sitting, right=False).grade == 1
    sitting.undo()
    sitting.next()
    sitting.missed()
    assert answer(sitting).grade == 2


def test_an_answer_that_is_none_leaves_the_question_open(sit: Sit, store: Store) -> None:
    sitting = sit(questions=("abacus/pick",))
    turn = sitting.next()
    for nonsense in ("x", 17, None, [0, 0], True, {"a": 1}):
        with pytest.raises(AnswerError):
            sitting.answer(nonsense)
    assert sitting.next() is turn
    assert list(store.events()) == []


def test_what_is_told_is_stored(sit: Sit, store: Store) -> None:
    sitting = sit(questions=("abacus/sum",))
    turn = sitting.next()
    assert turn is not None
    outcome = answer(sitting)
    (event,) = store.events()
    assert event == outcome.event
    assert (event.question, event.grade, event.seed) == ("abacus/sum", 3, turn.ask.seed)
    assert event.answer == turn.question.reference(turn.ask)


def test_giving_up_is_again_and_recall_is_graded_by_the_learner(sit: Sit) -> None:
    sitting = sit(questions=("abacus/word", "abacus/tell"))
    sitting.next()
    outcome = sitting.give_up()
    assert isinstance(outcome, Outcome) and outcome.grade == 1 and outcome.verdict.expected == "rods"
    sitting.next()
    assert isinstance(sitting.give_up(), Revealed)
    assert sitting.grade(4).grade == 4


@pytest.mark.parametrize("grade", [0, 5, "3", None, True, 2.5])
def test_what_is_no_grade_is_refused(sit: Sit, grade: Any) -> None:
    sitting = sit("abacus")
    sitting.next()
    answer(sitting)
    with pytest.raises(UsageError):
        sitting.regrade(grade)


def test_regrading_is_an_undo_and_a_new_answer(sit: Sit, store: Store) -> None:
    sitting = sit("abacus")
    sitting.next()
    answer(sitting)
    outcome = sitting.regrade(1)
    kinds = [(event.kind, event.grade) for event in store.events()]
    assert kinds == [("answer", 3), ("undo", None), ("answer", 1)]
    assert not outcome.right and sitting.right == 0
    assert [done.grade for done in sitting.outcomes] == [1]


def test_the_time_of_a_pause_is_not_the_time_of_the_answer(sit: Sit, clock: Any) -> None:
    sitting = sit("abacus")
    sitting.next()
    clock.pass_ms(4000)
    sitting.pause()
    clock.pass_ms(60_000)
    sitting.resume()
    clock.pass_ms(3000)
    assert answer(sitting).event.seconds == pytest.approx(7)


# --- undo --------------------------------------------------------------------------------------------------------


def test_undo_asks_the_same_question_again_and_then_the_one_that_was_open(sit: Sit) -> None:
    sitting = sit("abacus")
    first = sitting.next()
    answer(sitting, right=False)
    second = sitting.next()
    assert first is not None and second is not None
    sitting.undo()
    again = sitting.next()
    assert again is not None and (again.name, again.ask) == (first.name, first.ask)
    answer(sitting)
    after = sitting.next()
    assert after is not None and (after.name, after.ask) == (second.name, second.ask)
    assert len(sitting.outcomes) == 1


def test_undo_reaches_into_earlier_sittings_step_by_step(sit: Sit, store: Store) -> None:
    asked = play(sit("abacus"))
    later = sit("beads")
    for name in reversed(asked):
        event = later.undo()
        assert event is not None and event.question == name
        turn = later.next()
        assert turn is not None and turn.name == name
    assert later.undo() is None
    assert store.seen() == set()


def test_undo_takes_back_a_suspension(sit: Sit, store: Store) -> None:
    sitting = sit("abacus")
    turn = sitting.next()
    assert turn is not None
    sitting.suspend()
    assert store.states([turn.name])[turn.name].suspended
    sitting.undo()
    again = sitting.next()
    assert again is not None and again.name == turn.name
    assert store.states([turn.name]) == {}


def test_a_suspended_question_is_not_asked_and_a_buried_one_comes_back_tomorrow(sit: Sit, clock: Any) -> None:
    sitting = sit("beads")
    buried = sitting.next()
    sitting.bury()
    suspended = sitting.next()
    sitting.suspend()
    assert buried is not None and suspended is not None
    assert sitting.next() is None
    assert sit("beads").next() is None
    clock.pass_ms(DAY)
    assert play(sit("beads")) == [buried.name]


# --- trouble -----------------------------------------------------------------------------------------------------


def test_a_broken_card_is_set_aside_and_the_sitting_goes_on(sit: Sit, content: Path) -> None:
    file = content / "topics" / "beads.yaml"
    file.write_text(file.read_text().replace("answer: 5", "answer: 5 / 0"))
    sitting = sit("beads")
    asked = []
    while (turn := sitting.next()) is not None:
        asked.append(turn.name)
        try:
            sitting.answer(["round"] if turn.card.kind == "cloze" else 5)
        except AnswerError:
            pytest.fail("the fault of a card is not the learner's")
    assert "beads/shape" in asked
    assert any("beads/count was set aside" in notice for notice in sitting.notices)


def test_a_grader_that_raises_is_set_aside(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    from kb.questions.cloze import Cloze

    def burst(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(Cloze, "grade", burst)
    sitting = sit("beads")
    seen = []
    while (turn := sitting.next()) is not None:
        seen.append(turn.name)
        sitting.answer(["round"] if turn.card.kind == "cloze" else 5)
    assert sorted(seen) == ["beads/count", "beads/shape"]
    assert sitting.notices == ["beads/shape was set aside: ZeroDivisionError: oh"]


def test_an_answer_that_cannot_be_stored_has_no_verdict(sit: Sit, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting = sit("beads")
    turn = sitting.next()

    def full(*_: object, **__: object) -> None:
        raise NotStored("the disk is full")

    monkeypatch.setattr(sitting.store, "record", full)
    with pytest.raises(NotStored):
        sitting.answer(right_answer(sitting))
    assert sitting.next() is turn and sitting.outcomes == []


def test_a_broken_file_beside_it_is_told(sit: Sit, content: Path) -> None:
    (content / "topics" / "crooked.yaml").write_text("title: [")
    assert any("crooked.yaml:" in notice for notice in sit().notices)
    assert sit("beads").notices == []


def test_remaining_never_lies_about_the_end(sit: Sit) -> None:
    sitting = sit("abacus")
    while sitting.next() is not None:
        assert sum(sitting.remaining()) >= 1
        answer(sitting)
    assert sitting.remaining() == (0, 0)


def test_questions_may_be_named_beside_topics(sit: Sit) -> None:
    sitting = sit("beads", questions=("abacus/tell", "beads/count"))
    assert sitting.deck.names() == ["abacus/tell", "beads/count", "beads/shape"]
    assert sit(questions=("abacus/tell",)).deck.names() == ["abacus/tell"]
