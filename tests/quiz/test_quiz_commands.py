"""due, next, learn, kb alone, and quiz line by line: what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NOW = "2026-11-23T10:00:00+01:00"


@pytest.fixture
def kb(run_kb: Any, content: Path, home: Path) -> Any:
    """``kb(*words, input=None, at=NOW)`` with the small content root."""

    def run(*words: str, input: str | None = None, at: str = NOW, **environment: str) -> Any:
        return run_kb(*words, input=input, env={"KB_PATH": str(content), "KB_NOW": at, **environment})

    return run


def answer_all(kb: Any, *topics: str, at: str = NOW) -> None:
    lines = "".join(f'{{"command": "reveal"}}\n{{"grade": {4}}}\n' for _ in range(40))
    assert kb("quiz", *topics, "--json", input=lines, at=at).returncode == 0


# --- due -----------------------------------------------------------------------------------------------------------


def test_due_counts_by_topic(kb: Any, home: Path) -> None:
    counts = json.loads(kb("due", "abacus", "beads", "--json").stdout)
    assert counts == {
        "due": 0,
        "learning": 0,
        "new": 7,
        "next_at": None,
        "topics": {"abacus": {"due": 0, "learning": 0, "new": 5}, "beads": {"due": 0, "learning": 0, "new": 2}},
    }
    assert not (home / "kb.db").exists(), "looking makes no database"


def test_due_follows_the_learning_steps(kb: Any) -> None:
    lines = '{"answer": ["round"]}\n{"command": "skip"}\n'
    assert kb("quiz", "beads/shape", "--json", input=lines).returncode == 0
    counts = json.loads(kb("due", "beads", "--json").stdout)
    assert (counts["due"], counts["learning"], counts["new"]) == (0, 1, 1)
    assert counts["next_at"] == "2026-11-23T10:10:00+01:00"
    later = json.loads(kb("due", "beads", "--json", at="2026-11-23T10:10:00+01:00").stdout)
    assert (later["due"], later["learning"], later["next_at"]) == (1, 1, None)
    assert "in 10 min" in kb("due", "beads").stdout


@pytest.mark.slow
def test_the_fast_lane_and_click_say_the_same(kb: Any) -> None:
    assert kb("due", "abacus", "--json").stdout == kb("due", "--json", "--", "abacus").stdout
    assert kb("due", "Abacus", "--json").stdout == kb("due", "abacus", "--json").stdout
    assert kb("due", "--help").returncode == 0


@pytest.mark.parametrize("words", [("due", "abakus"), ("quiz", "abakus"), ("next", "abakus"), ("learn", "abakus")])
def test_an_unknown_topic_is_one_line(kb: Any, words: tuple[str, ...]) -> None:
    result = kb(*words)
    assert result.returncode == 2 and result.stdout == ""
    assert (
        result.stderr.startswith("kb: ") and result.stderr.count("\n") == 1 and "did you mean abacus?" in result.stderr
    )


def test_a_clock_that_is_no_time_is_one_line(kb: Any) -> None:
    result = kb("due", at="yesterday")
    assert result.returncode == 2 and "KB_NOW" in result.stderr and "Traceback" not in result.stderr


def test_the_plain_commands_import_nothing_heavy(kb: Any) -> None:
    kb("due")  # makes the index
    for words in (("--version",), ("due",), ("due", "--json"), ("due", "abacus")):
        imported = kb(*words, PYTHONPROFILEIMPORTTIME="1").stderr
        names = {line.rpartition("|")[2].strip() for line in imported.splitlines()}
        heavy = {"click", "rich", "yaml", "msgspec", "pluggy", "torch", "numpy", "sqlite_utils", "importlib.metadata"}
        assert not names & heavy, (words, names & heavy)


# --- kb alone and next -----------------------------------------------------------------------------------------------


def test_kb_alone_welcomes_and_names_three_commands(kb: Any, home: Path) -> None:
    text = kb().stdout
    assert "Welcome" in text and text.count("\n  kb ") == 3
    assert not (home / "kb.db").exists()


def test_kb_alone_says_what_is_due(kb: Any) -> None:
    answer_all(kb, "beads")
    text = kb(at="2027-06-01T10:00:00+01:00").stdout
    assert text.startswith("2 due") and "kb quiz" in text and "beads 2" in text


def test_next_begins_with_what_is_due_and_says_why(kb: Any) -> None:
    answer_all(kb, "beads")
    found = json.loads(kb("next", "--json", at="2027-06-01T10:00:00+01:00").stdout)
    assert (found["kind"], found["command"]) == ("review", "kb quiz")
    assert "2 questions are due" in found["why"]
    assert all({"kind", "command", "why"} <= other.keys() for other in found["others"])


def test_next_topic_leads_through_what_it_rests_on(kb: Any) -> None:
    found = json.loads(kb("next", "beads", "--json").stdout)
    assert found["command"] == "kb learn abacus" and "rests on it" in found["why"]
    answer_all(kb, "abacus")
    found = json.loads(kb("next", "beads", "--json").stdout)
    assert found["command"] == "kb learn beads"


# --- line by line ------------------------------------------------------------------------------------------------


def test_a_sitting_over_pipes(kb: Any, home: Path) -> None:
    result = kb("quiz", "beads/shape", "beads/count", input="square\nround\n:hint\n5\n")
    text = result.stdout
    assert result.returncode == 0 and "\x1b" not in text
    assert "Beads are ____." in text and "Wrong." in text and "Answer: round" in text and "They roll." in text
    assert "Knuth 1997, §1" in text and "1 of 2 right" in text


def test_commands_with_a_colon(kb: Any) -> None:
    lines = ":help\n:dance\n:undo\n:show\n:1\n:undo\n5\n:4\n:quit\n"
    result = kb("quiz", "beads/count", "beads/shape", input=lines)
    text = result.stdout
    assert result.returncode == 0
    assert "lines that begin with a colon" in text and "no command :dance" in text and "nothing to undo" in text
    assert "Answer: 5" in text and "Taken back" in text and "Right." in text and "Easy" in text


def test_recall_is_graded_by_the_next_line(kb: Any) -> None:
    text = kb("quiz", "abacus/tell", input="a frame\nwell\n3\n").stdout
    assert "A frame with beads." in text and "Grade yourself" in text and "Graded." in text


CODE = """\
  - id: double
    kind: code
    claim: beads
    ask: Write `double(n)`.
    starter: |
      def double(n):
          ...
    reference: |
      def double(n):
          return 2 * n
    tests: |
      def cases(rng):
          for n in range(5):
              yield (n,)
    why: Twice.
