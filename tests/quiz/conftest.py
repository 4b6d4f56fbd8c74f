"""A small content root of its own for sittings, and a sitting over it with a clock that is moved by hand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from quiz_samples import ABACUS, BEADS, Clock

from kb.config import Settings
from kb.knowledge.library import Library
from kb.quiz.plan import Plan
from kb.quiz.session import Sitting
from kb.registry import Registry
from kb.store.store import Store


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root with the topics abacus and beads, on KB_PATH."""
    root = tmp_path / "content"
    (root / "topics").mkdir(parents=True)
    (root / "topics" / "abacus.yaml").write_text(ABACUS, encoding="utf-8")
    (root / "topics" / "beads.yaml").write_text(BEADS, encoding="utf-8")
    monkeypatch.setenv("KB_PATH", str(root))
    return root


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    with Store.open(str(home), Settings(backups=False)) as opened:
        yield opened


@pytest.fixture
def sit(content: Path, store: Store, clock: Clock) -> Callable[..., Sitting]:
    """``sit(*topics, **wishes)`` begins a sitting."""
    registry = Registry.load(os.environ)

    def begin(*topics: str, laboratory: Any = None, **wishes: Any) -> Sitting:
        library = Library.open(os.environ, registry)
        plan = Plan(topics=topics, **{"seed": 1, **wishes})
        return Sitting(
            library,
            registry.kinds,
            store,
            plan,
            clock=clock,
            laboratory=laboratory,
            stopwatch=lambda: clock.seconds,
        )

    return begin
