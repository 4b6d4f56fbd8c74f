"""What every test stands on: an environment of its own, and ``kb`` as a command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Examples are the same in every run, so that a red run can be repeated; time is no law, so no deadline.
settings.register_profile("kb", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
# `pytest --hypothesis-profile=search` looks for new ones.
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("kb")

# A shell starts what it runs in the background with this signal ignored, and a child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

CHECKOUT = Path(__file__).resolve().parent.parent
KbRunner = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def _environment_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the developer's data, packs, terminal or clock, nor leaves anything behind."""
    monkeypatch.setenv("KB_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KB_LOAD_PLUGINS", "")  # the packs that happen to be installed here
    for name in (
        "KB_PATH",
        "KB_NOW",
        "KB_DEBUG",
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "VISUAL",
        "EDITOR",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",  # kb is started a thousand times, and would be compiled each time
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh KB_HOME, which the environment names."""
    folder = tmp_path / "home"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def run_kb(tmp_path: Path) -> KbRunner:
    """``run_kb(*arguments, input=None, env=None, cwd=None, timeout=120)`` runs ``python -m kb`` in a process."""

    def run(
        *arguments: str,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        python_path = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
        return subprocess.run(
            [sys.executable, "-m", "kb", *arguments],
            input="" if input is None else input,
            capture_output=True,
            encoding="utf-8",
            cwd=cwd or tmp_path,
            env={**os.environ, "PYTHONPATH": python_path, "PYTHONIOENCODING": "utf-8", **(env or {})},
            timeout=timeout,
            check=False,
        )

    return run
