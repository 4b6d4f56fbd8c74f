"""How well code can be shut in on this machine."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import lru_cache

from kb.sandbox.level import Level
from kb.sandbox.process import start


@lru_cache(maxsize=1)
def strongest() -> Level:
    """The strongest level that works here, found by trying."""
    return next(level for level in Level if works(level))


def works(level: Level) -> bool:
    """Whether a worker can be started at ``level``."""
    if level is Level.LIMITS:
        return True
    if sys.platform != "linux" or (level is Level.BUBBLEWRAP and not shutil.which("bwrap")):
        return False
    try:
        worker = start(level)
    except OSError:
        return False
    try:
        return bool(worker.exchange({"warm": []}, seconds=20).get("pid"))
    except (OSError, ValueError, EOFError, subprocess.SubprocessError):
        return False
    finally:
        worker.close()
