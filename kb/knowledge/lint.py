"""Holds a topic against the rules that go beyond its shape, as a linter does with code.

What runs code (snippets, reference answers) or knows of plugins (kinds, demos) is passed in, so this room stays below
theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kb.errors import ContentError, KbError
from kb.knowledge import snippets
from kb.knowledge.document import Document
from kb.knowledge.faults import Fault, Pointer, did_you_mean, in_order
from kb.knowledge.loader import Reading, source_keys
from kb.knowledge.markdown import formulas
from kb.knowledge.model import Source, Topic

_ARXIV = re.compile(r"(?:[0-9]{4}\.[0-9]{4,5}|[a-z-]+(?:\.[A-Z]{2})?/[0-9]{7})(?:v[0-9]+)?")
_DOI = re.compile(r"10\.[0-9]{4,9}/\S+")
_ISBN = re.compile(r"(?:[0-9][- ]?){9}[0-9Xx]|97[89][- ]?(?:[0-9][- ]?){9}[0-9]")
_FIRST_YEAR, _LAST_YEAR = 1600, 2100


def formula_problem(source: str) -> str | None:
    """Why pylatexenc cannot parse the formula ``source``, or None."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

    try:
        LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
    except LatexWalkerParseError as error:
        return str(error.msg)
    return None


@dataclass(frozen=True)
class Checks:
    """What the rules need to know and may use.

    ``kinds`` and ``demos`` are those registered, ``laboratory`` is handed to the kinds' own rules, ``run`` runs a
    snippet (None: they are not run), and ``formula`` says why a formula cannot be rendered.
    """

    kinds: Mapping[str, Any]
    demos: Mapping[str, Any]
    laboratory: Any
    run: snippets.Run | None = snippets.in_a_process
    formula: Callable[[str], str | None] = formula_problem


def lint(reading: Reading, checks: Checks) -> tuple[list[Fault], list[Fault]]:
    """The faults of a file that was read, those found while reading included, and hints: what might be better."""
    if reading.sound is None:
        return reading.faults, []
    rules = _Rules(reading.sound, reading.document, checks, whole=reading.topic is not None)
    rules.run()
    return in_order([*reading.faults, *rules.faults]), in_order(rules.hints)


