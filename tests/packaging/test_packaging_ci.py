""".ci/run runs what README.md says, in a new virtual environment, and ends as it ends."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]


def run(tmp_path: Path, readme: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "project" / ".ci").mkdir(parents=True)
    (tmp_path / "temporary").mkdir()
    shutil.copy(CHECKOUT / ".ci" / "run", tmp_path / "project" / ".ci" / "run")
    (tmp_path / "project" / "README.md").write_text(readme, "utf-8")
    done = subprocess.run(
        ["bash", str(tmp_path / "project" / ".ci" / "run")],
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        env={**os.environ, "CI": "true", "TMPDIR": str(tmp_path / "temporary")},
        check=False,
    )
    assert list((tmp_path / "temporary").iterdir()) == []  # it tidies up
    return done


def test_it_runs_the_marked_block_in_an_environment_of_its_own(tmp_path: Path) -> None:
    readme = (
        "```console\n$ exit 3\n```\n<!-- test -->\nText.\n\n```console\n"
        "$ python -c 'import sys; print(sys.prefix != sys.base_prefix, sys.stdin.read() == \"\")'\n"
        "$ python -m pip --version && echo '2 passed in 0.1s'\n```\n```\nexit 4\n```\n"
    )
    done = run(tmp_path, readme)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "True True" in lines and lines[-1] == "2 passed in 0.1s"
    assert str(tmp_path / "temporary") in lines[-2]  # pip's own place


def test_it_fails_where_a_command_fails(tmp_path: Path) -> None:
    done = run(tmp_path, "<!-- test -->\n```\nfalse | cat\necho not reached\n```\n")
    assert done.returncode == 1 and "not reached" not in done.stdout.splitlines()


@pytest.mark.parametrize("readme", ["", "```\necho 1 passed\n```\n", "<!-- test -->\nno block\n"])
def test_it_fails_where_there_is_nothing_to_run(tmp_path: Path, readme: str) -> None:
    done = run(tmp_path, readme)
    assert done.returncode == 1
    assert "README.md has no fenced block" in done.stderr
