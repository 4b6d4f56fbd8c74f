"""A folder plugin is a real module: dataclasses, pickling, spawn and tracebacks work; and a demo finds its function."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from kb.errors import DemoError, KbError, MissingExtra
from kb.registry import Registry

REGISTERS = """
    from kb import Demo, hookimpl

    @hookimpl
    def register_demos(register):
        register(Demo("d", run="{run}"))
    """

# An annotation that is a string makes dataclasses look for the module in sys.modules.
DATACLASS = """
    from __future__ import annotations
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Point:
        x: float
        y: float = 0.0

    def main(report):
        return Point(1.0)

    def fails(report):
        raise ValueError("here")
    """


def function(environment=os.environ):
    registry = Registry.load(environment)
    return registry.function(registry.demos["d"])


def test_dataclasses_pickles_and_tracebacks_work(home: Path, folder_plugin) -> None:
    folder = folder_plugin(home, "mine", REGISTERS.format(run="work:main"), work=DATACLASS)
    main = function()
    point = main(None)
    assert pickle.loads(pickle.dumps(point)) == point
    assert type(point).__module__ == "kb.plugins.mine.work" == main.__module__
    assert main.__code__.co_filename == str(folder / "work.py")
    with pytest.raises(ValueError) as caught:
        sys.modules["kb.plugins.mine.work"].fails(None)
    assert str(caught.traceback[-1].path) == str(folder / "work.py")
    assert "raise ValueError" in str(caught.traceback[-1].statement)


SPAWNS = """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context
    from kb.plugins.{name}.other import double

    def main(report):
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            return list(pool.map(double, range(3)))
    """
OTHER = "def double(x):\n    return 2 * x\n"
RUN = """if True:
    import os
    from kb.registry import Registry
    if __name__ == "__main__":
        registry = Registry.load(os.environ)
        print(registry.function(registry.demos["d"])(None))
    """


@pytest.mark.parametrize("where", ["user", "KB_PATH", "pack"])
@pytest.mark.slow
def test_processes_that_are_spawned_find_the_plugins(
    where: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_plugin, installed_pack
) -> None:
    root = home
    if where == "KB_PATH":
        root = tmp_path / "root"
        monkeypatch.setenv("KB_PATH", str(root))
    if where == "pack":
        root = installed_pack(
            "kb-test-one", "from kb import hookimpl\n@hookimpl\ndef register_roots(register):\n    register('.')\n"
        )
    folder_plugin(root, "mine", REGISTERS.format(run="work:main"), work=SPAWNS.format(name="mine"), other=OTHER)
    script = tmp_path / "run.py"
    script.write_text(RUN)
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == "[0, 2, 4]\n", done.stderr


def test_the_same_name_in_another_root_is_another_module(tmp_path: Path, folder_plugin) -> None:
    found = []
    for name in ("one", "two"):
        text = f"def main(report):\n    return {name!r}\n"
        folder_plugin(tmp_path / name, "same", REGISTERS.format(run="work:main"), work=text)
        found.append(function({"KB_PATH": str(tmp_path / name), "KB_HOME": str(tmp_path), "KB_LOAD_PLUGINS": ""})(None))
    assert found == ["one", "two"]


# ---- from run="module:function" to the function --------------------------------------------------------------------


def test_a_module_stands_inside_a_package_that_registers(installed_pack) -> None:
    installed_pack("kb-test-one", REGISTERS.format(run="work:main"), work="def main(report): ...")
    assert function().__module__ == "kb_test_one.work"


def test_a_module_stands_beside_a_module_that_registers(installed_pack) -> None:
    installed_pack(
        "kb-test-one",
        points="x = kb_test_one.plugin",
        plugin=REGISTERS.format(run="work:main"),
        work="def main(report): ...",
    )
    assert function().__module__ == "kb_test_one.work"


def test_a_function_may_stand_deeper(home: Path, folder_plugin) -> None:
    source = "class Space:\n    @staticmethod\n    def main(report):\n        return 7\n"
    folder = folder_plugin(home, "mine", REGISTERS.format(run="deep.work:Space.main"))
    (folder / "deep").mkdir()
    (folder / "deep" / "work.py").write_text(source)
    assert function()(None) == 7


def test_a_demo_is_imported_only_when_its_function_is_wanted(home: Path, folder_plugin) -> None:
    folder_plugin(home, "mine", REGISTERS.format(run="work:main"), work="raise SystemError")
    registry = Registry.load(os.environ)
    assert "d" in registry.demos
    assert "kb.plugins.mine.work" not in sys.modules


FAILURES = {
    "no such module": ("wrk:main", "", DemoError, "there is no module kb.plugins.mine.wrk"),
    "no such package": ("work.deep:main", "", DemoError, "there is no module kb.plugins.mine.work.deep"),
    "no such function": ("work:mian", "def main(report): ...", DemoError, "no function 'mian'; did you mean main?"),
    "no function": ("work:main", "main = 3", DemoError, "main is not a function"),
    "a missing extra": (
        "work:main",
        "import torch.nn",
        MissingExtra,
        'torch is not installed; install it with: pip install "kb-scribbles[demos]"',
    ),
    "another missing library": ("work:main", "import nowhere.near", DemoError, "'nowhere'"),
    "a wrong import of its own": ("work:main", "from kb.plugins.mine import x", DemoError, "cannot import name 'x'"),
    "an error": ("work:main", "\n1 / 0", DemoError, "ZeroDivisionError"),
    "an exit": ("work:main", "raise SystemExit(0)", DemoError, "exit"),
    "a syntax error": ("work:main", "def", DemoError, "SyntaxError"),
    "a parameter out of range": ("work:main", "from kb import Param\nParam('n', 9, max=3)", KbError, "at most 3"),
}


@pytest.mark.parametrize(("run", "work", "kind", "message"), FAILURES.values(), ids=FAILURES)
def test_a_demo_that_cannot_be_loaded_says_why(
    run: str, work: str, kind: type[KbError], message: str, home: Path, folder_plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as if it were not installed
    folder_plugin(home, "mine", REGISTERS.format(run=run), work=work)
    registry = Registry.load(os.environ)
    with pytest.raises(kind) as caught:
        registry.function(registry.demos["d"])
    assert message in str(caught.value)


def test_an_error_in_a_demos_module_has_its_place(home: Path, folder_plugin) -> None:
    folder = folder_plugin(home, "mine", REGISTERS.format(run="work:main"), work="\n\n1 / 0")
    with pytest.raises(DemoError) as caught:
        function()
    assert (caught.value.file, caught.value.line) == (str(folder / "work.py"), 3)


def test_what_a_demos_module_prints_goes_to_stderr(
    home: Path, folder_plugin, capsys: pytest.CaptureFixture[str]
) -> None:
    folder_plugin(home, "mine", REGISTERS.format(run="work:main"), work="print('noise')\ndef main(report): ...")
    function()
    assert capsys.readouterr() == ("", "noise\n")
