"""``kb new plugin`` makes a pack that pip installs, whose own tests pass, and ``kb install`` brings packs in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

OFFLINE = ["--no-index", "--no-deps", "--no-build-isolation"]


@pytest.fixture(scope="module")
def kb_environment(tmp_path_factory: pytest.TempPathFactory, environment_in, source: Path):
    """An environment with kb, for all tests of this file."""
    fresh = environment_in(tmp_path_factory.mktemp("kb"))
    fresh.install(str(source))
    return fresh


@pytest.mark.parametrize("editable", [False, True], ids=["copied", "editable"])
def test_a_new_pack_installs_tests_demonstrates_and_quizzes_itself(
    editable: bool, environment, source: Path, tmp_path: Path
) -> None:
    fresh = environment()
    fresh.install(str(source))
    made = fresh.run("kb", "new", "plugin", "probability", "--into", str(tmp_path))
    pack = tmp_path / "kb-probability"
    assert made.stdout == f"{pack}\n"

    installed = fresh.run("kb", "install", *OFFLINE, *["-e"] * editable, str(pack))
    assert installed.stdout == "kb-probability 0.1.0: demos, roots\n"
    if not editable:
        assert {"kb", "kb_probability"} <= fresh.added()
    fresh.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", cwd=pack)

    demo = json.loads(fresh.run("kb", "demo", "probability", "--json").stdout)
    assert demo["checks"] and all(check["holds"] for check in demo["checks"])
    given = "".join(json.dumps({"answer": answer}) + "\n" for answer in ("differences", "differences"))
    lines = fresh.run("kb", "quiz", "probability", "--json", "--limit", "1", input=given).stdout.splitlines()
    assert json.loads(lines[0])["question"].startswith("probability/")
    assert "kb-probability" not in fresh.run("kb", "plugins", env={"KB_LOAD_PLUGINS": ""}).stdout
    assert "probability" not in fresh.run("kb", "topics", env={"KB_LOAD_PLUGINS": ""}).stdout


def test_a_pack_that_does_not_exist_is_one_clear_line(kb_environment) -> None:
    done = kb_environment.run("kb", "install", "--no-index", "kb-there-is-no-such-pack", check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("kb: pip could not install it (it ended with 1)")
    assert "Traceback" not in done.stderr


def test_a_pack_that_is_broken_is_told_when_it_is_installed(kb_environment, tmp_path: Path) -> None:
    kb_environment.run("kb", "new", "plugin", "broken", "--into", str(tmp_path))
    module = tmp_path / "kb-broken" / "kb_broken" / "__init__.py"
    module.write_text("raise ValueError('out of tune')\n")
    done = kb_environment.run("kb", "install", *OFFLINE, str(module.parents[1]), check=False)
    assert done.returncode == 1
    assert done.stdout.startswith("kb-broken 0.1.0: ValueError: out of tune")


def test_what_is_no_pack_is_installed_and_said_to_be_none(kb_environment, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "no-pack"\nversion = "1"\n[tool.setuptools]\npackages = []\n'
    )
    done = kb_environment.run("kb", "install", *OFFLINE, str(tmp_path))
    assert done.stdout == ""
    assert "kb: pip is done; no pack is new to kb" in done.stderr


def test_the_same_name_twice_is_refused(kb_environment, tmp_path: Path) -> None:
    kb_environment.run("kb", "new", "plugin", "kb-twice", "--into", str(tmp_path))
    done = kb_environment.run("kb", "new", "plugin", "twice", "--into", str(tmp_path), check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "kb-twice exists already" in done.stderr
