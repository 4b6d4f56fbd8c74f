"""Exams: what the log says of them, what they ask and when, and the command that plans them."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from kb.config import Settings
from kb.errors import UnknownName, UsageError
from kb.memory import fsrs
from kb.memory.days import DAY_MS, HOUR_MS, Moment
from kb.quiz import exams
from kb.store import connection, doctor
from kb.store.store import Store
from kb.terminal.context import App

RunKb = Callable[..., CompletedProcess[str]]
TODAY = 20_000  # 2024-10-04
EXAM_DAY = TODAY + 30
SETTINGS = Settings(backups=False, learning_steps=(), relearning_steps=(), balance=False)
PLAN = {"name": "finals", "day": EXAM_DAY, "wanted": 0.95, "floor": 0.95, "topics": ["zero"]}


def at(day: int) -> Moment:
    return Moment(day * DAY_MS + 12 * HOUR_MS, 0)


def now(day: int) -> dict[str, str]:
    from kb.memory.days import iso_date

    return {"KB_NOW": f"{iso_date(day)}T12:00:00+00:00"}


def answer(store: Store, question: str, day: int, grade: int = 3) -> None:
    store.record(question, grade, at(day), answer="x", seconds=5)


def learn(store: Store, names: list[str]) -> None:
    """Answers that bring the questions to intervals beyond the exam."""
    for day in (TODAY - 20, TODAY - 17, TODAY - 5):
        for name in names:
            answer(store, name, day)


def cards(topic: str = "zero") -> list[str]:
    import os

    return App(os.environ).library.questions([topic])


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    (home / "config.toml").write_text("backups = false\nbalance = false\nlearning_steps = []\nrelearning_steps = []\n")
    with Store.open(str(home), SETTINGS) as opened:
        yield opened


def table(store: Store) -> list[Any]:
    rows = "SELECT 'exam', name, day FROM exam UNION ALL SELECT question, exam_day, day FROM ask ORDER BY 1, 2"
    return store._reader().execute(rows).fetchall()


def sound(store: Store) -> bool:
    return all(finding.ok for finding in doctor.examine(store.home, at(TODAY)))


# --- the log ---------------------------------------------------------------------------------------------------------


def test_a_plan_asks_before_the_day_and_only_until_the_exam(store: Store) -> None:
    names = [f"zero/q{n}" for n in range(40)]
    learn(store, [*names, "ddp/other"])
    due_days = {store.state(name).state.due_day for name in names}  # type: ignore[union-attr]
    assert min(due_days) > EXAM_DAY, "the usual schedule asks none of them before the exam"
    store.append("exam", at(TODAY), data=PLAN)
    asked = [len(store.asked(day)) for day in range(TODAY, EXAM_DAY + 2)]
    assert asked[:-2] == sorted(asked[:-2]) and asked[-3] == 40 and asked[-2:] == [0, 0]
    assert 0 < asked[10] < 40, "the days are not crowded"
    for day in range(TODAY, EXAM_DAY):
        assert {row.question for row in store.due(at(day))} == store.asked(day)
    assert "ddp/other" not in store.asked(EXAM_DAY - 1)
    assert not store.due(at(EXAM_DAY))
    assert sound(store)


def test_an_answer_settles_what_was_asked_and_its_undo_asks_again(store: Store) -> None:
    learn(store, [f"zero/q{n}" for n in range(10)])
    store.append("exam", at(TODAY), data=PLAN)
    before = table(store)
    day = EXAM_DAY - 1
    for name in sorted(store.asked(day)):
        answer(store, name, day)
    assert store.asked(day) == set()
    assert sound(store)
    store.undo(at(day), steps=10)
    assert table(store) == before


def test_a_held_question_is_not_asked(store: Store) -> None:
    learn(store, ["zero/a", "zero/b"])
    store.append("exam", at(TODAY), data=PLAN)
    store.append("suspend", at(TODAY), "zero/a")
    assert {row.question for row in store.due(at(EXAM_DAY - 1))} == {"zero/b"}


def test_dropping_undoing_and_planning_anew(store: Store) -> None:
    learn(store, ["zero/a", "zero/b"])
    store.append("exam", at(TODAY), data=PLAN)
    planned = table(store)
    exams.drop(store, at(TODAY), "finals")
    assert table(store) == [] and store.exams() == []
    store.undo(at(TODAY), kinds=("exam",))
    assert table(store) == planned
    store.append("exam", at(TODAY), data={**PLAN, "day": EXAM_DAY + 3})
    assert [exam.day for exam in store.exams()] == [EXAM_DAY + 3]
    store.undo(at(TODAY), kinds=("exam",))
    assert table(store) == planned
    store.undo(at(TODAY), kinds=("exam",))
    assert table(store) == []
    assert sound(store)
    with pytest.raises(UnknownName, match="no exam is called 'final'"):
        exams.drop(store, at(TODAY), "final")


def test_other_weights_ask_on_other_days(store: Store) -> None:
    learn(store, [f"zero/q{n}" for n in range(10)])
    store.append("exam", at(TODAY), data=PLAN)
    before = table(store)
    store.append("params", at(TODAY), data={"weights": [*fsrs.DEFAULT_WEIGHTS[:8], 1.2, *fsrs.DEFAULT_WEIGHTS[9:]]})
    assert table(store) != before
    assert sound(store)
    store.undo(at(TODAY), kinds=("params",))
    assert table(store) == before


def test_logs_of_two_devices_merge_in_any_order_to_the_same_plan(store: Store, tmp_path: Path) -> None:
    learn(store, [f"zero/q{n}" for n in range(6)])
    store.append("exam", at(TODAY), data=PLAN)
    store.append("exam", at(TODAY + 1), data={**PLAN, "name": "resit", "day": EXAM_DAY + 20})
    store.append("exam", at(TODAY + 2), data={**PLAN, "name": "resit", "day": None})
    store.undo(at(TODAY + 3), kinds=("exam",))
    for name in sorted(store.asked(EXAM_DAY - 5)):
        answer(store, name, EXAM_DAY - 5, 2)
    exams.end_those_over(store, at(EXAM_DAY))
    expected, log = table(store), list(store.events())
    assert [exam.name for exam in store.exams()] == ["resit"]
    for seed in range(4):
        events = random.Random(seed).sample(log, len(log))
        with Store.open(str(tmp_path / f"other{seed}"), SETTINGS) as other:
            for batch in itertools.batched(events, 7) if hasattr(itertools, "batched") else (events[:9], events[9:]):
                other.merge(batch)
            assert table(other) == expected
            other.rebuild()
            assert table(other) == expected


@pytest.mark.parametrize(
    "data",
    [
        {**PLAN, "name": ""},
        {**PLAN, "day": "2026-01-01"},
        {**PLAN, "topics": []},
        {**PLAN, "wanted": 1.5},
        {**PLAN, "floor": "high"},
    ],
)
def test_an_event_that_is_no_plan_is_refused(data: dict[str, Any], store: Store) -> None:
    with pytest.raises(UsageError):
        store.append("exam", at(TODAY), data=data)
    event = store.append("exam", at(TODAY), data=PLAN)
    with pytest.raises(UsageError):
        store.merge([event._replace(id="017f22e2-79b0-7cc3-98c4-dc0c0c07398f", data=data)])
    with pytest.raises(UsageError):
        store.append("exam-over", at(TODAY), data={"name": "finals", "exam": "no id"})


def test_the_end_is_told_once_with_the_recall_of_that_day(store: Store) -> None:
    learn(store, ["zero/a", "zero/b"])
    store.append("exam", at(TODAY), data=PLAN)
    assert exams.end_those_over(store, at(EXAM_DAY - 1)) == []
    answer(store, "zero/a", EXAM_DAY + 1)  # after the exam: it says nothing of the day
    (over,) = exams.end_those_over(store, at(EXAM_DAY + 2))
    memory = store.state("zero/b").state  # type: ignore[union-attr]
    assert memory is not None and over.known == 2
    assert over.recall == pytest.approx(fsrs.retrievability(EXAM_DAY - memory.last_day, memory.stability))
    assert exams.end_those_over(store, at(EXAM_DAY + 2)) == []
    assert store.exams() == []
    assert "was on 2024-11-03" in exams.say_over(over, EXAM_DAY + 2)


def test_a_database_of_the_first_version_gets_exams(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kb.store import migrations, schema

    path = connection.path_of(str(home))
    with monkeypatch.context() as old, connection._connect(path, "rwc") as db:
        old.setattr(migrations, "STEPS", schema.STEPS[:1])
        migrations.migrate(db, path, schema.STEPS[:1])
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    db.close()
    with Store.open(str(home), SETTINGS) as store:
        assert store.exams() == []
        learn(store, ["zero/a"])
        store.append("exam", at(TODAY), data=PLAN)
        assert store.asked(EXAM_DAY - 1) == {"zero/a"}


# --- the sitting and the command -----------------------------------------------------------------------------------


def as_json(result: CompletedProcess[str]) -> Any:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_the_plan_acts(store: Store, run_kb: RunKb) -> None:
    """What the forecast promises, due counts and the quiz asks."""
    names = cards()
    learn(store, names)
    assert as_json(run_kb("due", "--json", env=now(TODAY + 20)))["due"] == 0
    plan = as_json(run_kb("exam", "2024-11-03", "zero", "--recall", "0.97", "--json", env=now(TODAY)))
    assert plan["taken"] and plan["recall"]["planned"] >= 0.97 > plan["recall"]["usual"] >= plan["recall"]["now"]
    assert plan["days_left"] == len(plan["days"]) == 30
    assert plan["reviews"]["extra"] == plan["reviews"]["planned"] - plan["reviews"]["usual"] > 0

    later = now(TODAY + 20)
    asked = as_json(run_kb("exam", "zero", "--json", env=later))[0]["asked_today"]
    assert 0 < len(asked) < len(names)
    due = as_json(run_kb("due", "--json", env=later))
    assert (due["due"], due["topics"]["zero"]["due"]) == (len(asked), len(asked))
    assert f"{len(asked)} question" in run_kb("next", env=later).stdout
    lines = run_kb("quiz", "--new", "0", "--json", input='{"command": "skip"}\n' * 99, env=later).stdout.splitlines()
    opened = [event["question"] for event in map(json.loads, lines) if event["event"] == "question"]
    assert sorted(opened) == asked
    assert as_json(run_kb("due", "--json", env=now(EXAM_DAY)))["due"] == 0


def test_next_names_the_exam_and_what_it_rests_on(run_kb: RunKb) -> None:
    as_json(run_kb("exam", "2024-11-03", "knn", "--json", env=now(TODAY)))
    told = as_json(run_kb("next", "--json", env=now(TODAY)))
    assert (told["kind"], told["command"]) == ("exam", "kb learn inductive-bias")
    assert "the exam knn is in 30 days" in told["why"] and told["why"].endswith("knn rests on it")
    assert told["command"] not in [other["command"] for other in told["others"]]
    assert as_json(run_kb("next", "--json", env=now(EXAM_DAY)))["kind"] == "begin"


def test_the_next_ask_is_when_the_next_question_comes(store: Store, run_kb: RunKb) -> None:
    learn(store, cards()[:3])
    usual = as_json(run_kb("due", "--json", env=now(TODAY)))["next_at"]
    store.append("exam", at(TODAY), data=PLAN)
    first = min(day for question, day_of_exam, day in table(store) if question != "exam")
    found = as_json(run_kb("due", "--json", env=now(TODAY)))["next_at"]
    from kb.memory.days import iso_date

    assert found == f"{iso_date(first)}T04:00:00+00:00" < usual


def test_new_questions_of_the_exam_come_first_and_in_time(store: Store, home: Path, run_kb: RunKb) -> None:
    (home / "config.toml").write_text("new_per_day = 1\n")
    names = cards()
    as_json(run_kb("exam", "2024-10-09", "zero", "--json", env=now(TODAY)))  # in five days, four of them for new ones
    lines = run_kb("quiz", "--json", input='{"command": "skip"}\n' * 99, env=now(TODAY)).stdout.splitlines()
    opened = [event["question"] for event in map(json.loads, lines) if event["event"] == "question"]
    assert len(opened) == -(-len(names) // 4)
    assert all(name.startswith("zero/") for name in opened)


def test_looking_changes_nothing(store: Store, run_kb: RunKb) -> None:
    learn(store, cards()[:3])
    events = len(list(store.events()))
    dry = run_kb("exam", "2024-11-03", "zero", "--dry-run", env=now(TODAY))
    assert "Nothing was changed" in dry.stdout
    assert "No exam is planned" in run_kb("exam", env=now(TODAY)).stdout
    assert as_json(run_kb("exam", "--json", env=now(TODAY))) == []
    assert len(list(store.events())) == events


@pytest.mark.slow
def test_screens_fit_and_say_how_it_stands(store: Store, tmp_path: Path, run_kb: RunKb) -> None:
    learn(store, cards())
    fresh = run_kb("exam", "2024-11-03", "zero", "--recall", "0.97", "--name", "finals", env=now(TODAY)).stdout
    assert "The plan is in force" in fresh and "Reviews a day until 2024-11-03" in fresh
    listed = run_kb("exam", env=now(TODAY + 1)).stdout
    assert "finals" in listed and "29 days" in listed
    for name in cards():
        answer(store, name, EXAM_DAY - 1, 1)
    behind = run_kb("exam", env=now(EXAM_DAY - 1)).stdout
    assert "is behind its plan" in behind and "kb exam 2024-11-03 zero --recall 0.97 --name finals" in behind
    assert max(map(len, (fresh + listed + behind).splitlines())) <= 80
    told = run_kb("exam", env=now(EXAM_DAY + 1))
    assert "the exam finals was on 2024-11-03" in told.stderr and "97% wanted" in told.stderr
    assert run_kb("exam", env=now(EXAM_DAY + 1)).stderr == ""


def test_the_quiz_tells_the_end_too(store: Store, run_kb: RunKb) -> None:
    store.append("exam", at(TODAY), data=PLAN)
    assert "the exam" not in run_kb("quiz", "zero", "--json", env=now(EXAM_DAY)).stdout
    ended = [run_kb("quiz", "zero", "--limit", "1", env=now(EXAM_DAY)) for _ in range(2)]
    assert [(one.stdout + one.stderr).count("the exam finals is today") for one in ended] == [1, 0]


def test_a_verdict_says_when_the_exam_asks_again(store: Store, run_kb: RunKb) -> None:
    from types import SimpleNamespace

    from kb.terminal.status import back

    store.append("exam", at(TODAY), data={**PLAN, "day": TODAY + 40, "floor": 0.97})
    learn(store, cards()[:1])
    event = store.record(cards()[0], 3, at(TODAY), answer="x")
    assert event.promise is not None and event.promise.due_day > TODAY + 40
    asked = store.ask_day(cards()[0], TODAY)
    assert asked is not None and TODAY + 1 < asked < TODAY + 40
    said = back(SimpleNamespace(event=event, ask_day=asked), at(TODAY), 4)  # type: ignore[arg-type]
    assert said == f"back in {asked - TODAY} days, for the exam"
    usual = back(SimpleNamespace(event=event, ask_day=None), at(TODAY), 4)  # type: ignore[arg-type]
    assert usual.startswith("back in ") and "exam" not in usual
    assert store.ask_day(cards()[0], TODAY + 40) is None

    told = run_kb("quiz", "zero", "--new", "0", "--plain", input=":show\n", env=now(asked)).stdout
    assert "Again" in told, "it is asked on that day"
    assert "finals on 2024-11-13, 95% wanted" in run_kb("log", env=now(asked)).stdout


def test_undo_and_drop_by_command(store: Store, run_kb: RunKb) -> None:
    assert run_kb("undo", "--exam", env=now(TODAY)).returncode == 1
    run_kb("exam", "2024-11-03", "zero", env=now(TODAY))
    assert as_json(run_kb("exam", "--drop", "zero", "--json", env=now(TODAY))) == {"dropped": "zero"}
    assert "the exam zero, dropped" in run_kb("undo", "--exam", env=now(TODAY)).stdout
    assert [one["name"] for one in as_json(run_kb("exam", "--json", env=now(TODAY)))] == ["zero"]
    assert run_kb("undo", "--exam", "--weights", env=now(TODAY)).returncode == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["2024-10-04", "zero"], "is today"),
        (["2024-10-01", "zero"], "is over: today is 2024-10-04"),
        (["2034-10-01", "zero"], "days ahead"),
        (["2024-13-01", "zero"], "is not a date; write it as year-month-day"),
        (["zero", "2024-12-01"], "the date stands first: kb exam 2024-12-01 zero"),
        (["2024-12-01", "zeor"], "did you mean zero"),
        (["2024-12-01"], "an exam needs a topic"),
        (["2024-12-01", "zero", "--recall", "1.2"], "must be from 0.5 to 0.99"),
        (["finals"], "no exam is called 'finals'"),
        (["--drop", "finals"], "no exam is called 'finals'"),
        (["2024-12-01", "zero", "--drop", "finals"], "--drop stands alone"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_planned_is_said_in_a_line(arguments: list[str], said: str, home: Path, run_kb: RunKb) -> None:
    result = run_kb("exam", *arguments, env=now(TODAY))
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr and result.stderr.count("\n") == 1
    assert not (home / "kb.db").exists()
