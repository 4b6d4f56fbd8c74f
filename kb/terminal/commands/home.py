"""``kb`` alone: what is due and what to do next; a welcome to whoever has not begun."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kb.roots import data_home
from kb.terminal import duelist, glance

_FIRST_TOPICS = ("transformers", "self-attention")


def show(environment: Mapping[str, str]) -> None:
    """Write the home screen."""
    counts = glance.count(environment, glance.index_path(environment))
    if os.path.exists(os.path.join(data_home(environment), "kb.db")):
        rows = _today(counts, glance.moment(environment))
    else:
        rows = _welcome(environment, counts)
    colour = sys.stdout.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    for style, text in rows:
        sys.stdout.write(f"\x1b[{style}m{text}\x1b[0m\n" if colour and style and text else f"{text}\n")


Row = tuple[str, str]
_BOLD, _DIM, _PLAIN = "1", "2", ""


def _today(counts: Mapping[str, Any], now: Any) -> list[Row]:
    rows = [(_BOLD, _sentence(duelist.summary(counts)))]
    topics: Mapping[str, Mapping[str, int]] = counts["topics"]
    due = sorted((name for name in topics if topics[name]["due"]), key=lambda name: (-topics[name]["due"], name))
    if due:
        named = ", ".join(f"{name} {topics[name]['due']}" for name in due[:3])
        more = f" and {len(due) - 3} more" if len(due) > 3 else ""
        commands = [("kb quiz", f"answer what is due: {named}{more}")]
    else:
        commands = [("kb quiz", "take up new questions")] if counts["new"] else []
        if counts["next_at"]:
            rows.append((_DIM, f"The next question comes {duelist.ahead(counts['next_at'], now)}."))
    commands += [
        ("kb next", "what to do next, and why"),
        ("kb stats", "how your memory is doing"),
        ("kb --help", "everything else"),
    ]
    return [*rows, (_PLAIN, ""), *_listed(commands)]


def _welcome(environment: Mapping[str, str], counts: Mapping[str, Any]) -> list[Row]:
    topics: Mapping[str, Mapping[str, int]] = counts["topics"]
    topic = next((name for name in _FIRST_TOPICS if name in topics), next(iter(topics), None))
    if topic is None:
        return [
            (_BOLD, "Welcome to kb. There are no topics here yet."),
            (_PLAIN, ""),
            *_listed([("kb new topic NAME", "write one of your own"), ("kb install PACK", "take those of a pack")]),
        ]
    demo = _demo(environment, topic)
    commands = [("kb quiz " + topic, "be asked; two minutes are enough to begin")]
    if demo:
        commands.append(("kb demo " + demo, "see a claim measured and checked on this machine"))
    commands.append(("kb show " + topic, "read it: every claim with verdict, source and proof"))
    return [
        (_BOLD, "Welcome to kb: a knowledge base that proves itself, and a quiz that makes it stick."),
        (_PLAIN, f"{len(topics):,} topics with {counts['new']:,} questions are here. Three commands to try:"),
        (_PLAIN, ""),
        *_listed(commands),
        (_PLAIN, ""),
        (_DIM, f"Your answers stay on this machine, in {_short(data_home(environment))}."),
    ]


def _listed(commands: Sequence[tuple[str, str]]) -> list[Row]:
    wide = max(len(command) for command, _ in commands)
    return [(_PLAIN, f"  {command:<{wide}}   {what}") for command, what in commands]


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
