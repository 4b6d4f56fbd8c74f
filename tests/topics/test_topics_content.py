"""What every built-in topic owes its reader: verdicts, sources, questions of several kinds, quotes that are quotes."""

from __future__ import annotations

import re
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
