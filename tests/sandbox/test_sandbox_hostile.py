"""Every hostile program ends as it must, at every level that this machine has, and the sandbox goes on."""

from __future__ import annotations

import importlib.util
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.sandbox.level import Level
from kb.sandbox.levels import works
from kb.sandbox.sandbox import Sandbox

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="the isolating levels are Linux's"),
]


def _hostile() -> Any:
    spec = importlib.util.spec_from_file_location("hostile", Path(__file__).parents[2] / "bench" / "hostile.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PROGRAMS = _hostile().PROGRAMS


@pytest.fixture(scope="module", params=list(Level), ids=lambda level: level.value)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    if not works(request.param):
        pytest.skip(f"level {request.param.value} does not work on this machine")
    with Sandbox(request.param) as box:
        yield box


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    folder = tmp_path_factory.mktemp("private")
    (folder / "id_ed25519").write_text("SECRET")
    (folder / "kb.db").write_bytes(b"SQLite format 3")
    (folder / "topics").mkdir()
    (folder / "topics" / "zero.yaml").write_text("reference: the answer")
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {
            "secret": str(folder / "id_ed25519"),
            "database": str(folder / "kb.db"),
            "outside": str(folder / "written"),
            "topics": str(folder / "topics"),
            "port": server.getsockname()[1],
        }


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.name)
def test_a_hostile_program_is_held(sandbox: Sandbox, places: dict[str, object], program: Any) -> None:
    if program.needs_isolation and not sandbox.level.isolates:
        pytest.skip("this level does not claim to hold it: it holds limits only")
    outcome = sandbox.run(program.filled(places), call=program.call, seconds=program.seconds)
    assert outcome.kind in program.ends, outcome
    assert outcome.ok == (outcome.kind == "done")
    if outcome.ok:
        assert outcome.value == program.harmless
    assert len(outcome.output) <= 70_000
    assert not os.path.exists(str(places["outside"]))
    # the next learner is not harmed by the one before
    after = sandbox.run("import os\ndef attempt(): return [2 + 2, len(os.listdir('.'))]", call="attempt")
    assert after.value == [4, 0], after


def test_nothing_a_run_started_outlives_it(sandbox: Sandbox, tmp_path: Path) -> None:
    if not sandbox.level.isolates:
        marker = f"kb-left-{os.getpid()}"
        sandbox.run(
            "import subprocess, sys\n"
            f"line = [sys.executable, '-c', 'import time; time.sleep(60)', '{marker}']\n"
            "subprocess.Popen(line, start_new_session=True)"
        )
        lines = [path.read_bytes() for path in _command_lines()]
        assert not any(marker.encode() in line for line in lines)
        return
    count = "import os\ndef attempt(): return sum(n.isdigit() for n in os.listdir('/proc'))"
    before = sandbox.run(count, call="attempt").value
    sandbox.run("import os, time\nfor _ in range(4):\n    if os.fork() == 0:\n        os.setsid(); time.sleep(60)")
    assert sandbox.run(count, call="attempt").value == before


def _command_lines() -> Iterator[Path]:
    for entry in Path("/proc").iterdir():
        path = entry / "cmdline"
        try:
            if entry.name.isdigit() and path.read_bytes():
                yield path
        except OSError:
            continue
