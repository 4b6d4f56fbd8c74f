"""The library over all roots: one shape of root, one owner of a name, and no file that hides another."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from knowledge_samples import SOUND, sound, text_of

from kb.errors import ContentError, UnknownName
from kb.knowledge.library import Library

Open = Callable[[], Library]
Write = Callable[..., Path]


def put(root: Path, name: str, text: str = SOUND) -> Path:
    path = root / "topics" / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_topics_come_from_every_root(
    no_builtin: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, library: Open
) -> None:
    put(no_builtin, "ours")
    put(tmp_path / "one", "first")
    put(tmp_path / "two", "second")
    put(home, "mine")
    monkeypatch.setenv("KB_PATH", os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two")]))
    assert library().names() == ["first", "mine", "ours", "second"]
    assert library().broken() == []


def test_of_two_topics_of_one_name_the_first_stays_and_both_files_are_named(
    no_builtin: Path, write: Write, library: Open
) -> None:
    ours = put(no_builtin, "same", text_of(sound(title="Ours")))
    theirs = write("same", sound(title="Theirs"))
    found = library()
    assert found.get("same").title == "Ours"
    (error,) = found.broken()
    assert error.file == str(theirs)
    assert str(ours) in error.message


def test_a_broken_file_hides_no_other_and_is_told_when_it_is_asked_for(write: Write, library: Open) -> None:
    write("good")
    bad = write("bad", "title: [")
    found = library()
    assert found.names() == ["good"]
    assert [error.file for error in found.broken()] == [str(bad)]
    with pytest.raises(ContentError) as raised:
        found.get("bad")
    assert (raised.value.file, raised.value.line) == (str(bad), 2)
    assert found.expand(["good"]) == ["good"]


def test_an_error_tells_how_many_more_there_are_in_its_file(write: Write, library: Open) -> None:
    write("bad", "titel: a\nsumary: b\n")
    (error,) = library().broken()
    assert "(and 3 more: kb check " in error.message


def test_a_parent_whose_child_is_broken_holds_the_others(write: Write, library: Open) -> None:
    write("parent", sound(includes=["good", "bad"]))
    write("good")
    write("bad", "title: [")
    assert library().expand(["parent"]) == ["parent", "good"]


def test_names_are_found_by_alias_case_and_spelling(write: Write, library: Open) -> None:
    write("self-attention", sound(aliases=["attention"]))
    found = library()
    for name in ("self-attention", "attention", "Self-Attention", "self_attention", "Self Attention", "ATTENTION"):
        assert found.get(name).name == "self-attention"
    assert found.question("attention/why")[1].id == "why"
    assert found.topic_of("attention/why") == "self-attention"


def test_an_unknown_name_gets_the_nearest(write: Write, library: Open) -> None:
    write("self-attention", sound(aliases=["transformer"]))
    found = library()
    for name, near in {"self-atention": "self-attention", "transfomer": "transformer"}.items():
        with pytest.raises(UnknownName) as raised:
            found.get(name)
        assert (raised.value.exit_code, raised.value.cure) == (2, f"did you mean {near}?")
    with pytest.raises(UnknownName, match="no question is called 'self-attention/wy'"):
        found.question("self-attention/wy")
    with pytest.raises(UnknownName) as raised:
        found.get("self-attention/why")
    assert raised.value.exit_code == 2


def test_an_alias_stands_for_its_topic_in_requires_and_includes(write: Write, library: Open) -> None:
    write("basis", sound(aliases=["ground"]))
    write("goal", sound(requires=["ground"]))
    write("parent", sound(includes=["ground"]))
    found = library()
    assert found.requires("goal") == ["basis"]
    assert found.expand(["parent"]) == ["parent", "basis"]
    assert found.broken() == []


def test_two_owners_of_an_alias_are_told(write: Write, library: Open) -> None:
    first = write("a", sound(aliases=["same"]))
    second = write("b", sound(aliases=["same", "a"]))
    found = library()
    assert found.get("same").name == "a"
    assert found.get("a").name == "a"
    assert {(fault.rule, fault.file) for fault in found.faults()} == {("alias-clash", str(second))}
    assert all(str(first) in fault.message for fault in found.faults())


def test_the_way_and_what_a_topic_rests_on(write: Write, library: Open) -> None:
    write("a")
    write("b", sound(requires=["a"]))
    write("c", sound(requires=["b", "a"]))
    found = library()
    assert found.requires("c") == ["a", "b"]
    assert found.path("c") == ["a", "b", "c"]
    assert found.requires("a") == []


def test_a_circle_is_told_with_the_place_of_each_link_and_leaves_the_others_alone(write: Write, library: Open) -> None:
    files = {
        "a": write("a", sound(requires=["b"])),
        "b": write("b", sound(requires=["c"])),
        "c": write("c", sound(requires=["a"])),
    }
    write("d", sound(requires=["a"]))
    found = library()
    assert found.names() == ["d"]
    assert found.requires("d") == []
    (error,) = [error for error in found.broken() if "circle" in error.message]
    assert error.file == str(files["a"])
    for name, needed in (("a", "b"), ("b", "c"), ("c", "a")):
        line = files[name].read_text().split("\n").index(f"- {needed}") + 1
        assert f"{needed} ({files[name]}:{line})" in error.message
    with pytest.raises(ContentError, match=r"a circle in requires: b → c .* → a .* → b"):
        found.get("b")


def test_a_circle_of_includes_is_told_and_each_is_taken_once(write: Write, library: Open) -> None:
    write("a", sound(includes=["b"]))
    write("b", sound(includes=["a"]))
    found = library()
    assert found.expand(["b"]) == ["b", "a"]
    assert [fault.rule for fault in found.faults()] == ["cycle"]


def test_what_a_topic_needs_and_nobody_has_is_told_and_it_still_works(write: Write, library: Open) -> None:
    path = write("goal", sound(requires=["grond"]))
    write("ground")
    found = library()
    assert found.requires("goal") == []
    (fault,) = found.faults()
    assert (fault.rule, fault.file, fault.cure) == ("topic-reference", str(path), "did you mean ground?")
    lines = path.read_text().split("\n")
    assert fault.line is not None and fault.column is not None
    assert lines[fault.line - 1][fault.column - 1 :] == "grond"


def test_questions_are_listed_in_the_order_of_the_file_and_of_the_parent(write: Write, library: Open) -> None:
    first, second = sound()["questions"][0], {**sound()["questions"][0], "id": "again"}
    write("child", sound(questions=[first, second]))
    write("parent", sound(includes=["child"], questions=[]))
    found = library()
    assert found.questions(["parent"]) == ["child/why", "child/again"]
    assert found.questions() == ["child/why", "child/again"]


def test_a_folder_of_kb_path_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Open
) -> None:
    monkeypatch.setenv("KB_PATH", str(tmp_path / "missing"))
    (error,) = library().broken()
    assert str(tmp_path / "missing") in error.message


def test_files_that_only_look_like_topics_are_left_alone(root: Path, library: Open) -> None:
    for name in (".#zero.yaml", ".zero.yaml", "zero.yaml~", "notes.txt", "zero.yaml.bak"):
        (root / "topics" / name).write_text("not a topic", encoding="utf-8")
    found = library()
    assert (found.names(), found.broken()) == ([], [])


def test_a_file_that_ends_in_yml_is_told_not_passed_over(root: Path, library: Open) -> None:
    (root / "topics" / "zero.yml").write_text(SOUND, encoding="utf-8")
    (error,) = library().broken()
    assert "ends in .yaml" in error.message


def test_a_topic_whose_kind_has_gone_with_its_plugin_is_told(
    root: Path, write: Write, library: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = root / "plugins" / "shout" / "__init__.py"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(
        "from kb import Question, Verdict, hookimpl\n"
        "class Shout(Question):\n"
        "    kind = 'shout'\n"
        "    def ask(self, seed): return self.prepare(seed)\n"
        "    def parse(self, line, ask): return line\n"
        "    def grade(self, answer, ask, laboratory): return Verdict(answer.isupper(), 'LOUD')\n"
        "    def expected(self, ask): return 'LOUD'\n"
        "@hookimpl\n"
        "def register_question_kinds(register): register(Shout)\n"
    )
    write("loud", sound(questions=[{"id": "a", "kind": "shout", "ask": "Shout!", "why": "So."}]))
    assert library().get("loud").questions[0].kind == "shout"
    plugin.unlink()
    with pytest.raises(ContentError, match="no kind of question is called 'shout'"):
        library().get("loud")
