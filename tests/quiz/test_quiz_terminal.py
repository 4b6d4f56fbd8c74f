"""A sitting in a pseudo-terminal: every key, and whatever happens to the terminal."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest

LEAVE = "\x1b[?1049l"
DEMO = """
from kb import Demo, Param, hookimpl


@hookimpl
def register_demos(register):
    register(Demo("rattle", run="rattle:main", topic="abacus", summary="Rattles.", params=(Param("beads", 3),)))
"""
RATTLE = """
def main(report, beads):
    report.metric("rattles", 2 * beads)
    report.check("rattled", 1, expected=1)
"""
PROGRAM = """\
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
    hint: Once more than once.
    why: Twice.
"""


class Terminal:
    """Someone at a terminal of 80 by 24 (or another size)."""

    def __init__(self, *arguments: str, columns: int = 80, rows: int = 24, **environment: str) -> None:
        self.child = pexpect.spawn(
            sys.executable,
            ["-m", "kb", "quiz", *arguments],
            env={**os.environ, "TERM": "xterm", **environment},
            dimensions=(rows, columns),
            encoding="utf-8",
            timeout=60,
        )
        self.screen = ""

    def see(self, *texts: str) -> None:
        """Wait until each of ``texts`` is drawn, in this order."""
        self.screen = ""
        for text in texts:
            self.child.expect_exact(text)
            self.screen += self.child.before + text

    def press(self, keys: str, *texts: str) -> None:
        self.child.send(keys)
        self.see(*texts)

    def end(self, code: int = 0) -> str:
        """Wait for the end and return what was still written, without colours."""
        self.child.expect(pexpect.EOF)
        rest: str = self.child.before
        self.child.close()
        assert (self.child.exitstatus, self.child.signalstatus) == (code, None)
        return re.sub(r"\x1b\[[0-9;]*m", "", rest)


Sit = Callable[..., Terminal]


@pytest.fixture
def sit(content: Path, home: Path) -> Iterator[Sit]:
    """``sit(*arguments, columns=80, rows=24, **environment)`` begins ``kb quiz`` in a terminal."""
    folder = content / "plugins" / "abacus"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(DEMO)
    (folder / "rattle.py").write_text(RATTLE)
    file = content / "topics" / "abacus.yaml"
    file.write_text(file.read_text() + PROGRAM + "demos: [rattle]\n")
    terminals: list[Terminal] = []

    def start(*arguments: str, **more: object) -> Terminal:
        terminals.append(Terminal(*arguments, **more))  # type: ignore[arg-type]
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.child.close(force=True)


def editor(tmp_path: Path, *scripts: str) -> str:
    """An editor that runs the Python ``scripts`` on the file's ``text``, one at each call, and notes its arguments."""
    calls = tmp_path / "calls"
    path = tmp_path / "editor.py"
    path.write_text(
        "import pathlib, sys\n"
        f"calls = pathlib.Path({str(calls)!r})\n"
        "count = len(calls.read_text().splitlines()) if calls.exists() else 0\n"
        "with calls.open('a') as f: f.write(' '.join(sys.argv[1:]) + '\\n')\n"
        "file = pathlib.Path(sys.argv[-1]); text = file.read_text()\n"
        f"exec({list(scripts)!r}[min(count, {len(scripts) - 1})])\n"
        "file.write_text(text)\n"
    )
    return f"{sys.executable} {path}"


def log(home: Path) -> list[tuple[str, str, int | None]]:
    with sqlite3.connect(home / "kb.db") as db:
        return db.execute("SELECT kind, question, grade FROM event ORDER BY id").fetchall()


