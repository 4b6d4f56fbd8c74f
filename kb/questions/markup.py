"""The texts of a card: where maths, code, gaps and drawn values stand in them.

- ``$…$`` and ``$$…$$`` are maths: whatever braces they hold is left alone. As in pandoc, an opening dollar has no space
  after it, a closing one no space before and no digit after it, so that "$5 and $6" are prices. ``\\$`` is a dollar.
- ``{name}`` is a drawn parameter and ``{= formula}`` a value worked out of them, either with a format as in Python:
  ``{psi:.3g}``, ``{= 14*psi/ranks :,.0f}``. Inside code only the names that are drawn are filled in.
- ``{{answer|alias}}`` is a gap of a cloze.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kb.errors import AnswerError
from kb.questions.expression import Expression


class Piece(NamedTuple):
    """A stretch of a text; ``kind`` is "text", "maths", "code", "field" or "gap"; ``code``: it is inside code."""

    kind: str
    text: str  # as written, with its marks
    code: bool = False


_FIELD = re.compile(
    r"\{(?:=(?P<formula>[^{}:]+)(?::(?P<format>[^{}]*))?|(?P<name>[A-Za-z_]\w*)(?::(?P<spec>[^{}\s]*))?)\}"
)
_SPEC = r"[<>^]?[-+ ]?#?0?\d{0,2}[,_]?(?:\.\d{1,2})?[bcdeEfFgGosxX%]?"
_MARK = re.compile(r"\\.|`+|\$\$?|\{", re.DOTALL)


def scan(text: str) -> list[Piece]:
    """``text`` cut into pieces; joined again they are the text.

    >>> [piece.kind for piece in scan("a {n} in $x_{i}$ is {{big}}")]
    ['text', 'field', 'text', 'maths', 'text', 'gap']
    """
    pieces: list[Piece] = []
    _scan(text, False, pieces)
    return pieces


def _scan(text: str, code: bool, pieces: list[Piece]) -> None:
    plain = position = 0
    while mark := _MARK.search(text, position):
        start, sign = mark.start(), mark.group()
        position = mark.end()
        end: int | None = None
        kind = "text"
        if sign[0] == "{":
            kind, end = _brace(text, start)
        elif sign[0] == "$" and not code:
            kind, end = "maths", _maths_end(text, start, sign)
        elif sign[0] == "`" and not code:
            kind, end = "code", _code_end(text, start, sign)
        if end is None:
            continue
        if plain < start:
            pieces.append(Piece("code" if code else "text", text[plain:start], code))
        if kind == "code":
            _scan(text[start:end], True, pieces)
        else:
            pieces.append(Piece(kind, text[start:end], code))
        plain = position = end
    if plain < len(text):
        pieces.append(Piece("code" if code else "text", text[plain:], code))


def _brace(text: str, start: int) -> tuple[str, int | None]:
    if text.startswith("{{", start):
        depth = 0
        for place in range(start + 2, len(text)):
            if text[place] == "{":
                depth += 1
            elif text[place] == "}" and depth:
                depth -= 1
            elif text.startswith("}}", place):
                return "gap", place + 2
            elif text.startswith("\n\n", place):
                break
    field = _FIELD.match(text, start)
    return "field", field.end() if field else None


def _maths_end(text: str, start: int, sign: str) -> int | None:
    inner = start + len(sign)
    if sign == "$$":
        end = text.find("$$", inner)
        return end + 2 if end > inner else None
    if inner >= len(text) or text[inner].isspace():
        return None
    place = inner
    while place < len(text):
        if text[place] == "\\":
            place += 2
            continue
        if text.startswith("\n\n", place):
            return None
        if text[place] == "$":  # the first one ends it or shows that the opening one was a price
            closes = not text[place - 1].isspace() and not text[place + 1 : place + 2].isdigit()
            return place + 1 if closes else None
        place += 1
    return None


def _code_end(text: str, start: int, sign: str) -> int | None:
    for close in re.finditer("`+", text[start + len(sign) :]):
        if close.group() == sign:
            return start + len(sign) + close.end()
    return None


def gap_answers(text: str) -> list[str]:
    """The accepted answers of a gap as written, the first one being the one that is shown.

    A bar inside maths or code separates nothing: ``{{$P(y|x)$|the posterior}}``.
    """
    answers = [""]
    for piece in scan(text[2:-2]):
        first, *rest = piece.text.split("|") if piece.kind == "text" else [piece.text]
        answers[-1] += first
        answers += rest
    return [answer.strip() for answer in answers]


def fill(text: str, values: Mapping[str, Any]) -> str:
    """``text`` with the drawn ``values`` in the place of their names; gaps and maths stay as they are.

    Raises AnswerError where a formula or a format does not fit its values.
    """
    if "{" not in text:
        return text
    return "".join(_filled(piece, values) for piece in scan(text))


def _filled(piece: Piece, values: Mapping[str, Any]) -> str:
    if piece.kind == "gap":
        return "{{" + fill(piece.text[2:-2], values) + "}}"
    if piece.kind != "field":
        return piece.text
    field = _FIELD.fullmatch(piece.text)
    assert field is not None
    if field["name"]:
        return show(values[field["name"]], field["spec"] or "") if field["name"] in values else piece.text
    return show(Expression(field["formula"], values).value(values), (field["format"] or "").strip())


def fill_code(source: str, values: Mapping[str, Any]) -> str:
    """Source code with the drawn ``values`` filled in; braces around anything else are Python's."""

    def value(field: re.Match[str]) -> str:
        piece = Piece("field", field.group(), code=True)
        known = field["name"] in values if field["name"] else names(field.group()) & set(values)
        return _filled(piece, values) if known else piece.text

    return _FIELD.sub(value, source) if values else source


