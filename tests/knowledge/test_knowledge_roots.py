"""Where content and data live, decided by the environment that is passed in and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb import roots
from kb.roots import Root

CHECKOUT = Path(__file__).resolve().parents[2]


def test_the_data_folder_is_what_kb_home_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert roots.data_home({"KB_HOME": str(tmp_path / "x")}) == str(tmp_path / "x")
    assert roots.data_home({"KB_HOME": "x"}) == str(tmp_path / "x")
    assert roots.data_home({"KB_HOME": "~/x"}) == os.path.expanduser("~/x")
    assert roots.cache_home({"KB_HOME": "x"}) == str(tmp_path / "x" / "cache")


ENVIRONMENTS = (
    {"HOME": "/home/a"},
    {"HOME": "/home/a", "KB_HOME": ""},
    {"HOME": "/home/a", "XDG_DATA_HOME": "/data", "XDG_CACHE_HOME": "/cache"},
    {"HOME": "/home/a", "XDG_DATA_HOME": "", "XDG_CACHE_HOME": " "},
    {"HOME": "/home/a", "XDG_DATA_HOME": "relative", "XDG_CACHE_HOME": "relative"},
)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere platformdirs itself is asked")
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_without_it_platformdirs_would_say_the_same(environment: dict[str, str]) -> None:
    source = "from platformdirs import *; print(user_data_dir('kb', False), user_cache_dir('kb', False))"
    asked = subprocess.run([sys.executable, "-c", source], env=environment, capture_output=True, text=True, check=True)
    assert asked.stdout.split() == [roots.data_home(environment), roots.cache_home(environment)]


def test_the_built_in_root_holds_topics_or_plugins() -> None:
    root = Root(roots.builtin_root(), "kb")
    assert os.path.isdir(root.topics) and os.path.isdir(root.plugins)


def test_roots_come_in_order_each_once_and_only_if_they_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roots, "builtin_root", lambda: str(tmp_path / "builtin"))
    for name in ("builtin", "pack", "one", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    path = os.pathsep.join(str(tmp_path / name) for name in ("one", "missing", "link", "builtin"))
    environment = {"KB_HOME": str(tmp_path / "home"), "KB_PATH": path}
    found = roots.content_roots(environment, [(str(tmp_path / "pack"), "kb-pack")])
    assert [(os.path.basename(root.path), root.owner) for root in found] == [
        ("builtin", "kb"),
        ("pack", "kb-pack"),
        ("one", "$KB_PATH"),
        ("home", "user"),
    ]


def test_finding_the_roots_imports_next_to_nothing() -> None:
    source = (
        "import sys; before = set(sys.modules); from kb import roots; "
        "roots.content_roots({'KB_HOME': '/nowhere', 'HOME': '/'}); roots.data_home({'HOME': '/'}); "
        "print(*sorted({'dataclasses', 'platformdirs', 'pathlib', 'tempfile', 'importlib.metadata', 'yaml'} "
        "& (set(sys.modules) - before)))"
    )
    asked = subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == ""
