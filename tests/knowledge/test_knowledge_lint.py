"""The linter: every rule finds its fault at its place, and a sound card has none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from knowledge_samples import SOUND, sound, text_of

from kb.errors import UsageError
from kb.knowledge import snippets
from kb.knowledge.check import check, topic_files
from kb.knowledge.faults import Fault
from kb.knowledge.lint import Checks, formula_problem, lint
from kb.knowledge.loader import read_topic
from kb.questions.base import NoLaboratory, Problem, Question
from kb.registry import Registry
from kb.terminal import maths

KINDS = Registry.load({"KB_HOME": "/nowhere"}, packs=False).kinds
CLAIM = sound()["claims"][0]
WORK = {"title": "T", "authors": "A", "year": 2000}


def linted(tmp_path: Path, value: Any, **checks: Any) -> tuple[str, list[Fault], list[Fault]]:
    """The text of the file, its faults and its hints."""
    text = value if isinstance(value, str) else text_of(value)
    path = tmp_path / "topic.yaml"
    path.write_text(text, encoding="utf-8")
    means: dict[str, Any] = {"kinds": KINDS, "demos": {"zero": None}, "laboratory": NoLaboratory(), **checks}
    faults, hints = lint(read_topic(str(path), means["kinds"]), Checks(**means))
    return text, faults, hints


def place(text: str, fault: Fault) -> str:
    assert fault.line is not None and fault.column is not None
    return "\n".join(text.split("\n")[fault.line - 1 :])[fault.column - 1 :]


def test_a_sound_card_has_no_fault_and_no_hint(tmp_path: Path) -> None:
    _, faults, hints = linted(tmp_path, SOUND)
    assert (faults, hints) == ([], [])


# rule, the text at its place, words of message or cure; and the card
RULES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "a source that nothing names": (
        *("unused-source", "spare:", "'spare'"),
        sound(sources={**sound()["sources"], "spare": {**WORK, "isbn": "0-19-853453-1"}}),
    ),
    "no arXiv number": (
        *("source", "arXiv:1706", "write it like 1706.03762"),
        sound(sources={"vaswani2017": {"title": "T", "authors": "A", "year": 2017, "arxiv": "arXiv:1706.03762"}}),
    ),
    "no DOI": (
        *("source", "https://doi.org/10.1", "write it like 10."),
        sound(sources={"vaswani2017": {"title": "T", "authors": "A", "year": 2017, "doi": "https://doi.org/10.1/x"}}),
    ),
    "no address": (
        *("source", "www.x.org", "https://"),
        sound(sources={"vaswani2017": {"title": "T", "authors": "A", "year": 2017, "url": "www.x.org"}}),
    ),
    "no ISBN": (
        *("source", "'12345'", "10 or 13 digits"),
        sound(sources={"vaswani2017": {"title": "T", "authors": "A", "year": 2017, "isbn": "12345"}}),
    ),
    "no year": (
        *("source", "20117", "no year"),
        sound(sources={"vaswani2017": {"title": "T", "authors": "A", "year": 20117, "arxiv": "1706.03762"}}),
    ),
    "wrong without a why": ("verdict-why", "wrong", "needs a why", sound(claims=[{**CLAIM, "verdict": "wrong"}])),
    "imprecise without a why": (
        *("verdict-why", "imprecise", "needs a why"),
        sound(claims=[{**CLAIM, "verdict": "imprecise"}]),
    ),
    "lines outside of the notes": (
        *("claim-notes", "- 9\n", "lines 9-12"),
        sound(notes=[[1, 3], [5, 9]], claims=[{**CLAIM, "notes": [9, 12]}]),
    ),
    "a proof by no demo": (
        *("demo-reference", "zeroo/x", "did you mean zero?"),
        sound(claims=[{**CLAIM, "proof": "zeroo/x"}]),
    ),
    "one of two proofs": ("demo-reference", "b/x", "kb plugins", sound(claims=[{**CLAIM, "proof": ["zero/x", "b/x"]}])),
    "a demo that isn't there": ("demo-reference", "zoro", "did you mean zero?", sound(demos=["zero", "zoro"])),
    "a formula in the body": ("formula", "$\\frac{1}$", "be rendered", sound(body="Text with $\\frac{1}$ in it.\n")),
    "a formula in a claim": ("formula", "$\\sqrt{x$", "be rendered", sound(claims=[{**CLAIM, "says": "a $\\sqrt{x$"}])),
    "an open display": ("formula", "$$x", "never closed", sound(summary="See $$x.")),
    "an open block": ("fence", "```python", "never closed", sound(body="One.\n\n```python\nx = 1\n")),
    "output of nothing": ("snippet", "```output", "`python run`", sound(body="```output\n1\n```\n")),
    "a block that only looks runnable": ("snippet", "```py run", "mark it", sound(body="```py run\nx\n```\n")),
    "a snippet without output": ("snippet", "```python run", "marked `output`", sound(body="```python run\n1\n```\n")),
    "a snippet that raises": (
        *("snippet-run", "```python run", "ZeroDivisionError"),
        sound(body="```python run\n1 / 0\n```\n\n```output\n```\n"),
    ),
    "a snippet that prints otherwise": (
        *("snippet-output", "  3\n", "prints '2' where the output says '3'"),
        sound(body="```python run\nprint(1)\nprint(2)\n```\n\n```output\n1\n3\n```\n"),
    ),
    "a snippet that prints more": (
        *("snippet-output", "  ```\n", "prints '2' where the output ends"),
        sound(body="```python run\nprint(1)\nprint(2)\n```\n\n```output\n1\n```\n"),
    ),
    "a kind's own rule": (
        *("distractor-why", "text: b", "mistake"),
        sound(questions=[{"id": "q", "kind": "choice", "claim": "scale", "ask": "a?", "why": "w",
                          "options": [{"text": "a", "right": True}, {"text": "b"}]}]),
    ),
    "a card that no question can be made of": (
        *("question", "- text: a", "no option is right"),
        sound(questions=[{"id": "q", "kind": "choice", "claim": "scale", "ask": "a?", "why": "w",
                          "options": [{"text": "a", "why": "x"}, {"text": "b", "why": "y"}]}]),
    ),
    "a formula in an option": (
        *("formula", "$\\frac{2}$", "cannot be rendered"),
        sound(questions=[{"id": "q", "kind": "choice", "claim": "scale", "ask": "a?", "why": "w",
                          "options": [{"text": "a", "right": True}, {"text": "b $\\frac{2}$", "why": "y"}]}]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_a_rule_finds_its_fault(case: str, tmp_path: Path) -> None:
    rule, there, words, value = RULES[case]
    text, faults, _ = linted(tmp_path, literal_body(value), formula=maths.problem)
    assert [fault.rule for fault in faults] == [rule]
    assert words in f"{faults[0].message}; {faults[0].cure}"
    if case == "a snippet that prints more":
        assert place(text, faults[0]).startswith("```\n")
    else:
        assert place(text, faults[0]).startswith(there.strip(" "))


def literal_body(value: dict[str, Any]) -> str:
    """The text of a card whose body is a literal block, as in every topic."""
    body = value.pop("body", None)
    text = text_of(value)
    if body is None:
        return text
    return text + "body: |\n" + "".join(f"  {line}\n" if line else "\n" for line in body.rstrip("\n").split("\n"))


def test_a_snippet_that_prints_what_it_should_is_fine(tmp_path: Path) -> None:
    body = "Text.\n\n```python run\nprint('a  ')\nprint()\nprint('b')\n```\n\n```output\na\n\nb\n```\n"
    _, faults, _ = linted(tmp_path, literal_body(sound(body=body)))
    assert faults == []


def test_snippets_are_only_run_where_they_may_be(tmp_path: Path) -> None:
    body = f"```python run\nopen({str(tmp_path / 'ran')!r}, 'w')\n```\n\n```output\nx\n```\n"
    _, faults, _ = linted(tmp_path, literal_body(sound(body=body)), run=None)
    assert faults == []
    assert not (tmp_path / "ran").exists()
    _, faults, _ = linted(tmp_path, literal_body(sound(body=body)))
    assert [fault.rule for fault in faults] == ["snippet-output"]
    assert (tmp_path / "ran").exists()


def test_a_snippet_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snippets, "SECONDS", 0.3)
    result = snippets.in_a_process("while True: pass")
    assert (result.ok, result.error) == (False, "it ran longer than 0.3 s")


def test_a_claim_that_no_question_asks_is_a_hint(tmp_path: Path) -> None:
    _, faults, hints = linted(tmp_path, sound(questions=[]))
    assert faults == []
    assert [(hint.rule, hint.line) for hint in hints] == [("unasked-claim", 10)]


def test_a_faulty_file_is_linted_as_far_as_it_goes(tmp_path: Path) -> None:
    value = sound(
        claims=[{**CLAIM, "verdict": "wrong"}, {**CLAIM, "id": "two", "verdit": "added"}],
        demos=["zoro"],
        tagz=[],
    )
    _, faults, _ = linted(tmp_path, value)
    assert {fault.rule for fault in faults} == {"verdict-why", "unknown-key", "demo-reference"}


class Broken(Question):
    kind = "broken"

    def ask(self, seed: int) -> Any:
        return self.prepare(seed)

    def parse(self, line: str, ask: Any) -> Any:
        return line

    def grade(self, answer: Any, ask: Any, laboratory: Any) -> Any:
        raise NotImplementedError

    def expected(self, ask: Any) -> str:
        return ""

    def lint(self, laboratory: Any, seeds: Any = ()) -> Any:
        yield Problem("hint", "first", "found before it broke", "mend it")
        raise RuntimeError("the kind has a fault of its own")


class NeedsMore(Broken):
    kind = "needs-more"

    def lint(self, laboratory: Any, seeds: Any = ()) -> Any:
        yield from ()
        laboratory.python("1", seconds=1.0)


def test_a_kind_that_fails_is_told_and_hides_nothing(tmp_path: Path) -> None:
    kinds: Mapping[str, Any] = {**KINDS, "broken": Broken, "needs-more": NeedsMore}
    cards = [
        {"id": "a", "kind": "broken", "ask": "a", "why": "b"},
        {"id": "b", "kind": "needs-more", "ask": "a", "why": "b"},
        {"id": "c", "kind": "choice", "ask": "a", "why": "b", "options": []},
    ]
    _, faults, hints = linted(tmp_path, sound(questions=cards), kinds=kinds)
    assert [fault.rule for fault in faults] == ["first", "kind-failed", "question"]
    assert "RuntimeError: the kind has a fault of its own" in faults[1].message
    assert [hint.rule for hint in hints] == ["unasked-claim", "not-checked"]


@pytest.mark.parametrize("source", ["x^2", "\\frac{a}{b}", "\\sum_{i=1}^n x_i"])
def test_pylatexenc_takes_formulas_that_are_right(source: str) -> None:
    assert formula_problem(source) is None


@pytest.mark.parametrize("source", ["x}", "\\begin{matrix} a", "\\frac{a"])
def test_pylatexenc_refuses_formulas_that_are_not(source: str) -> None:
    assert formula_problem(source)


def checked(files: list[Path], library: list[Path]) -> list[tuple[str, str]]:
    """Rule and file name of the faults that are found when ``files`` are checked beside ``library``."""
    from kb.knowledge.catalog import entry_of

    entries = [entry_of(read_topic(str(path), KINDS), str(path.parent.parent)) for path in library]
    checks = Checks(KINDS, {}, NoLaboratory(), run=None)
    found = check([str(path) for path in files], entries, checks)
    return [(fault.rule, Path(fault.file).name) for part in found for fault in part.faults]


def test_files_are_checked_against_each_other_and_the_library(tmp_path: Path) -> None:
    def put(folder: str, name: str, **changes: Any) -> Path:
        path = tmp_path / folder / "topics" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text_of(sound(**changes)), encoding="utf-8")
        return path

    inside = [put("root", "a", requires=["b"]), put("root", "b"), put("other", "b")]
    outside = [put("copy", "a", requires=["c"]), put("copy", "c", requires=["a"])]
    assert checked(inside, inside) == [("name-clash", "b.yaml")]
    assert checked(outside, inside) == [("cycle", "a.yaml")]
    assert checked([outside[0]], inside) == [("topic-reference", "a.yaml")]
    assert checked([put("copy", "a", requires=["b"])], inside) == []
    assert checked([inside[0]], [*inside, put("root", "b", requires=["a"])]) == [("cycle", "a.yaml")]


def test_what_a_path_means(tmp_path: Path) -> None:
    for name in ("root/topics/a.yaml", "root/topics/deep/b.yml", "root/other.yaml", "root/topics/.hidden/c.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    def found(path: str) -> list[str]:
        return [Path(file).relative_to(tmp_path).as_posix() for file in topic_files(str(tmp_path / path))]

    assert found("root") == ["root/topics/a.yaml", "root/topics/deep/b.yml"]
    assert found("root/topics/deep") == ["root/topics/deep/b.yml"]
    assert found("root/other.yaml") == ["root/other.yaml"]
    (tmp_path / "empty").mkdir()
    for path in ("empty", "missing"):
        with pytest.raises(UsageError) as raised:
            found(path)
        assert raised.value.exit_code == 2
