"""The way in: ``kb``, ``python -m kb`` and ``python cli.py`` all come here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def entry() -> None:
    """The console script ``kb``."""
    try:
        _open_streams()
        code = main(sys.argv[1:])
    except KeyboardInterrupt:  # while the first modules were being imported
        code = 130
    sys.exit(code)


def main(arguments: Sequence[str]) -> int:
    """Run kb with ``arguments`` (without the program's name) and return its exit code.

    The commands of every prompt (``--version``, a plain ``due``) go by a lane that does without click, whose import
    alone costs more than their whole budget.
    """
    from kb.terminal import failure

    return failure.shield(lambda: _run(arguments), arguments, os.environ)


def _run(arguments: Sequence[str]) -> int:
    from kb.terminal import fast

    code = None if "_KB_COMPLETE" in os.environ else fast.run(arguments)  # the shell asks click what may come next
    if code is not None:
        return code
    from kb.terminal import group

    return group.run(list(arguments), os.environ)


def _open_streams() -> None:
    """Standard streams that can be used: a closed one is empty, and no text is refused for what it cannot encode."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
