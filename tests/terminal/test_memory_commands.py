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
