"""Ctrl-C ends a demo at once, wherever it is, and everything that it started with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 60


STARTED: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _nothing_is_left_running():
    """A test that fails has not ended what it started; one of these demos would spin for ever."""
    yield
    while STARTED:
        with STARTED.pop() as process:
            process.kill()


def start(*arguments: str, temporary: Path | None = None) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kb", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **({"TMPDIR": str(temporary)} if temporary else {})},
    )
    STARTED.append(process)
    return process


def wait_for(path: Path) -> str:
    """What the demo left word of."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not path.exists():
        assert time.monotonic() < until, "the demo did not get going"
        time.sleep(0.05)
    return path.read_text()


def alive(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def assert_gone(processes: list[int]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while left := [process for process in processes if alive(process)]:
        assert time.monotonic() < until, f"still alive: {left}"
        time.sleep(0.05)


linux_only = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


@pytest.fixture
def mark(lab, tmp_path) -> Path:
    return tmp_path / "mark"


@pytest.mark.parametrize("name", ["spinning", "asleep"])
def test_an_interrupt_ends_it_with_130(mark, name):
    """``spinning`` sits inside native code that holds the interpreter's lock: no Python handler could run there."""
    process = start("demo", name)
    wait_for(mark)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in err and err.strip() == ""
    assert f"The demo {name}." in out


@linux_only
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda it: str(it)
)
def test_the_whole_family_is_ended(mark, number, code):
    """Children, a process in a session of its own, a forked rank, and an orphan whose parent is gone."""
    process = start("demo", "family")
    family = [int(word) for word in wait_for(mark).split()]
    assert len(family) == 5 and all(map(alive, family))
    process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code
    assert_gone(family)


@linux_only
def test_a_killed_kb_takes_the_demo_along(mark, tmp_path):
    process = start("demo", "asleep", temporary=tmp_path)
    wait_for(mark)
    with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
        children = [int(word) for word in file.read().split()]
    assert len(children) == 1
    process.kill()
    process.communicate(timeout=PATIENCE_SECONDS)
    assert_gone(children)


@linux_only
def test_ctrl_z_stops_the_demo_and_it_goes_on_afterwards(mark):
    process = start("demo", "family")
    demo = int(wait_for(mark).split()[-1])
    process.send_signal(signal.SIGTSTP)
    wait_until(lambda: state(process.pid) == state(demo) == "T")
    process.send_signal(signal.SIGCONT)
    wait_until(lambda: "T" not in state(process.pid) + state(demo))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130


def state(process: int) -> str:
    with open(f"/proc/{process}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def wait_until(holds) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_ctrl_c_on_a_terminal(mark):
    terminal = pexpect.spawn(
        sys.executable,
        ["-m", "kb", "demo", "spinning"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm-256color"},
        encoding="utf-8",
        timeout=PATIENCE_SECONDS,
    )
    terminal.expect("The demo spinning")
    wait_for(mark)
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 130
    assert "Traceback" not in (terminal.before or "")


def test_a_terminal_shows_colours_and_a_bar_and_no_color_takes_them_away(lab):
    for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "kb", "demo", "lab"],
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "TERM": "xterm-256color", **extra},
            encoding="utf-8",
            timeout=PATIENCE_SECONDS,
            dimensions=(24, 60),
        )
        terminal.expect(pexpect.EOF)
        terminal.close()
        assert terminal.exitstatus == 0
        assert ("\x1b[32m✓" in terminal.before) is coloured
        assert "working " in terminal.before  # the bar is on stderr, which is the terminal too
        text = terminal.before.replace("\r\x1b[2K", "\n")
        assert all(len(line) <= 60 for line in text.splitlines() if "\x1b" not in line)
