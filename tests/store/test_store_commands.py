"""The store's commands as they are typed: what they print, in JSON and for people, and how they fail."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kb.config import Settings
from kb.memory.days import Moment
from kb.store import events
from kb.store.store import Store

KbRunner = Callable[..., "subprocess.CompletedProcess[str]"]
NOW = {"KB_NOW": "2026-09-22T10:00:00+01:00"}


@pytest.fixture
def answered(home: Path, noon: Moment) -> Path:
    with Store.open(str(home), Settings(backups=False)) as store:
        for n, grade in enumerate([4, 3, 1, 4]):
            at = Moment(noon.at_ms + n * 60_000, 60)
            store.record(f"zero/{n % 2}", grade, at, answer=["x", n], seed=n, seconds=1.5, correct=grade > 1)
    return home


def printed(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def failed(done: subprocess.CompletedProcess[str], code: int, *parts: str) -> None:
    """One line on stderr, nothing on stdout, no traceback."""
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("kb: ") and done.stderr.count("\n") == 1
    for part in parts:
        assert part in done.stderr


def test_the_log_is_json_lines_of_the_documented_shape(answered: Path, run_kb: KbRunner) -> None:
    done = run_kb("log", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["answer"] for line in lines] == [["x", n] for n in range(4)]
    assert {"id", "event", "at", "device", "question", "grade", "answer", "seed", "seconds"} <= set(lines[0])
    assert lines[2]["grade"] == 1 and lines[2]["at"] == "2026-09-21T15:22:00.000+01:00"
    with Store.open(str(answered), Settings()) as store:
        assert [events.from_json(line) for line in lines] == list(store.events())


def test_the_log_for_people(answered: Path, run_kb: KbRunner) -> None:
    run_kb("undo", env=NOW)
    lines = run_kb("log").stdout.splitlines()
    assert len(lines) == 5
    assert "again" in lines[2] and "zero/0" in lines[2] and "1.5 s" in lines[2]
    assert "undone" in lines[3] and "undo " in lines[4]
    assert run_kb("log", "--last", "2").stdout.splitlines() == lines[-2:]
    assert run_kb("log", "zero/0").stdout.splitlines() == [lines[0], lines[2]]
    failed(run_kb("log", "zero/7"), 1, "nothing is logged of 'zero/7'")


@pytest.mark.slow
def test_another_device_s_log_is_merged(answered: Path, run_kb: KbRunner, tmp_path: Path) -> None:
    other = {"KB_HOME": str(tmp_path / "other")}
    (tmp_path / "log.jsonl").write_text(run_kb("log", "--json").stdout + "\n")
    assert printed(run_kb("log", "--merge", str(tmp_path / "log.jsonl"), "--json", env=other)) == {
        "events": 4,
        "new": 4,
    }
    assert run_kb("log", "--json", env=other).stdout == run_kb("log", "--json").stdout
    run_kb("undo", env={**other, **NOW})
    database = str(tmp_path / "other" / "kb.db")
    assert run_kb("log", "--merge", database).stdout == "5 events, 1 of them new\n"
    assert run_kb("log", "--json", env=other).stdout == run_kb("log", "--json").stdout
    before = (answered / "kb.db").read_bytes()
    failed(run_kb("log", "--merge", str(answered / "kb.db")), 2, "the database itself")
    failed(run_kb("log", "--merge", str(tmp_path / "none")), 2, "cannot be read")
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"id": 3}\n')
    failed(run_kb("log", "--merge", str(tmp_path / "log.jsonl")), 1, "log.jsonl:6", "not an event", "kb log --json")
    (tmp_path / "log.jsonl").write_bytes(b"\xff\xfe nonsense")
    failed(run_kb("log", "--merge", str(tmp_path / "log.jsonl")), 1, "log.jsonl:1", "not JSON")
    assert (answered / "kb.db").read_bytes() == before


def test_undo_takes_back_and_says_what(answered: Path, run_kb: KbRunner) -> None:
    done = run_kb("undo", "2", env=NOW)
    assert (
        done.stdout == "taken back: zero/1, answered 2026-09-21 15:23\ntaken back: zero/0, answered 2026-09-21 15:22\n"
    )
    taken = printed(run_kb("undo", "--json", env=NOW))
    assert [event["question"] for event in taken] == ["zero/1"]
    log = [json.loads(line) for line in run_kb("log", "--json").stdout.splitlines()]
    assert [line["event"] for line in log] == ["answer"] * 4 + ["undo"] * 3
    assert log[4]["undoes"] == log[3]["id"]
    more = run_kb("undo", "9", env=NOW)
    assert more.returncode == 0 and more.stderr == "there were no more than 1\n"
    failed(run_kb("undo", env=NOW), 1, "no answer to take back")
    failed(run_kb("undo", "0", env=NOW), 2, "undo --help")
    failed(run_kb("undo", "x", env=NOW), 2)


@pytest.mark.slow
def test_suspend_knows_the_questions(home: Path, run_kb: KbRunner) -> None:
    topics = home / "topics"
    topics.mkdir()
    (topics / "tea.yaml").write_text(
        "title: Tea\nsummary: About tea.\nsources:\n  s: {title: T, authors: A, year: 2000, url: 'https://example.org'}\n"
        "claims:\n  - {id: c, says: It is hot., verdict: added, source: s p. 1}\n"
        "questions:\n  - {id: hot, kind: recall, claim: c, ask: Is it hot?, answer: 'Yes', why: It was boiled.}\n"
    )
    assert printed(run_kb("suspend", "tea/hot", "--json")) == {"question": "tea/hot", "suspended": True}
    assert run_kb("suspend", "tea/hot").returncode == 0  # a second time changes nothing
    assert len(run_kb("log").stdout.splitlines()) == 1
    assert run_kb("suspend").stdout == "tea/hot\n"
    failed(run_kb("suspend", "tea/hit"), 2, "tea/hit", "did you mean tea/hot?")
    shutil.rmtree(topics)
    assert printed(run_kb("suspend", "tea/hot", "--off", "--json")) == {"question": "tea/hot", "suspended": False}
    assert printed(run_kb("suspend", "--json")) == []


@pytest.mark.slow
def test_doctor_says_ok_or_what_is_not(answered: Path, run_kb: KbRunner) -> None:
    found = printed(run_kb("doctor", "--json"))
    assert found["ok"] is True
    names = [check["name"] for check in found["checks"]]
    assert {"integrity", "log", "state", "rollups", "questions", "backups", "sandbox", "versions"} <= set(names)
    assert all(set(check) == {"name", "ok", "detail"} for check in found["checks"])
    dangling = next(check for check in found["checks"] if check["name"] == "questions")
    assert dangling["ok"] and "zero/0" in dangling["detail"]
    with sqlite3.connect(answered / "kb.db") as db:
        db.execute("UPDATE state SET reps = 99")
    db.close()
    wrong = run_kb("doctor", "--json")
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["ok"] is False
    people = run_kb("doctor")
    assert people.returncode == 1
    assert "✗ state" in people.stdout and "1 of 14 checks failed" in people.stdout
    assert run_kb("doctor", "--rebuild").returncode == 0


def test_backup_and_restore(answered: Path, run_kb: KbRunner, tmp_path: Path) -> None:
    target = tmp_path / "my.db"
    made = printed(run_kb("backup", str(target), "--json"))
    assert (made["path"], made["events"], made["questions"]) == (str(target), 4, 2)
    failed(run_kb("backup", str(target)), 2, "exists already")
    run_kb("undo", env=NOW)
    done = run_kb("restore", str(target), env=NOW)
    assert done.returncode == 0 and "4 events" in done.stdout
    kept = answered / "backups" / "replaced-20260922-100000.db"
    assert str(kept) in done.stdout and kept.exists()
    assert len(run_kb("log").stdout.splitlines()) == 4
    assert str(kept) in run_kb("backup", "--list").stdout
    assert printed(run_kb("backup", str(tmp_path), "--json", env=NOW))["path"] == str(
        tmp_path / "manual-20260922-100000.db"
    )
    (tmp_path / "bad.db").write_text("nonsense")
    failed(run_kb("restore", str(tmp_path / "bad.db")), 1, "this backup is damaged", "nothing was changed")
    failed(run_kb("restore", str(tmp_path / "none.db")), 2, "there is no file")


def test_config_shows_and_sets(home: Path, run_kb: KbRunner) -> None:
    assert printed(run_kb("config", "--json"))["new_per_day"] == 20
    assert not (home / "config.toml").exists()
    assert run_kb("config", "new_per_day", "7").stdout == "new_per_day = 7\n"
    assert run_kb("config", "new_per_day").stdout == "new_per_day = 7\n"
    assert printed(run_kb("config", "retention.zero", "0.95", "--json")) == {"retention.zero": 0.95}
    assert run_kb("config", "learning_steps", "1m 1h").stdout == 'learning_steps = ["1m", "1h"]\n'
    assert run_kb("config", "new_per_day", "--unset").stdout == "new_per_day = 20\n"
    shown = run_kb("config").stdout
    assert str(home / "config.toml") in shown and 'learning_steps = ["1m", "1h"]' in shown
    failed(run_kb("config", "new_per_dy", "3"), 2, "did you mean new_per_day?")
    failed(run_kb("config", "new_per_day", "many"), 2, "a whole number")
    failed(run_kb("config", "--unset"), 2, "--unset")
    failed(run_kb("config", "retention.svm"), 1, "not set")
    (home / "config.toml").write_text("fuzz = true\nnew_per_day = -1\n")
    failed(run_kb("config"), 1, f"{home / 'config.toml'}:2", "whole number", "kb config new_per_day")


def test_stats_for_scripts_and_people(answered: Path, run_kb: KbRunner) -> None:
    found = printed(run_kb("stats", "--json", env=NOW))
    assert found["day"] == "2026-09-22"
    assert found["answers"]["all"]["answers"] == 4
    assert found["retention"]["week"]["reviews"] == 1 and found["retention"]["week"]["rate"] == 0.0
    assert found["topics"]["zero"]["introduced"] == 2
    page = run_kb("stats", env=NOW).stdout
    assert "true retention" in page and "reviews to come" in page
    assert max(len(line) for line in page.splitlines()) <= 80
    empty = run_kb("stats", env={"KB_HOME": str(answered / "other")})
    assert (empty.returncode, empty.stdout) == (0, "nothing has been answered yet; begin with: kb quiz\n")
    failed(run_kb("stats", "zeroo"), 2, "zeroo")


READING = [
    ["log"],
    ["log", "--json"],
    ["doctor"],
    ["stats"],
    ["due"],
    ["due", "--json"],
    ["backup", "--list"],
    ["config"],
]


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
@pytest.mark.slow
def test_reading_commands_make_no_database(home: Path, run_kb: KbRunner, arguments: list[str]) -> None:
    done = run_kb(*arguments)
    assert done.returncode == 0
    assert [path.name for path in home.iterdir() if path.name != "cache"] == []


WRITING = [["undo"], ["backup"], ["quiz", "--json"]]


@pytest.mark.parametrize("damage", ["newer", "damaged"])
@pytest.mark.parametrize("arguments", [*READING[:6], *WRITING], ids=" ".join)
@pytest.mark.slow
def test_a_newer_or_damaged_database_is_refused_in_a_line(
    answered: Path, run_kb: KbRunner, arguments: list[str], damage: str
) -> None:
    path = answered / "kb.db"
    if damage == "newer":
        db = sqlite3.connect(path)
        db.execute("PRAGMA user_version = 99")
        db.close()
    else:
        path.write_bytes(path.read_bytes()[:5000])
    before = path.read_bytes()
    done = run_kb(*arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = done.stdout + done.stderr
    assert ("newer kb" if damage == "newer" else "damaged") in said and "nothing was changed" in said
    if arguments[0] != "doctor":
        assert done.stderr.startswith("kb: ") and done.stderr.count("\n") == 1
    if "--json" in arguments:
        assert json.loads(done.stdout.splitlines()[-1])["error"]["file"] == str(path)
    assert path.read_bytes() == before
    assert not list(answered.glob("kb.db-*"))
