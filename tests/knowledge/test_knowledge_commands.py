"""The commands over topics, typed as a person or a script types them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from knowledge_samples import SOUND, sound

Kb = Callable[..., "subprocess.CompletedProcess[str]"]
Write = Callable[..., Path]

PLUGIN = """\
from kb import Demo, hookimpl

@hookimpl
def register_demos(register):
    register(Demo("tiny-demo", run="work:main", topic="tiny", summary="Measures one."))
"""
WORK = """\
def main(report):
    report.metric("one", 1, "")
    report.check("one", 1, 1)
    report.check("two", 2, 1)
"""


@pytest.fixture
def tiny(root: Path, write: Write) -> None:
    """A parent, two topics of which one rests on the other, and a demo with a check that holds and one that fails."""
    claims = [
        {"id": "held", "says": "One is $1^2$.", "verdict": "right", "quote": "one is one", "notes": [3, 4],
         "source": "vaswani2017 §1", "proof": "tiny-demo/one"},
        {"id": "failed", "says": "Two is one.", "verdict": "wrong", "why": "It is not.", "source": "vaswani2017",
         "proof": ["tiny-demo/one", "tiny-demo/two"]},
        {"id": "unrun", "says": "Three.", "verdict": "added", "source": "vaswani2017", "proof": "tiny-demo/three"},
        {"id": "half", "says": "Both.", "verdict": "added", "source": "vaswani2017",
         "proof": ["tiny-demo/one", "tiny-demo/three"]},
        {"id": "bare", "says": "Quokkas.", "verdict": "added", "source": "vaswani2017"},
    ]  # fmt: skip
    card = sound()["questions"][0]
    questions = [{**card, "claim": "held"}, {**card, "id": "again", "claim": "failed"}]
    write("tiny", sound(title="Tiny things", claims=claims, questions=questions, requires=["basis"], tags=["small"],
                        demos=["tiny-demo"], notes=[3, 9], body="# Part\n\nText with $x_1$.\n"))  # fmt: skip
    write("basis", sound(title="The basis", aliases=["ground"]))
    write("tiny-parent", sound(title="A parent", includes=["tiny"], questions=[], claims=[], sources={}))
    plugin = root / "plugins" / "tiny"
    plugin.mkdir(parents=True)
    (plugin / "__init__.py").write_text(PLUGIN)
    (plugin / "work.py").write_text(WORK)


def loaded(done: subprocess.CompletedProcess[str], code: int = 0) -> Any:
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


@pytest.mark.usefixtures("tiny")
def test_topics_as_json(run_kb: Kb) -> None:
    (entry,) = [entry for entry in loaded(run_kb("topics", "--json")) if entry["name"] == "tiny"]
    assert entry == {
        "name": "tiny", "title": "Tiny things", "includes": [], "requires": ["basis"], "tags": ["small"],
        "questions": 2, "claims": 5, "proven": 4, "demos": 1, "due": 0, "new": 2,
    }  # fmt: skip
    assert [entry["name"] for entry in loaded(run_kb("topics", "tiny-parent", "--json"))] == ["tiny", "tiny-parent"]
    assert [entry["name"] for entry in loaded(run_kb("topics", "--tag", "small", "--json"))] == ["tiny"]


@pytest.mark.usefixtures("tiny")
def test_topics_as_a_table(run_kb: Kb) -> None:
    done = run_kb("topics", "tiny-parent", "basis")
    assert done.returncode == 0
    lines = done.stdout.split("\n")
    assert lines[0].split() == ["questions", "due", "new", "proofs"]
    assert [line.split() for line in lines[1:4]] == [
        ["basis", "The", "basis", "1", "·", "1", "0/1"],
        ["tiny-parent", "A", "parent", "·", "·", "·"],
        ["tiny", "Tiny", "things", "2", "·", "2", "4/5"],
    ]
    assert lines[3].startswith("  tiny")
    assert "3 topics, 3 questions, 6 claims, 4 of them with a proof" in done.stdout


@pytest.mark.usefixtures("tiny")
def test_a_broken_topic_is_named_on_stderr_and_the_others_work(run_kb: Kb, write: Write) -> None:
    path = write("bad", "title: [\n")
    for arguments in (["topics", "--json"], ["search", "basis", "--json"], ["path", "tiny", "--json"]):
        done = run_kb(*arguments)
        assert loaded(done)
        assert [line for line in done.stderr.split("\n") if str(path) in line] == [
            f"kb: {path}:2:1: not YAML: did not find expected node content"
        ]
    done = run_kb("show", "bad")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"kb: {path}:2:1: ")
    error = loaded(run_kb("show", "bad", "--json"), code=1)["error"]
    assert (error["file"], error["line"], error["column"]) == (str(path), 2, 1)


@pytest.mark.usefixtures("tiny")
def test_show_as_json_is_the_file_with_the_evidence_of_each_claim(run_kb: Kb) -> None:
    shown = loaded(run_kb("show", "tiny", "--json"))
    assert shown["title"] == "Tiny things"
    assert shown["questions"][0] == {**sound()["questions"][0], "claim": "held"}
    assert {claim["id"]: claim["evidence"] for claim in shown["claims"]} == dict.fromkeys(
        ("held", "failed", "unrun", "half", "bare")
    )
    assert run_kb("demo", "tiny-demo").returncode == 1  # one of its checks does not hold
    evidence = {claim["id"]: claim["evidence"] for claim in loaded(run_kb("show", "tiny", "--json"))["claims"]}
    assert set(evidence["held"]) == {"at", "device", "holds"}
    assert (evidence["held"]["holds"], evidence["failed"]["holds"]) == (True, False)
    assert (evidence["unrun"], evidence["half"], evidence["bare"]) == (None, None, None)


@pytest.mark.usefixtures("tiny")
def test_show_as_a_page(run_kb: Kb) -> None:
    run_kb("demo", "tiny-demo")
    done = run_kb("show", "tiny")
    assert (done.returncode, done.stderr) == (0, "")
    page = done.stdout
    for words in (
        "Tiny things",
        "rests on: basis",
        "Text with x₁.",
        "✓ One is 1².",
        "the notes: “one is one” (lines 3-4)",
        "✗ Two is one.",
        "wrong: It is not.",
        "proof: tiny-demo/two did NOT hold on cpu",
        "○ Three.",
        "not run here yet",
        "· Quokkas.",
        "added to the notes",
        "Vaswani et al. 2017, §1 (arXiv:1706.03762)",
        "kb quiz tiny  2 questions (2 recall); 0 due, 2 new",
        "kb demo tiny-demo  Measures one.",
    ):
        assert words in page
    assert all(len(line) <= 80 for line in page.split("\n"))


@pytest.mark.usefixtures("tiny")
def test_show_one_claim_or_question(run_kb: Kb) -> None:
    assert "Quokkas." in run_kb("show", "tiny/bare").stdout
    assert "Three." not in run_kb("show", "tiny/bare").stdout
    question = run_kb("show", "ground/why").stdout
    assert "Why are they scaled?" in question
    assert "variance" not in question
    assert [claim["id"] for claim in loaded(run_kb("show", "tiny/bare", "--json"))["claims"]] == ["bare"]
    done = run_kb("show", "tiny/bear")
    assert (done.returncode, done.stderr) == (
        2,
        "kb: no claim or question of tiny is called 'bear'; did you mean bare?\n",
    )


@pytest.mark.usefixtures("tiny")
def test_path_tells_the_way_and_what_was_met(run_kb: Kb) -> None:
    steps = loaded(run_kb("path", "tiny-parent", "--json"))
    assert [(step["topic"], step["seen"], step["questions"], step["met"]) for step in steps] == [
        ("tiny-parent", 0, 0, True),
        ("basis", 0, 1, False),
        ("tiny", 0, 2, False),
    ]
    assert "Next on the way: kb learn basis, on which tiny rests" in run_kb("path", "tiny").stdout
    assert "It rests on nothing else here: kb quiz basis" in run_kb("path", "basis").stdout
    run_kb("quiz", "basis", "--json", input='{"answer": "so"}\n{"grade": 3}\n')
    after = run_kb("path", "tiny").stdout
    assert "✓ basis" in after
    assert "All that it rests on has been met. Go on: kb quiz tiny" in after
    assert "All of it has been met. Keep it: kb quiz basis" in run_kb("path", "basis").stdout


@pytest.mark.usefixtures("tiny")
def test_search_shows_places_and_finds_nothing_quietly(run_kb: Kb) -> None:
    done = run_kb("search", "quokka", "--json")
    assert [(hit["topic"], hit["part"], hit["id"]) for hit in loaded(done)] == [("tiny", "claim", "bare")]
    page = run_kb("search", "quokka").stdout
    assert page.startswith("tiny  claim bare\n  Quokkas.\n")
    nothing = run_kb("search", "quetzalcoatl")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr.startswith("kb: nothing has 'quetzalcoatl' in it\n")
    assert loaded(run_kb("search", '"', "--json")) == []


def test_schema_is_json_and_its_path_exists(run_kb: Kb) -> None:
    told = loaded(run_kb("schema"))
    assert told["$schema"].startswith("http://json-schema.org/")
    assert Path(run_kb("schema", "--path").stdout.strip()).name == "topic.schema.json"
    assert Path(loaded(run_kb("schema", "--path", "--json"))).is_file()


def test_check_tells_every_fault_with_its_place(run_kb: Kb, tmp_path: Path) -> None:
    path = tmp_path / "draft.yaml"  # outside of every root
    path.write_text(SOUND.replace("title:", "titel:", 1) + "requires: [nobody]\n", encoding="utf-8")
    found = loaded(run_kb("check", str(path), "--json"), code=1)
    assert all(set(fault) == {"file", "line", "column", "rule", "message", "cure"} for fault in found)
    assert [(fault["file"], fault["line"], fault["column"], fault["rule"]) for fault in found] == [
        (str(path), 1, 1, "unknown-key"),
        (str(path), 1, 1, "missing-key"),
    ]
    done = run_kb("check", "draft.yaml", cwd=tmp_path)
    assert done.returncode == 1
    assert (
        done.stdout.split("\n")[0] == "draft.yaml:1:1: there is no key 'titel' here; did you mean title? [unknown-key]"
    )
    assert done.stderr == "2 faults in 1 of 1 file\n"


def test_check_of_what_is_sound_is_quiet(run_kb: Kb, tmp_path: Path) -> None:
    (tmp_path / "draft.yaml").write_text(SOUND, encoding="utf-8")
    done = run_kb("check", "draft.yaml", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "1 file, no fault\n")
    assert loaded(run_kb("check", "draft.yaml", "--json", cwd=tmp_path)) == []


@pytest.mark.usefixtures("tiny")
def test_check_takes_names_folders_and_roots_with_their_plugins(
    run_kb: Kb, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_kb("check", "tiny").stderr == "1 file, no fault\n"
    monkeypatch.delenv("KB_PATH")
    for path in (root, root / "topics"):  # the demo is known, since its plugin lies beside the topics
        done = run_kb("check", str(path), "--json")
        assert loaded(done) == [], done.stdout
        assert done.stderr == "3 files, no fault\n"


def test_check_without_a_path_checks_all_and_finds_clashes(run_kb: Kb, write: Write, root: Path) -> None:
    first = write("mine", sound(aliases=["same"]))
    second = write("yours", sound(aliases=["same"]))
    found = [fault for fault in loaded(run_kb("check", "--no-run", "--json"), code=1) if str(root) in fault["file"]]
    assert [(fault["rule"], fault["file"]) for fault in found] == [("alias-clash", str(second))]
    assert str(first) in found[0]["message"]


def test_check_runs_snippets_in_the_sandbox_unless_told_not_to(run_kb: Kb, tmp_path: Path) -> None:
    body = "\nbody: |\n  ```python run\n  print(6 * 7)\n  ```\n\n  ```output\n  41\n  ```\n"
    (tmp_path / "draft.yaml").write_text(SOUND.rstrip() + body, encoding="utf-8")
    (fault,) = loaded(run_kb("check", "draft.yaml", "--json", cwd=tmp_path), code=1)
    assert (fault["line"], fault["column"], fault["rule"]) == (SOUND.count("\n") + 7, 3, "snippet-output")
    assert loaded(run_kb("check", "draft.yaml", "--json", "--no-run", cwd=tmp_path)) == []


@pytest.mark.parametrize("arguments", [["check", "nowhere.yaml"], ["show", "nowhere"], ["path", "nowhere"],
                                       ["topics", "nowhere"], ["topics", "--tag", "nowhere"], ["search"]])  # fmt: skip
def test_what_does_not_exist_is_wrong_usage_in_one_line(arguments: list[str], run_kb: Kb) -> None:
    done = run_kb(*arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("kb: ") and done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["topics", "show", "search", "path", "check", "schema"])
def test_help_begins_with_what_it_does_and_gives_examples(name: str, run_kb: Kb) -> None:
    text = run_kb(name, "--help").stdout
    assert "Examples:\n" in text
    assert text.index("Examples:") < text.index("Options:")
    assert "--json" in text
