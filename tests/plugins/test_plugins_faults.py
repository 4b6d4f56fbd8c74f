"""A plugin may do anything: kb goes on, the others work, and ``plugins`` names it with its cause."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from kb.registry import Registry

GOOD = """
    from kb import Demo, hookimpl

    @hookimpl
    def register_demos(register):
        register(Demo("good", run="work:main"))
    """

# What a plugin's __init__.py does, and what kb says of it.
FAULTS = {
    "raises at import": ("x = 1\nraise ValueError('out of tune')", "ValueError: out of tune ({file}:2)"),
    "does not parse": ("def f(:\n    pass", "SyntaxError: invalid syntax ({file}:1)"),
    "is not UTF-8": (b"name = '\xff'", "SyntaxError"),
    "has a NUL byte": (b"x = 1\x00", "null bytes"),
    "calls sys.exit": ("import sys\nsys.exit(3)", "called sys.exit(3) ({file}:2)"),
    "calls sys.exit with a text": ("import sys\nsys.exit('bye')", "called sys.exit('bye')"),
    "raises a BaseException of its own": ("class Stop(BaseException): ...\nraise Stop('no more')", "Stop: no more"),
    "raises GeneratorExit": ("raise GeneratorExit", "GeneratorExit ({file}:1)"),
    "recurses without end": ("def f():\n    return f()\nf()", "RecursionError"),
    "lacks a library": ("import a_library_that_is_not_there", "No module named 'a_library_that_is_not_there'"),
    "raises what cannot be shown": (
        "class Mute(Exception):\n    def __str__(self):\n        raise ValueError\nraise Mute",
        "Mute: <Mute that cannot be shown>",
    ),
    "says a lot": ("raise ValueError('so ' * 10_000)", "ValueError: so so"),
    "reads standard input": ("input()", "EOFError"),
    "misspells a hook": (
        "from kb import hookimpl\n@hookimpl\ndef register_demo(register): ...",
        "kb has no hook 'register_demo'; did you mean register_demos?",
    ),
    "forgets the mark": ("def register_demos(register): ...", "register_demos is not marked with @hookimpl"),
    "asks for other arguments": (
        "from kb import hookimpl\n@hookimpl\ndef register_demos(registry): ...",
        "PluginValidationError",
    ),
    "wraps a hook": (
        "import pluggy\n@pluggy.HookimplMarker('kb')(wrapper=True)\ndef register_demos(register):\n    return (yield)",
        "register_demos is a hook wrapper",
    ),
    "raises while it registers": (
        "from kb import hookimpl\n@hookimpl\ndef register_demos(register):\n    raise OSError('no disk')",
        "OSError: no disk ({file}:4)",
    ),
    "exits while it registers": (
        "from kb import hookimpl\n@hookimpl\ndef register_demos(register):\n    raise SystemExit",
        "called sys.exit(None) ({file}:4)",
    ),
    "returns instead of registering": (
        "from kb import hookimpl\n@hookimpl\ndef register_demos(register):\n    return []",
        "register_demos returns a value",
    ),
    "registers something else": (
        "from kb import hookimpl\n@hookimpl\ndef register_demos(register):\n    register({'name': 'x'})",
        "register_demos takes a kb.Demo, not an object of type dict",
    ),
    "registers a demo that cannot be run": (
        "from kb import Demo, hookimpl\n@hookimpl\ndef register_demos(register):\n    register(Demo('x', run='work'))",
        "demo 'x': run is \"module:function\", not 'work'",
    ),
    "gives a demo a bad name": (
        "from kb import Demo, hookimpl\n@hookimpl\ndef register_demos(register):\n    register(Demo('a/b', run='w:m'))",
        "not 'a/b'",
    ),
    "gives a demo a parameter twice": (
        "from kb import Demo, Param, hookimpl\n@hookimpl\ndef register_demos(register):\n"
        "    register(Demo('x', run='w:m', params=(Param('n', 1), Param('n', 2))))",
        "demo 'x' has two parameters called 'n' ({file}:4)",
    ),
    "registers a kind that is no class": (
        "from kb import hookimpl\n@hookimpl\ndef register_question_kinds(register):\n    register('riddle')",
        "register_question_kinds takes a subclass of kb.Question, not an object of type str",
    ),
    "registers an unfinished kind": (
        "from kb import Question, hookimpl\nclass Riddle(Question):\n    kind = 'riddle'\n"
        "@hookimpl\ndef register_question_kinds(register):\n    register(Riddle)",
        "question kind 'riddle' lacks ask",
    ),
    "registers a kind without a name": (
        "from kb import Question, hookimpl\nclass Riddle(Question): ...\n"
        "@hookimpl\ndef register_question_kinds(register):\n    register(Riddle)",
        "question kind Riddle has no name",
    ),
    "registers a function as a command": (
        "from kb import hookimpl\n@hookimpl\ndef register_commands(register):\n    register(print)",
        "register_commands takes a click command",
    ),
    "registers an importer that cannot read": (
        "from kb import hookimpl\n@hookimpl\ndef register_importers(register):\n    register(object())",
        "register_importers takes an object with name and read()",
    ),
    "registers roots from a folder": (
        "from kb import hookimpl\n@hookimpl\ndef register_roots(register):\n    register('.')",
        "register_roots is for packs",
    ),
}

# What a plugin does besides working: it stays, and is told on.
MISDEEDS = {
    "prints": ("print('hello', 'there')", "printed while it was loaded: 'hello there'"),
    "prints bytes": ("import sys\nsys.stdout.buffer.write(b'raw')", "'raw'"),
    "prints to the file descriptor": ("import os\nos.write(1, b'low')", "printed while it was loaded: 'low'"),
    "lets a child print": ("import os\nos.system('echo child')", "printed while it was loaded: 'child'"),
    "prints to the original stdout": ("import sys\nsys.__stdout__.write('deep')", "'deep'"),
    "prints to a closed stdout": ("import sys\nsys.stdout.close()\nprint('x')", "'x'"),
    "changes the directory": ("import os\nos.chdir('/')", "changed the working directory"),
    "handles a signal": (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)",
        "changed the handler of SIGINT (put back)",
    ),
}


@pytest.fixture
def load(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_plugin):
    """Load a bad plugin between two good ones; return the registry, and the bad one's entry."""

    def loaded(source: str | bytes) -> tuple[Registry, str, Path]:
        folder_plugin(home, "a_good", GOOD)
        folder = folder_plugin(home, "bad", "")
        file = folder / "__init__.py"
        file.write_bytes(source if isinstance(source, bytes) else source.encode())
        folder_plugin(home, "z_good", GOOD.replace("good", "last"))
        registry = Registry.load(os.environ)
        error = {plugin.name: plugin.error for plugin in registry.plugins}["bad"]
        assert error is not None
        return registry, error, file

    return loaded


