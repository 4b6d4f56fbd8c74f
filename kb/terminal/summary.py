"""The end of a sitting: how it went, what was missed and where to read it, what tomorrow brings, one command."""

from __future__ import annotations

from kb.quiz.session import Sitting
from kb.quiz.summary import Miss, Summary, summarise
from kb.terminal.context import App
from kb.terminal.render import Page, lines
from kb.terminal.status import counted, lasted, of_days, span
from kb.terminal.text import BAD, BOLD, DIM, GOOD, LINK, WARN, Line, Span, clean

MOST_MISSES = 10


def show(app: App, sitting: Sitting, brief: bool = False) -> None:
    """Write the end of a sitting to stdout; ``brief`` leaves out what comes next."""
    now = sitting.now()
    summary = summarise(sitting, now)
    page = Page.of(app.environment)
    page.write()
    if summary.asked:
        _score(page, summary)
    else:
        _nothing(page, sitting, summary, now.at_ms)
    for notice in [*sitting.notices, *sitting.store.notices]:
        page.text([Span("! ", f"{BOLD};{WARN}"), Span(clean(notice), WARN)], hang=2)
    if summary.misses:
        _misses(page, summary.misses)
    if brief:
        page.write()
        page.flush()
        return
    if summary.asked:
        page.write()
        _forecast(page, sitting, summary, now.at_ms)
    page.write()
    command = Span(summary.advice.command, f"{BOLD};{LINK}")
    page.text([Span(f"{'Next':<10}", DIM), command, Span(f"  {summary.advice.why}", DIM)], hang=10)
    page.flush()


def _score(page: Page, summary: Summary) -> None:
    share = summary.right / summary.asked
    style = GOOD if share >= 0.8 else WARN if share >= 0.5 else BAD
    page.text(
        [
            Span(f"{summary.right} of {summary.asked} right", f"{BOLD};{style}"),
            Span(f"  {share:.0%} in {lasted(summary.seconds)}", DIM),
        ]
    )
    filled = round(share * min(page.width, 40))
    page.write([Span("━" * filled, style), Span("─" * (min(page.width, 40) - filled), DIM)])


def _nothing(page: Page, sitting: Sitting, summary: Summary, now_ms: int) -> None:
    topics = ", ".join(sitting.plan.topics)
    page.write([Span(f"Nothing was asked{' from ' + topics if topics else ''}.", BOLD)])
    if summary.left_due or summary.left_new:
        page.text([f"{counted(summary.left_due + summary.left_new, 'question')} can be asked now."])
    elif summary.next_step_ms is not None:
        page.text([f"Nothing is due; the next one comes in {span(max(summary.next_step_ms - now_ms, 1000))}."])
    elif summary.held_back:
        page.text([f"Nothing is due, and the day's limit of new questions is reached ({summary.held_back} wait)."])
    elif not sitting.deck.names():
        page.text(["No question has been written for this yet."])
    else:
        page.text(["Nothing is due."])
    waiting = sitting.deck.waiting
    if waiting:
        topic, needs = next(iter(waiting.items()))
        page.text([f"New questions of {topic} wait until {', '.join(needs[:3])} has been met."])


def _misses(page: Page, misses: tuple[Miss, ...]) -> None:
    page.write()
    page.write([Span("Missed", BOLD)])
    for miss in misses[:MOST_MISSES]:
        page.write()
        for number, line in enumerate(_beginning(lines(miss.ask, page.width - 4), 2)):
            page.write([Span("  " if number else "✗ ", BAD), *line])
        for number, line in enumerate(_beginning(lines(miss.expected, page.width - 6), 6)):
            page.write([Span("    " if number else "  → ", GOOD), *line])
        for citation in miss.citations:
            page.text([Span(clean(f"{citation.text} {citation.where}".strip()), DIM)], indent=2, hang=2)
        if miss.demo:
            page.text([Span("kb demo ", DIM), Span(miss.demo, LINK)], indent=2)
        if miss.offer is not None:
            command = Span(f"kb learn {miss.offer.topic}", LINK)
            page.text([command, Span(f"  this rests on it: {miss.offer.why}", DIM)], indent=2, hang=2)
    if len(misses) > MOST_MISSES:
        page.write([Span(f"  … and {len(misses) - MOST_MISSES} more", DIM)])


def _beginning(whole: list[Line], rows: int) -> list[Line]:
    """At most ``rows`` of ``whole``, with … where something was left out."""
    return whole if len(whole) <= rows else [*whole[: rows - 1], [*whole[rows - 1], Span(" …", DIM)]]


def _forecast(page: Page, sitting: Sitting, summary: Summary, now_ms: int) -> None:
    rows: list[tuple[str, str]] = []
    left = f"{summary.left_due} due, {summary.left_new} new" if summary.left_due or summary.left_new else ""
    waiting = f"{counted(summary.held_back, 'new question')} for another day" if summary.held_back else ""
    if left or waiting:
        rows.append(("Left", "; ".join(filter(None, [left, waiting]))))
    if summary.next_step_ms is not None and summary.next_step_ms > now_ms:
        rows.append(("Steps", f"the next one in {span(summary.next_step_ms - now_ms)}"))
    new = sitting.store.settings.new_per_day
    rows.append(("Tomorrow", f"{counted(summary.tomorrow, 'review')}, up to {new} new"))
    if not summary.tomorrow and summary.next_review_day is not None:
        ahead = summary.next_review_day - sitting.store.study_day(sitting.now())
        rows.append(("Reviews", f"the next one in {of_days(max(ahead, 1))}"))
    for label, what in rows:
        page.text([Span(f"{label:<10}", DIM), what], hang=10)
    if sitting.plan.cram:
        page.text([Span("This was a cram: the schedule is as it was.", DIM)])
