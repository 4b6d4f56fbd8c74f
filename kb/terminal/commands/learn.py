"""``kb learn``: read a topic part by part, answer its questions, see its demo."""

from __future__ import annotations

import click

from kb.knowledge.model import Topic
from kb.quiz.parts import Part, parts
from kb.terminal.context import App
from kb.terminal.render import Page
from kb.terminal.start import moment
from kb.terminal.status import counted
from kb.terminal.text import BOLD, DIM, LINK, Span

HELP = """Read TOPIC part by part: each part's questions are asked after it, and its demos are offered at the end.

\b
Examples:
  kb learn self-attention
  kb learn transformers          with all that it includes
  kb learn zero --read           only read

Between the parts, space goes on, s skips the questions of the part, and q leaves. Off a terminal it only prints.
"""


@click.command(help=HELP)
@click.argument("topic")
@click.option("--read", "only_read", is_flag=True, help="Ask no questions.")
@click.pass_obj
def command(app: App, /, topic: str, only_read: bool) -> None:
    for name in app.library.expand([topic]):
        if not Lesson(app, app.library.get(name), only_read).hold():
            return


class Lesson:
    """One topic, read on a terminal or printed."""

    def __init__(self, app: App, topic: Topic, only_read: bool) -> None:
        self.app = app
        self.topic = topic
        self.page = Page.of(app.environment)
        self.interactive = app.interactive
        self.asks = not only_read and self.interactive

    def hold(self) -> bool:
        """Read the topic; False if the learner has left."""
        self._begin()
        pieces = parts(self.topic)
        for number, part in enumerate(pieces, start=1):
            if number > 1:
                self.page.write()
            self.page.write([Span(f"{number} of {len(pieces)}", DIM)])
            self.page.write()
            self.page.markdown(part.text)
            if self.interactive and not self._after(part, last=number == len(pieces)):
                return False
        return self._demos()

    def _begin(self) -> None:
        topic = self.topic
        self.page.write()
        self.page.heading(topic.title, counted(len(topic.questions), "question"))
        self.page.write()
        self.page.markdown(topic.summary)
        missing = self._unmet()
        if missing:
            names, advice = ", ".join(missing), f", which you have not met in full: kb learn {missing[0]}"
            self.page.write()
            self.page.text([Span("It rests on ", DIM), names, Span(advice, DIM)])
        self.page.write()

    def _unmet(self) -> list[str]:
        seen, placed = self.app.store.seen(), self.app.store.placed()
        needed = (name for name in self.app.library.requires(self.topic.name) if name not in placed)
        return [name for name in needed if set(self.app.library.questions([name])) - seen]

    def _after(self, part: Part, last: bool) -> bool:
        """What comes after a part on a terminal: its questions, if any are left; False if the learner leaves."""
        names = self._open(part) if self.asks else []
        does = f"answer {counted(len(names), 'question')}" if names else "go on"
        if not names and last:
            return True
        key = self._key([("space", does), *([("s", "skip them")] if names else []), ("q", "leave")])
        if key in ("q", "esc"):
            return False
        if names and key != "s":
            from kb.quiz.plan import Plan
            from kb.terminal.hold import hold

            hold(self.app, Plan(questions=tuple(names), new=len(names)), brief=True)
        return True

    def _open(self, part: Part) -> list[str]:
        """The part's questions that are new or due."""
        names = [f"{self.topic.name}/{identity}" for identity in part.questions]
        rows = self.app.store.states(names)
        due = {row.question for row in self.app.store.due(moment(self.app), names)}
        day = self.app.store.study_day(moment(self.app))
        return [
            name
            for name in names
            if name in due or name not in rows or (rows[name].state is None and not rows[name].is_held(day))
        ]

    def _demos(self) -> bool:
        demos = self.topic.demos
        if not demos:
            return True
        self.page.write()
        for name in demos:
            self.page.text([Span("kb demo ", DIM), Span(name, LINK), Span("  measures what you have read", DIM)])
        if not self.interactive:
            return True
        key = self._key([("r", f"run {demos[0]} now"), ("space", "go on"), ("q", "leave")])
        if key == "r":
            from kb.terminal.doors import call_demo

            call_demo([demos[0]], self.app.environment)
        return key not in ("q", "esc")

    def _key(self, keys: list[tuple[str, str]]) -> str:
        """Show what can be done and wait for one of it."""
        from kb.terminal.doors import wait_for_key
        from kb.terminal.text import ansi

        line = [span for key, does in keys for span in (Span(key, BOLD), Span(f" {does}   ", DIM))]
        self.page.write()
        self.page.stream.write(ansi(line, self.page.colour))
        self.page.flush()
        wanted = {"space": " "}
        allowed = {wanted.get(key, key) for key, _ in keys} | {"enter", "esc"}
        while True:
            key = wait_for_key()
            if key in allowed:
                # wipe the line of keys: what was read stays on the screen as a text
                self.page.stream.write("\r\x1b[K")
                self.page.flush()
                return " " if key == "enter" else key
