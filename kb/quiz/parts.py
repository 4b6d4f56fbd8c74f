"""A topic's text in parts to read one by one, each with the questions that it answers."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from kb.knowledge.model import QuestionCard, Topic

PART_CHARACTERS = 900  # about a screen; shorter pieces are read together
_WORD = re.compile(r"[^\W_]{3,}")
_STOP = frozenset(
    re.findall(
        r"\w+",
        """
    the and for are that with this from which what how many does its each one not but has have can all only than then
    they when where who will into more most other same
""",
    )
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a topic's text (Markdown), and the questions (by id) to ask after it."""

    text: str
    questions: tuple[str, ...]


def parts(topic: Topic) -> list[Part]:
    """The parts of a topic. Each question belongs to the part that says most of its words."""
    texts = split(topic.body) or [topic.summary]
    owners = [0] * len(topic.questions)
    if len(texts) > 1:
        weights = _weights(texts)
        claims = {claim.id: claim.says for claim in topic.claims}
        for number, card in enumerate(topic.questions):
            wanted = _words(_told(card, claims.get(card.claim or "", "")))
            scores = [sum(weights.get(word, 0.0) for word in wanted & _words(text)) for text in texts]
            owners[number] = max(range(len(texts)), key=lambda place: (scores[place], -place))
    return [
        Part(text, tuple(card.id for card, owner in zip(topic.questions, owners, strict=True) if owner == place))
        for place, text in enumerate(texts)
    ]


def split(body: str) -> list[str]:
    """``body`` cut at its headings, else between paragraphs; a fence, a table and a list stay whole."""
    blocks = _blocks(body)
    texts: list[str] = []
    for block in blocks:
        heading = block.lstrip().startswith("#")
        belongs = block.lstrip().startswith(("```", "|", "- ", "* ", "1. ", "    "))
        full = bool(texts) and len(texts[-1]) + len(block) > PART_CHARACTERS
        headed = bool(texts) and texts[-1].split("\n")[-1].startswith("#")
        if texts and not heading and (belongs or headed or not full):
            texts[-1] += "\n\n" + block
        else:
            texts.append(block)
    return texts


def _blocks(body: str) -> list[str]:
    """Paragraphs, with fenced code in one piece."""
    blocks: list[str] = []
    rows: list[str] = []
    fence = ""
    for row in body.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", row)
        if mark and (not fence or row.strip().startswith(fence)):
            fence = "" if fence else mark[1]
        if row.strip() or fence:
            rows.append(row)
        elif rows:
            blocks.append("\n".join(rows))
            rows = []
    return [*blocks, "\n".join(rows)] if rows else blocks


def _told(card: QuestionCard, claim: str) -> str:
    return f"{card.ask} {card.why} {claim}"


def _words(text: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(text)} - _STOP


def _weights(texts: list[str]) -> dict[str, float]:
    """How telling each word is: the fewer parts have it, the more."""
    counts = Counter(word for text in texts for word in _words(text))
    return {word: math.log(1 + len(texts) / count) for word, count in counts.items()}
