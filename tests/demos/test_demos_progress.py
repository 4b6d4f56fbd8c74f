"""The bar: it fits its line, says how far things are, and only a terminal ever sees it."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from kb.demos.process import Step
from kb.terminal import progress
from kb.terminal.text import width


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(
    st.integers(0, 10**9),
    st.none() | st.integers(0, 10**9),
    st.text(alphabet="abc defgh", max_size=60),
    st.floats(0, 1e7),
    st.integers(20, 200),
)
def test_a_bar_is_shorter_than_its_line(done, total, label, seconds, columns):
    assert width(progress.line(done, total, label, seconds, columns)) < columns


def test_the_bar_fills_with_the_work():
    full = [progress.line(done, 8, "work", 4.0, 60).count("█") for done in range(9)]
    assert full == sorted(full) and full[0] == 0 and full[8] == 30
    assert progress.line(2, 8, "work", 4.0, 60).endswith("2/8 12 s left")
    assert progress.line(3, None, "work", 75.0, 60) == "work 3 · 1:15"


def test_off_a_terminal_nothing_is_drawn():
    stream = io.StringIO()
    assert list(progress.bar([1, 2], 2, "work", stream)) == [1, 2]
    waiting = progress.Waiting(stream)
    waiting(5.0, Step(1, 2, "work", 1.0))
    waiting.wipe()
    assert stream.getvalue() == ""


def test_on_a_terminal_it_wipes_itself_out(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for use in (lambda s: list(progress.bar([1, 2], 2, "work", s)), lambda s: _wait(progress.Waiting(s))):
        stream = Terminal()
        use(stream)
        assert "work" in stream.getvalue() and stream.getvalue().endswith("\r\x1b[2K")
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    list(progress.bar([1, 2], 2, "work", stream))
    assert stream.getvalue() == ""


def _wait(waiting: progress.Waiting) -> None:
    waiting.what = "running it"
    waiting(0.1, None)
    waiting(5.0, None)
    waiting(6.0, Step(1, 2, "work", 1.0))
    waiting.wipe()


def test_what_runs_is_said_with_its_time(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    _wait(progress.Waiting(stream))
    assert [part for part in stream.getvalue().split("\r\x1b[2K") if part][:2] == ["running it…", "running it · 5 s"]
