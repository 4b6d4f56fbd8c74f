"""Holding a sitting in the way that fits: JSON Lines, line by line, or on the terminal. It does without click."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kb.quiz.plan import Plan
from kb.terminal.context import App

if TYPE_CHECKING:
    from kb.quiz.session import Sitting
    from kb.terminal.ending import Ending
    from kb.terminal.start import Trust


def plan_of(names: Iterable[str], **wishes: Any) -> Plan:
    """The plan for ``names`` of topics, and of questions (``topic/id``)."""
    names = list(names)
    topics = tuple(name for name in names if "/" not in name)
    return Plan(topics=topics, questions=tuple(name for name in names if "/" in name), **wishes)


def hold(
    app: App,
    plan: Plan,
    *,
    as_json: bool = False,
    plain: bool = False,
    file: str | None = None,
    brief: bool = False,
    make: type[Sitting] | None = None,
    ending: Ending | None = None,
) -> int | None:
    """Hold a sitting; the exit code, which is 1 if an answer could not be stored.

    ``brief`` says at the end what was missed, and no more. ``make`` is another sort of sitting, ``ending`` what is
    shown at its end instead of how it went, and after the last event in JSON.
    """
    from kb.quiz.session import Sitting
    from kb.terminal.start import Trust, start, tell_over

    trust = Trust(app)
    if not as_json:  # a program has no ear for it
        app.store.notices += tell_over(app)
    with start(app, plan, trust, make or Sitting) as sitting:
        code = _hold(app, sitting, trust, as_json, plain, file, brief, ending)
        if app.settings.optimize_every and not plan.cram:
            from kb.terminal.retuning import after_sitting

            after_sitting(app, len(sitting.outcomes))
        return code or int(sitting.not_stored > 0)


def _hold(
    app: App,
    sitting: Sitting,
    trust: Trust,
    as_json: bool,
    plain: bool,
    file: str | None,
    brief: bool,
    ending: Ending | None,
) -> int | None:
    if as_json:
        from kb.terminal.jsonmode import JsonSitting

        JsonSitting(sitting, sys.stdin.buffer, sys.stdout.buffer, None if ending is None else ending.as_json).run()
        return None
    from kb.terminal.screen import Screen

    if plain or file is not None or not Screen.possible(app.environment):
        from kb.terminal.linemode import LineSitting

        return LineSitting(app, sitting, file=file, brief=brief, ending=ending).run()
    from kb.terminal.room import Room

    room = Room(app, sitting, brief=brief, ending=ending)
    trust.ask = room.ask_trust
    return room.run()
