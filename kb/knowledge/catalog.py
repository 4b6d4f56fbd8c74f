"""What the library knows of all topics at once: names, aliases, the graph, and what is wrong between files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import msgspec

from kb.knowledge import graph
from kb.knowledge.faults import Fault, Pointer, did_you_mean, in_order

if TYPE_CHECKING:
    from kb.knowledge.loader import Reading

BETWEEN_FILES = frozenset(("name-clash", "alias-clash", "cycle", "topic-reference"))  # the rules that are held here


class Entry(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a topic file without opening it; ``faults`` are those that keep it from being a topic."""

    name: str
    file: str
    root: str
    title: str = ""
    aliases: list[str] = []
    requires: list[str] = []
    includes: list[str] = []
    tags: list[str] = []
    demos: list[str] = []
    questions: list[str] = []  # ids
    claims: int = 0
    with_proof: int = 0
    faults: list[Fault] = []


def locate(file: str, pointer: Pointer) -> tuple[int, int]:
    """Where a value stands; only a fault pays for reading its file again."""
    from kb.knowledge.document import Document  # a warm start does without YAML

    return Document(file).place(pointer)


def entry_of(reading: Reading, root: str) -> Entry:
    """The entry of a file that was just read, which lies in the content root ``root``."""
    topic, document = reading.topic, reading.document
    if topic is None:
        name = os.path.splitext(os.path.basename(document.path))[0]
        return Entry(name=name, file=document.path, root=root, faults=reading.faults)
    return Entry(
        name=topic.name,
        file=topic.file,
        root=root,
        title=topic.title,
        aliases=topic.aliases,
        requires=topic.requires,
        includes=topic.includes,
        tags=topic.tags,
        demos=topic.demos,
        questions=[card.id for card in topic.questions],
        claims=len(topic.claims),
        with_proof=sum(1 for claim in topic.claims if claim.proofs),
    )


class Catalog(msgspec.Struct, frozen=True):
    """The topics that can be used, by name; who is meant by an alias; and the faults of those left out, and others."""

    topics: dict[str, Entry]
    aliases: dict[str, str]
    faults: list[Fault]
    left_out: dict[str, Fault]  # the names that are known, and why they cannot be used

    @property
    def requires(self) -> dict[str, list[str]]:
        """The prerequisites of each topic, those that exist."""
        return {name: [at for at in entry.requires if at in self.topics] for name, entry in self.resolved()}

    @property
    def includes(self) -> dict[str, list[str]]:
        """What each topic includes, of what exists."""
        return {name: [at for at in entry.includes if at in self.topics] for name, entry in self.resolved()}

    def resolved(self) -> Iterator[tuple[str, Entry]]:
        """Each topic with the aliases in its lists replaced by the names that they stand for."""
        for name, entry in self.topics.items():
            yield name, _resolve(entry, self.aliases)


def make(entries: Iterable[Entry]) -> Catalog:
    """The catalog of the files ``entries``, in the order of their roots: of two of one name the first stays."""
    first: dict[str, Entry] = {}
    faults: list[Fault] = []
    left_out: dict[str, Fault] = {}
    for entry in entries:
        faults += entry.faults
        if entry.name in first:
            other = first[entry.name].file
            message = f"the topic {entry.name!r} is already in {other}"
            faults.append(Fault("name-clash", message, "rename one of the two files", entry.file, 1, 1))
            continue
        first[entry.name] = entry
        if entry.faults:
            left_out[entry.name] = entry.faults[0]
    usable = {name: entry for name, entry in sorted(first.items()) if not entry.faults}
    aliases = _aliases(usable, first, faults)
    for circle in _cycles(usable, aliases, "requires"):
        for position, name in enumerate(circle):
            left_out[name] = _circle(circle[position:] + circle[:position], usable, aliases, "requires")
        faults.append(left_out[circle[0]])
    for circle in _cycles(usable, aliases, "includes"):  # harmless but for the reader: each is taken once
        faults.append(_circle(circle, usable, aliases, "includes"))
    usable = {name: entry for name, entry in usable.items() if name not in left_out}
    for entry in usable.values():
        faults += _dangling(entry, {*first, *aliases})
    return Catalog(usable, aliases, in_order(faults), left_out)


def _aliases(usable: dict[str, Entry], named: dict[str, Entry], faults: list[Fault]) -> dict[str, str]:
    """Who each alias stands for; a topic's own name goes before an alias, and the first of two aliases stays."""
    found: dict[str, str] = {}
    for name, entry in usable.items():
        for index, alias in enumerate(entry.aliases):
            other = named[alias] if alias in named else usable.get(found.get(alias, ""))
            if other is None:
                found[alias] = name
                continue
            what = "the name" if alias in named else "an alias"
            message = f"the alias {alias!r} is {what} of the topic in {other.file}"
            line, column = locate(entry.file, ("aliases", index))
            faults.append(Fault("alias-clash", message, "choose another", entry.file, line, column))
    return found


def _cycles(topics: dict[str, Entry], aliases: dict[str, str], key: str) -> list[list[str]]:
    return graph.cycles({name: getattr(_resolve(entry, aliases), key) for name, entry in topics.items()})


def _circle(circle: list[str], topics: dict[str, Entry], aliases: dict[str, str], key: str) -> Fault:
    """The fault of a circle, told at the file of its first topic, with the place of every link."""
    links, places = [], []
    for position, name in enumerate(circle):
        entry, needed = topics[name], circle[(position + 1) % len(circle)]
        index = getattr(_resolve(entry, aliases), key).index(needed)
        places.append(locate(entry.file, (key, index)))
        links.append(f"{needed} ({entry.file}:{places[-1][0]})")
    message = f"a circle in {key}: {circle[0]} → {' → '.join(links)}"
    return Fault("cycle", message, "take one of these out", topics[circle[0]].file, *places[0])


def _dangling(entry: Entry, known: set[str]) -> Iterator[Fault]:
    for key in ("requires", "includes"):
        for index, name in enumerate(getattr(entry, key)):
            if name not in known:
                cure = did_you_mean(name, known) or "leave it out, or write that topic"
                line, column = locate(entry.file, (key, index))
                message = f"{key}: no topic is called {name!r}"
                yield Fault("topic-reference", message, cure, entry.file, line, column)


def _resolve(entry: Entry, aliases: dict[str, str]) -> Entry:
    if not aliases or not any(name in aliases for name in (*entry.requires, *entry.includes)):
        return entry
    return msgspec.structs.replace(
        entry,
        requires=[aliases.get(name, name) for name in entry.requires],
        includes=[aliases.get(name, name) for name in entry.includes],
    )
