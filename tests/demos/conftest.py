"""A laboratory: a content root with one plugin whose demos do everything that demos should not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

REGISTER = """
    from kb import Demo, Param, hookimpl

    PARAMS = (
        Param("steps", 5, min=1, max=500, help="how many steps"),
        Param("rate", 0.5, min=0.0),
        Param("kv_heads", 2, choices=(1, 2, 4)),
        Param("mode", "plain", choices=("plain", "fancy")),
        Param("shuffle", True, help="shuffle first"),
    )
    QUIET = ("loud", "empty", "failing", "raising", "leaving", "vanishing", "crashing", "lazy", "twice", "numbers",
             "scalars", "spinning", "asleep", "reading", "family", "spawning", "figures", "finite", "missing-name")


    @hookimpl
    def register_demos(register):
        register(Demo("lab", run="main:lab", topic="lab", summary="Shows ψ and “all” that is there.",
                      devices=("cpu", "cuda"), params=PARAMS))
        register(Demo("called", run=lambda report: report.metric("answer", 42), summary="A callable."))
        register(Demo("apple", run="main:empty", devices=("cpu", "mps"), summary="Runs on Apple's GPU too."))
        register(Demo("ranked", run="main:ranked", summary="Says its rank."))
        register(Demo("typo", run="main:no_such", summary="Its function is not there."))
        register(Demo("unimportable", run="broken:main", summary="Its module cannot be imported."))
        register(Demo("no-torch", run="heavy:main", summary="Needs torch at import."))
        for name in QUIET:
            register(Demo(name, run="main:" + name.replace("-", "_"), topic="lab", summary=f"The demo {name}."))
"""

MAIN = """
    import enum, multiprocessing, os, subprocess, sys, time


    def lab(report, steps, rate, kv_heads, mode, shuffle, device):
        for _ in report.progress(range(steps), label="working"):
            pass
        report.metric("steps-taken", steps)
        report.metric("peak-memory", 123456789, "B")
        report.metric("device-given", device)
        report.check("steps-positive", steps, at_least=1)
        report.check("rate-halves", rate, 0.5, rtol=0.01)
        report.table("Stages", ["stage", "bytes"], [[0, 16.0], [1, 5.5]])
        report.curve([1, 2, 4, 8], {"measured": [1, 2, 4, 8], "theory": [1, 2, 4, 8]}, log="xy",
                     title="Growth over N", xlabel="N", ylabel="bytes", dashed=["theory"])
        report.note("Said in a note.")


    def loud(report):
        print("a stray line")
        os.system("echo a stray line of a child")
        report.check("fine", 1, 1)


    def empty(report):
        pass


    def failing(report):
        report.check("holds", 1, 1)
        report.check("too-large", 2.5, at_most=1.0)


    def raising(report):
        report.metric("before", 1)
        raise ValueError("no\\nway")  # the line of the fault


    def leaving(report):
        sys.exit(0)


    def vanishing(report):
        os._exit(0)


    def crashing(report):
        import ctypes
        ctypes.string_at(0)


    def lazy(report):
        import torch


    def twice(report):
        report.metric("same", 1)
        report.metric("same", 2)


    def numbers(report):
        report.metric("nan", float("nan"))
        report.metric("plus", float("inf"))
        report.metric("minus", float("-inf"))
        report.check("nan-never-holds", float("nan"), at_most=1.0)


    def scalars(report):
        import numpy as np
        report.metric("float32", np.float32(0.5))
        report.metric("float64", np.float64(0.25))
        report.metric("int64", np.int64(7))
        report.metric("bool", np.bool_(True))
        report.metric("array", np.array([[3]]))
        report.metric("enum", enum.IntEnum("Colour", "red").red)
        report.check("counted", np.int64(3), np.float64(3.0))
        report.curve(np.arange(3), {"a": np.arange(3.0)})
        report.image(np.eye(3))


    def spinning(report):
        mark("spinning")
        10 ** 10 ** 9  # native code that keeps the interpreter's lock


    def asleep(report):
        mark("asleep")
        time.sleep(1000)


    def reading(report):
        report.metric("read", input())


    def family(report):
        child = subprocess.Popen(["sleep", "1001"])
        stranger = subprocess.Popen(["sleep", "1002"], start_new_session=True)
        rank = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1003,))
        rank.start()
        orphan = int(subprocess.check_output(["sh", "-c", "setsid sleep 1004 >/dev/null & echo $!"]))
        mark(f"{child.pid} {stranger.pid} {rank.pid} {orphan} {os.getpid()}")
        time.sleep(1000)


    def double(x):
        return 2 * x


    def spawning(report):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            report.check("doubled", pool.map(double, [1, 2])[1], 4)


    def figures(report):
        nan, inf = float("nan"), float("inf")
        report.curve([1, 10, 100], {"a": [1, nan, 3], "b": [inf, -1, 2]}, log="xy", title="../../etc/passwd")
        report.curve([1, 2], {"a": [nan, inf]}, title="Nothing $to_see$")
        report.bars(["one", "two"], {"x": [1, 2], "y": [3, 4]}, title="Same", unit="B")
        report.bars(["one", "two"], {"x": [1, -2], "y": [3, nan]}, stacked=False, title="same")
        report.image([[0, 1, nan], [2, 3, 4]], title="日本語", xlabel="x", ylabel="y")
        report.table("With | bars", ["a|b", "c"], [["x|y", nan], ["", inf]])


    def finite(report):
        report.metric("tmp", os.environ["TMPDIR"])
        open(os.path.join(os.environ["TMPDIR"], "left"), "w").close()


    def missing_name(report):
        import no_such_module_at_all


    def ranked(report):
        print("rank", os.environ.get("RANK"))
        report.metric("rank", int(os.environ.get("RANK", "-1")))
        report.check("same", 1, 1)


    def mark(text):
        with open(os.environ["LAB_MARK"] + "~", "w") as file:
            file.write(text)
        os.rename(os.environ["LAB_MARK"] + "~", os.environ["LAB_MARK"])
