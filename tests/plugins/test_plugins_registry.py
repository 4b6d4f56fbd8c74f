"""What a registry holds: kb's own, the roots' folders and the packs, all by one door."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from kb import __version__, hookimpl
from kb.demos.api import Demo
from kb.registry import PluginInfo, Registry
from kb.roots import builtin_root

DEMO = """
    from kb import Demo, hookimpl

    @hookimpl
    def register_demos(register):
        register(Demo("NAME", run="work:main"))
    """


def demo(name: str) -> str:
    return DEMO.replace("NAME", name)


def by_name(registry: Registry) -> dict[str, PluginInfo]:
    return {plugin.name: plugin for plugin in registry.plugins}


def test_the_builtin_plugins_come_by_the_door_of_everybody() -> None:
    registry = Registry.load(os.environ)
    folders = {
        entry.name for entry in (Path(builtin_root()) / "plugins").iterdir() if (entry / "__init__.py").is_file()
    }
    listed = by_name(registry)
    assert folders <= set(listed)
    assert [plugin for plugin in registry.plugins if plugin.error is not None] == []
    assert listed["kb-scribbles"].hooks == ("register_question_kinds",)
    for name in folders:
        assert listed[name].version == __version__
        assert listed[name].source == str(Path(builtin_root()) / "plugins" / name)


def test_folders_of_kb_path_and_of_the_user_are_loaded(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder_plugin
) -> None:
    folder_plugin(tmp_path / "one", "first", demo("first"))
    folder_plugin(tmp_path / "two", "second", demo("second"))
    mine = folder_plugin(home, "mine", demo("mine"))
    monkeypatch.setenv("KB_PATH", os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")]))
    registry = Registry.load(os.environ)
    assert {"first", "second", "mine"} <= set(registry.demos)
    assert by_name(registry)["mine"] == PluginInfo("mine", None, str(mine), ("register_demos",), None)
    assert [root.owner for root in registry.roots] == ["kb", "$KB_PATH", "$KB_PATH", "user"]


def test_names_that_are_hidden_or_private_are_not_plugins(home: Path, folder_plugin) -> None:
    for name in ("__pycache__", ".git", "_shared", "left_over/__pycache__"):
        folder_plugin(home, name, "raise SystemError")
    (home / "plugins" / "README.md").write_text("not a plugin")
    assert not any(plugin.source.startswith(str(home)) for plugin in Registry.load(os.environ).plugins)


@pytest.mark.parametrize(
    ("name", "cure"),
    [("with-hyphen", "with_hyphen"), ("bare", "__init__.py"), ("flat.py", "flat/__init__.py")],
)
def test_what_cannot_be_a_folder_pack_is_named_with_its_cure(home: Path, name: str, cure: str) -> None:
    (home / "plugins").mkdir()
    target = home / "plugins" / name
    if name.endswith(".py"):
        target.write_text("")
    else:
        target.mkdir()
        (target / "work.py").write_text("")
    error = by_name(Registry.load(os.environ))[target.stem].error
    assert error is not None and cure in error


def test_a_registry_takes_plugin_objects_from_its_caller() -> None:
    class Pack:
        @hookimpl
        def register_demos(self, register) -> None:
            register(Demo("given", run=lambda report: None))

    registry = Registry.load(os.environ, plugins=[("a-test", Pack())])
    assert by_name(registry)["a-test"] == PluginInfo("a-test", None, "given", ("register_demos",), None)
    assert registry.function(registry.demos["given"]) is registry.demos["given"].run


# ---- packs that pip installed --------------------------------------------------------------------------------------


def test_a_pack_is_listed_under_its_distribution(installed_pack) -> None:
    package = installed_pack("kb-test-one", demo("one"))
    registry = Registry.load(os.environ)
    expected = PluginInfo("kb-test-one", "1.2", str(package.parent), ("register_demos",), None)
    assert by_name(registry)["kb-test-one"] == expected
    assert "one" in registry.demos


def test_packs_are_left_out_where_the_caller_wants_none(installed_pack) -> None:
    installed_pack("kb-test-one", demo("one"))
    assert "one" not in Registry.load(os.environ, packs=False).demos


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {"one", "two"}),
        ("", set()),
        ("  ", set()),
        (",", set()),
        ("kb-test-one", {"one"}),
        ("KB_Test.One", {"one"}),  # as package indexes compare names
        (" kb-test-two , kb-test-one,", {"one", "two"}),
    ],
)
def test_kb_load_plugins_chooses_packs(
    value: str | None, expected: set[str], installed_pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed_pack("kb-test-one", demo("one"))
    installed_pack("kb-test-two", demo("two"))
    if value is not None:
        monkeypatch.setenv("KB_LOAD_PLUGINS", value)
    assert set(Registry.load(os.environ).demos) & {"one", "two"} == expected


def test_a_pack_that_kb_load_plugins_leaves_out_is_not_even_imported(
    installed_pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed_pack("kb-test-one", "raise SystemError")
    monkeypatch.setenv("KB_LOAD_PLUGINS", "")
    registry = Registry.load(os.environ)
    assert "kb-test-one" not in by_name(registry)
    assert "kb_test_one" not in sys.modules


def test_a_pack_named_but_not_installed_is_told(installed_pack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_LOAD_PLUGINS", "kb-test-nowhere")
    error = by_name(Registry.load(os.environ))["kb-test-nowhere"].error
    assert error is not None and "no such pack is installed" in error


def test_a_pack_may_have_several_entry_points_and_objects(installed_pack) -> None:
    source = """
        from kb import Demo, hookimpl

        class Plugin:
            @hookimpl
            def register_demos(self, register):
                register(Demo("object", run="work:main"))

        plugin = Plugin()
        """
    installed_pack(
        "kb-test-one",
        source,
        points="a = kb_test_one:plugin\nb = kb_test_one.other",
        other=demo("other"),
        work="main = print",
    )
    registry = Registry.load(os.environ)
    assert {"object", "other"} <= set(registry.demos)
    assert [plugin.name for plugin in registry.plugins].count("kb-test-one") == 1
    assert registry.function(registry.demos["object"]) is print
    assert registry.function(registry.demos["other"]) is print


def test_a_pack_brings_a_root_with_plugins_of_its_own(installed_pack) -> None:
    source = """
        from kb import hookimpl

        @hookimpl
        def register_roots(register):
            register("content")
        """
    package = installed_pack("kb-test-one", source)
    inner = package / "content" / "plugins" / "inner"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text(dedent(demo("inner")))
    (inner / "work.py").write_text("def main(report):\n    return __name__\n")
    registry = Registry.load(os.environ)
    assert [(root.path, root.owner) for root in registry.roots][1] == (str(package / "content"), "kb-test-one")
    assert registry.function(registry.demos["inner"])(None) == "kb.plugins.inner.work"


@pytest.mark.parametrize("path", ["'nowhere'", "3", "__file__"])
def test_a_root_that_is_none_is_refused(path: str, installed_pack) -> None:
    installed_pack(
        "kb-test-one",
        f"from kb import hookimpl\n@hookimpl\ndef register_roots(register):\n    register({path})\n",
    )
    registry = Registry.load(os.environ)
    error = by_name(registry)["kb-test-one"].error
    assert error is not None and "register_roots" in error
    assert [root.owner for root in registry.roots] == ["kb"]


def test_damaged_metadata_of_one_pack_hides_no_other(installed_pack) -> None:
    installed_pack("kb-test-one", demo("one"))
    broken = installed_pack("kb-test-two", demo("two"))
    (broken.parent / "kb_test_two-1.2.dist-info" / "METADATA").write_bytes(b"\xff\xfe\x00")
    registry = Registry.load(os.environ)
    assert "one" in registry.demos
    assert any(plugin.error and "metadata" in plugin.error for plugin in registry.plugins)


def test_an_entry_point_that_leads_nowhere_is_named(installed_pack) -> None:
    installed_pack("kb-test-one", demo("one"), points="a = kb_test_one:missing\nb = kb_test_one\nc = not a module")
    registry = Registry.load(os.environ)
    error = by_name(registry)["kb-test-one"].error
    assert error is not None and "missing" in error
    assert "one" in registry.demos  # its good entry point counts


# ---- what is loaded when -------------------------------------------------------------------------------------------


def in_fresh_interpreter(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_registering_every_builtin_plugin_imports_nothing_heavy() -> None:
    code = """if True:
        import os, sys
        from kb.registry import Registry
        registry = Registry.load(os.environ)
        assert registry.demos and registry.kinds and len(registry.kinds) and registry.plugins
        heavy = {"torch", "numpy", "scipy", "sklearn", "matplotlib", "sqlite_utils", "rich"}
        print(sorted(heavy & set(sys.modules)))"""
    assert in_fresh_interpreter(code) == "[]"


def test_a_builtin_kind_is_found_without_loading_any_plugin(home: Path, folder_plugin) -> None:
    folder_plugin(home, "loud", "raise SystemError")
    code = """if True:
        import os, sys
        from kb.registry import Registry
        registry = Registry.load(os.environ)
        assert registry.kinds["choice"].kind == "choice" and "cloze" in registry.kinds
        print([name for name in sys.modules if name.startswith("kb.plugins") or name == "importlib.metadata"])"""
    assert in_fresh_interpreter(code) == "[]"


def test_nothing_is_loaded_before_it_is_asked_for(home: Path, folder_plugin) -> None:
    folder_plugin(home, "never", "raise KeyboardInterrupt")
    registry = Registry.load(os.environ)
    with pytest.raises(KeyboardInterrupt):
        _ = registry.demos
