"""What an unquoted YAML scalar means, where the versions of YAML agree about it, and a fault where they don't."""

from __future__ import annotations

import re
from typing import Any

_NUMERIC = frozenset("0123456789+-.")
_CONSTANTS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_WORDS = frozenset([*(text.lower() for text in _CONSTANTS), "yes", "no", "on", "off"])
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_DECIMAL = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+")
_AMBIGUOUS = (
    (re.compile(r"(?i:yes|no|on|off)"), "a truth value"),
    (re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?"), "a number to the base of 60"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?"), "a date"),
    (re.compile(r"[-+]?0[0-9_]+|0o[0-7]+"), "an octal number"),
    (re.compile(r"[-+]?0b[01_]+"), "a binary number"),
    (re.compile(r"[-+]?(?:0x[0-9a-fA-F_]+|\.?[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)"), "a number"),
)
_MATHS = re.compile(r"\$[^$]+\$")
_LATEX = re.compile(r"(?<!\\)(?:\\\\)*\\[abefnrtv][a-z]")  # "$\theta$" is a tab and "heta"

Complaint = tuple[str, str, str]  # rule, message, cure


def resolve(text: str) -> tuple[Any, Complaint | None]:
    """The value of the unquoted ``text``, and what is wrong with writing it so."""
    if text[:1] not in _NUMERIC and text.lower() not in _WORDS:
        return text, None
    if text in _CONSTANTS:
        return _CONSTANTS[text], None
    if _WHOLE.fullmatch(text):
        if len(text) < 21 and -(1 << 63) <= (number := int(text, 0)) < 1 << 63:
            return number, None
        shown = text if len(text) <= 24 else f"{text[:20]}…"
        return text, ("yaml", f"{shown} is too large for a whole number", "write it like 1e30, or in quotes")
    if _DECIMAL.fullmatch(text):
        return float(text), None
    for pattern, meaning in _AMBIGUOUS:
        if pattern.fullmatch(text):
            message = f"an unquoted {text} is {meaning} to some programs and text to others"
            cure = f'write it in quotes: "{text}"' + (", or write true or false" if meaning == "a truth value" else "")
            return text, ("ambiguous", message, cure)
    return text, None


def latex_lost(raw: str) -> bool:
    """Whether a formula in the double-quoted scalar ``raw`` (as written) loses its backslashes to YAML's escapes."""
    return any(_LATEX.search(formula) for formula in _MATHS.findall(raw))


def kind_of(value: object) -> str:
    """What a value is, in words for a person."""
    if value is None:
        return "nothing"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text", list: "a list"}
    return words.get(type(value), "a mapping")