"""

BROKEN = """
    x = 1
    raise RuntimeError("broken at import")
"""

HEAVY = """
    import torch


    def main(report):
        report.metric("version", torch.__version__)
"""

TOPIC = """
    title: Laboratory
    summary: A topic whose claims are proved by the demos of the laboratory.
    sources:
      me: {title: A title, authors: Somebody, year: 2026, url: "https://example.org"}
    claims:
      - {id: first, says: One thing., verdict: added, source: me, proof: lab/steps-positive}
      - {id: second, says: Two things., verdict: added, source: me, proof: [lab/rate-halves, failing/holds]}
      - {id: unproven, says: A third thing., verdict: added, source: me}
    demos: [lab]
"""


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The laboratory's root, which KB_PATH names; demos leave word for the test in the file LAB_MARK."""
    root = tmp_path / "lab root"
    folder = root / "plugins" / "lab"
    folder.mkdir(parents=True)
    for stem, text in {"__init__": REGISTER, "main": MAIN, "broken": BROKEN, "heavy": HEAVY}.items():
        (folder / f"{stem}.py").write_text(dedent(text).lstrip(), encoding="utf-8")
    (root / "topics").mkdir()
    write_topic(root, "lab", TOPIC)
    monkeypatch.setenv("KB_PATH", str(root))
    monkeypatch.setenv("LAB_MARK", str(tmp_path / "mark"))
    return root


def write_topic(root: Path, name: str, text: str) -> Path:
    path = root / "topics" / f"{name}.yaml"
    path.write_text(dedent(text).lstrip(), encoding="utf-8")
    return path


@pytest.fixture
def topic() -> Callable[[Path, str, str], Path]:
    """``topic(root, name, text)`` writes a topic file."""
    return write_topic


@pytest.fixture
def without(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """``without("torch")`` is an environment in which that library is not installed."""

    def hide(library: str) -> dict[str, str]:
        folder = tmp_path / f"without-{library}"
        folder.mkdir(exist_ok=True)
        (folder / "sitecustomize.py").write_text(
            dedent(f"""
            import importlib.abc, sys

            class Hidden(importlib.abc.MetaPathFinder):
                def find_spec(self, name, path=None, target=None):
                    if name.partition(".")[0] == {library!r}:
                        raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

            sys.meta_path.insert(0, Hidden())
            """),
            encoding="utf-8",
        )
        return {"PYTHONPATH": f"{folder}:{Path(__file__).resolve().parents[2]}"}

    return hide


@pytest.fixture(autouse=True)
def _modules_of_its_own() -> Iterator[None]:
    """Forget the laboratory's modules: the next test has its own."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("kb.plugins"):
            del sys.modules[name]
