"""The commands that learn from a log: taking one in, fitting the weights, looking ahead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from kb.memory.days import Moment
from kb.memory.history import Answer
from kb.memory.learners import draw_learner
from kb.memory.simulate import Course, Policy, simulate

RunKb = Callable[..., CompletedProcess[str]]
NOW = {"KB_NOW": "2025-06-01T12:00:00+00:00"}
HEADER = "card_id,review_rating,review_time,review_duration\n"


def write_log(path: Path, questions: int, days: int) -> int:
    """A log of a simulated learner, as CSV; the number of its answers."""
    rows: list[str] = []

    def listener(answer: Answer, moment: Moment) -> None:
        rows.append(f"{answer.question.replace('/', '-')},{answer.grade},{moment.at_ms},9000\n")

    simulate(draw_learner(4, spread=0.5), Policy("usual"), Course(questions=questions, days=days), listener)
    path.write_text(HEADER + "".join(rows))
    return len(rows)


def as_json(result: CompletedProcess[str]) -> Any:
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def log(tmp_path: Path) -> tuple[Path, int]:
    path = tmp_path / "log.csv"
    return path, write_log(path, questions=60, days=60)


def test_a_log_is_taken_in_once(log: tuple[Path, int], home: Path, run_kb: RunKb) -> None:
    path, count = log
    first = as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))
    assert first == {"topic": "french", "answers": count, "questions": 60, "new": count}
    assert as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))["new"] == 0
    checks = as_json(run_kb("doctor", "--json", env=NOW))["checks"]
    assert all(check["ok"] for check in checks if check["name"] in ("log", "state", "rollups", "load"))


def test_a_log_that_has_grown_adds_what_is_new(tmp_path: Path, run_kb: RunKb) -> None:
    path = tmp_path / "log.csv"
    rows = ["7,1,2025-01-01T10:00:00+02:00,5000\n", "7,3,2025-01-01T10:10:00+02:00,5000\n", "7,3,2025-01-05T01:00Z,\n"]
    path.write_text(HEADER + "".join(rows[:2]))
    assert as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))["new"] == 2
    path.write_text(HEADER + "".join(rows))
    assert as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))["new"] == 1
    lines = [json.loads(line) for line in run_kb("log", "--json", env=NOW).stdout.splitlines()]
    assert [(line["question"], line["grade"], line["at"]) for line in lines] == [
        ("french/7", 1, "2025-01-01T10:00:00.000+02:00"),
        ("french/7", 3, "2025-01-01T10:10:00.000+02:00"),
        ("french/7", 3, "2025-01-05T01:00:00.000+00:00"),
    ]


def test_twins_in_a_log_are_two_answers(tmp_path: Path, run_kb: RunKb) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "7,3,1735725600000,5000\n" * 2)
    assert as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))["new"] == 2
    assert as_json(run_kb("import", str(path), "--topic", "french", "--json", env=NOW))["new"] == 0


def test_the_zone_says_which_day_an_answer_is_of(tmp_path: Path, run_kb: RunKb) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "7,3,2025-01-01T03:30:00+00:00,5000\n8,3,2025-07-01T02:30:00+00:00,5000\n")
    summer = {"KB_NOW": "2025-08-01T12:00:00+00:00"}
    run_kb("import", str(path), "--topic", "french", "--zone", "Europe/Berlin", env=summer)
    lines = [json.loads(line) for line in run_kb("log", "--json", env=summer).stdout.splitlines()]
    assert [line["at"] for line in lines] == ["2025-01-01T04:30:00.000+01:00", "2025-07-01T04:30:00.000+02:00"]
    assert [line["day"] for line in lines] == [20089, 20270]  # both after four in the morning there


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("7,5,0,1", "review_rating must be 1 (Again), 2 (Hard), 3 (Good) or 4 (Easy), not '5'"),
        ("7,3,2025-01-01T10:00:00,1", "review_time must be a time with its offset"),
        ("7,3,2099-01-01T10:00:00Z,1", "is in the future"),
        ("7,3,0,-1", "review_duration must be milliseconds"),
        ("a/b,3,0,1", "card_id must be a name without slash"),
        ("7,3", "has 2 fields, too few"),
    ],
)
def test_a_row_that_is_wrong_is_named(row: str, said: str, tmp_path: Path, home: Path, run_kb: RunKb) -> None:
    path = tmp_path / "log.csv"
    path.write_text(HEADER + "7,3,0,1\n" + row + "\n")
    result = run_kb("import", str(path), "--topic", "french", env=NOW)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"{path}:3: " in result.stderr and said in result.stderr and result.stderr.count("\n") == 1
    assert not (home / "kb.db").exists()


def test_a_file_or_topic_that_will_not_do_is_refused(log: tuple[Path, int], tmp_path: Path, run_kb: RunKb) -> None:
    path, _ = log
    assert run_kb("import", str(tmp_path / "none.csv"), "--topic", "french", env=NOW).returncode == 2
    assert run_kb("import", str(path), "--topic", "Not a name", env=NOW).returncode == 2
    assert run_kb("import", str(path), "--topic", "transformers", env=NOW).returncode == 2
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert "has no column card_id" in run_kb("import", str(tmp_path / "other.csv"), "--topic", "x", env=NOW).stderr


@pytest.fixture
def learned(tmp_path: Path, run_kb: RunKb) -> int:
    """A log of a learner whose memory is not the average one has been taken in; the number of its answers."""
    pytest.importorskip("fsrs_rs_python")
    path = tmp_path / "learner.csv"
    count = write_log(path, questions=150, days=120)
    assert run_kb("import", str(path), "--topic", "french", env=NOW).returncode == 0
    return count


def params(run_kb: RunKb) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in run_kb("log", "--last", "3", "--json", env=NOW).stdout.splitlines()]
    return [line for line in lines if line["event"] in ("params", "undo")]


@pytest.mark.slow
def test_weights_are_fitted_taken_and_taken_back(learned: int, run_kb: RunKb) -> None:
    dry = as_json(run_kb("optimize", "--dry-run", "--json", env=NOW))
    assert dry["better"] and not dry["applied"] and dry["answers"] == learned
    assert dry["scores"]["fitted"]["log_loss"] < dry["scores"]["current"]["log_loss"]
    assert set(dry["scores"]) == {"constant", "defaults", "current", "fitted"}
    assert len(dry["load"]["before"]["reviews"]) == len(dry["load"]["after"]["reviews"]) == 30
    assert not as_json(run_kb("optimize", "--json", env=NOW))["applied"], "nobody said yes"
    assert params(run_kb) == []

    taken = as_json(run_kb("optimize", "--yes", "--json", env=NOW))
    assert taken["applied"] and taken["weights"] == dry["weights"]
    assert params(run_kb)[-1]["data"]["weights"] == taken["weights"]
    again = as_json(run_kb("optimize", "--dry-run", "--json", env=NOW))
    assert again["current"] == taken["weights"]
    assert not again["better"] and again["held_out"] == 0, "all that there is has been learned from"

    assert run_kb("undo", "--weights", env=NOW).returncode == 0
    assert as_json(run_kb("optimize", "--dry-run", "--json", env=NOW))["current"] == dry["current"]
    assert run_kb("undo", "--weights", env=NOW).returncode == 1
    assert all(check["ok"] for check in as_json(run_kb("doctor", "--json", env=NOW))["checks"])


@pytest.mark.slow
def test_weights_of_a_topic_are_its_own(learned: int, run_kb: RunKb) -> None:
    assert as_json(run_kb("optimize", "--topic", "french", "--yes", "--json", env=NOW))["topics"] == ["french"]
    assert params(run_kb)[-1]["data"]["topic"] == "french"
    assert as_json(run_kb("optimize", "--dry-run", "--json", env=NOW))["topics"] is None


def test_the_weights_stay_where_there_is_little_to_learn_from(log: tuple[Path, int], home: Path, run_kb: RunKb) -> None:
    nothing = as_json(run_kb("optimize", "--yes", "--json", env=NOW))
    assert (nothing["applied"], nothing["better"], nothing["answers"]) == (False, False, 0)
    assert not (home / "kb.db").exists()
    assert run_kb("optimize", "--topic", "nonsense", env=NOW).returncode == 2


def test_the_weights_are_fitted_after_the_sitting_that_completes_so_many_answers() -> None:
    from kb.quiz.retune import is_time

    assert [total for total in range(1000, 3000, 50) if is_time(total, 50, 1000)] == [1000, 2000]
    assert is_time(2010, 30, 1000) and not is_time(2010, 10, 1000)
    assert not is_time(50, 50, 10), "too few to learn anything from"
    assert not is_time(5000, 5000, 0)


@pytest.mark.slow
def test_a_sitting_fits_the_weights_if_the_settings_say_so(learned: int, home: Path, run_kb: RunKb) -> None:
    (home / "config.toml").write_text("optimize_every = 1\n")
    result = run_kb("quiz", "transformers", "--limit", "1", input=":show\n" * 3, env=NOW)
    assert "kb: new weights: log loss" in result.stderr
    assert params(run_kb)[-1]["event"] == "params"
