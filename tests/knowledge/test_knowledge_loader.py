"""Reading topics strictly: each fault with its place and cure, all of them at once, and none that isn't there."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from knowledge_samples import SOUND, sound, text_of

from kb.errors import ContentError
from kb.knowledge import schema
from kb.knowledge.loader import load_topic, locate, read_topic
from kb.knowledge.model import Topic
from kb.registry import Registry

KINDS = Registry.load({"KB_HOME": "/nowhere"}, packs=False).kinds


def read(tmp_path: Path, text: str, name: str = "topic.yaml") -> list[tuple[int | None, int | None, str, str]]:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    reading = read_topic(str(path), KINDS)
    assert (reading.topic is None) == bool(reading.faults)
    return [(f.line, f.column, f.rule, f"{f.message}; {f.cure}") for f in reading.faults]


def test_a_sound_topic_is_read_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "sound.yaml"
    path.write_text(SOUND + "notes: [3, 5]\n", encoding="utf-8")
    topic = load_topic(str(path), KINDS)
    assert (topic.name, topic.file, topic.notes) == ("sound", str(path), [(3, 5)])
    assert topic.sources["vaswani2017"].arxiv == "1706.03762"
    assert topic.claims[0].proofs == ()
    card = topic.questions[0]
    assert (topic.question_name(card), card.kind, card.fields) == (
        "sound/why",
        "recall",
        {"answer": "To keep the variance at one."},
    )


def test_several_spans_of_notes_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "sound.yaml"
    path.write_text(SOUND + "notes: [[3, 5], [9, 9]]\n", encoding="utf-8")
    assert load_topic(str(path), KINDS).notes == [(3, 5), (9, 9)]


# What becomes of the sound topic when the first text is replaced by the second: rule, words, and the text at its place.
FAULTS = {
    "misspelt key": (
        *("summary:", "sumary:"),
        [("missing-key", "'summary' is missing", "title:"), ("unknown-key", "did you mean summary?", "sumary:")],
    ),
    "misspelt key of a claim": (
        *("says:", "sayz:"),
        [("missing-key", "'says'", "{id: scale"), ("unknown-key", "did you mean says?", "sayz:")],
    ),
    "misspelt key of a kind": (
        *("    answer:", "    anser:"),
        [("missing-key", "'answer'", "id: why"), ("unknown-key", "did you mean answer?", "anser:")],
    ),
    "a list for a text": ("A sound topic", "[A]", [("type", "'title' must be text, not a list", "[A]")]),
    "nothing for a text": (" A sound topic", "", [("type", "'title' must be text, and it is empty", "\nsummary")]),
    "blanks for a text": ("A sound topic", "'  '", [("empty", "'title' is empty", "'  '")]),
    "a number for a text": ('"1706.03762"', "17.03", [("type", 'unquoted 17.03 is a number; write "17.03"', "17.03")]),
    "a truth value for a text": ("A sound topic", "no", [("ambiguous", "an unquoted no", "no\n")]),
    "true for a text": ("A sound topic", "true", [("type", 'true is true or false; write "true"', "true\n")]),
    "a text for a number": ("2017,", "MMXVII,", [("type", "'year' must be a whole number, not text", "MMXVII")]),
    "a misspelt verdict": ("added", "aded", [("value", "did you mean added?", "aded")]),
    "an unknown verdict": ("added", "so-so", [("value", "one of: right, imprecise, wrong, unclear, added", "so-so")]),
    "a claim without a source": (
        *(", source: vaswani2017 §3.2.1", ""),
        [("missing-key", "'source' is missing", "{id: scale")],
    ),
    "an unknown source": ("2017 §", "2018 §", [("source-reference", "did you mean vaswani2017?", "vaswani2018")]),
    "one of two sources unknown": ("2017 §3.2.1", "2017; x §1", [("source-reference", "'x'", "vaswani2017; x")]),
    "no source in a source": ("vaswani2017 §3.2.1", '";"', [("source-reference", "names no source", '";"')]),
    "a source found nowhere": (', arxiv: "1706.03762"', "", [("source-locator", "add arxiv:, doi:", "vaswani2017:")]),
    "no key for a source": (
        *("vaswani2017:", "'va swani':"),
        [("name", "for example vaswani2017", "'va swani'"), ("source-reference", "vaswani2017", "vaswani2017 §")],
    ),
    "an unknown claim": ("claim: scale", "claim: scalex", [("claim-reference", "did you mean scale?", "scalex")]),
    "an unknown kind": ("kind: recall", "kind: recal", [("kind", "did you mean recall?", "recal\n")]),
    "an id that is no name": ("id: why", "id: Why so", [("name", "lower-case letters", "Why so")]),
    "a quote of what is not in the notes": ("added", "added, quote: qq", [("verdict", "has no quote", "qq")]),
    "a proof without a check": ("added", "added, proof: zero", [("proof", "write demo/check", "zero")]),
    "one of two proofs": ("added", "added, proof: [a/b, cc]", [("proof", "'cc'", "cc]")]),
    "a span that ends before it begins": ("added", "added, notes: [5, 2]", [("notes", "[first, last]", "[5, 2]")]),
    "a span of one": ("added", "added, notes: [5]", [("value", "length 2", "[5]")]),
    "a claim that is none": (
        *("questions:\n", "  - 33\nquestions:\n"),
        [("type", "item 2 of 'claims' must be a mapping", "33")],
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_told_with_its_place_and_its_cure(case: str, tmp_path: Path) -> None:
    before, after, expected = FAULTS[case]
    assert before in SOUND
    text = SOUND.replace(before, after, 1)
    found = read(tmp_path, text)
    lines = text.split("\n")
    assert [fault[2] for fault in found] == [rule for rule, _, _ in expected]
    for (line, column, _, told), (_, words, there) in zip(found, expected, strict=True):
        assert words in told
        assert line is not None and column is not None
        assert "\n".join(lines[line - 1 :])[column - 1 :].startswith(there)


def test_claims_that_cannot_be_read_are_one_fault_of_theirs(tmp_path: Path) -> None:
    ((line, column, rule, told), *_) = read(tmp_path, SOUND.replace("claims:\n  - {", "claims: {"))
    assert (line, column, rule) == (5, 9, "type")
    assert "'claims' must be a list" in told


LISTS = {
    "twice": ("tags: [a, b, a]\n", 1, 14, "duplicate", "listed twice"),
    "itself": ("requires: [topic]\n", 1, 12, "self", "names itself"),
    "no name": ("includes: [Not A Name]\n", 1, 12, "name", "lower-case letters"),
    "no list": ("requires: ddp\n", 1, 11, "type", "write [a, b]"),
    "not texts": ("aliases: [1]\n", 1, 11, "type", "item 1 of 'aliases' must be text, but an unquoted 1"),
    "no span": ("notes: [7, 3]\n", 1, 9, "notes", "[first, last]"),
}


@pytest.mark.parametrize("case", LISTS)
def test_lists_of_names_are_held_to_their_rules(case: str, tmp_path: Path) -> None:
    line, *expected, words = LISTS[case]
    ((*place, rule, told),) = read(tmp_path, line + SOUND)
    assert ([*place, rule], words in told) == (expected, True)


def test_ids_differ(tmp_path: Path) -> None:
    claim, question = sound()["claims"][0], sound()["questions"][0]
    text = text_of(sound(claims=[claim, dict(claim)], questions=[question, dict(question)]))
    found = read(tmp_path, text)
    lines = text.split("\n")
    assert [fault[2] for fault in found] == ["duplicate-id", "duplicate-id"]
    for line, column, _, told in found:
        first = re.search(r"first on line (\d+)", told)
        assert first is not None and line is not None and column is not None
        assert lines[line - 1].strip() == lines[int(first[1]) - 1].strip()
        assert lines[line - 1][column - 1 :] in ("scale", "why")


def test_a_faulty_file_tells_all_its_faults_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = """\
title: no
sumary: x
summary: 1:30
sources:
  k1: {title: a, authors: b, year: x, arxiv: "1706.03762"}
  k1: {}
