"""What it costs to start kb: CPU time of whole processes, against a bare Python in the same run.

    python bench/startup.py                 prints the table of bench/startup.md
    python bench/startup.py --rounds 41     for a quieter median

Every number is the median over rounds of user + system time of the process, as ``wait4`` reports it, divided by the
median of ``python -S -c pass``, which is run in the same rounds. Wall time says little on a busy machine, and the ratio
says the same on a fast and a slow one. The home is made for the run: 10,000 questions in 400 topics beside those that
ship with kb, each of them answered once.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

TOPICS, QUESTIONS = 400, 25
NOW_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
DAY_MS = 86_400_000
TOPIC = "zero"  # has a numeric question with drawn parameters first


class Cost(NamedTuple):
    """CPU time in milliseconds and peak memory in MiB of one process."""

    cpu_ms: float
    peak_mib: float


class Case(NamedTuple):
    """Something to measure; ``budget`` is the most it may cost, in bare Pythons."""

    name: str
    run: Callable[[], Cost]
    budget: float | None = None


def main() -> int:
    """Measure, print the table, and fail if a budget is exceeded."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.make is not None:
        make_home(arguments.make)
        return 0
    with tempfile.TemporaryDirectory(prefix="kb-startup-") as folder:
        # by a process of its own: a child's peak memory counts from that of the process that forks it
        subprocess.run([sys.executable, __file__, "--make", folder], check=True)
        results = measure(cases(environment_of(Path(folder))), arguments.rounds)
    return report(results, arguments.rounds)


def cases(environment: Mapping[str, str]) -> list[Case]:
    """What is measured, the bare Python first."""

    def kb(*words: str) -> Callable[[], Cost]:
        return lambda: cost([sys.executable, "-m", "kb", *words], environment)

    def on_terminal(*words: str) -> Callable[[], Cost]:
        return lambda: cost_to_first_screen([sys.executable, "-m", "kb", *words], environment)

    return [
        Case("`python -S -c pass`", lambda: cost([sys.executable, "-S", "-c", "pass"], environment)),
        Case("`python -c pass`", lambda: cost([sys.executable, "-c", "pass"], environment)),
        Case("`kb --version`", kb("--version"), 6),
        Case("`kb due`", kb("due"), 6),
        Case("`kb due --json`", kb("due", "--json"), 6),
        Case("`kb`", kb()),
        Case(f"`kb quiz {TOPIC} --json`, first question", kb("quiz", TOPIC, "--json"), 15),
        Case(f"`kb quiz {TOPIC}` on a terminal, first question", on_terminal("quiz", TOPIC), 15),
        Case("`kb quiz --json`, first of 10,000 due", kb("quiz", "--json")),
    ]


def measure(wanted: list[Case], rounds: int) -> list[tuple[Case, list[Cost]]]:
    """Run every case once for the caches, then ``rounds`` times in turn."""
    for case in wanted:
        case.run()
    costs: dict[str, list[Cost]] = {case.name: [] for case in wanted}
    for _ in range(rounds):
        for case in wanted:
            costs[case.name].append(case.run())
    return [(case, costs[case.name]) for case in wanted]


