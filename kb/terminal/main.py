"""The way in: a lazy click group, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def entry() -> None:
    """The console script ``kb``."""
    sys.exit(main(sys.argv[1:]))


def main(arguments: Sequence[str]) -> int:
    """Run kb with ``arguments`` (without the program's name) and return its exit code.

    The commands of every prompt (``--version``, a plain ``due``) go by a lane that does without click, whose import
    alone costs more than their whole budget.
    """
    from kb.terminal import fast

    code = fast.run(arguments)
    if code is not None:
        return code
    from kb.terminal import group

    return group.run(list(arguments), os.environ)