claims:
  - {id: one, says: x, verdict: rigth, source: k3}
  - {id: one, says: ~, verdict: added, source: k1}
  - 3
questions:
  - {id: q, kind: choise, claim: oen, ask: a}
"""
    found = [(line, rule) for line, _, rule, _ in read(tmp_path, text)]
    assert found == [
        (1, "ambiguous"),
        (2, "unknown-key"),
        (3, "ambiguous"),
        (5, "type"),
        (6, "duplicate-key"),
        (8, "value"),
        (8, "source-reference"),
        (9, "duplicate-id"),
        (9, "type"),
        (10, "type"),
        (12, "missing-key"),
        (12, "kind"),
        (12, "claim-reference"),
    ]


def test_the_name_of_the_file_is_the_name_of_the_topic(tmp_path: Path) -> None:
    assert read(tmp_path, SOUND, "Not a name.yaml")[0][2] == "name"
    assert "rename it" in read(tmp_path, SOUND, "topic.yml")[0][3]
    assert read(tmp_path, SOUND, "self-attention-2.yaml") == []


def test_loading_raises_the_first_fault_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_text(SOUND.replace("title", "titel"), encoding="utf-8")
    with pytest.raises(ContentError) as raised:
        load_topic(str(path), KINDS)
    error = raised.value
    assert (error.file, error.line, error.column) == (str(path), 1, 1)
    assert str(error).startswith(f"{path}:1:1: ")


def test_any_container_of_kinds_will_do_but_then_their_keys_are_not_checked(tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_text(SOUND.replace("    answer:", "    anser:"), encoding="utf-8")
    assert load_topic(str(path), {"recall"}).questions[0].fields == {"anser": "To keep the variance at one."}


def test_a_place_can_be_asked_for_later(tmp_path: Path) -> None:
    path = tmp_path / "topic.yaml"
    path.write_text(SOUND, encoding="utf-8")
    assert locate(str(path), ("questions", 0, "answer")) == (12, 13)
    assert locate(str(path), ("questions", 0, "hint")) == (8, 5)  # not there: the question's own place


def test_thousands_of_faults_end_after_some(tmp_path: Path) -> None:
    found = read(tmp_path, SOUND + f"tags: [{', '.join(['a'] * 5000)}]\n")
    assert len(found) == 201
    assert found[-1][2] == "faults"


# The oracle: the whole file as one msgspec type, the same that the JSON schema is made of.
ORACLE = schema.topic_file(KINDS)
junk = st.sampled_from([None, 3, 1.5, True, "text", [], ["a"], {}, {"a": 1}, [[1, 2]]])


@st.composite
def changed_topics(draw: st.DrawFn) -> Any:
    """The sound topic with up to three places changed, dropped, or given another key."""
    value = copy.deepcopy(
        sound(
            notes=[[1, 2]],
            tags=["a"],
            body="text",
            questions=[
                *sound()["questions"],
                {"id": "pick", "kind": "choice", "ask": "a", "why": "b", "options": [{"text": "x", "right": True}]},
                {"id": "fill", "kind": "cloze", "ask": "{{a}}", "why": "b", "reject": {"c": "d"}},
            ],
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        place: Any = value
        while True:
            keys: list[Any] = list(range(len(place))) if isinstance(place, list) else list(place)
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            how = draw(st.sampled_from(["change", "drop", "rename"]))
            if how == "change" or isinstance(place, list):
                place[key] = copy.deepcopy(draw(junk))
            elif how == "drop":
                del place[key]
            else:
                place[key + "x"] = place.pop(key)
            break
    return value


@given(changed_topics())
@settings(max_examples=400, deadline=None)
@pytest.mark.slow
def test_the_loader_takes_what_the_type_takes_and_refuses_what_it_refuses(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "topic.yaml"
    path.write_text(text_of(value), encoding="utf-8")
    reading = read_topic(str(path), KINDS)
    try:
        msgspec.convert(value, ORACLE)
        fits = True
    except msgspec.ValidationError:
        fits = False
    of_shape = {"missing-key", "unknown-key", "type", "value", "kind"}
    if fits:
        assert not {fault.rule for fault in reading.faults} & of_shape
    else:
        assert reading.faults
    if reading.topic is not None:
        assert isinstance(reading.topic, Topic)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(reading.topic), type=Topic) == reading.topic
    assert all(fault.line and fault.column for fault in reading.faults)
