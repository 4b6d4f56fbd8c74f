"""``kb plugins``, ``new``, ``install`` and ``completion``, and plugins' own commands, as people type them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kb.terminal import scaffold
from kb.terminal.commands import COMMANDS

COMMAND = """
    import click
    from kb import hookimpl

    @click.command("extra", help="Do something extra.")
    @click.option("--json", "as_json", is_flag=True)
    def extra(as_json):
        {act}

    @hookimpl
    def register_commands(register):
        register(extra)
    """


def test_plugins_are_listed_with_what_they_bring_and_what_is_wrong(home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "bad", "raise ValueError('out of tune')")
    folder_plugin(home, "good", COMMAND.format(act="pass"))
    done = run_kb("plugins")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    (good,) = [line for line in lines if line.startswith("good ")]
    assert good.split() == ["good", "commands", str(home / "plugins" / "good")]
    bad = next(number for number, line in enumerate(lines) if line.startswith("bad "))
    assert lines[bad + 1].startswith("  ✗ ValueError: out of tune")
    assert done.stderr.strip().endswith(" with a fault")
    assert "\x1b" not in done.stdout


def test_a_fault_cannot_write_to_the_terminal(home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "bad", r"raise ValueError('\x1b[2J gone')")
    done = run_kb("plugins")
    assert "\x1b" not in done.stdout and "gone" in done.stdout


# ---- a plugin's own command ----------------------------------------------------------------------------------------


def test_a_plugins_command_runs_and_is_in_the_help(home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "mine", COMMAND.format(act="click.echo('done')"))
    assert run_kb("extra").stdout == "done\n"
    text = run_kb("--help").stdout
    assert "Commands from plugins" in text and "Do something extra." in text


@pytest.mark.parametrize(
    ("act", "code", "message"),
    [
        ("raise ValueError('lost')", 1, "the plugin mine raised ValueError: lost"),
        ("import kb; raise kb.KbError('sorry', cure='try again')", 1, "kb: sorry; try again\n"),
        ("raise click.UsageError('not so')", 2, "kb: not so; see: kb extra --help"),
        ("import sys; sys.exit(7)", 7, ""),
        ("raise KeyboardInterrupt", 130, "\n"),
        ("return 5", 5, ""),
    ],
)
def test_what_a_plugins_command_raises_is_one_line(
    act: str, code: int, message: str, home: Path, folder_plugin, run_kb
) -> None:
    file = folder_plugin(home, "mine", COMMAND.format(act=act)) / "__init__.py"
    done = run_kb("extra")
    assert done.returncode == code
    assert message in done.stderr
    assert len(done.stderr.splitlines()) <= 1
    if "lost" in message:
        assert f"{file}:8" in done.stderr
        as_json = run_kb("extra", "--json")
        assert json.loads(as_json.stdout)["error"]["file"] == str(file)
        assert "Traceback" in run_kb("extra", env={"KB_DEBUG": "1"}).stderr


# ---- kb new --------------------------------------------------------------------------------------------------------


def test_a_new_topic_is_sound_and_can_be_quizzed_at_once(home: Path, run_kb) -> None:
    done = run_kb("new", "topic", "my-own", "--title", 'On "quotes", \\ and ümlauts')
    file = home / "topics" / "my-own.yaml"
    assert (done.returncode, done.stdout) == (0, f"{file}\n")
    assert "kb quiz my-own" in done.stderr
    checked = run_kb("check", str(file), "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, [])
    lines = run_kb("quiz", "my-own", "--json", input='{"command": "quit"}\n').stdout.splitlines()
    assert json.loads(lines[0])["question"].startswith("my-own/")
    topic = json.loads(run_kb("show", "my-own", "--json").stdout)
    assert topic["title"] == 'On "quotes", \\ and ümlauts'
    schema = file.read_text("utf-8").splitlines()[0].partition("$schema=")[2]
    assert json.loads(Path(schema).read_text("utf-8"))


@pytest.mark.parametrize("what", ["topic", "plugin"])
@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("My Topic", "my-topic"),
        ("a_b", "a-b"),
        ("-x-", None),
        ("a--b", "a-b"),
        ("../../etc", "etc"),
        ("ü", None),
        ("a" * 61, "a" * 60),
    ],
)
def test_a_bad_name_is_refused_with_a_better_one(
    what: str, name: str, suggestion: str | None, tmp_path: Path, run_kb
) -> None:
    done = run_kb("new", what, "--", name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert suggestion is None or f"for example {suggestion}\n" in done.stderr
    assert not list(tmp_path.rglob("*.yaml")) and not list(tmp_path.rglob("pyproject.toml"))


@pytest.mark.parametrize("what", ["topic", "plugin"])
def test_a_name_that_is_taken_is_refused_and_nothing_is_overwritten(what: str, home: Path, run_kb) -> None:
    run_kb("new", "topic", "mine")
    file = home / "topics" / "mine.yaml"
    file.write_text(file.read_text("utf-8").replace("aliases: []", "aliases: [my-alias]"), "utf-8")
    before = file.read_bytes()
    for name in ("mine", "my-alias"):
        done = run_kb("new", what, name)
        assert (done.returncode, done.stdout) == (2, "")
        assert str(file) in done.stderr
    assert file.read_bytes() == before


def test_a_broken_topic_file_is_not_overwritten(home: Path, run_kb) -> None:
    (home / "topics").mkdir()
    (home / "topics" / "mine.yaml").write_text("title: [")
    assert run_kb("new", "topic", "mine").returncode == 2
    assert (home / "topics" / "mine.yaml").read_text() == "title: ["


def test_a_home_that_cannot_be_written_is_one_line(tmp_path: Path, run_kb) -> None:
    (tmp_path / "file").write_text("")
    done = run_kb("new", "topic", "mine", env={"KB_HOME": str(tmp_path / "file")})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "Traceback" not in done.stderr


def test_a_pack_has_no_placeholder_left(tmp_path: Path) -> None:
    pack = scaffold.write_pack(str(tmp_path), "two-words")
    assert pack.name == "kb-two-words"
    files = [file for file in pack.rglob("*") if file.is_file()]
    assert {str(file.relative_to(pack)) for file in files} == {
        "README.md",
        "pyproject.toml",
        "kb_two_words/__init__.py",
        "kb_two_words/softmax.py",
        "kb_two_words/topics/two-words.yaml",
        "tests/test_two_words.py",
    }
    for file in files:
        text = file.read_text("utf-8")
        assert not [key for key in scaffold._values("x", None) if f"@{key}@" in text], file


def test_a_pack_is_as_clean_as_kbs_own_code(tmp_path: Path) -> None:
    pytest.importorskip("ruff")
    pack = scaffold.write_pack(str(tmp_path), "clean")
    for arguments in (["check", "--select", "E,F,I,B,UP"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--isolated", "--line-length", "120", "."]
        done = subprocess.run(command, cwd=pack, capture_output=True, encoding="utf-8", check=False)
        assert done.returncode == 0, done.stdout


# ---- kb install, kb completion -------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["-U"], ["--no-deps"]])
def test_installing_nothing_is_refused(arguments: list[str], run_kb) -> None:
    done = run_kb("install", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("kb: there is nothing to install")


def complete(run_kb, words: str, number: int) -> list[str]:
    done = run_kb(env={"_KB_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(number)})
    return [line.partition(",")[2] for line in done.stdout.splitlines()]


def test_commands_options_topics_and_demos_are_completed(home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "mine", COMMAND.format(act="pass"))
    assert set(complete(run_kb, "kb ", 1)) == {*COMMANDS, "extra"}
    assert complete(run_kb, "kb plug", 1) == ["plugins"]
    assert "--version" in complete(run_kb, "kb --", 1)
    assert complete(run_kb, "kb plugins --j", 2) == ["--json"]
    assert complete(run_kb, "kb completion ", 2) == ["bash", "zsh", "fish"]
    run_kb("new", "topic", "xylophone")
    assert complete(run_kb, "kb quiz xyl", 2) == ["xylophone"]
    assert complete(run_kb, "kb show xyl", 2) == ["xylophone"]
    assert complete(run_kb, "kb suspend xylophone/f", 2) == ["xylophone/first-places"]


def test_completing_a_command_does_not_import_the_others(run_kb) -> None:
    done = run_kb(
        env={
            "_KB_COMPLETE": "bash_complete",
            "COMP_WORDS": "kb ",
            "COMP_CWORD": "1",
            "PYTHONPROFILEIMPORTTIME": "1",
        }
    )
    assert "kb.terminal.group" in done.stderr
    assert "kb.terminal.commands.quiz" not in done.stderr


@pytest.mark.parametrize(("shell", "check"), [("bash", ["-n"]), ("zsh", ["-n"]), ("fish", ["--no-execute"])])
def test_the_completion_script_is_one_that_the_shell_reads(shell: str, check: list[str], run_kb) -> None:
    done = run_kb("completion", shell)
    assert done.returncode == 0 and "_KB_COMPLETE" in done.stdout
    if not (program := shutil.which(shell)):
        pytest.skip(f"{shell} is not installed")
    read = subprocess.run([program, *check], input=done.stdout, encoding="utf-8", capture_output=True, check=False)
    assert (read.returncode, read.stderr) == (0, "")


def test_bash_completes_kb_for_real(run_kb, tmp_path: Path) -> None:
    if not (bash := shutil.which("bash")):
        pytest.skip("bash is not installed")
    program = tmp_path / "kb"
    program.write_text(f"#!{sys.executable}\nfrom kb.terminal.main import entry\nentry()\n")
    program.chmod(0o755)
    script = run_kb("completion", "bash").stdout + (
        f'COMP_WORDS=({program} comp); COMP_CWORD=1; _kb_completion {program} comp kb; echo "${{COMPREPLY[@]}}"'
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "KB_HOME": str(tmp_path)}
    done = subprocess.run([bash], input=script, encoding="utf-8", capture_output=True, env=environment, check=False)
    assert done.stdout == "completion\n", done.stderr
