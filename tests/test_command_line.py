"""The way in and out of ``kb``: one line for an error, the right exit code, and streams that may be gone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kb.errors import ContentError, KbError, PluginError, UnknownName
from kb.terminal import failure

CHECKOUT = Path(__file__).resolve().parent.parent
EVERY_DOOR = [["-m", "kb"], [str(CHECKOUT / "cli.py")], ["-c", "from kb.terminal.main import entry; entry()"]]


@pytest.mark.parametrize("door", EVERY_DOOR, ids=["python -m kb", "cli.py", "console script"])
def test_every_door_leads_in(door: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    for arguments, code in ((["--version"], 0), (["nothing"], 2)):
        command = [sys.executable, *door, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment, check=False)
        assert done.returncode == code
        assert done.stdout.startswith("kb ") == (code == 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quizz"], "kb: no command is called 'quizz'; did you mean quiz?"),
        (["zzz"], "kb: no command is called 'zzz'; see: kb --help"),
        (["new", "topci", "x"], "kb: no command is called 'topci'; did you mean topic?"),
        (["--versoin"], "kb: no option is called '--versoin'; did you mean --version?"),
        (["plugins", "--jsn"], "kb: no option is called '--jsn'; did you mean --json?"),
        (["plugins", "-x"], "kb: no option is called '-x'; see: kb plugins --help"),
        (["plugins", "more"], "kb: got unexpected extra argument (more); see: kb plugins --help"),
        (["new", "topic"], "kb: missing argument 'NAME'; see: kb new topic --help"),
        (["completion", "tcsh"], "'tcsh' is not one of 'bash', 'zsh', 'fish'; see: kb completion --help"),
        (["new", "topic", "a\x1b[2Jb"], r"\x1b"),
    ],
)
def test_wrong_usage_is_one_line_with_the_cure(arguments: list[str], message: str, run_kb) -> None:
    done = run_kb(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("kb: ") and "\x1b" not in done.stderr


def test_an_error_is_json_on_stdout_where_json_was_asked_for(run_kb) -> None:
    done = run_kb("plugins", "--jsn", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout) == {
        "error": {
            "message": "no option is called '--jsn'",
            "file": None,
            "line": None,
            "column": None,
            "cure": "did you mean --json?",
        }
    }
    assert done.stderr == "kb: no option is called '--jsn'; did you mean --json?\n"


def test_after_two_dashes_json_is_a_word() -> None:
    assert failure.wants_json(["search", "--json"])
    assert not failure.wants_json(["search", "--", "--json"])


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (KbError("it failed", cure="try again"), 1, "it failed; try again"),
        (KbError("two\nlines\there"), 1, "two lines here"),
        (UnknownName("topic", "zer", ["zero"]), 2, "no topic is called 'zer'; did you mean zero?"),
        (ContentError("bad", file="a.yaml", line=3, column=4), 1, "a.yaml:3:4: bad"),
        (PermissionError(13, "Permission denied", "/x/kb.db"), 1, "/x/kb.db: permission denied"),
        (OSError(28, "No space left on device"), 1, "no space left on device"),
        (RecursionError("deep"), 1, "the input is nested too deeply"),
    ],
)
def test_what_is_raised_becomes_one_line_and_a_code(
    error: Exception, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def work() -> int:
        raise error

    assert failure.shield(work, ["--json"], {}) == code
    out, err = capsys.readouterr()
    assert err == f"kb: {line}\n"
    assert set(json.loads(out)["error"]) == {"message", "file", "line", "column", "cure"}


def test_a_defect_names_its_place_and_asks_to_be_reported(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> int:
        return failure.wants_json(None)  # type: ignore[arg-type]

    assert failure.shield(work, [], {}) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"kb: {failure.__file__}:") and "a defect in kb: TypeError" in err
    assert "please report it; KB_DEBUG=1 shows the traceback" in err
    assert err.count("\n") == 1
    failure.shield(work, [], {"KB_DEBUG": "1"})
    assert "Traceback (most recent call last)" in capsys.readouterr().err
    failure.shield(work, [], {"KB_DEBUG": "0"})
    assert "Traceback" not in capsys.readouterr().err


def test_a_defect_in_a_plugin_is_not_kbs() -> None:
    assert isinstance(failure.told(PluginError("x")), PluginError)


# ---- streams and signals ---------------------------------------------------------------------------------------------


def start(*arguments: str, **settings) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kb", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), **settings.pop("env", {})}
    return subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8", env=environment, **settings)


@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "--json"], ["--version"], ["nothing", "--json"]])
def test_a_reader_that_goes_away_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = start(*arguments, stdout=writer)
    os.close(writer)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err and "BrokenPipe" not in err and "Exception ignored" not in err
    assert process.returncode == (2 if "nothing" in arguments else 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("arguments", [["--help"], ["plugins", "--json"], ["--version"]])
def test_a_full_disk_is_told(arguments: list[str]) -> None:
    with open("/dev/full", "w") as full:
        process = start(*arguments, stdout=full)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "kb: no space left on device\n")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_an_empty_one(closed: str) -> None:
    for command, code in (("plugins", 0), ("nothing", 2), ("--version", 0)):
        script = f"{sys.executable} -m kb {command} {closed}"
        environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, env=environment, check=False)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr


def test_a_terminal_of_few_letters_gets_others_for_those_it_lacks(home: Path) -> None:
    folder = home / "plugins" / "bad"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ValueError('naïve ≈ €')", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "kb", "plugins"],
        capture_output=True,
        encoding="latin-1",
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONIOENCODING": "latin-1"},
        check=False,
    )
    assert (done.returncode, "naïve ? ?" in done.stdout) == (0, True), done.stdout + done.stderr


def test_ctrl_c_ends_with_130_and_no_traceback(home: Path) -> None:
    folder = home / "plugins" / "slow"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(
        "import sys, time\nprint('ready', file=sys.stderr, flush=True)\ntime.sleep(60)\n"
    )
    process = start("plugins", stdout=subprocess.PIPE)
    assert process.stderr is not None and process.stderr.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err.strip()) == (130, "", "")
