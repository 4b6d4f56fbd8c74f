"""``kb quiz --json`` as a process: the contract of the JSON Lines, whatever is sent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Driver:
    """A program at the other end of a sitting."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kb", "quiz", *arguments, "--json"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self.process.stdin and self.process.stdout
        self.stdin, self.stdout = self.process.stdin, self.process.stdout

    def read(self) -> dict[str, Any]:
        line = self.stdout.readline()
        assert line, f"the sitting ended: {self.process.stderr.read().decode() if self.process.stderr else ''}"
        event: dict[str, Any] = json.loads(line)
        return event

    def send(self, message: object) -> None:
        self.raw(json.dumps(message).encode() + b"\n")

    def raw(self, data: bytes) -> None:
        self.stdin.write(data)
        self.stdin.flush()

    def say(self, message: object) -> dict[str, Any]:
        self.send(message)
        return self.read()

    def command(self, command: str, **more: object) -> dict[str, Any]:
        return self.say({"command": command, **more})

    def end(self) -> dict[str, Any]:
        self.stdin.close()
        last: dict[str, Any] = {}
        for line in self.stdout:
            last = json.loads(line)
        assert self.process.wait(30) == 0
        return last


Drive = Callable[..., Driver]


@pytest.fixture
def drive(content: Path, home: Path) -> Iterator[Drive]:
    drivers: list[Driver] = []

    def start(*arguments: str) -> Driver:
        drivers.append(Driver(*arguments))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.process.kill()
        driver.process.wait()
        for pipe in (driver.process.stdin, driver.process.stdout, driver.process.stderr):
            with contextlib.suppress(BrokenPipeError):
                assert pipe is not None
                pipe.close()


def solution(event: dict[str, Any]) -> Any:
    """The right answer, from what a person would know."""
    name = event["question"].partition("/")[2]
    if name == "pick":
        return event["options"].index("right")
    if name == "line-up":
        return [event["items"].index(item) for item in ("one", "two", "three")]
    if name == "sum":
        return 2 * int(event["ask"].split()[2])
    return {"word": ["rods"], "tell": "a frame", "shape": ["round"], "count": "5"}[name]


def log(home: Path) -> list[tuple[str, str, int | None]]:
    with sqlite3.connect(home / "kb.db") as db:
        return db.execute("SELECT kind, question, grade FROM event ORDER BY id").fetchall()


def test_a_whole_sitting(drive: Drive, home: Path) -> None:
    driver = drive("abacus")
    kinds = []
    for number in range(5):
        event = driver.read()
        assert event["event"] == "question" and event["left"] == 5 - number
        assert isinstance(event["seed"], int)
        kinds.append(event["kind"])
        reply = driver.say({"answer": solution(event)})
        if event["kind"] == "recall":
            assert reply["event"] == "reveal" and reply["answer"] == "A frame with beads."
            reply = driver.say({"grade": 3})
        assert (reply["event"], reply["question"], reply["grade"]) == ("verdict", event["question"], 3)
        assert reply["correct"] is (None if event["kind"] == "recall" else True)
        assert reply["source"].startswith("knuth1997") and reply["why"] and reply["expected"] and reply["due"]
    end = driver.read()
    assert end["event"] == "end" and (end["asked"], end["right"]) == (5, 5) and end["seconds"] >= 0
    assert sorted(kinds) == ["choice", "cloze", "numeric", "order", "recall"]
    assert len(log(home)) == 5
    assert driver.process.wait(30) == 0


def test_a_wrong_answer_is_explained_and_comes_back(drive: Drive) -> None:
    driver = drive("abacus/pick")
    event = driver.read()
    reply = driver.say({"answer": event["options"].index("left")})
    assert reply["correct"] is False and reply["grade"] == 1 and reply["expected"] == "right"
    assert "the other hand" in reply["why"] and "Right is right." in reply["why"]
    again = driver.read()
    assert (again["question"], again["phase"]) == ("abacus/pick", "again")


NOT_UNDERSTOOD = [
    b"",
    b"nonsense",
    b"[1]",
    b'"x"',
    b"null",
    b"{}",
    b'{"answer": 99}',
    b'{"answer": "x"}',
    b'{"answer": null}',
    b'{"answer": 0, "command": "skip"}',
    b'{"command": "dance"}',
    b'{"command": ["skip"]}',
    b'{"command": "undo"}',
    b'{"command": "regrade", "grade": 3}',
    b'{"grade": 3}',
    b"\xff\xfe",
    b'{"answer": "\xff"}',
    b'{"answer": ' + b"[" * 100_000,
    b'{"answer": ' + b"9" * 6000 + b"}",
    b'{"answer": NaN}',
    b"\0",
    b'{"answer": "' + b"x" * 10_000_000 + b'"}',
]


def test_what_is_not_understood_leaves_the_question_open(drive: Drive, home: Path) -> None:
    driver = drive("abacus/pick")
    event = driver.read()
    for line in NOT_UNDERSTOOD:
        driver.raw(line + b"\n")
        error = driver.read()
        assert error["event"] == "error" and error["message"] and "\n" not in error["message"], line[:40]
    assert driver.say({"answer": solution(event)})["correct"] is True
    assert [kind for kind, *_ in log(home)] == ["answer"]


def test_hint_caps_the_grade(drive: Drive) -> None:
    driver = drive("abacus/pick")
    event = driver.read()
    assert event["hint"] is True
    assert driver.command("hint") == {"event": "hint", "hint": "It is not left."}
    assert driver.say({"answer": solution(event)})["grade"] == 2