def number_of(terminal: Terminal, option: str) -> str:
    """The key of an option on the screen that was just drawn."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.screen)
    found = re.search(rf"(\d)  {option}", plain)
    assert found is not None, plain
    return found[1]


# --- answering ---------------------------------------------------------------------------------------------------


def test_a_digit_chooses_and_space_goes_on(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.press(number_of(terminal, "right"), "✓ Right", "Right is right.", "Knuth 1997, §4.1")
    assert log(home) == [("answer", "abacus/pick", 3)], "stored before it was shown"
    terminal.press(" ", LEAVE)
    assert "1 of 1 right" in terminal.end()


def test_a_wrong_choice_is_explained(sit: Sit) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.press(number_of(terminal, "left"), "✗ Wrong", "That is the other hand.")
    terminal.press("q", LEAVE)
    rest = terminal.end()
    assert "Missed" in rest and "Knuth 1997, §4.1" in rest and "kb demo rattle" in rest


def test_arrows_and_enter_choose_too(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    place = int(number_of(terminal, "right"))
    terminal.press("\x1b[B" * place + "\r", "✓ Right")


def test_typed_words_with_the_line_editing_of_a_shell(sit: Sit) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press("xbeams\x17")  # typed and rubbed out by Ctrl-W
    terminal.press("ods\x01r\x05", "rods")
    terminal.press("\r", "✓ Right", "They slide on rods.")


def test_a_number_is_computed(sit: Sit) -> None:
    terminal = sit("abacus/sum")
    terminal.see("What is", "›")
    count = int(re.search(r"What is (\d)", terminal.screen)[1])  # type: ignore[index]
    terminal.press(f"2*{count}\r", "✓ Right")


def test_what_is_no_number_leaves_the_question_open(sit: Sit) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("five apples(\r")
    terminal.press("\x15" + "5\r", "✓ Right")


def test_items_are_put_in_order(sit: Sit) -> None:
    terminal = sit("abacus/line-up", NO_COLOR="1")
    terminal.see("In order?", "0 min")
    keys = [number_of(terminal, f"    {item}") for item in ("one", "two", "three")]
    terminal.press(keys[0], f"Order  {keys[0]}")
    terminal.press("\x7f", "Order  …")
    terminal.press("".join(keys[:2]), "Enter answers")
    terminal.press("\r", "✓ Right")


def test_space_reveals_and_the_learner_grades(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/tell")
    terminal.see("What is an abacus?")
    terminal.press(" ", "A frame with beads.", "again", "easy")
    assert not (home / "kb.db").exists() or log(home) == []
    terminal.press("4", LEAVE)
    assert log(home) == [("answer", "abacus/tell", 4)]


def test_space_in_an_empty_field_gives_up(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press(" ", "rods", "✗ Wrong")
    assert log(home) == [("answer", "abacus/word", 1)]


# --- the other keys ----------------------------------------------------------------------------------------------


def test_a_grade_can_be_changed_before_going_on(sit: Sit, home: Path) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("5\r", "✓ Right")
    terminal.press("2", LEAVE)
    assert log(home) == [("answer", "beads/count", 3), ("undo", "beads/count", None), ("answer", "beads/count", 2)]


def test_u_takes_the_answer_back_and_asks_again(sit: Sit, home: Path) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("4\r", "✗ Wrong")
    terminal.press("u", "taken back")
    terminal.press("5\r", "✓ Right")
    terminal.press("q", "1 of 1 right")
    assert [kind for kind, *_ in log(home)] == ["answer", "undo", "answer"]


def test_u_works_after_a_restart(sit: Sit) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("4\r", "✗ Wrong")
    terminal.press("q", LEAVE)
    terminal.end()
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.press("u", "2 + 3?", "taken back")
    terminal.press("5\r", "✓ Right")
    terminal.press(" ", "Which is")


def test_h_gives_the_hint_and_caps_the_grade(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    key = number_of(terminal, "right")
    terminal.press("h", "Hint", "It is not left.")
    terminal.press(key, "Hard")
    assert log(home) == [("answer", "abacus/pick", 2)]


def test_esc_comes_before_commands_while_typing(sit: Sit) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press("h", "h")
    terminal.press("\x1b", "h hint")
    terminal.press("h", "this question has no hint")
    terminal.press("\x1bq", LEAVE)


def test_an_empty_number_field_takes_commands_at_once(sit: Sit) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("h", "this question has no hint")
    terminal.press("u", "there is nothing to undo")
    terminal.press("q", LEAVE)


def test_s_buries_and_capital_s_suspends(sit: Sit, home: Path) -> None:
    terminal = sit("beads/shape", "beads/count")
    terminal.see("Beads are", "›")
    terminal.press("\x1b", "h hint")
    terminal.press("s", "2 + 3?", "rests until tomorrow")
    terminal.press("\x1b", "h hint")
    terminal.press("S", LEAVE)
    assert log(home) == [("bury", "beads/shape", None), ("suspend", "beads/count", None)]


def test_question_mark_shows_the_keys_and_any_key_goes_back(sit: Sit) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.press("?", "undo the last answer", "any key")
    terminal.press("x", "Which is")


def test_r_runs_the_demo_and_comes_back(sit: Sit) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press("rods\r", "✓ Right")
    terminal.press("r", LEAVE, "kb demo rattle", "rattles", "Press a key")
    terminal.press("x", "\x1b[?1049h", "✓ Right")
    terminal.press("q", "1 of 1 right")


@pytest.mark.slow
def test_a_demo_is_said_to_show_only_what_it_proves(sit: Sit, content: Path) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press("rods\r", "✓ Right", "kb demo rattle is a demo of this topic")
    terminal.press("q", "1 of 1 right")
    file = content / "topics" / "abacus.yaml"
    file.write_text(file.read_text().replace("knuth1997 §4.1}", "knuth1997 §4.1, proof: rattle/rattled}"))
    terminal = sit("abacus/word", "--cram")
    terminal.see("Beads sit on", "›")
    terminal.press("rods\r", "✓ Right", "kb demo rattle shows it")


def test_e_opens_the_card_at_its_line_and_keeps_the_progress(
    sit: Sit, tmp_path: Path, home: Path, content: Path
) -> None:
    script = "text = text.replace('Beads sit on', 'All beads sit on')"
    terminal = sit("abacus/word", VISUAL=editor(tmp_path, script))
    terminal.see("Beads sit on", "›")
    terminal.press("rods\r", "✓ Right")
    terminal.press("e", "the progress is kept")
    line, file = (tmp_path / "calls").read_text().split()
    assert file == str(content / "topics" / "abacus.yaml")
    rows = Path(file).read_text().splitlines()
    assert "id: word" in rows[int(line.removeprefix("+")) - 1]
    assert log(home) == [("answer", "abacus/word", 3)]


def test_an_open_question_is_asked_again_as_it_now_stands(sit: Sit, tmp_path: Path) -> None:
    script = "text = text.replace('Beads sit on', 'All beads sit on')"
    terminal = sit("abacus/word", EDITOR=editor(tmp_path, script))
    terminal.see("Beads sit on", "›")
    terminal.press("\x1b", "h hint")
    terminal.press("e", "All beads sit on", "the progress is kept")


@pytest.mark.parametrize(("key", "kinds"), [("s", ["answer"]), ("n", ["answer", "reset"])])
@pytest.mark.slow
def test_a_changed_answer_asks_once_whether_it_is_the_same_question(
    sit: Sit, tmp_path: Path, home: Path, key: str, kinds: list[str]
) -> None:
    terminal = sit("beads/count", EDITOR=editor(tmp_path, "text = text.replace('answer: 5', 'answer: 6')"))
    terminal.see("2 + 3?", "›")
    terminal.press("5\r", "✓ Right")
    terminal.press("e", "Same question, or a new one?")
    terminal.press(key, "the card is changed")
    assert [kind for kind, *_ in log(home)] == kinds


@pytest.mark.slow
def test_a_file_that_was_edited_into_a_fault_is_offered_again(sit: Sit, tmp_path: Path) -> None:
    scripts = ["text = text.replace('ask: \"2 + 3?\"', 'asc: \"2 + 3?\"')", "text = text.replace('asc:', 'ask:')"]
    terminal = sit("beads/count", EDITOR=editor(tmp_path, *scripts))
    terminal.see("2 + 3?", "›")
    terminal.press("5\r", "✓ Right")
    terminal.press("e", "beads.yaml:", "edit again")
    terminal.press("e", "the progress is kept")


def test_without_an_editor_the_place_of_the_card_is_told(sit: Sit) -> None:
    terminal = sit("beads/count")
    terminal.see("2 + 3?", "›")
    terminal.press("\x1b", "h hint")
    terminal.press("e", "the card is", "$EDITOR")
    drawn = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\s", "", terminal.screen)  # a long path is broken over lines anywhere
    assert re.search(r"beads\.yaml:\d+;", drawn)


# --- code --------------------------------------------------------------------------------------------------------


def test_a_program_is_written_in_the_editor_and_graded(sit: Sit, tmp_path: Path, home: Path) -> None:
    scripts = ["text = text.replace('...', 'return 3 * n')", "text = text.replace('3 *', '2 *')"]
    terminal = sit("abacus/double", EDITOR=editor(tmp_path, *scripts))
    terminal.see("Write", "def double(n):")
    terminal.press("e", "Not yet", "expected", "got")
    assert not (home / "kb.db").exists() or log(home) == []
    terminal.press("h", "Hint", "Once more than once")
    terminal.press("e", "✓ Right", "Hard")
    assert log(home) == [("answer", "abacus/double", 2)]


def test_giving_a_program_up_shows_a_solution(sit: Sit, home: Path) -> None:
    terminal = sit("abacus/double")
    terminal.see("Write", "def double(n):")
    terminal.press(" ", "return 2 * n", "✗ Wrong")
    assert log(home) == [("answer", "abacus/double", 1)]


def test_without_an_editor_a_program_is_typed_up_to_a_dot(sit: Sit) -> None:
    terminal = sit("abacus/double")
    terminal.see("Write", "def double(n):")
    terminal.press("e", "single dot ends it")
    terminal.press("def double(n):\n    return n + n\n.\n", "✓ Right")


# --- the terminal ------------------------------------------------------------------------------------------------


def test_a_resized_window_is_drawn_anew(sit: Sit) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.child.setwinsize(20, 44)
    terminal.see("Which is", "✓")
    rows = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", terminal.screen).split("\r\r\n")
    assert len(rows) > 10 and all(len(row) <= 44 for row in rows)


@pytest.mark.parametrize(("columns", "rows"), [(40, 24), (80, 24), (40, 8), (200, 50), (20, 4)])
@pytest.mark.slow
def test_every_size_works(sit: Sit, columns: int, rows: int) -> None:
    terminal = sit("beads/count", columns=columns, rows=rows)
    terminal.see("2 + 3?")
    terminal.press("5\r", "Right")
    terminal.press("q", LEAVE)
    terminal.end()


def test_no_color_writes_no_colours(sit: Sit) -> None:
    terminal = sit("abacus/word", NO_COLOR="1")
    terminal.see("Beads sit on", "›")
    terminal.press("beams\r", "Wrong")
    terminal.press("q", LEAVE)
    terminal.child.expect(pexpect.EOF)
    whole = terminal.screen + terminal.child.before
    assert not re.search(r"\x1b\[[0-9;]*[1-9][0-9;]*m", whole)


def attributes(terminal: Terminal) -> list[object]:
    return termios.tcgetattr(terminal.child.child_fd)


def test_ctrl_c_ends_with_130_and_gives_the_terminal_back(sit: Sit) -> None:
    terminal = sit("abacus/pick")
    before = attributes(terminal)
    terminal.see("Which is", "0 min")
    assert attributes(terminal) != before
    terminal.press("\x03", LEAVE)
    after = attributes(terminal)
    terminal.end(130)
    assert after == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.slow
def test_a_signal_gives_the_terminal_back(sit: Sit, number: int) -> None:
    terminal = sit("abacus/pick")
    before = attributes(terminal)
    terminal.see("Which is", "0 min")
    terminal.child.kill(number)
    terminal.see(LEAVE)
    after = attributes(terminal)
    terminal.child.expect(pexpect.EOF)
    terminal.child.close()
    assert terminal.child.signalstatus == number
    assert after == before


def test_kill_9_keeps_what_was_shown(sit: Sit, home: Path) -> None:
    terminal = sit("beads/count", "abacus/pick")
    terminal.see("2 + 3?", "›")
    terminal.press("5\r", "✓ Right")
    terminal.child.kill(signal.SIGKILL)
    terminal.child.expect(pexpect.EOF)
    assert log(home) == [("answer", "beads/count", 3)]


def test_ctrl_z_and_back(sit: Sit) -> None:
    terminal = sit("abacus/pick")
    terminal.see("Which is", "0 min")
    terminal.child.send("\x1a")
    terminal.see(LEAVE)
    terminal.child.kill(signal.SIGCONT)
    terminal.see("\x1b[?1049h", "Which is")
    terminal.press("q", LEAVE)


def test_a_dumb_terminal_gets_lines(sit: Sit) -> None:
    terminal = sit("beads/count", TERM="dumb")
    terminal.see("2 + 3?", "> ")
    terminal.press("5\n", "Right.")
    assert "\x1b" not in terminal.screen + terminal.end()


def test_control_characters_in_an_answer_are_not_obeyed(sit: Sit) -> None:
    terminal = sit("abacus/word")
    terminal.see("Beads sit on", "›")
    terminal.press("\x1b[200~ro\x1b]0;x\x07\x1b[201~\r", "✗ Wrong")
    assert "\x1b]0;" not in terminal.screen and "\x07" not in terminal.screen


# --- learning and other kinds --------------------------------------------------------------------------------------


def test_learn_reads_asks_and_offers_the_demo(content: Path, sit: Sit) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "kb", "learn", "abacus"],
        env={**os.environ, "TERM": "xterm"},
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=60,
    )
    try:
        child.expect_exact("Beads count.")
        child.expect_exact("answer 6 questions")
        child.send(" ")
        child.expect_exact("\x1b[?1049h")
        child.expect_exact("keys")
        child.send("\x1bq")
        child.expect_exact(LEAVE)
        child.expect_exact("run rattle now")
        child.send("r")
        child.expect_exact("rattles")
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)
    assert child.exitstatus == 0


KIND = """
import msgspec
from kb import Question, Verdict, hookimpl


