"""``kb`` alone: what is due and what to do next; a welcome to whoever has not begun."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from kb.roots import data_home
from kb.terminal import duelist, glance
from kb.terminal.page import Sheet
from kb.terminal.text import BOLD, DIM, LINK, Span

_FIRST_TOPICS = ("transformers", "self-attention")


def show(environment: Mapping[str, str]) -> None:
    """Write the home screen."""
    counts = glance.count(environment, glance.index_path(environment))
    if os.path.exists(os.path.join(data_home(environment), "kb.db")):
        rows = _today(counts, glance.moment(environment))
    else:
        rows = _welcome(environment, counts)
    page = Sheet.of(environment)
    for row in rows:
        if isinstance(row, Command):
            _write_command(page, row, max(len(one.text) for one in rows if isinstance(one, Command)))
        else:
            page.text([row])


class Command(NamedTuple):
    """A command to type, and what it does."""

    text: str
    does: str


Row = Span | Command


def _write_command(page: Sheet, command: Command, wide: int) -> None:
    """The command, and beside it (below it where that is too narrow) what it does."""
    if page.width >= wide + 36:
        gap = " " * (wide - len(command.text) + 3)
        page.text([Span(command.text, LINK), Span(gap + command.does)], indent=2, hang=wide + 3)
    else:
        page.text([Span(command.text, LINK)], indent=2)
        page.text([command.does], indent=4)


def _today(counts: Mapping[str, Any], now: Any) -> list[Row]:
    rows: list[Row] = [Span(_sentence(duelist.summary(counts)), BOLD)]
    topics: Mapping[str, Mapping[str, int]] = counts["topics"]
    due = sorted((name for name in topics if topics[name]["due"]), key=lambda name: (-topics[name]["due"], name))
    if due:
        named = ", ".join(f"{name} {topics[name]['due']}" for name in due[:3])
        more = f" and {len(due) - 3} more" if len(due) > 3 else ""
        commands = [Command("kb quiz", f"answer what is due: {named}{more}")]
    else:
        commands = [Command("kb quiz", "take up new questions")] if counts["new"] else []
        if counts["next_at"]:
            rows.append(Span(f"The next question comes {duelist.ahead(counts['next_at'], now)}.", DIM))
    commands += [
        Command("kb next", "what to do next, and why"),
        Command("kb stats", "how your memory is doing"),
        Command("kb --help", "everything else"),
    ]
    return [*rows, Span(""), *commands]


def _welcome(environment: Mapping[str, str], counts: Mapping[str, Any]) -> list[Row]:
    topics: Mapping[str, Mapping[str, int]] = counts["topics"]
    topic = next((name for name in _FIRST_TOPICS if name in topics), next(iter(topics), None))
    if topic is None:
        return [
            Span("Welcome to kb. There are no topics here yet.", BOLD),
            Span(""),
            Command("kb new topic NAME", "write one of your own"),
            Command("kb install PACK", "take those of a pack"),
        ]
    demo = _demo(environment, topic)
    commands = [Command("kb quiz " + topic, "be asked; two minutes are enough to begin")]
    if demo:
        commands.append(Command("kb demo " + demo, "see a claim measured and checked on this machine"))
    commands.append(Command("kb show " + topic, "read it: every claim with verdict, source and proof"))
    return [
        Span("Welcome to kb: a knowledge base that proves itself, and a quiz that makes it stick.", BOLD),
        Span(f"{len(topics):,} topics with {counts['new']:,} questions are here. Three commands to try:"),
        Span(""),
        *commands,
        Span(""),
        Span(f"Your answers stay on this machine, in {_short(data_home(environment))}.", DIM),
    ]


def _demo(environment: Mapping[str, str], topic: str) -> str | None:
    """A demo of ``topic``, else of what it includes, else of any topic."""
    from kb.terminal.context import App

    library = App(environment).library
    demos = {entry.name: entry.demos for entry in library.entries()}
    for name in [*library.expand([topic]), *demos]:
        if demos.get(name):
            return demos[name][0]
    return None


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(path: str) -> str:
    user = os.path.expanduser("~")
    return "~" + path[len(user) :] if path.startswith(user + os.sep) else path
