"""The house stands as it is drawn: rooms in order, small files, cheap starts, and commands that explain themselves."""

from __future__ import annotations

import ast
import graphlib
import importlib
import inspect
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import kb
from kb import errors, hooks
from kb.terminal.commands import COMMANDS

CHECKOUT = Path(__file__).resolve().parent.parent
PACKAGE = CHECKOUT / "kb"
FILES = sorted(PACKAGE.rglob("*.py"))

# A room may import from those that stand before it.
ROOMS = [
    *("errors", "hooks", "roots", "config", "knowledge", "questions", "demos", "memory"),
    *("sandbox", "plugins", "registry", "store", "quiz", "terminal"),
]
LONGEST_FILE = 400  # lines
HEAVY = {"torch", "numpy", "sqlite_utils", "rich", "importlib.metadata"}


def module_of(file: Path) -> str:
    parts = file.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {module_of(file): file for file in FILES}


def imports(file: Path, *, with_types: bool) -> Iterator[tuple[str, int]]:
    """The modules of kb that ``file`` imports, wherever in it, with their lines."""

    def visit(node: ast.AST) -> Iterator[tuple[str, int]]:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not with_types:
            return
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "kb":
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno}: write imports in full"
            if node.module and node.module.partition(".")[0] == "kb":
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    home = kb._HOMES.get(alias.name) if node.module == "kb" else None
                    yield home or (whole if whole in MODULES else node.module), node.lineno
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    yield from visit(ast.parse(file.read_text("utf-8")))


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def test_every_file_is_in_a_room_of_the_drawing() -> None:
    assert {room_of(module) for module in MODULES} - {None, "__main__"} <= set(ROOMS)


def test_rooms_import_only_from_rooms_before_them() -> None:
    place = {room: number for number, room in enumerate(ROOMS)}
    wrong = [
        f"{file.relative_to(CHECKOUT)}:{line}: {room_of(module)} must not import {imported}"
        for module, file in MODULES.items()
        if module not in ("kb", "kb.__main__")
        for imported, line in imports(file, with_types=True)
        if imported != "kb" and place[str(room_of(imported))] > place[str(room_of(module))]
    ]
    assert not wrong, "\n".join(wrong)


def test_no_import_closes_a_circle() -> None:
    graph = {module: {name for name, _ in imports(file, with_types=False)} for module, file in MODULES.items()}
    del graph["kb"]  # it hands out names of other modules when they are touched, which is no import
    for module, needs in graph.items():
        needs -= {module, "kb"}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which shows the circle


def test_the_package_itself_imports_nothing_but_what_is_touched() -> None:
    code = "import sys, kb; print(sorted(name for name in sys.modules if name.startswith('kb.')))"
    assert run_python("-c", code).stdout.strip() == "[]"


@pytest.mark.parametrize("name", kb.__all__)
def test_the_public_names_are_there(name: str) -> None:
    assert getattr(kb, name) is not None
    assert name in dir(kb)


def test_the_public_names_are_sorted_and_complete() -> None:
    assert kb.__all__ == sorted(kb.__all__)
    assert set(kb.__all__) == set(kb._HOMES)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        kb.nothing  # noqa: B018


