"""Reads a topic file strictly: what it says comes back typed, or every fault in it with its place and cure."""

from __future__ import annotations

import os
import re
from collections.abc import Container, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from kb.knowledge.builder import Unreadable
from kb.knowledge.document import Document
from kb.knowledge.faults import Fault, Pointer, did_you_mean, in_order
from kb.knowledge.model import COMMON_KEYS, Claim, QuestionCard, Topic
from kb.knowledge.shape import Shape

SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
SLUG_CURE = "use lower-case letters, digits and single hyphens"
_SOURCE_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_PROOF = re.compile(r"[^/\s]+/[^/\s]+")


class Reading(NamedTuple):
    """What became of a file: the ``topic``, or None if there are ``faults``; ``document`` knows the places.

    ``sound`` is made of those parts of a faulty file that fit, for a linter that looks on; None if too much is missing.
    """

    topic: Topic | None
    faults: list[Fault]
    document: Document
    sound: Topic | None = None


def load_topic(path: str, kinds: Container[str]) -> Topic:
    """The topic in the file ``path``; raises ContentError for its first fault.

    ``kinds`` are the question kinds that may be used. Where it maps their names to classes, the keys that each kind
    adds are checked too.
    """
    reading = read_topic(path, kinds)
    if reading.topic is None:
        raise reading.faults[0].error()
    return reading.topic


def read_topic(path: str, kinds: Container[str]) -> Reading:
    """The topic in the file ``path``, and all its faults in the order of the file."""
    document = Document(path)
    if document.value is None and document.faults:
        return Reading(None, document.faults, document)
    reader = _TopicReader(document, kinds)
    name, extension = os.path.splitext(os.path.basename(path))
    if extension != ".yaml":
        reader.fault("name", f"a topic file ends in .yaml, not {extension or 'without it'}", "rename it", ())
    try:
        topic = reader.topic(name)
    except Unreadable as stop:
        topic = None
        reader.shape.faults.append(stop.fault)
    faults = in_order([*document.faults, *reader.shape.faults])
    return Reading(None, faults, document, topic) if faults else Reading(topic, [], document, topic)


def locate(path: str, pointer: Pointer) -> tuple[int, int]:
    """Line and column, from 1, of the value at ``pointer`` in the file ``path``: ``("questions", 3, "answer")``."""
    return Document(path).place(pointer)


def source_keys(text: str) -> list[str]:
    """The keys of sources that ``rajbhandari2020 §3.1; vaswani2017`` names."""
    return [words[0] for part in text.split(";") if (words := part.split())]


