"""Which lines of the source notes the cards cover, with verdicts and proofs. Prints docs/coverage.md.

Usage: python docs/coverage.py > docs/coverage.md
"""

from __future__ import annotations

import sys
from pathlib import Path

from kb.knowledge.loader import load_topic
from kb.knowledge.model import Claim, Topic

CHECKOUT = Path(__file__).resolve().parents[1]
KINDS = ("choice", "cloze", "numeric", "order", "recall", "predict", "code")
VERDICTS = ("right", "imprecise", "wrong", "unclear", "added")


def main() -> None:
    sys.stdout.write(coverage())


def coverage() -> str:
    """The whole page."""
    topics = [load_topic(str(path), KINDS) for path in sorted((CHECKOUT / "topics").glob("*.yaml"))]
    topics.sort(key=lambda topic: (topic.notes[0] if topic.notes else (10**6, 0), topic.name))
    parts = ["# What the cards cover of the notes\n", "Made by `python docs/coverage.py`; a test keeps it true.\n"]
    parts += ["## By topic\n", *_summary(topics), "\n## By line\n"]
    parts += ["| lines | claim | verdict | proved by |", "|---|---|---|---|"]
    judged = [(claim.notes, topic, claim) for topic in topics for claim in topic.claims if claim.notes is not None]
    for span, topic, claim in sorted(judged, key=lambda row: (row[0], row[1].name)):
        proofs = ", ".join(f"`{proof}`" for proof in claim.proofs) or "–"
        parts.append(f"| {_lines(span)} | {topic.name}: {claim.id} | {claim.verdict} | {proofs} |")
    parts += ["\n## Added to the notes\n", "| claim | proved by |", "|---|---|"]
    for topic in topics:
        for claim in topic.claims:
            if claim.verdict == "added":
                proofs = ", ".join(f"`{proof}`" for proof in claim.proofs) or "–"
                parts.append(f"| {topic.name}: {claim.id} | {proofs} |")
    return "\n".join(parts) + "\n"


def _summary(topics: list[Topic]) -> list[str]:
    rows = [f"| topic | lines | claims | {' | '.join(VERDICTS)} | proved | questions |", "|---|---|" + "---|" * 8]
    every: list[Claim] = []
    questions = 0
    for topic in topics:
        every += topic.claims
        questions += len(topic.questions)
        lines = ", ".join(_lines(span) for span in topic.notes) or "–"
        rows.append(f"| {topic.name} | {lines} | {_counts(topic.claims)} | {len(topic.questions)} |")
    rows.append(f"| **all** | | {_counts(every)} | {questions} |")
    return rows


def _counts(claims: list[Claim]) -> str:
    verdicts = [sum(claim.verdict == word for claim in claims) for word in VERDICTS]
    proved = sum(bool(claim.proofs) for claim in claims)
    share = f"{proved} ({proved / len(claims):.0%})" if claims else "0"
    return " | ".join([str(len(claims)), *map(str, verdicts), share])


def _lines(span: tuple[int, int]) -> str:
    return str(span[0]) if span[0] == span[1] else f"{span[0]}–{span[1]}"


if __name__ == "__main__":
    main()