class _Rules:
    """The rules over one topic. ``whole``: no part of it was left out for a fault of its own."""

    def __init__(self, topic: Topic, document: Document, checks: Checks, *, whole: bool) -> None:
        self.topic = topic
        self.document = document
        self.checks = checks
        self.whole = whole
        self.faults: list[Fault] = []
        self.hints: list[Fault] = []

    def run(self) -> None:
        self.sources()
        self.claims()
        self.demos()
        self.body()
        self.questions()

    def fault(self, rule: str, message: str, cure: str | None, pointer: Pointer, *, key: bool = False) -> None:
        self.faults.append(self.document.fault(rule, message, cure, pointer, key=key))

    def hint(self, rule: str, message: str, cure: str | None, pointer: Pointer) -> None:
        self.hints.append(self.document.fault(rule, message, cure, pointer))

    def place_of(self, key: str, identity: str) -> int:
        """The place of the claim or question in its list in the file."""
        listed = self.document.value[key]
        return next(place for place, item in enumerate(listed) if isinstance(item, dict) and item.get("id") == identity)

    # ------------------------------------------------------------------------------------------ sources and claims

    def sources(self) -> None:
        named = [claim.source for claim in self.topic.claims]
        named += [card.source for card in self.topic.questions if card.source is not None]
        used = {key for text in named for key in source_keys(text)}
        prose = "\n".join([self.topic.summary, self.topic.body])
        for key, source in self.topic.sources.items():
            self.source(key, source)
            if self.whole and key not in used and not re.search(rf"\b{re.escape(key)}\b", prose):
                self.fault(
                    "unused-source",
                    f"nothing names the source {key!r}",
                    "use it or drop it",
                    ("sources", key),
                    key=True,
                )

    def source(self, key: str, source: Source) -> None:
        at = ("sources", key)
        if source.arxiv is not None and not _ARXIV.fullmatch(source.arxiv):
            self.fault("source", f"{source.arxiv!r} is no arXiv number", "write it like 1706.03762", (*at, "arxiv"))
        if source.doi is not None and not _DOI.fullmatch(source.doi):
            self.fault("source", f"{source.doi!r} is no DOI", "write it like 10.1145/3065386", (*at, "doi"))
        if source.url is not None and not re.match(r"https?://[^\s/]+\.[^\s]+", source.url):
            self.fault("source", f"{source.url!r} is no address on the web", "begin it with https://", (*at, "url"))
        if source.isbn is not None and not _ISBN.fullmatch(source.isbn):
            self.fault("source", f"{source.isbn!r} is no ISBN", "it has 10 or 13 digits", (*at, "isbn"))
        if not _FIRST_YEAR <= source.year <= _LAST_YEAR:
            self.fault("source", f"{source.year} is no year of a publication", None, (*at, "year"))

    def claims(self) -> None:
        asked = {card.claim for card in self.topic.questions}
        for claim in self.topic.claims:
            at = ("claims", self.place_of("claims", claim.id))
            if claim.verdict in ("wrong", "imprecise") and not (claim.why or "").strip():
                cure = "add why: what the notes got wrong"
                self.fault("verdict-why", f"{claim.verdict!r} needs a why", cure, (*at, "verdict"))
            span = claim.notes
            if span and self.topic.notes and not any(a <= span[0] and span[1] <= b for a, b in self.topic.notes):
                cure = "correct one of the two"
                self.fault(
                    "claim-notes", f"lines {span[0]}-{span[1]} are not among the topic's notes", cure, (*at, "notes")
                )
            for index, proof in enumerate(claim.proofs):
                where = (*at, "proof") if isinstance(claim.proof, str) else (*at, "proof", index)
                self.demo(proof.partition("/")[0], where)
            for key in ("says", "why"):
                self.text(getattr(claim, key) or "", (*at, key))
            if self.whole and claim.id not in asked:
                self.hint("unasked-claim", f"no question asks the claim {claim.id!r}", "add one", (*at, "id"))

    def demos(self) -> None:
        for index, name in enumerate(self.topic.demos):
            self.demo(name, ("demos", index))

    def demo(self, name: str, pointer: Pointer) -> None:
        if name not in self.checks.demos:
            cure = did_you_mean(name, self.checks.demos) or "see: kb demo, and kb plugins for what is broken"
            self.fault("demo-reference", f"no demo is called {name!r}", cure, pointer)

    # ------------------------------------------------------------------------------------------------------- texts

    def body(self) -> None:
        self.text(self.topic.summary, ("summary",))
        self.text(self.topic.body, ("body",))
        body = self.topic.body
        found = snippets.check(body, self.checks.run) if self.checks.run else snippets.snippets(body)[1]
        for complaint in found:
            line = self.document.text_line(("body",), complaint.line)
            _, column = self.document.place(("body",))
            if line != self.document.place(("body",))[0]:
                written = self.document.text.split("\n")[line - 1]
                column = len(written) - len(written.lstrip()) + 1
            self.faults.append(
                Fault(complaint.rule, complaint.message, complaint.cure, self.document.path, line, column)
            )

    def text(self, text: str, pointer: Pointer) -> None:
        """The formulas of a text can be rendered."""
        for formula in formulas(text):
            problem = self.checks.formula(formula.source) if formula.closed else "it is never closed"
            if problem:
                shown = formula.source if len(formula.source) <= 60 else f"{formula.source[:57]}…"
                fragment = text[formula.start :][:12].split("\n")[0]
                line, column = self.document.text_place(pointer, text, formula.start, fragment)
                message = f"the formula ${shown}$ cannot be rendered: {problem}"
                self.faults.append(
                    Fault("formula", message, "close it, or write it otherwise", self.document.path, line, column)
                )

    # --------------------------------------------------------------------------------------------------- questions

    def questions(self) -> None:
        for card in self.topic.questions:
            at = ("questions", self.place_of("questions", card.id))
            if card.demo is not None:
                self.demo(card.demo, (*at, "demo"))
            try:
                question = self.checks.kinds[card.kind](self.topic.question_name(card), card)
                for key, text in question.texts():
                    self.text(text, (*at, *_steps(key)))
                for problem in question.lint(self.checks.laboratory):
                    self.fault(problem.rule, problem.message, problem.cure, (*at, *problem.pointer))
            except ContentError as error:
                pointer = getattr(error, "pointer", ())
                self.fault("question", error.message, error.cure, (*at, *pointer))
            except KbError as error:  # a library or a sandbox that isn't here says nothing about the card
                self.hint("not-checked", f"{card.id!r} was not checked: {error.message}", error.cure, at)
            except Exception as error:  # the kind may be a plugin's; its fault must not hide the other questions
                message = f"checking {card.id!r} raised {type(error).__name__}: {error}"
                self.fault("kind-failed", message, f"the fault may be in the kind {card.kind!r}", at)


def _steps(key: str) -> Iterator[str | int]:
    for part in key.split("/"):
        yield int(part) if part.isdigit() else part
