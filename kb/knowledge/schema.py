"""The JSON schema of a topic file, from the model and the registered kinds, so that editors complete and check."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any

import msgspec

from kb.knowledge.loader import SLUG
from kb.knowledge.model import Claim, QuestionCard, Topic

_Slug = Annotated[str, msgspec.Meta(pattern=f"^{SLUG.pattern}$")]
_ABOUT = {
    "title": "The topic's title, as a heading.",
    "notes": "First and last line of the source notes that the card was written from, or a list of such pairs.",
    "aliases": "Other names of the topic.",
    "requires": "Topics to know before this one: its new questions wait until theirs have been answered.",
    "includes": "Topics that this one holds: asking it asks them too.",
    "tags": "Words to choose questions by.",
    "summary": "One paragraph: what it is, and why it matters.",
    "sources": "The works that claims rest on, by key: vaswani2017.",
    "body": "Markdown with $maths$. A block marked `python run` is run, and must print the `output` block after it.",
    "claims": "The statements of the card, each judged and sourced.",
    "questions": "The questions. With the topic an id is the name that progress is kept under: don't change it.",
    "demos": "Demos that show the topic.",
    "says": "The statement as it is right.",
    "quote": "The notes' own words, typos kept.",
    "verdict": "Of the notes: right, imprecise, wrong or unclear; added: not in the notes.",
    "source": "A key of `sources` and a locator: vaswani2017 §3.2; several are separated by a semicolon.",
    "proof": "demo/check: a check, or a list of them, that a demo reports.",
    "why": "The explanation that is shown afterwards.",
    "claim": "The id of the claim that is asked.",
    "ask": "The question in Markdown; {name} is a drawn parameter.",
    "hint": "Shown on request; the answer then counts as Hard at most.",
    "draw": "Parameters drawn when the question is asked: {n: [8, 16]} or {n: {from: 1, to: 9, step: 1}}.",
    "where": "An expression over the drawn parameters that must hold.",
    "demo": "The demo that shows the answer.",
}


def topic_file(kinds: Mapping[str, Any]) -> type[msgspec.Struct]:
    """A struct of a whole topic file whose questions are of ``kinds``: what the loader reads, as one type.

    But for ``notes: [first, last]``, which the loader reads as a list of one pair.
    """
    card: Any = reduce(or_, (_question(name, kinds[name]) for name in sorted(kinds)))
    types = {
        "claims": list[_with_slug(Claim)],  # type: ignore[misc]
        "questions": list[card],
        **{key: list[_Slug] for key in ("aliases", "requires", "includes", "tags")},
    }
    left_out = {"name", "file"}
    fields = [_field(field, types.get(field.name)) for field in _fields(Topic) if field.name not in left_out]
    return msgspec.defstruct("Topic", fields, forbid_unknown_fields=True, kw_only=True)


def schema(kinds: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema (draft 7, which every editor knows) of a topic file whose questions are of ``kinds``."""
    _, components = msgspec.json.schema_components([topic_file(kinds)], ref_template="#/$defs/{name}")
    definitions: dict[str, Any] = {name: _plain(part) for name, part in sorted(components.items())}
    notes = definitions["Topic"]["properties"]["notes"]
    pair = notes.pop("items")
    definitions["Topic"]["properties"]["notes"] = {"anyOf": [pair, {"type": "array", "items": pair}], "default": []}
    for definition in definitions.values():
        for key, value in definition.get("properties", {}).items():
            if key in _ABOUT and "$ref" not in value:
                value.setdefault("description", _ABOUT[key])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A topic of kb",
        **{key: value for key, value in definitions.pop("Topic").items() if key not in ("title", "$schema")},
        "$defs": definitions,
    }


def text(kinds: Mapping[str, Any]) -> str:
    """The schema as it is written to a file."""
    import json

    return json.dumps(schema(kinds), indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def path() -> str:
    """The schema of the built-in kinds, which ships with kb."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "topic.schema.json")


def _fields(struct: type[msgspec.Struct]) -> tuple[Any, ...]:
    return msgspec.structs.fields(struct)


def _field(field: Any, kind: Any = None) -> tuple[Any, ...]:
    """A field of a struct as ``defstruct`` takes it; an id is a slug."""
    kind = _Slug if field.name == "id" else kind or field.type
    if field.required:
        return (field.encode_name, kind)
    default = msgspec.field(default_factory=field.default_factory) if _made(field) else field.default
    return (field.encode_name, kind, default)


def _made(field: Any) -> bool:
    return field.default_factory is not msgspec.NODEFAULT


def _with_slug(struct: type[msgspec.Struct]) -> type[msgspec.Struct]:
    fields = [_field(field) for field in _fields(struct)]
    return msgspec.defstruct(
        struct.__name__, fields, forbid_unknown_fields=True, kw_only=True, namespace={"__doc__": struct.__doc__}
    )


def _question(name: str, kind: Any) -> type[msgspec.Struct]:
    """The card of a question of one kind: what all have in common, and what the kind adds."""
    common = [field for field in _fields(QuestionCard) if field.name not in ("kind", "fields")]
    taken = {field.encode_name for field in common}
    added = [field for field in _fields(kind.Fields) if field.encode_name not in taken]
    title = "".join(part.capitalize() for part in name.split("-")) + "Question"
    about = ((kind.__doc__ or "").strip().splitlines() or [f"A question of the kind {name}."])[0]
    return msgspec.defstruct(
        title,
        [_field(field) for field in (*common, *added)],
        forbid_unknown_fields=True,
        kw_only=True,
        tag_field="kind",
        tag=name,
        namespace={"__doc__": about},
    )


def _plain(part: Any) -> Any:
    """``part`` in words of draft 7: a pair is a list of two, and a choice of structs needs no discriminator."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    plain = {key: _plain(value) for key, value in part.items() if key not in ("discriminator", "prefixItems")}
    if "prefixItems" in part:
        plain["items"] = _plain(part["prefixItems"][0])
    return plain
