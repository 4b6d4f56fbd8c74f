"""``kb check`` without the command line: every fault of some topic files, and of how they stand to all others."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from kb.errors import UsageError
from kb.knowledge import catalog as catalogs
from kb.knowledge.catalog import Entry
from kb.knowledge.faults import Fault, in_order
from kb.knowledge.lint import Checks, lint
from kb.knowledge.loader import Reading, read_topic

_EXTENSIONS = (".yaml", ".yml")


class Findings(NamedTuple):
    """What was found in ``files``: ``faults``, which must be mended, and ``hints``, which may."""

    files: list[str]
    faults: list[Fault]
    hints: list[Fault]


def topic_files(path: str) -> list[str]:
    """The topic files that ``path`` means: itself, or those of the folder, of a content root those in ``topics/``.

    Raises UsageError if there is none.
    """
    if not os.path.isdir(path):
        if not os.path.lexists(path):
            raise UsageError(
                f"there is no file or folder {path!r}", cure="name a topic, a topic file or a folder of them"
            )
        return [path]
    topics = os.path.join(path, "topics")
    top = topics if os.path.isdir(topics) else path
    found = []
    for folder, inner, names in os.walk(top):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(_EXTENSIONS) and name[0] != "."]
    if not found:
        raise UsageError(f"there is no topic file in {path!r}", cure="topic files end in .yaml")
    return found


def check(files: Sequence[str], library: Iterable[Entry], checks: Checks) -> Iterator[Findings]:
    """Check ``files`` one by one, then how they stand to one another and to the files of the ``library``.

    Each step's findings come as soon as they are there, so that a caller can show how far it is.
    """
    readings: dict[str, Reading] = {}
    for path in dict.fromkeys(files):
        reading = readings[os.path.realpath(path)] = read_topic(path, checks.kinds)
        faults, hints = lint(reading, checks)
        yield Findings([path], faults, hints)
    yield Findings([], _between(readings, [*library]), [])


def _between(readings: dict[str, Reading], library: Sequence[Entry]) -> list[Fault]:
    """The faults between files that are told at one of those read; these count as they are now."""
    entries = []
    inside = set()
    for entry in library:
        real = os.path.realpath(entry.file)
        if real in readings:
            inside.add(real)
            entry = catalogs.entry_of(readings[real], entry.root)
        entries.append(entry)
    # A file outside of all roots may be a copy of one inside: it takes that one's place.
    outside = [catalogs.entry_of(reading, "") for real, reading in readings.items() if real not in inside]
    faults = catalogs.make([*outside, *entries]).faults
    checked = {reading.document.path for reading in readings.values()}
    return in_order(fault for fault in faults if fault.rule in catalogs.BETWEEN_FILES and fault.file in checked)
