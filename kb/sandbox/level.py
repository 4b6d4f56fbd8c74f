"""The levels at which code can be shut in."""

from __future__ import annotations

import os
import shutil
from enum import Enum


class Level(Enum):
    """Strongest first. Limits on time, memory, files, processes and output hold at every level."""

    BUBBLEWRAP = "bubblewrap"  # no network, read-only system, private /tmp, home hidden, no other processes seen
    NAMESPACES = "namespaces"  # the same through Linux namespaces, by our own code
    LIMITS = "limits"  # only the limits: the code can read what you can read, and reach the network

    @property
    def isolates(self) -> bool:
        """Whether files, network and processes are out of the code's reach."""
        return self is not Level.LIMITS

    @property
    def says(self) -> str:
        """What the level means, in a line."""
        return _SAYS[self]


_SAYS = {
    Level.BUBBLEWRAP: "bubblewrap: no network, nothing of yours to read, nothing to write but a scratch folder",
    Level.NAMESPACES: "Linux namespaces: no network, nothing of yours to read, nothing to write but a scratch folder",
    Level.LIMITS: "limits only: code can read your files and reach the network; install bubblewrap to shut it in",
}


def bwrap() -> str:
    """The path of bubblewrap's program."""
    return shutil.which("bwrap") or os.path.join(os.sep, "usr", "bin", "bwrap")
