"""The schema for editors is the model's, ships with kb, and is named by every topic."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from knowledge_samples import sound

from kb import roots
from kb.knowledge import schema
from kb.knowledge.document import Document
from kb.questions.base import Question
from kb.registry import Registry

KINDS = Registry.load({"KB_HOME": "/nowhere"}, packs=False).kinds
TOPICS = sorted(Path(roots.builtin_root(), "topics").glob("*.yaml"))


def test_the_schema_that_ships_is_that_of_the_model() -> None:
    written = Path(schema.path()).read_text(encoding="utf-8")
    assert written == schema.text(KINDS), "a kind has changed: kb schema > kb/knowledge/topic.schema.json"


def test_the_schema_tells_an_editor_what_it_needs() -> None:
    told = json.loads(schema.text(KINDS))
    assert told["required"] == ["title", "summary"]
    assert told["additionalProperties"] is False
    assert {"name", "file"}.isdisjoint(told["properties"])
    kinds = {part["$ref"].rsplit("/", 1)[1] for part in told["properties"]["questions"]["items"]["anyOf"]}
    assert len(kinds) == len(KINDS)
    for name in kinds:
        card = told["$defs"][name]
        assert {"id", "kind", "ask", "why"} <= set(card["required"])
        assert card["additionalProperties"] is False
        assert card["properties"]["kind"]["enum"][0] in KINDS
    assert set(told["properties"]["title"]) == {"type", "description"}
    assert "prefixItems" not in schema.text(KINDS)  # draft 7 does not know it


def test_every_reference_of_the_schema_leads_somewhere() -> None:
    told = schema.schema(KINDS)

    def references(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for inner in part.values():
                yield from references(inner)
        elif isinstance(part, list):
            for inner in part:
                yield from references(inner)

    found = set(references(told))
    assert found
    assert {reference.removeprefix("#/$defs/") for reference in found} <= set(told["$defs"])


class Shout(Question):
    """Say it loudly."""

    kind = "shout"

    class Fields(msgspec.Struct, forbid_unknown_fields=True):
        volume: int

    def ask(self, seed: int) -> Any: ...
    def parse(self, line: str, ask: Any) -> Any: ...
    def grade(self, answer: Any, ask: Any, laboratory: Any) -> Any: ...
    def expected(self, ask: Any) -> str: ...


def test_a_kind_of_a_plugin_is_in_the_schema_too() -> None:
    told = schema.schema({**KINDS, "shout": Shout})
    card = told["$defs"]["ShoutQuestion"]
    assert card["description"] == "Say it loudly."
    assert card["properties"]["volume"] == {"type": "integer"}
    assert "volume" in card["required"]


def test_one_kind_alone_makes_a_schema() -> None:
    assert "ShoutQuestion" in schema.schema({"shout": Shout})["$defs"]


def test_the_type_refuses_what_no_kind_knows() -> None:
    kind = schema.topic_file(KINDS)
    value = sound()
    msgspec.convert(value, kind)
    for change in ({"kind": "shout"}, {"volume": 3}, {"id": "Not A Slug"}):
        other = copy.deepcopy(value)
        other["questions"][0].update(change)
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(other, kind)


@pytest.mark.parametrize("path", TOPICS, ids=lambda path: path.stem)
def test_a_built_in_topic_names_the_schema_and_agrees_with_it(path: Path) -> None:
    first = path.read_text(encoding="utf-8").split("\n")[0]
    assert first == "# yaml-language-server: $schema=../kb/knowledge/topic.schema.json"
    document = Document(str(path))
    assert document.faults == []
    value = document.value
    if value.get("notes") and isinstance(value["notes"][0], int):
        value["notes"] = [value["notes"]]
    msgspec.convert(value, schema.topic_file(KINDS))