def cost(command: list[str], environment: Mapping[str, str]) -> Cost:
    """The cost of a process that runs to its end with nothing on its stdin."""
    process = os.fork()
    if process == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        os.execve(command[0], command, dict(environment))
    _, status, usage = os.wait4(process, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed with {os.waitstatus_to_exitcode(status)}")
    return _cost(usage)


def cost_to_first_screen(command: list[str], environment: Mapping[str, str]) -> Cost:
    """The cost of a process on a terminal until its first screen stands; then it is killed."""
    import pty

    process, terminal = pty.fork()
    if process == 0:
        os.execve(command[0], command, {**environment, "TERM": "xterm"})
    seen = b""
    while b"keys" not in seen:  # the last line but one of the screen
        if not select.select([terminal], [], [], 60)[0]:
            raise SystemExit(f"no question in a minute: {seen[-300:]!r}")
        seen += os.read(terminal, 65536)
    os.kill(process, signal.SIGKILL)
    _, _, usage = os.wait4(process, 0)
    os.close(terminal)
    return _cost(usage)


def _cost(usage: object) -> Cost:
    user, system, peak = (getattr(usage, name) for name in ("ru_utime", "ru_stime", "ru_maxrss"))
    return Cost((user + system) * 1000, peak / (1024 if sys.platform != "darwin" else 1024**2))


def environment_of(folder: Path) -> dict[str, str]:
    """The environment whose home is in ``folder``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("KB_", "PYTHONDONTWRITE")) and name not in ("NO_COLOR", "COLUMNS", "LINES")
    }
    where = {"KB_HOME": str(folder / "home"), "KB_PATH": str(folder / "content")}
    return {**kept, **where, "KB_NOW": "2026-11-23T10:00:00+00:00"}


def make_home(folder: Path) -> None:
    """Fill ``folder`` with a content root and a home that knows 10,000 answered questions."""
    topics = folder / "content" / "topics"
    topics.mkdir(parents=True)
    for number in range(TOPICS):
        (topics / f"bench-{number:03}.yaml").write_text(_topic(number), encoding="utf-8")
    _answer_all(folder / "home")


def _topic(number: int) -> str:
    questions = "".join(
        f"  - {{id: q{n}, kind: numeric, claim: c, draw: {{n: [2, 3]}}, ask: 'Twice {{n}}?', answer: 2*n, why: w}}\n"
        for n in range(QUESTIONS)
    )
    return (
        f"title: Bench {number}\nsummary: For measuring.\n"
        "sources:\n  s: {title: t, authors: a, year: 2026, url: https://example.org}\n"
        "claims:\n  - {id: c, says: s., verdict: added, source: s}\n"
        f"questions:\n{questions}"
    )


def _answer_all(home: Path) -> None:
    """One answer to every question, from sixty to twenty-one days ago, so that all are due; in one transaction."""
    from kb.config import Settings
    from kb.memory.days import study_day
    from kb.store import ids
    from kb.store.events import Event, Promise
    from kb.store.store import Store

    events, last = [], None
    for number in range(TOPICS * QUESTIONS):
        at_ms = NOW_MS - 60 * DAY_MS + number * 39 * DAY_MS // (TOPICS * QUESTIONS)
        last = ids.next_id(at_ms, last)
        due_ms = at_ms + 20 * DAY_MS
        day = study_day((at_ms, 0))  # type: ignore[arg-type]
        name = f"bench-{number % TOPICS:03}/q{number // TOPICS}"
        promise = Promise("review", 0, due_ms, day + 20)
        events.append(
            Event(ids.to_text(last), "answer", at_ms, 0, day, "bench", name, grade=4, answer=4, promise=promise)
        )
    with Store.open(str(home), Settings(backups=False)) as store:
        store.merge(events)


def report(results: list[tuple[Case, list[Cost]]], rounds: int) -> int:
    """Print the table; 1 if a budget is exceeded."""
    bare = median([cost.cpu_ms for cost in results[0][1]])
    print("# What it costs to start\n")
    print(f"Made by `python bench/startup.py`, {rounds} rounds, medians. {machine()}.\n")
    print("CPU time of the whole process, as a multiple of `python -S -c pass` in the same rounds; peak memory.")
    print(f"The home holds {TOPICS * QUESTIONS:,} answered questions in {TOPICS} topics, beside those of kb.\n")
    print("| command | CPU, ms | × bare Python | budget | peak, MiB |\n|---|--:|--:|--:|--:|")
    failed = 0
    for case, costs in results:
        cpu = median([one.cpu_ms for one in costs])
        peak = median([one.peak_mib for one in costs])
        over = case.budget is not None and cpu / bare > case.budget
        failed |= over
        budget = "" if case.budget is None else f"{case.budget:g}{' exceeded' if over else ''}"
        print(f"| {case.name} | {cpu:.0f} | {cpu / bare:.1f} | {budget} | {peak:.0f} |")
    return int(failed)


def median(values: list[float]) -> float:
    """The median (of ``statistics``, whose import alone would be half of what is measured here)."""
    middle = len(values) // 2
    ordered = sorted(values)
    return ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def machine() -> str:
    """The machine and the versions, in a line."""
    import importlib.metadata
    import platform
    import sqlite3

    names = ("click", "msgspec", "pluggy")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    python = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    return f"{platform.system()} {platform.machine()}, {cores} cores, {python}, {versions}"


if __name__ == "__main__":
    sys.exit(main())
