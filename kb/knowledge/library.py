"""Every topic of every root, by name. A file that is wrong is named and left out; it never hides another."""

from __future__ import annotations

import gc
import itertools
import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from kb.errors import ContentError, UnknownName
from kb.knowledge import catalog as catalogs
from kb.knowledge import graph, index
from kb.knowledge.cache import Cache, Parsed, State
from kb.knowledge.catalog import Catalog, Entry
from kb.knowledge.faults import Fault
from kb.knowledge.model import QuestionCard, Topic
from kb.roots import Root, content_roots, path_entries

if TYPE_CHECKING:
    from kb.knowledge.search import Hit


class Plugins(Protocol):
    """What the library needs to know of the registry."""

    @property
    def kinds(self) -> Mapping[str, Any]:
        """Every question kind by name."""

    @property
    def roots(self) -> list[Root]:
        """Every content root, those of packs included."""


class Library:
    """The topics of all roots: ``Library.open(environment, registry)``.

    Names may be written in any case and with spaces or underscores for hyphens; an alias stands for its topic
    everywhere. Where no topic file has changed since the last time, none is parsed and no plugin is loaded.
    """

    def __init__(
        self,
        catalog: Catalog,
        cache: Cache,
        registry: Plugins,
        *,
        topics: Mapping[str, Topic] | None = None,
        missing_roots: Iterable[str] = (),
    ) -> None:
        self._catalog = catalog
        self._cache = cache
        self._registry = registry
        self._topics = dict(topics or {})
        self._missing_roots = [*missing_roots]
        self._requires = catalog.requires
        self._includes = catalog.includes

    @classmethod
    def open(cls, environment: Mapping[str, str], registry: Plugins) -> Library:
        """The library of an ``environment`` (``KB_PATH``, ``KB_HOME``, ``KB_LOAD_PLUGINS``)."""
        missing = [path for path in path_entries(environment) if not os.path.isdir(path)]
        path = index.cache_file(environment)
        warm = index.is_fresh(path, environment)
        cache = Cache(path)
        catalog = cache.catalog() if warm else None
        if catalog is not None and (not _has_faulty_files(catalog) or _same_plugins(cache, environment)):
            return cls(catalog, cache, registry, missing_roots=missing)
        catalog, topics = _refresh(cache, environment, registry)
        return cls(catalog, cache, registry, topics=topics, missing_roots=missing)

    @property
    def index_path(self) -> str:
        """The file whose tables ``topic``, ``question``, ``includes`` and ``requires`` tell of this library."""
        return self._cache.path

    def close(self) -> None:
        """Close the cache."""
        self._cache.close()

    # ------------------------------------------------------------------------------------------------------- names

    def names(self) -> list[str]:
        """The names of all usable topics, sorted."""
        return [*self._catalog.topics]

    def entries(self) -> list[Entry]:
        """What a listing shows of each usable topic, by name, without opening the topics."""
        return [self._catalog.topics[name] for name in self.names()]

    def faults(self) -> list[Fault]:
        """Every fault of every file, and those between files: clashes of names, circles, unknown topics."""
        return self._catalog.faults

    def files(self) -> list[Entry]:
        """What is known of each topic file, broken ones included, in the order of the roots."""
        known = self._cache.entries()
        return [known[path] for path, _, _ in index.scan(self._registry.roots) if path in known]

    def broken(self) -> list[ContentError]:
        """What is wrong with the library, one error a file."""
        errors = []
        for file, faults in itertools.groupby(self._catalog.faults, key=lambda fault: fault.file):
            error, *more = [fault.error() for fault in faults]
            if more:
                error.message += f" (and {len(more)} more: kb check {file})"
            errors.append(error)
        for path in self._missing_roots:
            errors.append(ContentError(f"KB_PATH: there is no folder {path}", cure="correct or unset KB_PATH"))
        return errors

    def resolve(self, name: str) -> str:
        """The name of the topic that ``name`` means; raises UnknownName, or the ContentError of a broken file."""
        known = self._catalog
        for form in (name, "-".join(name.lower().replace("_", " ").split())):
            form = known.aliases.get(form, form)
            if form in known.topics:
                return form
            if form in known.left_out:
                raise known.left_out[form].error()
        everything = {*known.topics, *known.aliases, *known.left_out}
        raise UnknownName("topic", name, everything, listing="see: kb topics")

    # ------------------------------------------------------------------------------------------------------ topics

    def get(self, name: str) -> Topic:
        """The topic of this name or alias; raises UnknownName, or ContentError if its file is broken."""
        name = self.resolve(name)
        topic = self._topics.get(name)
        if topic is None:
            file = self._catalog.topics[name].file
            topic = next(self._cache.topics([file]), None) or self._parse(file)
            self._check_kinds(topic)
            self._topics[name] = topic
        return topic

    def all(self) -> Iterator[Topic]:
        """Every usable topic, by name."""
        if not self._topics:
            wanted = {entry.file for entry in self._catalog.topics.values()}
            with _no_collection():
                self._topics.update((topic.name, topic) for topic in self._cache.topics() if topic.file in wanted)
        for name in self.names():
            yield self.get(name)

    def expand(self, names: Iterable[str]) -> list[str]:
        """The topics ``names`` and all that they include, each once, a parent before its children."""
        return graph.within([self.resolve(name) for name in names], self._includes)

    def requires(self, name: str) -> list[str]:
        """All that a topic rests on, directly or not, in the order to learn it."""
        name = self.resolve(name)
        found = graph.below(self._requires.get(name, ()), self._requires, self._includes)
        return [other for other in found if other != name]

    def path(self, name: str) -> list[str]:
        """The way to a topic: all that it rests on, the topic, and what it includes with what that rests on."""
        return graph.below([self.resolve(name)], self._requires, self._includes)

    # --------------------------------------------------------------------------------------------------- questions

    def question(self, name: str) -> tuple[Topic, QuestionCard]:
        """The question ``topic/id`` and its topic; raises UnknownName."""
        topic_name, _, identity = name.partition("/")
        topic = self.get(topic_name)
        for card in topic.questions:
            if card.id == identity:
                return topic, card
        known = [topic.question_name(card) for card in topic.questions]
        raise UnknownName("question", name, known, listing=f"see: kb show {topic.name}")

    def questions(self, names: Iterable[str] | None = None) -> list[str]:
        """The names of all questions of the topics ``names`` and what they include (None: of all), in file order."""
        topics = self.names() if names is None else self.expand(names)
        return [f"{topic}/{identity}" for topic in topics for identity in self._catalog.topics[topic].questions]

    def topic_of(self, question: str) -> str:
        """The topic that the question ``topic/id`` belongs to."""
        return self.resolve(question.partition("/")[0])

    # ------------------------------------------------------------------------------------------------------ search

    def search(self, text: str, limit: int = 20) -> list[Hit]:
        """What matches the words of ``text``, best first. No character of it has a special meaning."""
        from kb.knowledge.search import search

        return search(self._cache, self.all, text, limit)

    def _parse(self, file: str) -> Topic:
        from kb.knowledge.loader import load_topic

        return load_topic(file, self._registry.kinds)

    def _check_kinds(self, topic: Topic) -> None:
        """A kind may have gone with its plugin since the topic was parsed."""
        for card in topic.questions:
            if card.kind not in self._registry.kinds:
                self._parse(topic.file)  # raises, with the place