def unknown(text: str, names: Mapping[str, Any] | frozenset[str]) -> list[str]:
    """What is wrong with the ``{…}`` of ``text`` if ``names`` are the parameters, one line each."""
    faults = []
    for piece in scan(text):
        if piece.kind == "gap":
            faults += unknown(piece.text[2:-2], names)
        if piece.kind != "field":
            continue
        field = _FIELD.fullmatch(piece.text)
        assert field is not None
        if field["name"] and field["name"] not in names and not piece.code:
            faults.append(f"{piece.text} names no drawn parameter")
        elif field["formula"]:
            try:
                Expression(field["formula"], names)
            except AnswerError as error:
                faults.append(f"{piece.text}: {error}")
        spec = (field["spec"] or field["format"] or "").strip()
        if not re.fullmatch(_SPEC, spec):
            faults.append(f"{piece.text}: {spec!r} is not a format of numbers")
    return faults


def names(text: str) -> set[str]:
    """The parameters that ``text`` would show, as far as its formulas can be read."""
    found: set[str] = set()
    for field in _FIELD.finditer(text):
        if field["name"]:
            found.add(field["name"])
        else:
            found.update(re.findall(r"[A-Za-z_]\w*", field["formula"]))
    return found


def replace_gaps(text: str, replace: Callable[[int, str], str]) -> str:
    """``text`` with its gaps, counted from 0, replaced by what ``replace(number, gap as written)`` gives."""
    number = -1
    parts = []
    for piece in scan(text):
        if piece.kind == "gap":
            number += 1
            parts.append(replace(number, piece.text))
        else:
            parts.append(piece.text)
    return "".join(parts)


_EXPONENT = r"[eE]([-+])0*(\d+)"


def show(value: Any, spec: str = "") -> str:
    """``value`` as a person writes it, or in the format ``spec``.

    >>> show(70e9), show(0.1), show(8.0), show(1234567), show([1, 0.5])
    ('70e9', '0.1', '8', '1234567', '[1, 0.5]')
    """
    if spec:
        if not re.fullmatch(_SPEC, spec) or isinstance(value, list):
            raise AnswerError(f"{spec!r} is not a format for {value!r}")
        try:
            return re.sub(_EXPONENT, _exponent, format(value, spec))
        except (ValueError, OverflowError):
            raise AnswerError(f"{spec!r} is not a format for {value!r}") from None
    if isinstance(value, list | tuple):
        return "[" + ", ".join(show(item) for item in value) + "]"
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    if size >= 1e6:
        return _engineering(value)
    if value.is_integer():
        return str(int(value))
    return re.sub(_EXPONENT, _exponent, f"{value:.12g}")


def _exponent(match: re.Match[str]) -> str:
    return "e" + ("-" if match[1] == "-" else "") + match[2]


def _engineering(value: float) -> str:
    """A large number with an exponent that is a multiple of three, as parameters and bytes are counted."""
    mantissa, _, power = f"{value:.11e}".partition("e")
    exponent = int(power)
    shift = exponent % 3
    return f"{float(mantissa) * 10**shift:.12g}e{exponent - shift}"
