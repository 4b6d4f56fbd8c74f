"""The source of a question in words: ``Rajbhandari et al. 2020, §5`` and where it is found."""

from __future__ import annotations

from typing import NamedTuple

from kb.knowledge.model import QuestionCard, Source, Topic


class Citation(NamedTuple):
    """``text`` names the work and the place in it, ``title`` the work, ``where`` an address (or "")."""

    text: str
    title: str
    where: str


def source_of(topic: Topic, card: QuestionCard) -> str | None:
    """What the question rests on, as written in the file: its own source, else that of its claim."""
    if card.source:
        return card.source
    return next((claim.source for claim in topic.claims if claim.id == card.claim), None)


def demo_of(topic: Topic, card: QuestionCard) -> str | None:
    """The demo that shows what the question is about: its own, the one that proves its claim, or the topic's first."""
    if card.demo:
        return card.demo
    for claim in topic.claims:
        if claim.id == card.claim and claim.proofs:
            return claim.proofs[0].partition("/")[0]
    return topic.demos[0] if topic.demos else None


def is_shown_by(topic: Topic, card: QuestionCard, demo: str) -> bool:
    """Whether ``demo`` is the question's own or proves its claim, and is not just one of the topic's."""
    proofs = [proof for claim in topic.claims if claim.id == card.claim for proof in claim.proofs]
    return demo == card.demo or any(proof.partition("/")[0] == demo for proof in proofs)


def cite(topic: Topic, source: str | None) -> list[Citation]:
    """The works that ``source`` (``key locator; key locator``) names."""
    citations = []
    for part in (source or "").split(";"):
        key, _, locator = part.strip().partition(" ")
        if key:
            work = topic.sources.get(key)
            citations.append(Citation(part.strip(), "", "") if work is None else _citation(work, locator.strip()))
    return citations


def _citation(work: Source, locator: str) -> Citation:
    text = f"{_authors(work.authors)} {work.year}"
    return Citation(f"{text}, {locator}" if locator else text, work.title, _where(work))


def _authors(authors: str) -> str:
    names = [name.strip() for name in authors.replace(" and ", ", ").replace("&", ",").split(",") if name.strip()]
    if len(names) <= 1 or "et al" in authors:
        return authors.strip()
    return f"{names[0]} & {names[1]}" if len(names) == 2 else f"{names[0]} et al."


def _where(work: Source) -> str:
    if work.arxiv:
        return f"arXiv:{work.arxiv}"
    if work.doi:
        return f"doi:{work.doi}"
    if work.url:
        return work.url.removeprefix("https://").removeprefix("http://").rstrip("/")
    return f"ISBN {work.isbn}" if work.isbn else ""
