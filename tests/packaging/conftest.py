"""Virtual environments with every library that the running interpreter has, but without kb: nothing is downloaded."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


class Environment:
    """A virtual environment; ``run("kb", ...)`` runs a program of it, from a folder that is not the checkout."""

    def __init__(self, folder: Path, libraries: Path) -> None:
        venv.create(folder, symlinks=True)
        self.bin = folder / "bin"
        self.site = next(folder.glob("lib/python*/site-packages"))
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        (self.site / "libraries.pth").write_text(f"{libraries}\n")

    def run(self, program: str, *arguments: str, **settings) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("KB_", "PYTHON"))}
        settings = {"cwd": self.elsewhere, "check": True, "timeout": 280, **settings}
        environment = {**inherited, "KB_HOME": str(self.elsewhere / "home"), **settings.pop("env", {})}
        done = subprocess.run(
            [str(self.bin / program), *arguments], capture_output=True, encoding="utf-8", env=environment,
            **{**settings, "check": False},
        )  # fmt: skip
        if settings["check"]:
            assert done.returncode == 0, f"{program} {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
        return done

    def install(self, *arguments: str) -> None:
        """Install without looking anywhere else: what is needed is in the libraries."""
        self.run(
            "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", *arguments
        )

    def added(self) -> set[str]:
        """What installing put into site-packages."""
        return {entry.name for entry in self.site.iterdir()} - {"libraries.pth", "__pycache__"}


@pytest.fixture(scope="session")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of links to every library on sys.path but kb itself, its packs and what .pth files do."""
    folder = tmp_path_factory.mktemp("libraries")
    for place in map(Path, sys.path):
        if place.name in ("site-packages", "dist-packages"):
            for entry in place.iterdir():
                name = entry.name.lower()
                if name.startswith(("kb", "__editable__", "__pycache__")) or name.endswith((".pth", ".egg-link")):
                    continue
                if not (folder / entry.name).exists():
                    (folder / entry.name).symlink_to(entry)
    return folder


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that building leaves nothing in it."""
    folder = tmp_path_factory.mktemp("source") / "kb"
    unwanted = shutil.ignore_patterns(
        ".git", "build", "dist", "*.egg-info", "__pycache__", ".*_cache", ".venv*", ".hypothesis"
    )
    shutil.copytree(CHECKOUT, folder, ignore=unwanted)
    return folder


@pytest.fixture(scope="session")
def environment_in(libraries: Path) -> Callable[[Path], Environment]:
    """Makes a fresh environment in a folder."""
    return lambda folder: Environment(folder / "venv", libraries)


@pytest.fixture
def environment(tmp_path: Path, environment_in: Callable[[Path], Environment]) -> Callable[[], Environment]:
    """Makes fresh environments."""
    count = iter(range(100))
    return lambda: environment_in(tmp_path / f"{next(count)}")
