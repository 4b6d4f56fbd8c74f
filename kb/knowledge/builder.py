"""Builds plain values out of YAML's events, within limits that hold while the text is being read."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from kb.knowledge.faults import Fault, Pointer
from kb.knowledge.scalars import kind_of, latex_lost, resolve

MAX_EXPANDED = 4 << 20  # characters and values, with every alias written out
MAX_DEPTH = 32
MAX_FAULTS = 200  # nobody reads on

# Controls but for tab and line ends, and the line ends that only some programs know: they would make the line numbers
# lie, and a terminal obey. A bare carriage return is one of them.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|\r(?!\n)")

Place = tuple[int, int]  # line and column, from 1


class Unreadable(Exception):
    """The reading stopped: nothing can be said about the rest of the file."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Places:
    """Where each value and key stands, the text of unquoted scalars, and which texts are blocks (``|``, ``>``)."""

    def __init__(self) -> None:
        self.values: dict[Pointer, Place] = {}
        self.keys: dict[Pointer, Place] = {}
        self.plain: dict[Pointer, str] = {}
        self.blocks: set[Pointer] = set()


def build(text: str, path: str, faults: list[Fault], places: Places | None = None) -> Any:
    """The value of the one document in ``text``.

    Faults that don't stop the reading are appended to ``faults``; the others raise Unreadable. ``places`` is filled
    if it is given.
    """
    try:
        return _Builder(text, path, faults, places).run()
    except yaml.reader.ReaderError as error:
        raise Unreadable(Fault("yaml", f"not YAML: {error.reason}", None, path)) from None
    except yaml.MarkedYAMLError as error:
        raise Unreadable(_syntax(error, text, path)) from None


class _Frame:
    """A list or mapping under construction."""

    __slots__ = ("anchor", "container", "key", "keys", "pointer", "size")

    def __init__(self, container: list[Any] | dict[str, Any], pointer: Pointer, anchor: str | None) -> None:
        self.container = container
        self.pointer = pointer
        self.anchor = anchor
        self.key: str | None = None  # the key that waits for its value
        self.keys: dict[str, int] = {}  # the line of each key
        self.size = 1