@contextmanager
def _no_collection() -> Iterator[None]:
    """Loading makes many objects and no garbage; looking for some would take half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


_TICK_NS = 20_000_000  # two changes within a tick of the clock (at most 10 ms) may leave the same time
_COARSE_TICK_NS = 2_000_000_000  # on file systems that know no fractions of a second


def _has_faulty_files(catalog: Catalog) -> bool:
    return any(fault.rule not in catalogs.BETWEEN_FILES for fault in catalog.faults)


def _same_plugins(cache: Cache, environment: Mapping[str, str]) -> bool:
    """Whether a faulty file is as faulty as it was: it may lack only a question kind, which a plugin can bring."""
    packs = index.pack_roots(cache.connection, environment)
    return packs is not None and cache.plugins() == index.plugins_stamp(content_roots(environment, packs))


def _refresh(cache: Cache, environment: Mapping[str, str], registry: Plugins) -> tuple[Catalog, dict[str, Topic]]:
    """Parse what has changed, note the new state, and return the catalog and the topics that were parsed."""
    packs = index.packs_stamp(environment)
    roots = registry.roots
    files = index.scan(roots)
    stamps, known = cache.stamps(), cache.entries()
    plugins = index.plugins_stamp(roots)
    faults_stay = cache.plugins() == plugins
    entries: list[Entry] = []
    parsed: list[Parsed] = []
    for path, stamp, root in files:
        entry = known.get(path)
        if entry is None or (entry.faults and not faults_stay) or entry.root != root.path or stamps.get(path) != stamp:
            fresh = _parsed(path, stamp, root, registry.kinds)
            parsed.append(fresh)
            entry = fresh.entry
        entries.append(entry)
    catalog = catalogs.make(entries)
    certain = all(file.stamp for file in parsed)
    state = State(
        files=index.state_of(files) if certain else "",
        packs=packs,
        plugins=plugins,
        pack_roots=[root for root in roots if root.owner not in ("kb", "$KB_PATH", "user")],
        pack_files=_pack_files() if packs != "none" else [],
    )
    gone = known.keys() - {path for path, _, _ in files}
    cache.write(parsed, gone, catalog, state)
    by_file = {entry.file: name for name, entry in catalog.topics.items()}
    return catalog, {file.topic.name: file.topic for file in parsed if file.topic and file.path in by_file}


def _parsed(path: str, stamp: str, root: Root, kinds: Mapping[str, Any]) -> Parsed:
    from kb.knowledge.loader import read_topic

    before = time.time_ns()
    reading = read_topic(path, kinds)
    entry = catalogs.entry_of(reading, root.path)
    return Parsed(path, stamp if _settled(stamp, before) else "", entry, reading.topic)


def _settled(stamp: str, read_at_ns: int) -> bool:
    """Whether a change after the reading would show in the stamp: not if the file is as young as a clock's tick."""
    if stamp == "?":
        return False
    changed = [int(part) for part in stamp.split()[:2]]
    coarse = changed[0] % 1_000_000_000 == 0
    return read_at_ns - max(changed) > (_COARSE_TICK_NS if coarse else _TICK_NS)


def _pack_files() -> list[tuple[str, str]]:
    """The modules through which the packs registered, and their stamps: an editable pack may change without pip."""
    from importlib.metadata import entry_points

    modules = [sys.modules.get(point.module) for point in entry_points(group="kb")]
    files = {str(file) for module in modules if (file := getattr(module, "__file__", None))}
    return [(file, index.stamp_of(file)) for file in sorted(files)]
