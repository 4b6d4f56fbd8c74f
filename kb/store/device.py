"""The name under which this data folder writes into the log."""

from __future__ import annotations

import os

FILE = "device"


def identity(home: str) -> str:
    """The device id of the data folder ``home``: 12 random hex digits, made once and kept in the file ``device``."""
    known = _known.get(home)
    if known is None:
        known = _known[home] = _read(home) or _make(home)
    return known


_known: dict[str, str] = {}


def _read(home: str) -> str | None:
    try:
        with open(os.path.join(home, FILE), encoding="ascii", errors="replace") as file:
            return file.read(64).strip() or None
    except FileNotFoundError:
        return None


def _make(home: str) -> str:
    """Of several processes that make one at once, one wins and the others take its."""
    path = os.path.join(home, FILE)
    partial = f"{path}.{os.getpid()}"
    with open(partial, "w", encoding="ascii") as file:
        file.write(os.urandom(6).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without hard links
        os.replace(partial, path)
        partial = ""
    finally:
        if partial:
            os.unlink(partial)
    return _read(home) or "unknown"