def with_faults(registry: Registry, file: Path) -> list[str]:
    """The plugins beside the one of ``file`` that have a fault."""
    root = str(file.parents[1])
    return [plugin.name for plugin in registry.plugins if plugin.error and plugin.source.startswith(root)]


@pytest.mark.parametrize(("source", "message"), FAULTS.values(), ids=FAULTS)
def test_a_broken_plugin_is_named_and_the_others_work(source: str | bytes, message: str, load) -> None:
    registry, error, file = load(source)
    assert message.format(file=file) in error
    assert "\n" not in error and len(error) < 1000
    assert {"good", "last"} <= set(registry.demos)
    assert "x" not in registry.demos
    assert with_faults(registry, file) == ["bad"]


@pytest.mark.parametrize(("act", "message"), MISDEEDS.values(), ids=MISDEEDS)
@pytest.mark.parametrize("when", ["import", "registration"])
def test_a_plugin_that_misbehaves_works_and_is_named(
    act: str, message: str, when: str, load, capfd: pytest.CaptureFixture[str]
) -> None:
    before = os.getcwd(), signal.getsignal(signal.SIGINT)
    indented = act.replace("\n", "\n    ")
    hook = (
        "from kb import Demo, hookimpl\n@hookimpl\ndef register_demos(register):\n    register(Demo('x', run='w:m'))\n"
    )
    registry, error, file = load(f"{act}\n{hook}" if when == "import" else f"{hook}    {indented}\n")
    assert message in error
    assert {"good", "last", "x"} <= set(registry.demos)
    assert with_faults(registry, file) == ["bad"]
    assert (os.getcwd(), signal.getsignal(signal.SIGINT)) == before
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize("act", ["import numpy", "from numpy.linalg import LinAlgError"])
def test_a_plugin_that_imports_numpy_to_register_is_named(act: str, home: Path, folder_plugin, run_kb) -> None:
    pytest.importorskip("numpy")
    folder_plugin(home, "first", act)
    folder_plugin(home, "second", act)
    listed = run_kb("plugins", "--json").stdout
    assert listed.count("imports numpy to register: move the import into the demo's own module") == 2


def test_ctrl_c_while_a_plugin_loads_ends_kb(home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "bad", "raise KeyboardInterrupt")
    done = run_kb("plugins")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "")


def test_what_a_hook_registered_before_it_failed_does_not_count(load) -> None:
    hook = (
        "from kb import Demo, hookimpl\n@hookimpl\ndef register_demos(register):\n    register(Demo('x', run='w:m'))\n"
    )
    registry, _, _ = load(hook + "    raise ValueError")
    assert "x" not in registry.demos


def test_a_hook_that_fails_leaves_the_plugins_other_hooks(load) -> None:
    registry, error, _ = load(
        "import click\nfrom kb import Demo, hookimpl\n"
        "@hookimpl\ndef register_demos(register):\n    raise ValueError('first')\n"
        "@hookimpl\ndef register_commands(register):\n    register(click.Command('extra'))\n"
    )
    assert "first" in error
    assert "extra" in registry.commands


def test_every_fault_of_a_plugin_is_named(load) -> None:
    _, error, _ = load("from kb import hookimpl\nprint('x')\n@hookimpl\ndef register_demos(register):\n    1 / 0\n")
    assert "printed" in error and "ZeroDivisionError" in error


def test_output_and_input_are_as_before_after_loading(load) -> None:
    streams = sys.stdin, sys.stdout
    load("import sys\nsys.stdout = sys.stdin = None\n1 / 0\n")
    assert (sys.stdin, sys.stdout) == streams


def test_json_stays_json_whatever_plugins_print(home: Path, folder_plugin, run_kb) -> None:
    import json

    folder_plugin(
        home, "bad", "import os, sys\nprint('x')\nos.write(1, b'y')\nos.system('echo z')\nsys.__stdout__.write('w')"
    )
    done = run_kb("plugins", "--json")
    assert done.returncode == 0
    entry = {plugin["name"]: plugin for plugin in json.loads(done.stdout)}["bad"]
    assert list(entry) == ["name", "version", "source", "hooks", "error"]
    assert entry["hooks"] == [] and "printed" in entry["error"]
