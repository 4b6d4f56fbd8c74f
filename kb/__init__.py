"""The names a plugin author needs; each is loaded when it is first touched, so ``import kb`` costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.demos.api import Demo, Param
    from kb.demos.report import Report
    from kb.errors import KbError
    from kb.hooks import hookimpl
    from kb.questions.base import Question, Verdict

__version__ = "0.1.0"
__all__ = ["Demo", "KbError", "Param", "Question", "Report", "Verdict", "hookimpl"]

_HOMES = {
    "Demo": "kb.demos.api",
    "KbError": "kb.errors",
    "Param": "kb.demos.api",
    "Question": "kb.questions.base",
    "Report": "kb.demos.report",
    "Verdict": "kb.questions.base",
    "hookimpl": "kb.hooks",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
