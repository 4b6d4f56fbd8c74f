"""Comparing typed words: what counts as the same answer.

Two texts are the same if they agree after NFKC, without regard to case, spaces, hyphens, quotes, Markdown and dollar
signs, a leading article, and the spelling of Greek letters (σ, \\sigma, sigma), of numbers (12, twelve, 1,000) and of
British and American words. A singular for a plural, or the other way round, in the last word is accepted with a remark.
Nothing else is: likeness of letters only ever says "almost".
"""

from __future__ import annotations

import re
import unicodedata

from kb.errors import AnswerError
from kb.questions.expression import Expression

_GREEK = {
    letter: unicodedata.name(letter).rsplit(" ", 1)[-1].lower().replace("lamda", "lambda")
    for letter in "αβγδεζηθικλμνξοπρστυφχψω"
} | {"ϕ": "phi", "ϵ": "epsilon", "ϑ": "theta", "∇": "nabla", "∂": "partial", "∞": "infinity", "√": "sqrt"}
_COMMANDS = {"varepsilon": "epsilon", "varphi": "phi", "vartheta": "theta", "infty": "infinity", "cdot": "*"}
_COMMANDS |= {"times": "*", "leq": "<=", "geq": ">=", "le": "<=", "ge": ">=", "neq": "!=", "ne": "!=", "left": ""}
_COMMANDS |= {"right": "", "mathrm": "", "mathbf": "", "text": "", "operatorname": ""}
_SUPERSCRIPT = "[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿᵀ]+"
_SIGNS = str.maketrans({sign: "-" for sign in "−–—‐‑"} | {sign: "*" for sign in "×·⋅∗"})
_SIGNS |= str.maketrans({"≤": "<=", "≥": ">=", "≠": "!="})
_COUNTING = "zero one two three four five six seven eight nine ten eleven twelve"
_NUMBERS = {word: str(number) for number, word in enumerate(_COUNTING.split(" "))}
_BRITISH = (
    (r"(?<=[a-z]{3})is(e|ed|es|er|ers|ing|ation|ations)$", r"iz\1"),
    (r"^(ana|para|cata)lys(e|ed|es|ing)$", r"\1lyz\2"),
    (r"^(behavi|col|fav|hon|lab|neighb)our", r"\1or"),
)
_TOKEN = r"\\?(?:[^\W\d_][\u0300-\u036f]*)+|\d+(?:\.\d+)?|[<>!]=|[-+*/^=<>()\[\],.:;%!?|&~]"


def normal(text: str) -> str:
    """The form that is compared; equal forms are the same answer.

    >>> normal("The Self-Attention") == normal("self attention") == normal("`selfattention`")
    True
    """
    text = re.sub(_SUPERSCRIPT, lambda run: "^" + run.group(), text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS).casefold()
    text = text.strip(" *_`").replace("**", "^")
    text = "".join(f" {_GREEK[sign]} " if sign in _GREEK else sign for sign in text)
    tokens = [_spelled(token) for token in re.findall(_TOKEN, text)]
    while len(tokens) > 1 and tokens[-1] in ".,;:!?":
        tokens.pop()
    if len(tokens) > 1 and tokens[0] in ("the", "a", "an") and tokens[1][0].isalnum():
        tokens.pop(0)
    kept = [token for place, token in enumerate(tokens) if not _silent(tokens, place)]
    return "".join(kept)


def _spelled(token: str) -> str:
    if token.startswith("\\"):
        return _COMMANDS.get(token[1:], token[1:])
    if len(token) > 2 and not token.isascii():  # naïve; a single letter's mark has a meaning
        token = "".join(sign for sign in unicodedata.normalize("NFD", token) if not unicodedata.combining(sign))
    for ending, american in _BRITISH:
        token = re.sub(ending, american, token)
    return _NUMBERS.get(token, token)


def _silent(tokens: list[str], place: int) -> bool:
    """A hyphen (but no minus: that stands by itself or beside single letters), or a times sign that can be left out."""
    if tokens[place] not in "-*" or not 0 < place < len(tokens) - 1:
        return False
    left, right = tokens[place - 1], tokens[place + 1]
    if tokens[place] == "*":
        return not (left[-1].isdigit() and right[0].isdigit())
    return max(len(left), len(right)) > 1 and left[-1].isalpha() and right[0].isalnum()


def same(given: str, wanted: str) -> bool:
    """Whether two texts are the same answer."""
    if normal(given) == normal(wanted):
        return True
    number = _number(wanted)
    return number is not None and number == _number(given)


def _number(text: str) -> int | float | None:
    """The plain number that ``text`` writes (1,000 or 1e3), or None."""
    if not re.fullmatch(r"\s*[-+−]?[\d.][\d.,_ \u00a0\u202f]*(?:[eE][-+]?\d+)?\s*", text):
        return None
    try:
        return Expression(text, typed=True).number()
    except AnswerError:
        return None


def same_but_number(given: str, wanted: str) -> bool:
    """Whether two texts differ only in the plural of their last word."""
    a, b = normal(given), normal(wanted)
    return a != b and bool(_singulars(a) & _singulars(b))


def _singulars(form: str) -> set[str]:
    """``form`` and what it could be the plural of; short words and -ss, -us, -is, -ias have none."""
    forms = {form}
    if re.search(r"[a-z]{3}[^\W\d_]*s$", form) and not re.search(r"(ss|us|is|ias)$", form):
        forms.add(form[:-1])
        if re.search(r"(s|x|z|ch|sh)es$", form):
            forms.add(form[:-2])
        if form.endswith("ies"):
            forms.add(form[:-3] + "y")
    return forms


def almost(given: str, wanted: str) -> bool:
    """Whether a wrong answer looks like a slip in spelling; never a reason to accept it."""
    from rapidfuzz import fuzz  # only a wrong answer pays for it

    a, b = normal(given), normal(wanted)
    if min(len(a), len(b)) < 4 or any(sign.isdigit() for sign in a + b):
        return False
    return fuzz.ratio(a, b) >= 80