def test_regrade_changes_the_answer_before(drive: Drive, home: Path) -> None:
    driver = drive("abacus")
    first = driver.read()
    while first["kind"] == "recall":
        first = driver.command("skip")
    driver.say({"answer": solution(first)})
    second = driver.read()
    reply = driver.command("regrade", grade=1)
    assert (reply["event"], reply["question"], reply["grade"]) == ("verdict", first["question"], 1)
    assert [kind for kind, *_ in log(home)] == ["answer", "undo", "answer"]
    reply = driver.say({"answer": solution(second)})
    assert reply["event"] in ("verdict", "reveal"), "the open question stayed open"


def test_undo_asks_again(drive: Drive, home: Path) -> None:
    driver = drive("abacus")
    first = driver.read()
    while first["kind"] == "recall":
        first = driver.command("skip")
    driver.say({"answer": solution(first)})
    second = driver.read()
    again = driver.command("undo")
    assert again["event"] == "question"
    assert {k: again[k] for k in ("question", "seed", "ask")} == {k: first[k] for k in ("question", "seed", "ask")}
    driver.say({"answer": solution(again)})
    assert driver.read()["question"] == second["question"]
    assert driver.end()["asked"] == 1


def test_undo_works_after_a_restart(drive: Drive) -> None:
    driver = drive("abacus/word")
    first = driver.read()
    driver.say({"answer": ["rods"]})
    driver.end()
    driver = drive("abacus")
    driver.read()
    again = driver.command("undo")
    assert (again["question"], again["seed"]) == (first["question"], first["seed"])


def test_skip_suspend_and_quit(drive: Drive, home: Path) -> None:
    driver = drive("abacus")
    first = driver.read()
    second = driver.command("skip")
    third = driver.command("suspend")
    assert len({first["question"], second["question"], third["question"]}) == 3
    end = driver.command("quit")
    assert (end["event"], end["asked"]) == ("end", 0)
    assert driver.process.wait(30) == 0
    assert log(home) == [("suspend", second["question"], None)]


@pytest.mark.parametrize("rest", [b"", b'{"answer": 0'])
def test_the_end_of_the_input_ends_the_sitting(drive: Drive, rest: bytes) -> None:
    driver = drive("abacus")
    driver.read()
    driver.raw(rest)
    end = driver.end()
    assert (end["event"], end["asked"]) == ("end", 0)


def test_nothing_to_ask_is_an_end_at_once(drive: Drive) -> None:
    driver = drive("abacus", "--new", "0")
    assert driver.read() == {"event": "end", "asked": 0, "right": 0, "seconds": pytest.approx(0, abs=60)}


def test_limit_and_seed(drive: Drive) -> None:
    def sitting() -> list[dict[str, Any]]:
        driver = drive("abacus", "--limit", "2", "--seed", "5", "--cram")
        events = []
        while (event := driver.read())["event"] != "end":
            events.append(event)
            if event["event"] == "question":
                driver.send({"command": "reveal"})
            elif event["event"] == "reveal":
                driver.send({"grade": 1})
        return [event for event in events if event["event"] == "question"]

    first, second = sitting(), sitting()
    assert len(first) == 2
    assert [event["question"] for event in first] == [event["question"] for event in second]
    assert [event["seed"] for event in first] == [event["seed"] for event in second]


def test_an_unknown_topic_is_one_line_and_exit_2(run_kb: Any, content: Path) -> None:
    result = run_kb("quiz", "abacuss", "--json", env={"KB_PATH": str(content)})
    assert result.returncode == 2
    assert result.stderr.startswith("kb: ") and result.stderr.count("\n") == 1 and "abacus" in result.stderr
    assert "did you mean" in json.loads(result.stdout)["error"]["cure"]


def test_the_quiz_of_a_broken_file_says_where_and_the_others_work(run_kb: Any, content: Path) -> None:
    (content / "topics" / "crooked.yaml").write_text("title: [")
    result = run_kb("quiz", "crooked", "--json", env={"KB_PATH": str(content)})
    assert result.returncode == 1 and "crooked.yaml:" in result.stderr and "Traceback" not in result.stderr
    result = run_kb("quiz", "beads", "--json", env={"KB_PATH": str(content)})
    assert json.loads(result.stdout.splitlines()[0])["event"] == "question"


@pytest.mark.parametrize("moment", range(6))
@pytest.mark.slow
def test_kill_9_loses_no_answer_whose_verdict_was_shown(drive: Drive, home: Path, moment: int) -> None:
    driver = drive("abacus", "--seed", str(moment))
    shown: list[str] = []
    for _ in range(moment):
        event = driver.read()
        if event["event"] == "end":
            break
        reply = driver.say({"answer": solution(event)})
        if reply["event"] == "reveal":
            reply = driver.say({"grade": 3})
        shown.append(reply["question"])
    if moment % 2:  # in the middle of an answer
        driver.send({"answer": 0})
    os.kill(driver.process.pid, signal.SIGKILL)
    driver.process.wait()
    stored = [name for kind, name, _ in log(home) if kind == "answer"] if (home / "kb.db").exists() else []
    assert [name for name in stored if name in shown] == shown
    assert len(stored) - len(shown) in (0, 1)
    assert drive("abacus").read()["event"] in ("question", "end"), "and the next sitting starts"
