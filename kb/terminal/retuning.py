"""What ``optimize_every`` does: the weights are fitted again after the sitting that completes so many answers."""

from __future__ import annotations

import sys

from kb.errors import KbError
from kb.terminal.context import App


def after_sitting(app: App, answered: int) -> None:
    """Fit the weights if it is time, and say on stderr what came of it. A fault takes nothing from the sitting."""
    from kb.quiz import retune
    from kb.store import answers

    try:
        if not retune.is_time(answers.count(app.home), answered, app.settings.optimize_every):
            return
        sys.stderr.write("kb: fitting the weights to your answers (optimize_every)\n")
        sys.stderr.flush()
        proposal = retune.propose(app.store, app.moment())
        found = proposal.optimisation
        if not found.better:
            sys.stderr.write(f"kb: the weights stay: {found.reason}\n")
            return
        retune.apply(app.store, app.moment(), proposal)
        sys.stderr.write(f"kb: new weights: {found.reason}; to take them back: kb undo --weights\n")
    except KbError as error:
        sys.stderr.write(f"kb: the weights were not fitted: {error}\n")
