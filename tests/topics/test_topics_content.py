"""What every built-in topic owes its reader: verdicts, sources, questions of several kinds, quotes that are quotes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from kb.knowledge.loader import load_topic
from kb.knowledge.model import Topic

CHECKOUT = Path(__file__).resolve().parents[2]
NOTES = CHECKOUT.parent / "shared" / "notes.md"
KINDS = ("choice", "cloze", "numeric", "order", "recall", "predict", "code")
TOPICS = [load_topic(str(path), KINDS) for path in sorted((CHECKOUT / "topics").glob("*.yaml"))]


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_there_are_questions_of_several_kinds(topic: Topic) -> None:
    assert len(topic.questions) >= 8
    assert len({card.kind for card in topic.questions}) >= 4


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_verdict_on_the_notes_quotes_them_and_says_what_was_wrong(topic: Topic) -> None:
    for claim in topic.claims:
        if claim.verdict == "added":
            assert claim.quote is None, claim.id
        else:
            assert claim.quote and claim.notes, claim.id
        if claim.verdict in ("imprecise", "wrong", "unclear"):
            assert claim.why, claim.id


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_a_claim_lies_in_its_topics_lines(topic: Topic) -> None:
    for claim in topic.claims:
        if claim.notes is not None:
            assert any(first <= claim.notes[0] and claim.notes[1] <= last for first, last in topic.notes), claim.id


@pytest.mark.skipif(not NOTES.exists(), reason="the source notes do not lie beside this checkout")
@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_quotes_stand_in_the_notes(topic: Topic) -> None:
    lines = NOTES.read_text("utf-8").splitlines()
    for claim in topic.claims:
        if claim.quote is None or claim.notes is None:
            continue
        passage = _words(" ".join(lines[claim.notes[0] - 1 : claim.notes[1]]))
        position = 0
        for word in _words(claim.quote).split():
            found = passage.find(word, position)
            assert found >= 0, f"{topic.name}/{claim.id}: {word!r} does not stand in lines {claim.notes}"
            position = found + len(word)


def _words(text: str) -> str:
    """Letters and digits only: quotes leave out the notes' list marks."""
    return " ".join(re.findall(r"\w+", text.lower()))


def test_the_transformer_has_its_six_children_with_a_demo_each() -> None:
    by_name = {topic.name: topic for topic in TOPICS}
    children = by_name["transformers"].includes
    assert len(children) == 6
    assert all(by_name[child].demos for child in children)


def test_the_coverage_page_is_what_its_script_prints() -> None:
    run = subprocess.run(
        [sys.executable, str(CHECKOUT / "docs" / "coverage.py")], capture_output=True, encoding="utf-8", check=True
    )
    assert (CHECKOUT / "docs" / "coverage.md").read_text("utf-8") == run.stdout


# lines 18-179: the transformers to statistical learning; 383-388: ZeRO. Left out: headings, links and blank lines, and
# lines that only introduce what follows them.
INTRODUCTIONS = {37, 64, 65, 84, 86, 90, 159}


@pytest.mark.skipif(not NOTES.exists(), reason="the source notes do not lie beside this checkout")
def test_every_statement_of_the_notes_has_a_claim() -> None:
    covered: set[int] = set()
    for topic in TOPICS:
        for claim in topic.claims:
            if claim.notes is not None:
                covered |= set(range(claim.notes[0], claim.notes[1] + 1))
    lines = NOTES.read_text("utf-8").splitlines()
    left = []
    for number in [*range(20, 180), *range(383, 389)]:
        text = lines[number - 1].strip()
        is_statement = bool(text) and not text.startswith("#") and "http" not in text
        if is_statement and number not in covered | INTRODUCTIONS:
            left.append(f"{number}: {text}")
    assert left == []
