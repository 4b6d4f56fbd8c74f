"""Roots, folder plugins and installed packs made for a test."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _modules_of_its_own() -> Iterator[None]:
    """Forget what a test imported from its own folders."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith(("kb.plugins.", "kb_test_")):
            del sys.modules[name]


@pytest.fixture
def folder_plugin() -> Write:
    """``folder_plugin(root, name, source, module=source, ...)`` writes ``root/plugins/name/`` and returns it."""

    def write(root: Path, name: str, source: str, **modules: str) -> Path:
        folder = root / "plugins" / name
        folder.mkdir(parents=True)
        for stem, text in {"__init__": source, **modules}.items():
            (folder / f"{stem}.py").write_text(dedent(text), encoding="utf-8")
        return folder

    return write


@pytest.fixture
def installed_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """``installed_pack("kb-test-x", source, points="x = kb_test_x")`` is a distribution on sys.path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), str(Path(__file__).parents[2])]))
    monkeypatch.delenv("KB_LOAD_PLUGINS")

    def write(name: str, source: str = "", points: str | None = None, version: str = "1.2", **modules: str) -> Path:
        package = site / name.replace("-", "_")
        package.mkdir()
        for stem, text in {"__init__": source, **modules}.items():
            (package / f"{stem}.py").write_text(dedent(text), encoding="utf-8")
        info = site / f"{package.name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8")
        points = f"main = {package.name}" if points is None else points
        (info / "entry_points.txt").write_text(f"[kb]\n{points}\n", encoding="utf-8")
        return package

    return write
