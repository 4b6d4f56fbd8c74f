"""A content root to put topics in, and the library over it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from knowledge_samples import SOUND, text_of

from kb.knowledge.library import Library
from kb.registry import Registry


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A content root that KB_PATH names."""
    folder = tmp_path / "root"
    (folder / "topics").mkdir(parents=True)
    monkeypatch.setenv("KB_PATH", str(folder))
    return folder


@pytest.fixture
def write(root: Path) -> Callable[..., Path]:
    """``write(name, text_or_value)`` puts a topic into the root."""

    def write(name: str, content: str | dict[str, Any] = SOUND) -> Path:
        path = root / "topics" / f"{name}.yaml"
        path.write_text(content if isinstance(content, str) else text_of(content), encoding="utf-8")
        return path

    return write


@pytest.fixture
def no_builtin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built-in root without topics, so that a test sees its own only."""
    folder = tmp_path / "builtin"
    folder.mkdir()
    for module in ("kb.roots", "kb.knowledge.index"):
        monkeypatch.setattr(f"{module}.builtin_root", lambda: str(folder))
    return folder


@pytest.fixture
def library(no_builtin: Path) -> Callable[[], Library]:
    """``library()`` opens the library of the environment as it is now."""

    def library() -> Library:
        environment = dict(os.environ)
        return Library.open(environment, Registry.load(environment, packs=False))

    return library
