"""What became of every hostile program at every level, and what a run costs warm and cold. Prints bench/sandbox.md.

Usage: python bench/sandbox.py > bench/sandbox.md
"""

from __future__ import annotations

import contextlib
import os
import platform
import socket
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from hostile import LEFT_BEHIND, PROGRAMS, Program

from kb.sandbox.level import Level
from kb.sandbox.levels import works
from kb.sandbox.sandbox import Sandbox


def main() -> None:
    levels = [level for level in Level if works(level)]
    missing = [level.value for level in Level if level not in levels]
    print("# The sandbox: hostile programs and times\n")
    print(f"Made by `python bench/sandbox.py` on {machine()}.")
    if missing:
        print(f"Not available on that machine: {', '.join(missing)}.")
    print("\n## What became of each program\n")
    print(f"| program | {' | '.join(level.value for level in levels)} |")
    print("|---|" + "---|" * len(levels))
    columns = [results(level) for level in levels]
    for number, program in enumerate(PROGRAMS):
        print(f"| {program.name} | {' | '.join(column[number] for column in columns)} |")
    print(
        "\n`not held` stands only where a level does not claim to hold it: `limits` shuts off no files and no network. "
        "What could harm the machine there is not tried."
    )
    print("\n## Times\n")
    print("Wall time of one run, median of 20 after the first; cold is a new Python process that does the same.\n")
    print("| run | " + " | ".join(f"{level.value}, ms" for level in levels) + " | cold process, ms | cold ÷ warm |")
    print("|---|" + "---|" * (len(levels) + 2))
    for name, source in RUNS.items():
        warm = [warm_ms(level, source) for level in levels]
        cold = cold_ms(source)
        print(f"| {name} | {' | '.join(f'{value:.0f}' for value in warm)} | {cold:.0f} | {cold / warm[0]:.0f} |")


RUNS = {
    "no-op": "def f(): return 1",
    "no-op with torch loaded": "import torch\ndef f(): return 1",
    "20 training steps": (
        "import torch\ndef f():\n    w = torch.zeros(64, 64, requires_grad=True)\n"
        "    o = torch.optim.SGD([w], lr=0.1)\n"
        "    for _ in range(20):\n        o.zero_grad(); ((w @ w - 1) ** 2).mean().backward(); o.step()\n"
        "    return w.sum().item()"
    ),
}


def results(level: Level) -> list[str]:
    """One cell a program."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        places = make_places(Path(folder), server.getsockname()[1])
        with Sandbox(level) as sandbox:
            return [cell(sandbox, program, places) for program in PROGRAMS]


def make_places(folder: Path, port: int) -> dict[str, object]:
    (folder / "secret").write_text("SECRET")
    (folder / "kb.db").write_bytes(b"SQLite format 3")
    (folder / "topics").mkdir()
    (folder / "topics" / "zero.yaml").write_text("reference: the answer")
    return {
        "secret": str(folder / "secret"),
        "database": str(folder / "kb.db"),
        "outside": str(folder / "written"),
        "topics": str(folder / "topics"),
        "port": port,
    }


def cell(sandbox: Sandbox, program: Program, places: dict[str, object]) -> str:
    if program.only_isolated and not sandbox.level.isolates:
        return "not tried"
    outcome = sandbox.run(program.filled(places), call=program.call, seconds=program.seconds)
    held = outcome.kind in program.ends and (not outcome.ok or outcome.value == program.harmless)
    if still_runs(LEFT_BEHIND):
        return "**not held**: still runs"
    held = held and not os.path.exists(str(places["outside"]))
    Path(str(places["outside"])).unlink(missing_ok=True)
    if outcome.ok and outcome.value is not None:
        how = str(outcome.value) if len(str(outcome.value)) < 20 else "got in"
    else:
        how = outcome.kind
    return how if held else f"**not held**: {how}"


def still_runs(name: str) -> bool:
    """Whether any process has this name."""
    for path in Path("/proc").glob("[0-9]*/comm"):
        with contextlib.suppress(OSError):
            if path.read_text().strip() == name:
                return True
    return False


def warm_ms(level: Level, source: str) -> float:
    with Sandbox(level) as sandbox:
        times = []
        for _ in range(21):
            start = time.perf_counter()
            assert sandbox.run(source, call="f").ok
            times.append(time.perf_counter() - start)
        return statistics.median(times[1:]) * 1000


def cold_ms(source: str) -> float:
    import subprocess

    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", source + "\nf()"], check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1000


def machine() -> str:
    """The machine and the versions, without a name that is only this machine's."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    return (
        f"{cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}, torch {version('torch').partition('+')[0]}"
    )


if __name__ == "__main__":
    main()
