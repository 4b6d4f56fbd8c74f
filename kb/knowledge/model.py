"""What a topic file says, as typed values. The file is the truth; nothing here is ever written back."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

VerdictWord = Literal["right", "imprecise", "wrong", "unclear", "added"]
Span = tuple[int, int]  # first and last line of the source notes, both included


class Source(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A work that statements rest on; at least one of arxiv, doi, url, isbn says where it is found."""

    title: str
    authors: str
    year: int
    venue: str | None = None
    arxiv: str | None = None
    doi: str | None = None
    url: str | None = None
    isbn: str | None = None


class Claim(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """A statement, what the notes said, and whether that was right.

    ``source`` is ``key locator`` (``rajbhandari2020 §3.1``); several are separated by "; ". ``proof`` is
    ``demo/check``, or a list of them.
    """

    id: str
    says: str
    verdict: VerdictWord
    source: str
    quote: str | None = None
    notes: Span | None = None
    why: str | None = None
    proof: str | list[str] | None = None

    @property
    def proofs(self) -> tuple[str, ...]:
        """The demo/check names that prove this claim."""
        if self.proof is None:
            return ()
        return (self.proof,) if isinstance(self.proof, str) else tuple(self.proof)


class QuestionCard(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What all kinds of question have in common; ``fields`` holds what the kind adds, checked by the kind."""

    id: str
    kind: str
    ask: str
    why: str
    claim: str | None = None
    hint: str | None = None
    draw: dict[str, Any] = {}
    where: str | None = None
    tags: list[str] = []
    source: str | None = None
    demo: str | None = None  # for `predict` it is also a field of the kind
    fields: dict[str, Any] = {}


COMMON_KEYS = frozenset(name for name in QuestionCard.__struct_fields__ if name != "fields")


class Topic(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One topic. ``name`` is its file's stem, ``file`` where it was read from."""

    name: str
    file: str
    title: str
    summary: str
    notes: list[Span] = []
    aliases: list[str] = []
    requires: list[str] = []
    includes: list[str] = []
    tags: list[str] = []
    sources: dict[str, Source] = {}
    body: str = ""
    claims: list[Claim] = []
    questions: list[QuestionCard] = []
    demos: list[str] = []

    def question_name(self, card: QuestionCard) -> str:
        """The stable name ``topic/id`` that progress is kept under."""
        return f"{self.name}/{card.id}"