class Shout(Question):
    kind = "shout"
    how = "shout it"

    class Fields(msgspec.Struct, forbid_unknown_fields=True):
        answer: str

    def ask(self, seed):
        return self.prepare(seed)

    def parse(self, line, ask):
        return line.strip()

    def grade(self, answer, ask, laboratory):
        if answer == "burst":
            raise RuntimeError("burst")
        return Verdict(correct=answer == self.fields.answer.upper(), expected=self.expected(ask))

    def expected(self, ask):
        return self.fields.answer.upper()


@hookimpl
def register_question_kinds(register):
    register(Shout)
"""
SHOUTS = """\
title: Shouting
summary: Loud.
sources:
  s: {title: T, authors: A, year: 2020, url: "https://example.org"}
claims:
  - {id: c, says: s., verdict: added, source: s}
questions:
  - {id: one, kind: shout, claim: c, ask: "Say hey.", answer: hey, why: Loud.}
  - {id: two, kind: shout, claim: c, ask: "Say ho.", answer: ho, why: Loud.}
"""


def test_a_kind_of_a_plugin_is_quizzed_on_a_terminal_and_in_json(content: Path, sit: Sit, run_kb: object) -> None:
    folder = content / "plugins" / "shouting"
    folder.mkdir()
    (folder / "__init__.py").write_text(KIND)
    (content / "topics" / "shouting.yaml").write_text(SHOUTS)
    terminal = sit("shouting/one", "shouting/two")
    terminal.see("Say hey.", "shout it")
    terminal.press("HEY\r", "✓ Right")
    terminal.press(" ", "Say ho.")
    terminal.press("burst\r", LEAVE)
    assert "shouting/two was set aside: RuntimeError: burst" in terminal.end()
    lines = '{"answer": "burst"}\n{"answer": "HO"}\n'
    result = run_kb("quiz", "shouting/two", "--cram", "--json", input=lines.splitlines(True)[1])  # type: ignore[operator]
    assert '"correct": true' in result.stdout
