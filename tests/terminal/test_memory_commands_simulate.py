"""Simulated courses: the same again by seed, in any order, from one's own questions, and never touching the log."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from kb.config import Settings
from kb.errors import UnknownName, UsageError
from kb.memory import fsrs, policies
from kb.memory.days import DAY_MS, HOUR_MS, Moment
from kb.memory.learners import Learner, draw_learner
from kb.memory.scheduler import Scheduler, State
from kb.memory.simulate import FIRST_DAY, Course, Policy, recall_days, shifted, simulate
from kb.memory.sm2 import Sm2
from kb.store.store import Store

RunKb = Callable[..., CompletedProcess[str]]
SMALL = ("--questions", "40", "--days", "50", "--new", "4")
TODAY = 20_000  # 2024-10-04
NOW = {"KB_NOW": "2024-10-04T12:00:00+00:00"}


def at(day: int) -> Moment:
    return Moment(day * DAY_MS + 12 * HOUR_MS, 0)


def as_json(result: CompletedProcess[str]) -> Any:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


# --- the pure part ---------------------------------------------------------------------------------------------------


def test_a_course_that_is_cut_in_two_goes_on_as_it_would_have() -> None:
    """The states at the end of one course, moved to the first day, are where the next one begins."""
    known: dict[str, State] = {}
    scheduler = Scheduler(fuzz=False)

    def hear(answer: Any, moment: Moment) -> None:
        known[answer.question] = scheduler.review(known.get(answer.question), answer.grade, moment, answer.question)

    learner = Learner(fsrs.DEFAULT_WEIGHTS, 3)
    first = simulate(learner, Policy("x", scheduler), Course(30, 40, 2), hear)
    states = [shifted(known[f"q/{n}"], -40) for n in range(30)]
    second = simulate(learner, Policy("x", scheduler), Course(0, 7, known=states))
    whole = simulate(learner, Policy("x", scheduler), Course(30, 41, 2))
    assert (first.introduced, second.introduced) == (30, 30)
    asked = sum(state.due_day <= FIRST_DAY for state in states)
    assert second.reviews >= asked > 0
    assert second.daily[0] >= asked
    assert whole.reviews - first.reviews == asked, "the same questions are asked on that day"


def test_a_state_that_is_moved_is_as_well_remembered_as_many_days_later() -> None:
    state = State("review", 0, 50.0, 5.0, 130 * DAY_MS, 130, 100 * DAY_MS, 100, 3, 0)
    moved = shifted(state, -7)
    assert (moved.due_day, moved.due_ms, moved.interval_days) == (123, 123 * DAY_MS, 30)
    assert (moved.last_day, moved.last_ms, moved.memory) == (93, 93 * DAY_MS, state.memory)
    assert Scheduler().retrievability(moved, at(113)) == Scheduler().retrievability(state, at(120))


def test_what_is_known_is_forgotten_if_it_is_not_asked() -> None:
    state = State("review", 0, 50.0, 5.0, 0, FIRST_DAY + 900, 0, FIRST_DAY - 10, 3, 0)
    found = simulate(Learner(fsrs.DEFAULT_WEIGHTS), Policy("x"), Course(0, 90, known=[state] * 4))
    assert found.reviews == 0
    assert found.recall == pytest.approx(4 * fsrs.retrievability(100, 50.0))
    expected = [4 * fsrs.retrievability(10 + day, 50.0) for day in recall_days(90)]
    assert found.weekly_recall == pytest.approx(expected)


def test_sm2_takes_over_the_interval_and_begins_with_its_first_ease() -> None:
    state = State("review", 0, 50.0, 5.0, 0, 130, 0, 100, 3, 0)
    assert Sm2().adopt(state)[2:4] == (30.0, 2.5)
    assert Scheduler().adopt(state) is state


def test_without_spread_everybody_is_alike_but_for_luck() -> None:
    odd = (3.0, 2.0, *fsrs.DEFAULT_WEIGHTS[2:])  # a fit may come out of order; it is taken as it is
    assert draw_learner(5, 0.0, odd) == Learner(odd, 5)
    double = tuple(2 * w for w in fsrs.DEFAULT_WEIGHTS[:4]) + fsrs.DEFAULT_WEIGHTS[4:]
    ratios = [one / other for one, other in zip(draw_learner(5, 0.1, double).weights, double, strict=True)]
    assert all(0.6 < ratio < 1.6 for ratio in ratios) and len(set(ratios)) > 15
    drawn = [draw_learner(5, 0.1, around).weights[0] for around in (double, fsrs.DEFAULT_WEIGHTS)]
    assert drawn[0] == pytest.approx(2 * drawn[1])
    assert draw_learner(5).weights == draw_learner(5, 0.3, fsrs.DEFAULT_WEIGHTS).weights != draw_learner(6).weights


def test_policies_come_in_the_order_that_was_asked_for_and_once() -> None:
    found = policies.named(["no-fuzz", "sm-2", "fsrs", "no-fuzz"], [0.9, 0.8])
    names = ["FSRS-6 at 0.9, no fuzz", "FSRS-6 at 0.8, no fuzz", "SM-2", "FSRS-6 at 0.9", "FSRS-6 at 0.8"]
    assert [policy.name for policy in found] == names
    assert [policy.balance for policy in found] == [False, False, False, True, True]
    with pytest.raises(UnknownName, match="no policy is called 'sm2'"):
        policies.named(["sm2"], [0.9])
    with pytest.raises(UsageError):
        policies.named(["fsrs"], [1.2])


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_order_the_same_rows(run_kb: RunKb, home: Path) -> None:
    first = run_kb("simulate", *SMALL, "--policy", "fsrs,sm-2", "--retention", "0.9,0.8", "--json")
    again = run_kb("simulate", *SMALL, "--policy", "fsrs", "--policy", "sm-2", "--retention", "0.9,0.8", "--json")
    assert first.stdout == again.stdout
    turned = as_json(run_kb("simulate", *SMALL, "--policy", "sm-2,fsrs", "--retention", "0.8,0.9", "--json"))
    found = as_json(first)
    assert {row["policy"]: row for row in found["policies"]} == {row["policy"]: row for row in turned["policies"]}
    assert [row["policy"] for row in turned["policies"]] == ["SM-2", "FSRS-6 at 0.8", "FSRS-6 at 0.9"]
    other = as_json(
        run_kb("simulate", *SMALL, "--policy", "fsrs,sm-2", "--retention", "0.9,0.8", "--seed", "1", "--json")
    )
    assert other["policies"] != found["policies"]
    assert not (home / "kb.db").exists()


def test_more_retention_costs_more_and_keeps_more(run_kb: RunKb) -> None:
    found = as_json(run_kb("simulate", "--questions", "150", "--days", "150", "--retention", "0.8,0.95", "--json"))
    low, high, _ = found["policies"]
    assert high["reviews"] > low["reviews"] and high["minutes"] > low["minutes"]
    assert high["retention"] > low["retention"] and high["recall"] > low["recall"]
    for row in found["policies"]:
        assert row["introduced"] == 150 and len(row["learners"]) == found["learners"] == 2
        for one in row["learners"]:
            assert sum(one["daily"]) == one["answers"] >= one["reviews"] and len(one["daily"]) == 150
        assert row["reviews"] == sum(one["reviews"] for one in row["learners"]) / 2


def test_a_limit_of_minutes_holds_on_every_day(run_kb: RunKb) -> None:
    free, held = (
        as_json(run_kb("simulate", *SMALL, "--policy", "fsrs", "--retention", "0.9", *limit, "--json"))["policies"][0]
        for limit in ((), ("--minutes", "1"))
    )
    assert held["introduced"] < free["introduced"]
    # the answer that is begun is given to its end, and so are its steps
    assert held["minutes"] <= 50 * 1 + 50 * 21 * 20 / 60 and held["minutes"] < free["minutes"]


@pytest.fixture
def log(home: Path) -> int:
    """A log with 30 questions; the number of its events."""
    with Store.open(str(home), Settings(backups=False)) as store:
        for day in (TODAY - 30, TODAY - 20):
            for n in range(30):
                store.record(f"french/{n}", 3 + n % 2, at(day), answer="x", seconds=5)
        store.append("params", at(TODAY - 1), data={"weights": [w * 1.1 for w in fsrs.DEFAULT_WEIGHTS]})
        return len(list(store.events()))


def test_ones_own_questions_go_on_and_nothing_of_them_changes(log: int, home: Path, run_kb: RunKb) -> None:
    def all_of_it() -> list[Any]:
        with Store.open(str(home), Settings()) as store:
            db = store._reader()
            tables = ("event", "state", "rollup", "load", "weights", "exam", "ask")
            return [db.execute(f"SELECT * FROM {table}").fetchall() for table in tables]

    before = all_of_it()
    found = as_json(run_kb("simulate", "--mine", "french", "--days", "60", "--json", env=NOW))
    assert (found["known"], found["questions"], found["weights"], found["spread"]) == (30, 0, "mine", 0)
    rows = {row["policy"]: row for row in found["policies"]}
    assert set(rows) == {"FSRS-6 at 0.8", "FSRS-6 at 0.9", "FSRS-6 at 0.95", "SM-2"}
    assert all(row["introduced"] == 30 and 0 < row["recall"] <= 30 for row in rows.values())
    assert abs(rows["FSRS-6 at 0.9"]["foreseen"] - rows["FSRS-6 at 0.9"]["retention"]) < 0.1, "it knows these weights"
    more = as_json(run_kb("simulate", "--mine", "french", "--questions", "10", "--days", "60", "--json", env=NOW))
    assert all(row["introduced"] == 40 for row in more["policies"])
    assert all_of_it() == before


def test_learners_are_drawn_around_the_weights_in_force(log: int, run_kb: RunKb) -> None:
    options = (*SMALL, "--policy", "fsrs", "--spread", "0", "--learners", "1", "--retention", "0.9", "--json")
    mine, published = (as_json(run_kb("simulate", *options, *more)) for more in (("--weights", "mine"), ()))
    assert mine["weights"] == "mine" and mine["policies"] != published["policies"]


@pytest.mark.slow
def test_the_screen_fits_and_the_pictures_are_written(run_kb: RunKb, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    shown = run_kb("simulate", *SMALL, "--minutes", "1", "--policy", "easy-days,fsrs", "--retention", "0.95")
    lines = shown.stdout.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "Answers a day, mean of each week" in shown.stdout and "met" in shown.stdout
    saved = run_kb("simulate", *SMALL, "--all", "--save", str(tmp_path / "png"))
    assert "Questions that would be recalled" in saved.stdout
    assert len(saved.stderr.split()) == 2
    assert all(Path(file).read_bytes().startswith(b"\x89PNG") for file in saved.stderr.split())
    short = run_kb("simulate", "--questions", "3", "--days", "1")
    assert short.returncode == 0, short.stderr
    assert max(map(len, short.stdout.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--policy", "sm2"], "no policy is called 'sm2'; did you mean sm-2"),
        (["--retention", "0.3"], "from 0.5 to 0.99"),
        (["--retention", "high"], "no list of numbers"),
        (["--questions", "0"], "--questions takes a number above 0"),
        (["zero"], "kb simulate --mine zero"),
        (["--mine"], "nothing has been answered yet"),
        (["--mine", "zeor"], "did you mean zero"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_simulated_is_said_in_a_line(arguments: list[str], said: str, run_kb: RunKb) -> None:
    result = run_kb("simulate", *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    assert said in result.stderr and result.stderr.count("\n") == 1