class _Builder:
    def __init__(self, text: str, path: str, faults: list[Fault], places: Places | None) -> None:
        self.text = text
        self.path = path
        self.faults = faults
        self.places = places
        self.anchors: dict[str, tuple[Any, int] | None] = {}  # None: still open, so an alias to it is a circle
        self.stack: list[_Frame] = []
        self.expanded = 0
        self.result: Any = None

    def run(self) -> Any:
        documents = 0
        for event in yaml.parse(self.text, Loader=yaml.CSafeLoader):
            kind = type(event)
            if kind is yaml.ScalarEvent:
                self.scalar(event)
            elif kind is yaml.MappingStartEvent:
                self.open(event, {})
            elif kind is yaml.SequenceStartEvent:
                self.open(event, [])
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                self.close()
            elif kind is yaml.AliasEvent:
                self.alias(event)
            elif kind is yaml.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    raise self.stop("yaml", "holds a second document", "a topic is one document; drop the ---", event)
        if not documents:
            raise Unreadable(Fault("yaml", "is empty", "start with a title: and a summary:", self.path, 1, 1))
        return self.result

    def scalar(self, event: Any) -> None:
        self.tag(event)
        text: str = event.value
        value: Any = text
        if not event.style:  # neither quotes nor a block
            value, complaint = resolve(text)
            if complaint:
                self.complain(self.fault(*complaint, event))
        elif event.style == '"':
            self.escapes(text, self.text[event.start_mark.index : event.end_mark.index], event)
        if self.waits_for_key():
            self.key(text, value, event)
            return
        if event.anchor:
            self.anchors[event.anchor] = (value, len(text) + 1)
        self.mark(event)
        self.add(value, event, len(text) + 1)

    def key(self, text: str, value: Any, event: Any) -> None:
        frame = self.stack[-1]
        if not isinstance(value, str):
            named = f"{text!r} is read as {kind_of(value)}" if text else "there is none"
            self.complain(self.fault("key", f"a key must be text; {named}", "put the key in quotes", event))
        elif text == "<<" and not event.style:
            self.complain(self.fault("key", "merge keys (<<) are not understood", "write the keys out", event))
        line = event.start_mark.line + 1
        if text in frame.keys:
            message = f"the key {text!r} is given twice, first on line {frame.keys[text]}"
            self.complain(self.fault("duplicate-key", message, "keep one of them", event))
        frame.keys.setdefault(text, line)
        frame.key = text
        self.count(len(text) + 1, event)
        if self.places is not None:
            self.places.keys.setdefault(self.pointer(), (line, event.start_mark.column + 1))

    def open(self, event: Any, container: list[Any] | dict[str, Any]) -> None:
        self.tag(event)
        if len(self.stack) >= MAX_DEPTH:
            raise self.stop("depth", f"is nested more than {MAX_DEPTH} levels deep", "topic files are flat", event)
        pointer = self.pointer()
        self.mark(event)
        self.add(container, event, 1)
        self.stack.append(_Frame(container, pointer, event.anchor))
        if event.anchor:
            self.anchors[event.anchor] = None

    def close(self) -> None:
        frame = self.stack.pop()
        if frame.anchor:
            self.anchors[frame.anchor] = (frame.container, frame.size)
        if self.stack:
            self.stack[-1].size += frame.size - 1  # the container itself was counted when it was opened

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            cure = "text that begins with * must stand in quotes"
            raise self.stop("alias", f"no anchor &{event.anchor} stands before this alias", cure, event)
        anchored = self.anchors[event.anchor]
        if anchored is None:
            raise self.stop("alias", f"the alias *{event.anchor} stands inside what it names", "write it out", event)
        value, size = anchored
        if self.waits_for_key():
            raise self.stop("key", "a key must be written out, not be an alias", "write `key: value`", event)
        self.mark(event)
        self.add(value, event, size)

    def add(self, value: Any, event: Any, size: int) -> None:
        """Put a finished value, or the container that is about to be filled, where it belongs."""
        self.count(size, event)
        if not self.stack:
            self.result = value
            return
        frame = self.stack[-1]
        if isinstance(frame.container, list):
            frame.container.append(value)
        elif frame.key is not None:
            frame.container.setdefault(frame.key, value)  # of a key that is given twice the first value stays
            frame.key = None
        else:
            raise self.stop("key", "a key must be text, not a list or mapping", "write `key: value`", event)

    def count(self, size: int, event: Any) -> None:
        self.expanded += size
        if self.expanded > MAX_EXPANDED:
            raise self.stop("size", "grows beyond all measure here", "write less by aliases (*name)", event)
        if self.stack:
            self.stack[-1].size += size

    def waits_for_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].container, dict) and self.stack[-1].key is None

    def pointer(self) -> Pointer:
        """The way to the value that comes next."""
        if self.places is None or not self.stack:
            return ()
        frame = self.stack[-1]
        return (*frame.pointer, len(frame.container) if frame.key is None else frame.key)

    def mark(self, event: Any) -> None:
        if self.places is None:
            return
        pointer = self.pointer()
        self.places.values.setdefault(pointer, (event.start_mark.line + 1, event.start_mark.column + 1))
        if type(event) is yaml.ScalarEvent:
            if event.style in ("|", ">"):
                self.places.blocks.add(pointer)
            elif not event.style:
                self.places.plain.setdefault(pointer, event.value)

    def tag(self, event: Any) -> None:
        if event.tag:
            named = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.complain(self.fault("tag", f"the tag {named} is not allowed", "remove it", event))

    def escapes(self, text: str, raw: str, event: Any) -> None:
        if "\\" not in raw:
            return
        found = FORBIDDEN.search(text)
        if found or latex_lost(raw):
            what = f"an escape that means U+{ord(found[0]):04X}" if found else "LaTeX whose backslash YAML takes away"
            cure = "use single quotes or a block (|): in double quotes a backslash starts an escape"
            self.complain(self.fault("control-character", f"the double quotes hold {what}", cure, event))

    def complain(self, fault: Fault) -> None:
        """Note a fault that doesn't stop the reading, unless there are too many."""
        if len(self.faults) >= MAX_FAULTS:
            raise Unreadable(
                msgspec.structs.replace(fault, rule="faults", message=f"has more than {MAX_FAULTS} faults")
            )
        self.faults.append(fault)

    def fault(self, rule: str, message: str, cure: str | None, event: Any) -> Fault:
        mark = event.start_mark
        return Fault(rule, message, cure, self.path, mark.line + 1, mark.column + 1)

    def stop(self, rule: str, message: str, cure: str | None, event: Any) -> Unreadable:
        return Unreadable(self.fault(rule, message, cure, event))


_CURES = (
    ("mapping values are not allowed", "text with a colon and a space in it must stand in quotes or in a block (|)"),
    ("cannot start any token", "text that begins with this character must stand in quotes; indent with spaces"),
    ("tab character", "indent with spaces, not with tabs"),
    ("unknown escape character", "use single quotes or a block (|): in double quotes a backslash starts an escape"),
    ("unexpected end of stream", "close the quote that opens here"),
    ("unexpected document indicator", "close the quote that opens here"),
    ("expected ',' or", "close the bracket; text with a comma or bracket in it must stand in quotes"),
    ("expected '-' indicator", "align the items of the list"),
    ("could not find expected ':'", "write `key: value`; look at the indentation and at the line before"),
    ("did not find expected key", "look at the indentation, and at the quotes of the lines before"),
    ("expected <document start>", "look at the indentation, and at the quotes of the lines before"),
    ("incompatible YAML document", "remove the line %YAML"),
    ("found character that", "put the text in quotes"),
    ("expected alphabetic or numeric", "text that begins with * or & must stand in quotes"),
    ("undefined tag handle", "text that begins with ! must stand in quotes"),
)


def _syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> Fault:
    problem = error.problem or error.context or "it cannot be parsed"
    cure = next((cure for part, cure in _CURES if part in problem), None)
    opened = error.context_mark is not None and cure is not None and cure.startswith("close the quote")
    mark = error.context_mark if opened else error.problem_mark or error.context_mark
    if mark is None:
        return Fault("yaml", f"not YAML: {problem}", cure, path)
    lines = text.split("\n")
    written = lines[mark.line] if mark.line < len(lines) else ""
    if "\t" in written[: len(written) - len(written.lstrip())]:
        cure = "indent with spaces, not with tabs"
    return Fault("yaml", f"not YAML: {problem}", cure, path, mark.line + 1, mark.column + 1)
