"""``kb show``: a topic as a page to read, each claim with its verdict, its source and its last evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from kb.errors import UnknownName
from kb.terminal.context import App
from kb.terminal.group import option_json
from kb.terminal.library import plural, topic_counts
from kb.terminal.text import BAD, BOLD, DIM, GOOD, ITALIC, LINK, WARN, Span, one_line

if TYPE_CHECKING:
    from kb.knowledge.model import Claim, QuestionCard, Topic
    from kb.store.evidence import Mark
    from kb.terminal.render import Page

HELP = """Show a topic: its text, and its claims with verdict, source and last evidence.

A claim bears ✓ where its proof was run and held, ✗ where it did not hold, ○ where it has a proof that was not run here
yet (kb verify runs them), and · where it rests on its source alone.

\b
Examples:
  kb show self-attention            the whole page
  kb show zero/traffic              one claim, or one question (without its answer)
  kb show zero --json               for scripts: the topic as in its file, each claim with its evidence
"""
_VERDICTS = {"right": GOOD, "imprecise": WARN, "wrong": BAD, "unclear": WARN, "added": LINK}


@click.command(help=HELP)
@click.argument("topic", metavar="TOPIC[/CLAIM]")
@option_json()
@click.pass_obj
def command(app: App, topic: str, as_json: bool) -> None:
    name, _, part = topic.partition("/")
    card = app.library.get(name)
    claims, questions = list(card.claims), list(card.questions)
    if part:
        claims = [claim for claim in claims if claim.id == part]
        questions = [question for question in questions if question.id == part]
        if not claims and not questions:
            known = [claim.id for claim in card.claims] + [question.id for question in card.questions]
            raise UnknownName(f"claim or question of {card.name}", part, known, listing=f"see: kb show {card.name}")
    marks = app.store.evidence_for({proof for claim in claims for proof in claim.proofs})
    if as_json:
        _print_json(card, part, marks)
        return
    from kb.terminal.render import Page

    page = Page.of(app.environment)
    if not part:
        _head(app, page, card)
        page.markdown(card.body)
    if claims:
        _claims(page, card, claims, marks, heading=not part)
    if part:
        for question in questions:
            _question(page, question)
    else:
        _foot(app, page, card)


def evidence(claim: Claim, marks: Mapping[str, Mark]) -> dict[str, object] | None:
    """What the last runs of a claim's proofs say together: None while one of them was never run.

    It holds if all hold; where not, the first that fails speaks, else the one that was run longest ago.
    """
    found = [marks[proof] for proof in claim.proofs if proof in marks]
    if not found or len(found) < len(claim.proofs):
        return None
    told = min(found, key=lambda mark: (mark.holds, mark.at))
    return {"at": told.at, "device": told.device, "holds": all(mark.holds for mark in found)}


def _print_json(card: Topic, part: str, marks: Mapping[str, Mark]) -> None:
    import msgspec

    from kb.knowledge.document import Document

    written: dict[str, Any] = Document(card.file).value
    shown = {claim.id: claim for claim in card.claims}
    for claim in written.get("claims", []):
        claim["evidence"] = evidence(shown[claim["id"]], marks)
    result: dict[str, Any] = {"name": card.name, "file": card.file, **written}
    if part:
        for key in ("claims", "questions"):
            result[key] = [item for item in written.get(key, []) if item["id"] == part]
    click.echo(msgspec.json.encode(result).decode())


def _head(app: App, page: Page, card: Topic) -> None:
    page.heading(card.title, card.name)
    page.write()
    page.markdown(card.summary)
    page.write()
    lines = {
        "rests on": app.library.get(card.name).requires,
        "includes": card.includes,
        "also called": card.aliases,
        "tags": card.tags,
    }
    for label, names in lines.items():
        if names:
            page.text([Span(f"{label}: ", DIM), Span(", ".join(names))], hang=2)
    if any(lines.values()):
        page.write()


def _claims(page: Page, card: Topic, claims: list[Claim], marks: Mapping[str, Mark], *, heading: bool) -> None:
    from kb.quiz.citation import cite
    from kb.terminal.render import inline

    if heading:
        page.write()
        page.heading("Claims")
    for claim in claims:
        page.write()
        mark, style, told = _mark(claim, marks)
        word = "added to the notes" if claim.verdict == "added" else claim.verdict
        verdict = Span(word, _VERDICTS[claim.verdict])
        page.text([Span(f"{mark} ", style), *inline(claim.says)], hang=2)
        if claim.quote:
            page.text([Span(f"the notes: “{one_line(claim.quote)}”{_lines(claim)}", ITALIC)], indent=2, hang=2)
        why = [Span(": "), *inline(claim.why)] if claim.why else []
        page.text([verdict, *why], indent=2, hang=2)
        works = "; ".join(f"{work.text}{f' ({work.where})' if work.where else ''}" for work in cite(card, claim.source))
        page.text([Span(works, DIM)], indent=2, hang=2)
        if told:
            page.text([Span(told, style or DIM)], indent=2, hang=2)


def _lines(claim: Claim) -> str:
    """Where the notes say it, in brackets."""
    if claim.notes is None:
        return ""
    first, last = claim.notes
    return f" (line {first})" if first == last else f" (lines {first}-{last})"


def _mark(claim: Claim, marks: Mapping[str, Mark]) -> tuple[str, str, str]:
    """The sign before a claim, its style, and what is known of its proof."""
    if not claim.proofs:
        return "·", DIM, ""
    named = ", ".join(claim.proofs)
    found = evidence(claim, marks)
    if found is None:
        return "○", "", f"proof: {named}, not run here yet"
    when = f"on {found['device']}, {str(found['at'])[:10]}"
    if found["holds"]:
        return "✓", GOOD, f"proof: {named} held {when}"
    failed = ", ".join(proof for proof in claim.proofs if not marks[proof].holds)
    return "✗", BAD, f"proof: {failed} did NOT hold {when}"


def _question(page: Page, card: QuestionCard) -> None:
    from kb.knowledge.search import without_gaps

    page.write()
    page.markdown(without_gaps(card.ask))
    page.text([Span(f"{card.kind}; kb quiz asks it", DIM)])


def _foot(app: App, page: Page, card: Topic) -> None:
    from kb.quiz.citation import cite
    from kb.terminal.render import inline

    if card.sources:
        page.write()
        page.heading("Sources")
        page.write()
        for key in card.sources:
            for work in cite(card, key):
                where = f", {work.where}" if work.where else ""
                page.text([Span(f"{work.text}. "), Span(one_line(work.title), ITALIC), Span(where, LINK)], hang=2)
    page.write()
    kinds = Counter(question.kind for question in card.questions)
    if kinds:
        listed = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        mine = topic_counts(app).get(card.name, {})
        now = f"{mine.get('due', 0)} due, {mine.get('new', 0)} new"
        page.text(
            [Span("kb quiz " + card.name, BOLD), Span(f"  {plural(len(card.questions), 'question')} ({listed}); {now}")]
        )
    for name in card.demos:
        demo = app.registry.demos.get(name)
        page.text([Span("kb demo " + name, BOLD), Span(f"  {demo.summary}" if demo else "  is not registered")], hang=2)
    for child in app.library.expand([card.name])[1:]:
        page.text([Span("kb show " + child, BOLD), *inline(f"  {app.library.get(child).title}")], hang=2)