"""


def test_a_program_ends_with_a_dot_or_comes_from_a_file(kb: Any, content: Path, tmp_path: Path) -> None:
    file = content / "topics" / "abacus.yaml"
    file.write_text(file.read_text() + CODE)
    text = kb("quiz", "abacus/double", input="def double(n):\n    return n + n\n.\n").stdout
    assert "Right." in text
    source = tmp_path / "double.py"
    source.write_text("def double(n):\n    return 3 * n\n")
    text = kb("quiz", "abacus/double", "--cram", "--file", str(source), input=":quit\n").stdout
    assert "Wrong." in text and "got" in text


@pytest.mark.parametrize("input", ["", "\n\n\n", "\0\n", ":\n", "x" * 2_000_000 + "\n"])
@pytest.mark.slow
def test_no_input_breaks_it(kb: Any, input: str) -> None:
    result = kb("quiz", "beads", input=input)
    assert result.returncode == 0 and "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [("--limit", "0"), ("--new", "-1"), ("--minutes", "0"), ("--limit", "x"), ("--seed", "-1"), ("--nope",)],
)
def test_wrong_usage_is_exit_2(kb: Any, words: tuple[str, ...]) -> None:
    result = kb("quiz", "beads", *words)
    assert result.returncode == 2 and result.stderr.startswith("kb: ") and result.stderr.count("\n") == 1


def test_an_answer_that_cannot_be_stored_is_told_and_fails(kb: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for words in ((), ("--json",)):
        line = '{"answer": 5}\n' if words else "5\n"
        result = kb("quiz", "beads/count", *words, input=line, KB_HOME=str(tmp_path / "file" / "home"))
        assert result.returncode == 1 and "NOT stored" in result.stdout and "Right" not in result.stdout


def test_nothing_to_ask_says_so(kb: Any) -> None:
    result = kb("quiz", "beads", "--new", "0")
    assert result.returncode == 0 and "Nothing was asked" in result.stdout


# --- learn ---------------------------------------------------------------------------------------------------------


def test_learn_prints_a_topic_off_a_terminal(kb: Any) -> None:
    text = kb("learn", "beads").stdout
    assert "Beads" in text and "It rests on abacus" in text and "kb learn abacus" in text


@pytest.mark.parametrize("names", [(), ("a",), ("self-attention", "b2"), ('odd "name"', "é\\")])
@pytest.mark.parametrize("next_at", [None, "2026-11-23T10:10:00+01:00"])
def test_the_json_of_due_is_what_json_would_write(names: tuple[str, ...], next_at: str | None) -> None:
    from kb.terminal.duelist import as_json

    topics = {name: {"due": 1, "learning": 20, "new": 300} for name in names}
    counts = {"due": 1, "learning": 2, "new": 3, "next_at": next_at, "topics": topics}
    assert as_json(counts) == json.dumps(counts, ensure_ascii=False)
