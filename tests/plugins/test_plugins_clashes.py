"""Two owners of one name: the first keeps it, the later is refused, and the fault names both."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.errors import PluginError
from kb.registry import Registry
from kb.registry.names import Names

DEMO = (
    "from kb import Demo, hookimpl\n@hookimpl\ndef register_demos(register):\n"
    "    register(Demo('{0}', run='work:main', summary='{1}'))\n"
)
COMMAND = (
    "import click\nfrom kb import hookimpl\n@hookimpl\ndef register_commands(register):\n"
    "    register(click.Command('{0}', help='{1}'))\n"
)


def errors(registry: Registry) -> dict[str, str | None]:
    return {plugin.source: plugin.error for plugin in registry.plugins}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["x", "y", "z"])), max_size=12))
def test_the_first_owner_keeps_a_name(registered: list[tuple[str, str]]) -> None:
    names = Names("thing", lambda thing: thing[0])
    for name, owner in registered:
        taken = name in names.owners
        try:
            names.add((name, owner), owner)
            assert not taken
        except PluginError as error:
            assert taken
            assert owner in str(error) and names.owners[name] in str(error)
    assert names.owners == {name: owner for name, owner in reversed(registered)}


def test_a_demo_of_two_folders(home: Path, folder_plugin) -> None:
    first = folder_plugin(home, "aa", DEMO.format("same", "first"))
    second = folder_plugin(home, "bb", DEMO.format("same", "second"))
    registry = Registry.load(os.environ)
    assert registry.demos["same"].summary == "first"
    assert errors(registry)[str(first)] is None
    error = errors(registry)[str(second)]
    assert error is not None and str(first) in error and str(second) in error and "'same'" in error


def test_built_in_comes_before_packs_and_packs_before_folders(
    home: Path, folder_plugin, installed_pack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shipped = tmp_path / "shipped"
    folder_plugin(shipped, "zz_builtin", DEMO.format("one", "builtin"))
    monkeypatch.setattr("kb.roots.builtin_root", lambda: str(shipped))
    pack = DEMO.format("one", "pack") + "    register(Demo('two', run='w:m', summary='pack'))\n"
    installed_pack("kb-test-one", pack)
    mine = folder_plugin(home, "aa", DEMO.format("two", "folder"))
    registry = Registry.load(os.environ)
    assert {name: registry.demos[name].summary for name in ("one", "two")} == {"one": "builtin", "two": "pack"}
    listed = {plugin.name: plugin.error for plugin in registry.plugins}
    assert "zz_builtin" in str(listed["kb-test-one"]) and "kb-test-one" in str(listed["kb-test-one"])
    assert "the pack kb-test-one" in str(listed["aa"]) and str(mine) in str(listed["aa"])


def test_a_plugin_keeps_its_other_names(home: Path, folder_plugin) -> None:
    folder_plugin(home, "aa", DEMO.format("same", ""))
    folder_plugin(home, "bb", DEMO.format("same", "") + "    register(Demo('other', run='w:m'))\n")
    assert "other" in Registry.load(os.environ).demos


def test_one_plugin_twice_is_a_clash_with_itself(home: Path, folder_plugin) -> None:
    folder = folder_plugin(home, "aa", DEMO.format("same", "one") + "    register(Demo('same', run='w:m'))\n")
    registry = Registry.load(os.environ)
    assert registry.demos["same"].summary == "one"
    assert "'same'" in str(errors(registry)[str(folder)])


def test_a_folder_of_two_roots(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_plugin) -> None:
    first = folder_plugin(tmp_path / "root", "same", DEMO.format("one", ""))
    second = folder_plugin(home, "same", DEMO.format("two", ""))
    monkeypatch.setenv("KB_PATH", str(tmp_path / "root"))
    registry = Registry.load(os.environ)
    assert "one" in registry.demos and "two" not in registry.demos
    error = errors(registry)[str(second)]
    assert error is not None and str(first) in error and str(second) in error


def test_a_kind_named_like_a_built_in_one(home: Path, folder_plugin) -> None:
    source = """
        from kb import hookimpl
        from kb.questions.choice import Choice

        class Mine(Choice):
            pass

        @hookimpl
        def register_question_kinds(register):
            register(Mine)
        """
    folder = folder_plugin(home, "kinds", source)
    registry = Registry.load(os.environ)
    assert registry.kinds["choice"].__module__ == "kb.questions.choice"
    error = errors(registry)[str(folder)]
    assert error is not None and "kb itself" in error and str(folder) in error


@pytest.mark.parametrize("name", ["quiz", "demo", "completion"])
def test_a_command_named_like_kbs_own(name: str, home: Path, folder_plugin, run_kb) -> None:
    folder_plugin(home, "commands", COMMAND.format(name, ""))
    listed = {plugin["name"]: plugin["error"] for plugin in json.loads(run_kb("plugins", "--json").stdout)}
    assert (
        f"command {name!r} of the plugin folder {home}/plugins/commands is left out: kb itself has"
        in listed["commands"]
    )


def test_commands_of_two_plugins(home: Path, folder_plugin) -> None:
    folder_plugin(home, "aa", COMMAND.format("same", "first"))
    second = folder_plugin(home, "bb", COMMAND.format("same", "second"))
    registry = Registry.load(os.environ)
    assert registry.commands["same"].help == "first"
    assert "aa" in str(errors(registry)[str(second)])


def test_a_root_that_is_named_twice_counts_once(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_plugin
) -> None:
    folder_plugin(tmp_path / "root", "same", DEMO.format("one", ""))
    (tmp_path / "link").symlink_to(tmp_path / "root")
    for paths in itertools.permutations(["root", "link", "root/../root"]):
        monkeypatch.setenv("KB_PATH", os.pathsep.join(str(tmp_path / path) for path in paths))
        listed = {plugin.name: plugin.error for plugin in Registry.load(os.environ).plugins}
        assert listed["same"] is None