class _TopicReader:
    def __init__(self, document: Document, kinds: Container[str]) -> None:
        self.document = document
        self.kinds = kinds
        self.shape = Shape(document)
        self.fault = self.shape.fault

    def topic(self, name: str) -> Topic | None:
        value = self.document.value
        if not SLUG.fullmatch(name):
            self.fault("name", f"the file's name, {name!r}, is the topic's name", SLUG_CURE, ())
        if not isinstance(value, dict):
            self.shape.misfit("a mapping with title, summary, …", value, ())
            return None
        if "notes" in value:
            value["notes"] = _spans(value["notes"])
        fields = self.shape.struct(
            value, Topic, (), leave=("name", "file", "claims", "questions"), others=("claims", "questions")
        )
        claims = self.items(value, "claims", self.claim)
        questions = self.items(value, "questions", self.question)
        self.names(fields, name)
        self.sources(value.get("sources"))
        self.references(value)
        found = {**fields, "name": name, "file": self.document.path, "claims": claims, "questions": questions}
        return msgspec.convert(found, Topic) if {"title", "summary"} <= fields.keys() else None

    def items(self, value: dict[str, Any], key: str, read: Any) -> list[Any]:
        """The claims or questions, each read by ``read``; their ids must differ."""
        listed = value.get(key, [])
        if not isinstance(listed, list):
            self.shape.misfit("a list", listed, (key,))
            return []
        first: dict[str, int] = {}
        for index, item in enumerate(listed):
            name = item.get("id") if isinstance(item, dict) else None
            if not isinstance(name, str):
                continue
            if name in first:
                line, _ = self.document.place((key, first[name], "id"))
                message = f"the {key[:-1]} id {name!r} is given twice, first on line {line}"
                self.fault("duplicate-id", message, "give each its own", (key, index, "id"))
            elif not SLUG.fullmatch(name):
                self.fault("name", f"{name!r} cannot be an id", SLUG_CURE, (key, index, "id"))
            first.setdefault(name, index)
        return [made for index, item in enumerate(listed) if (made := read(item, (key, index))) is not None]

    def claim(self, item: Any, pointer: Pointer) -> Claim | None:
        before = len(self.shape.faults)
        fields = self.shape.struct(item, Claim, pointer)
        if fields.get("verdict") == "added" and fields.get("quote") is not None:
            cure = "leave the quote out, or judge what the notes say"
            self.fault("verdict", "'added' is not in the notes, so it has no quote", cure, (*pointer, "quote"))
        span = fields.get("notes")
        if span is not None and not 1 <= span[0] <= span[1]:
            self.fault("notes", f"{list(span)} is no span of lines", "write [first, last]", (*pointer, "notes"))
        proof = fields.get("proof")
        for index, name in enumerate([proof] if isinstance(proof, str) else proof or []):
            if not _PROOF.fullmatch(name):
                at = (*pointer, "proof") if isinstance(proof, str) else (*pointer, "proof", index)
                self.fault("proof", f"{name!r} is no proof", "write demo/check, as the demo reports it", at)
        return msgspec.convert(fields, Claim) if len(self.shape.faults) == before else None

    def question(self, item: Any, pointer: Pointer) -> QuestionCard | None:
        before = len(self.shape.faults)
        if not isinstance(item, dict):
            self.shape.misfit("a mapping", item, pointer)
            return None
        own = {key: value for key, value in item.items() if key not in COMMON_KEYS}
        kind = item.get("kind")
        struct = None
        if isinstance(kind, str):
            if kind not in self.kinds:
                known = list(self.kinds) if isinstance(self.kinds, Iterable) else []
                cure = did_you_mean(kind, known) or f"the kinds are: {', '.join(sorted(known))}"
                self.fault("kind", f"no kind of question is called {kind!r}", cure, (*pointer, "kind"))
            elif isinstance(self.kinds, Mapping):
                struct = self.kinds[kind].Fields
        common = {key: value for key, value in item.items() if key in COMMON_KEYS}
        fields = self.shape.struct(common, QuestionCard, pointer, leave=("fields",))
        if struct is not None:
            leave = [name for name in struct.__struct_encode_fields__ if name in COMMON_KEYS]
            self.shape.struct(own, struct, pointer, leave=leave, others=COMMON_KEYS)
        if len(self.shape.faults) > before:
            return None
        return msgspec.convert({**fields, "fields": own}, QuestionCard)

    def names(self, fields: dict[str, Any], name: str) -> None:
        """The lists of names: well-formed, each once, and not the topic itself."""
        for key in ("aliases", "requires", "includes", "tags", "demos"):
            seen: set[str] = set()
            for index, entry in enumerate(fields.get(key, [])):
                at = (key, index)
                if key != "demos" and not SLUG.fullmatch(entry):
                    self.fault("name", f"{entry!r} cannot be a name", SLUG_CURE, at)
                if entry in seen:
                    self.fault("duplicate", f"{entry!r} is listed twice", "keep one of them", at)
                elif entry == name and key in ("aliases", "requires", "includes"):
                    self.fault("self", f"the topic names itself under {key!r}", "leave it out", at)
                seen.add(entry)
        for index, span in enumerate(fields.get("notes", [])):
            if not 1 <= span[0] <= span[1]:
                self.fault("notes", f"{list(span)} is no span of lines", "write [first, last]", ("notes", index))

    def sources(self, sources: Any) -> None:
        for key, source in sources.items() if isinstance(sources, dict) else ():
            at = ("sources", key)
            if not _SOURCE_KEY.fullmatch(key):
                cure = "use letters and digits, for example vaswani2017"
                self.fault("name", f"{key!r} cannot be the key of a source", cure, at, key=True)
            if isinstance(source, dict) and not any(source.get(place) for place in ("arxiv", "doi", "url", "isbn")):
                cure = "add arxiv:, doi:, url: or isbn:"
                self.fault("source-locator", f"nothing says where {key} is found", cure, at, key=True)

    def references(self, value: dict[str, Any]) -> None:
        """What claims and questions refer to within the file must stand in it."""
        listed: dict[str, list[Any]] = {
            key: value[key] if isinstance(value.get(key), list) else [] for key in ("claims", "questions")
        }
        ids = [item.get("id") for item in listed["claims"] if isinstance(item, dict)]
        claims = [claim for claim in ids if isinstance(claim, str)]
        sources = value["sources"] if isinstance(value.get("sources"), dict) else {}
        for key, items in listed.items():
            for index, item in enumerate(items):
                if not isinstance(item, dict):
                    continue
                if isinstance(item.get("source"), str):
                    self.source_reference(item["source"], sources, (key, index, "source"))
                claim = item.get("claim")
                if key == "questions" and isinstance(claim, str) and claim not in claims:
                    cure = did_you_mean(claim, claims) or "name the id of a claim in this file"
                    self.fault("claim-reference", f"no claim has the id {claim!r}", cure, (key, index, "claim"))

    def source_reference(self, text: str, sources: Mapping[str, Any], pointer: Pointer) -> None:
        keys = source_keys(text)
        if not keys and text.strip():
            self.fault(
                "source-reference", f"{text!r} names no source", "write key locator, such as smith2020 §3", pointer
            )
        for key in keys:
            if key not in sources:
                cure = did_you_mean(key, sources) or "add it under sources:"
                self.fault("source-reference", f"no source has the key {key!r}", cure, pointer)


def _spans(value: Any) -> Any:
    """A bare ``[first, last]`` as the list of spans that it stands for."""
    if isinstance(value, list) and len(value) == 2 and all(type(line) is int for line in value):
        return [value]
    return value
