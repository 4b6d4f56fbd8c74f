"""However kb is installed, it is whole, and nothing else comes with it."""

from __future__ import annotations

import json
import re
import tarfile
import tomllib
import zipfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[2]
TOPICS = sorted(file.stem for file in (CHECKOUT / "topics").glob("*.yaml"))
PLUGINS = sorted(file.parent.name for file in (CHECKOUT / "plugins").glob("*/__init__.py"))


def build(environment, source: Path, kind: str, out: Path) -> Path:
    environment().run("python", "-m", "build", f"--{kind}", "--no-isolation", "--outdir", str(out), str(source))
    return next(file for file in out.iterdir() if file.suffix in (".whl", ".gz"))


@pytest.fixture
def wheel(environment, source: Path, tmp_path: Path) -> Path:
    return build(environment, source, "wheel", tmp_path / "dist")


@pytest.fixture
def wheel_of_sdist(environment, source: Path, tmp_path: Path) -> Path:
    archive = build(environment, source, "sdist", tmp_path / "sdist")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()
    return build(environment, unpacked, "wheel", tmp_path / "dist")


@pytest.fixture(params=["editable", "wheel", "wheel_of_sdist"])
def installed(request: pytest.FixtureRequest, environment, source: Path):
    """An environment with kb in it, and whether it is an editable install."""
    fresh = environment()
    if request.param == "editable":
        fresh.install("--editable", str(source))
    else:
        fresh.install(str(request.getfixturevalue(request.param)))
    return fresh, request.param == "editable"


def test_topics_plugins_and_the_command_are_found_from_another_folder(installed) -> None:
    fresh, editable = installed
    assert fresh.run("kb", "--version").stdout.startswith("kb ")
    topics = {topic["name"]: topic for topic in json.loads(fresh.run("kb", "topics", "--json").stdout)}
    assert set(TOPICS) <= set(topics)
    plugins = {plugin["name"]: plugin for plugin in json.loads(fresh.run("kb", "plugins", "--json").stdout)}
    assert set(PLUGINS) <= set(plugins)
    assert [plugin for plugin in plugins.values() if plugin["error"]] == []
    if not editable:
        assert all(plugin["source"].startswith(str(fresh.site)) for plugin in plugins.values())
    demos = json.loads(fresh.run("kb", "demo", "--json").stdout)
    assert {demo["topic"] for demo in demos} & set(TOPICS)
    assert fresh.run("python", "-m", "kb", "--version").stdout == fresh.run("kb", "--version").stdout
    fresh.run("kb", "new", "topic", "my-own")  # its template is shipped
    assert "my-own" in fresh.run("kb", "topics").stdout
    assert json.loads(fresh.run("kb", "schema").stdout)


def test_nothing_but_kb_lands_in_site_packages(installed) -> None:
    fresh, editable = installed
    added = fresh.added()
    information = {name for name in added if name.startswith("kb_scribbles-") and name.endswith(".dist-info")}
    assert len(information) == 1
    rest = added - information
    if editable:
        assert all(name.startswith("__editable__") and "kb_scribbles" in name for name in rest)
    else:
        assert rest == {"kb"}
    for name in ("cli", "topics", "plugins", "tests", "bench"):
        code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is not None)"
        assert fresh.run("python", "-c", code, check=False).returncode == 0, f"there is a module {name}"


def test_a_wheel_has_every_topic_and_every_file_of_every_plugin(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for folder in ("topics", "plugins"):
        for file in (CHECKOUT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                assert f"kb/_builtin/{file.relative_to(CHECKOUT)}" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("topics/", "plugins/", "tests/", "cli"))]


def test_the_checkout_runs_without_being_installed(environment) -> None:
    fresh = environment()
    assert fresh.run("python", str(CHECKOUT / "cli.py"), "--version").stdout.startswith("kb ")
    assert fresh.added() == set()


def core_files() -> set[str]:
    """What the distributions that kb requires without any extra put into site-packages."""
    waiting = list(tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"])
    waiting += ["pip", "setuptools"]  # to install kb itself
    seen: set[str] = set()
    files: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = re.split(r"[^A-Za-z0-9._-]", requirement)[0]
        if name in seen or "extra" in requirement.partition(";")[2]:
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # its marker rules it out here
        waiting += found.requires or []
        files |= {file.parts[0] for file in found.files or []}
    return files


def test_a_quiz_needs_neither_torch_nor_numpy(environment, libraries: Path, source: Path, tmp_path: Path) -> None:
    """Without the libraries of the extras a sitting runs, and a demo says which extra to install."""
    lean = tmp_path / "lean"
    lean.mkdir()
    for name in core_files() & {entry.name for entry in libraries.iterdir()}:
        (lean / name).symlink_to((libraries / name).resolve())
    fresh = environment()
    (fresh.site / "libraries.pth").write_text(f"{lean}\n")
    fresh.install(str(source))
    assert fresh.run("python", "-c", "import numpy", check=False).returncode != 0
    lines = fresh.run(
        "kb", "quiz", TOPICS[0], "--json", "--limit", "1", input='{"command": "quit"}\n'
    ).stdout.splitlines()
    assert json.loads(lines[0])["event"] == "question"
    done = fresh.run("kb", "demo", "attention", check=False)
    assert done.returncode == 1
    assert 'pip install "kb-scribbles[demos]"' in done.stderr
