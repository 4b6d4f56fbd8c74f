"""Backups."""

from kb.config import Settings


def daily(home: str, day: int, settings: Settings) -> None: ...