def test_files_are_small() -> None:
    lengths = {str(file.relative_to(CHECKOUT)): len(file.read_text("utf-8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_says_what_it_is() -> None:
    silent = [name for name, file in MODULES.items() if not ast.get_docstring(ast.parse(file.read_text("utf-8")))]
    assert silent == []


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn = re.findall(r"^[│├└─\s]*(\w+)\s{2,}", str(errors.__doc__), re.MULTILINE)
    defined = [
        name for name, value in vars(errors).items() if inspect.isclass(value) and value.__module__ == "kb.errors"
    ]
    assert sorted(drawn) == sorted(defined)
    assert all(issubclass(getattr(errors, name), errors.KbError) for name in defined)


@pytest.mark.parametrize("hook", [name for name in vars(hooks) if name.startswith("register_")])
def test_every_hook_is_one_register_with_one_line(hook: str) -> None:
    function = getattr(hooks, hook)
    assert list(inspect.signature(function).parameters) == ["register"]
    assert len(inspect.getdoc(function).splitlines()) == 1


def test_the_packages_that_are_shipped_are_those_that_exist() -> None:
    shipped = set(project()["tool"]["setuptools"]["packages"])
    existing = {module for module, file in MODULES.items() if file.name == "__init__.py"}
    assert shipped == existing | {"kb._builtin.topics", "kb._builtin.plugins"}


def test_what_was_tested_is_pinned() -> None:
    pinned = {}
    for line in (CHECKOUT / "constraints.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), f"{line!r} is not name==version"
            name, _, version = line.partition("==")
            pinned[name.lower().replace("_", "-")] = version
    table = project()["project"]
    wanted = table["dependencies"] + [each for extra in table["optional-dependencies"].values() for each in extra]
    names = {re.split(r"[<>=~;\[ ]", each)[0].lower() for each in wanted}
    assert names <= set(pinned)


# ---- the command line ----------------------------------------------------------------------------------------------


def test_every_command_has_a_file_and_every_file_is_a_command() -> None:
    files = {file.stem for file in (PACKAGE / "terminal" / "commands").glob("*.py")}
    assert files - {"__init__", "home"} == set(COMMANDS)  # home is `kb` without a command


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_explains_itself(name: str) -> None:
    command: click.Command = importlib.import_module(f"kb.terminal.commands.{name}").command
    text = str(command.help)
    assert text.splitlines()[0].startswith(COMMANDS[name].rstrip(".")), "`kb --help` and the command must say the same"
    assert f"kb {name}" in text, "an example is missing"
    assert "Examples:" in text
    for option in command.params:
        assert isinstance(option, click.Argument) or option.help, f"{option.name} has no help"


def test_the_readme_tells_of_every_command() -> None:
    readme = (CHECKOUT / "README.md").read_text("utf-8")
    if "<!-- test -->" not in readme:
        pytest.skip("the README is not written yet")
    assert [name for name in COMMANDS if f"kb {name}" not in readme] == []


# ---- what a start costs --------------------------------------------------------------------------------------------


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, encoding="utf-8", env=environment, timeout=120, check=False
    )


def modules_of(*arguments: str) -> set[str]:
    """What ``kb`` with these arguments imports, in a fresh interpreter."""
    done = run_python("-X", "importtime", "-m", "kb", *arguments)
    assert done.returncode == 0, done.stderr[-1000:]
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}


@pytest.mark.parametrize("arguments", [["--version"], ["due"]], ids=["--version", "due"])
def test_the_commands_of_every_prompt_import_nothing_heavy(arguments: list[str]) -> None:
    run_python("-m", "kb", *arguments)  # the first time may have to index the topics
    loaded = modules_of(*arguments)
    assert "kb.terminal.main" in loaded  # the measurement works
    assert loaded & (HEAVY | {"click", "yaml", "msgspec", "pluggy"}) == set()


def test_help_imports_nothing_heavy() -> None:
    assert modules_of("--help") & (HEAVY - {"importlib.metadata"}) == set()


TYPES = ["mypy", "kb", "plugins", "docs", "bench", "cli.py"]


@pytest.mark.slow
@pytest.mark.parametrize("check", [["ruff", "check", "."], ["ruff", "format", "--check", "."], TYPES], ids=" ".join)
def test_the_code_is_clean(check: list[str]) -> None:
    pytest.importorskip(check[0])
    if check is TYPES:
        pytest.importorskip("torch", reason="the demos' types need the extra `demos`")
    done = subprocess.run(
        [sys.executable, "-m", *check], cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def project() -> dict[str, dict]:
    return tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
