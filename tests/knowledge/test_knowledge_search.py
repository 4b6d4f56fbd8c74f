"""Full-text search: it finds what is there, nothing else, and no query can break it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from knowledge_samples import SOUND, sound

from kb.knowledge.library import Library
from kb.knowledge.search import MARK, Hit

Open = Callable[[], Library]
Write = Callable[..., Path]


def places(hits: list[Hit]) -> list[tuple[str, str, str]]:
    return [(hit.topic, hit.part, hit.id) for hit in hits]


def test_every_part_of_a_topic_is_found(write: Write, library: Open) -> None:
    body = "Zebras first.\n\n## Giraffes\n\nThey are tall.\n"
    write("a", sound(body=body, aliases=["alpaca"], tags=["mammals"]))
    found = library()
    for words, place in {
        "alpaca": ("a", "topic", "a"),
        "mammals": ("a", "topic", "a"),
        "zebra": ("a", "body", "A sound topic"),
        "tall": ("a", "body", "Giraffes"),
        "Scores scaled": ("a", "claim", "scale"),
        "Why scaled": ("a", "question", "why"),
        "Vaswani": ("a", "source", "vaswani2017"),
    }.items():
        assert places(found.search(words)) == [place], words


def test_answers_are_not_given_away(write: Write, library: Open) -> None:
    card = {"id": "gap", "kind": "cloze", "ask": "It is the {{softmax|soft max}} of scores", "why": "w"}
    write("a", sound(questions=[*sound()["questions"], card]))
    found = library()
    assert found.search("softmax") == []
    assert found.search("variance") == []
    (hit,) = found.search("of scores it is the")
    assert "softmax" not in hit.snippet


def test_all_words_come_before_any_word_and_a_heading_before_a_text(write: Write, library: Open) -> None:
    write("both", sound(title="Layer norm", claims=[], questions=[]))
    write("text", sound(title="Other", summary="The layer has a norm.", claims=[], questions=[]))
    write("one", sound(title="A layer", claims=[], questions=[]))
    found = library()
    assert [hit.topic for hit in found.search("layer norm")] == ["both", "text"]
    assert {hit.topic for hit in found.search("layer zebra")} == {"both", "text", "one"}
    scores = [hit.score for hit in found.search("layer norm")]
    assert scores == sorted(scores, reverse=True)


def test_words_are_found_in_any_form_and_the_last_one_from_its_beginning(write: Write, library: Open) -> None:
    write("a", sound(summary="Gradients were résumed."))
    found = library()
    for words in ("gradient", "GRADIENTS", "resume", "grad", "resumed gradi"):
        assert ("a", "topic", "a") in places(found.search(words)), words


def test_what_matched_is_marked(write: Write, library: Open) -> None:
    write("a", sound(summary="One two three."))
    (hit,) = library().search("two")
    assert hit.snippet == f"One {MARK[0]}two{MARK[1]} three."


def test_the_index_follows_the_files(write: Write, library: Open) -> None:
    path = write("a", SOUND.replace("What it is about", "Only zebras"))
    assert library().search("zebra")
    write("a", SOUND.replace("What it is about", "Only giraffes"))
    found = library()
    assert found.search("zebra") == []
    assert found.search("giraffe")
    path.unlink()
    assert library().search("giraffe") == []


def test_a_broken_topic_is_not_found_and_hides_no_other(write: Write, library: Open) -> None:
    write("good")
    write("bad", "title: scaled\nsummary: [")
    assert {hit.topic for hit in library().search("scaled")} == {"good"}


@pytest.mark.parametrize(
    "query",
    ["", " ", '"', "'", "*", "a*", "NEAR(a b)", "a AND", "OR", "NOT scaled", "heading: x", "^a", "(", "a-b", "{a b}: c",
     "\0", "\x02", "scaled\"", "a" * 10_000, "x " * 1000, "_", "__ _", "😀", "日本語", "a+b", "rowid:1", "%", "--",
     ";"],
)  # fmt: skip
def test_no_character_means_anything(query: str, write: Write, library: Open) -> None:
    write("a")
    for hit in library().search(query):
        assert hit.topic == "a"


def test_any_text_can_be_searched_for(write: Write, library: Open) -> None:
    write("a", sound(summary="The quick brown fox."))
    found = library()

    @given(st.text(max_size=30))
    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def search(query: str) -> None:
        hits = found.search(query)
        if not re.search(r"[^\W_]", query):
            assert hits == []

    search()


def test_the_number_of_hits_is_limited(write: Write, library: Open) -> None:
    for number in range(9):
        write(f"t{number}")
    assert len(library().search("scaled", limit=4)) == 4
