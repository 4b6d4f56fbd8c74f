"""The commands that prompts and scripts call all day, without click: ``--version`` and a plain ``due``."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def run(arguments: Sequence[str]) -> int | None:
    """Run ``arguments`` if they are so plain that no parser is needed; None leaves them to click."""
    if list(arguments) == ["--version"]:
        from kb import __version__

        sys.stdout.write(f"kb {__version__}\n")
        return 0
    return None
