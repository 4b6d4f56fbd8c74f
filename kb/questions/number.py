"""Numbers with a unit, as a learner types them: ``16.6 GB``, ``7.5e9 B``, ``2^10 MiB/s``, ``12.5 %``.

A number without a unit is taken in the card's unit. A unit of another dimension, or one that nobody knows, raises
AnswerError, so that a slip of the pen is no wrong answer. Decimal prefixes are powers of 1000 (SI), binary ones (Ki,
Mi, Gi, ...) powers of 1024 (IEC 80000-13).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kb.errors import AnswerError
from kb.questions.base import kind_of, text_answer
from kb.questions.expression import Expression
from kb.questions.markup import show

MAX_UNIT = 40


class Unit(NamedTuple):
    """``factor`` turns a number in this unit into one in the base unit of its ``dimension``."""

    factor: float
    dimension: str


_DECIMAL = {"n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
_DECIMAL |= {"P": 1e15, "E": 1e18}
_BINARY = {f"{letter}i": 1024.0**power for power, letter in enumerate("KMGTPE", start=1)} | {"ki": 1024.0}
_LARGE = {prefix: factor for prefix, factor in _DECIMAL.items() if factor > 1}

# symbol -> (unit, prefixes it takes); bytes and bits are one dimension, so that 8 Mbit is 1 MB
_SYMBOLS: dict[str, tuple[Unit, dict[str, float]]] = {
    "B": (Unit(1, "bytes"), _LARGE | _BINARY),
    "bit": (Unit(0.125, "bytes"), _LARGE | _BINARY),
    "b": (Unit(0.125, "bytes"), _LARGE | _BINARY),
    "FLOP": (Unit(1, "operations"), _LARGE),
    "OP": (Unit(1, "operations"), _LARGE),
    "s": (Unit(1, "seconds"), {prefix: factor for prefix, factor in _DECIMAL.items() if factor < 1}),
    "Hz": (Unit(1, "1/seconds"), _LARGE),
    "W": (Unit(1, "watts"), _DECIMAL),
    "Wh": (Unit(3600, "joules"), _LARGE),
    "J": (Unit(1, "joules"), _DECIMAL),
    "m": (Unit(1, "metres"), {"n": 1e-9, "µ": 1e-6, "u": 1e-6, "m": 1e-3, "c": 1e-2, "k": 1e3}),
    "eV": (Unit(1, "electronvolts"), _DECIMAL),
}
_WORDS: dict[str, str] = {
    "byte": "B",
    "bytes": "B",
    "octet": "B",
    "octets": "B",
    "bits": "bit",
    "flop": "FLOP",
    "flops": "FLOP",
    "ops": "OP",
    "op": "OP",
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "secs": "s",
    "hertz": "Hz",
    "watt": "W",
    "watts": "W",
    "joule": "J",
    "joules": "J",
}
_WORD_PREFIXES = {"nano": 1e-9, "micro": 1e-6, "milli": 1e-3, "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12}
_WORD_PREFIXES |= {"peta": 1e15, "kibi": 1024.0, "mebi": 1024.0**2, "gibi": 1024.0**3, "tebi": 1024.0**4}
_EXACT: dict[str, Unit] = {
    "FLOPs": Unit(1, "operations"),
    "FLOPS": Unit(1, "operations/seconds"),
    "OPS": Unit(1, "operations/seconds"),
    "bps": Unit(0.125, "bytes/seconds"),
    "%": Unit(0.01, ""),
    "percent": Unit(0.01, ""),
    "per cent": Unit(0.01, ""),
    "points": Unit(0.01, ""),
    "point": Unit(0.01, ""),
    "percentage points": Unit(0.01, ""),
    "pp": Unit(0.01, ""),
    "‰": Unit(0.001, ""),
    "": Unit(1, ""),
    "min": Unit(60, "seconds"),
    "minute": Unit(60, "seconds"),
    "minutes": Unit(60, "seconds"),
    "h": Unit(3600, "seconds"),
    "hour": Unit(3600, "seconds"),
    "hours": Unit(3600, "seconds"),
    "d": Unit(86400, "seconds"),
    "day": Unit(86400, "seconds"),
    "days": Unit(86400, "seconds"),
    "deg": Unit(0.017453292519943295, ""),
    "°": Unit(0.017453292519943295, ""),
    "rad": Unit(1, ""),
}
_COUNTS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "B": 1e9, "T": 1e12}
_COUNTS |= {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_PREFIXED = ("FLOPS", "OPS", "bps", "FLOPs")


def find_unit(text: str) -> Unit | None:
    """The unit that ``text`` names, or None; case counts (Mb is a megabit, MB a megabyte).

    >>> find_unit("GiB"), find_unit("kB/s")
    (Unit(factor=1073741824.0, dimension='bytes'), Unit(factor=1000.0, dimension='bytes/seconds'))
    """
    text = " ".join(text.replace("μ", "µ").split())
    if len(text) > MAX_UNIT:
        return None
    above, slash, below = re.sub(r"\s*/\s*|\bper\b(?! cent)\s*", "/", text).partition("/")
    if not slash:
        return _simple(above)
    top, bottom = (_simple(part.strip()) or _counted(part.strip()) for part in (above, below))
    if top is None or bottom is None or not below.strip():
        return None
    return Unit(
        top.factor / bottom.factor, f"{top.dimension or '1'}/{bottom.dimension}" if bottom.dimension else top[1]
    )


def _counted(word: str) -> Unit | None:
    """The things that are counted in a rate, as in tokens/s and bytes/parameter."""
    return Unit(1, word.lower().rstrip("s")) if re.fullmatch("[a-z]{3,}", word) else None


def _simple(text: str) -> Unit | None:
    if text in _EXACT:
        return _EXACT[text]
    for ending in _PREFIXED:
        if text.endswith(ending) and text[: -len(ending)] in _LARGE:
            unit = _EXACT[ending]
            return Unit(unit.factor * _LARGE[text[: -len(ending)]], unit.dimension)
    for symbol, (unit, prefixes) in _SYMBOLS.items():
        if text == symbol:
            return unit
        if text.endswith(symbol) and text[: -len(symbol)] in prefixes:
            return Unit(unit.factor * prefixes[text[: -len(symbol)]], unit.dimension)
    word = text.lower()
    factor = 1.0
    for prefix, power in _WORD_PREFIXES.items():
        if word.startswith(prefix) and word[len(prefix) :] in _WORDS:
            word, factor = word[len(prefix) :], power
    if word in _WORDS:
        unit = _SYMBOLS[_WORDS[word]][0]
        return Unit(unit.factor * factor, unit.dimension)
    # 80 kbits, 5 Mbits
    if text.endswith("bits"):
        return _simple(text[:-1])
    return None


class Scale:
    """The unit of a card: a known one, a word of its own ("tokens", "bytes per parameter"), or none."""

    def __init__(self, name: str) -> None:
        self.name = " ".join(name.split())
        self.unit = find_unit(self.name)

    def read(self, answer: Any) -> float | int:
        """A learner's ``answer``, a number or a text, as a number in this unit; raises AnswerError."""
        if isinstance(answer, bool) or not isinstance(answer, int | float | str):
            raise AnswerError(f"the answer is a number, not {kind_of(answer)}")
        if not isinstance(answer, str):
            return _finite(answer)
        text = text_answer(answer).strip().rstrip(".,; ")
        if not text:
            raise AnswerError("type a number" + (f" in {self.name}" if self.name else ""))
        unknown: str | None = None
        for number, unit in _splits(text):
            factor = self._factor(unit)
            if factor is None:
                if unknown is None and unit.translate(_NO_DIGITS) == unit and _is_number(number):
                    unknown = unit
                continue
            value = Expression(number, typed=True).number()
            return value if factor == 1 else _finite(value * factor)
        try:
            return Expression(text, typed=True).number()
        except AnswerError:
            if find_unit(text) is not None:
                raise AnswerError(f"there is no number before {text!r}") from None
            if unknown is None:
                raise
        wanted = f"answer in {self.name}" if self.name else "the answer is a number without a unit"
        raise AnswerError(f"{unknown[:MAX_UNIT]!r} is no unit that I know", cure=wanted)

    def _factor(self, written: str) -> float | None:
        """What turns a number in the unit ``written`` into one in this unit; None if it is no unit at all."""
        if written == self.name or (self.unit is None and _same_word(written, self.name)):
            return 1
        counted = self._count(written)
        if counted is not None:
            return counted
        unit = find_unit(written) or self._any_case(written)
        if unit is None:
            return None
        if self.unit is None or unit.dimension != self.unit.dimension:
            measures = unit.dimension or "a ratio"
            wanted = f"in {self.name}" if self.name else "a number without a unit"
            raise AnswerError(f"{written} measures {measures}; the answer is {wanted}")
        return unit.factor / self.unit.factor

    def _count(self, written: str) -> float | None:
        """7.5k, 7 billion, 7B parameters: how things without a unit, or with a word for one, are counted."""
        if self.unit is not None and self.unit != _EXACT[""]:
            return None
        size, _, word = written.partition(" ")
        if size == "B" and self.unit is not None:
            return None  # of a pure number it would rather be bytes
        return _COUNTS.get(size) if not word or _same_word(word, self.name) else None

    def _any_case(self, written: str) -> Unit | None:
        """gb or Gib for a card in bytes: the letters that make it a unit of the card's dimension."""
        if self.unit is None or len(written) > 8:
            return None
        above, slash, below = written.partition("/")
        lower = above.strip().lower()
        for symbol in ("B", "bit", "FLOP", "FLOPs", "FLOPS", "Hz", "s"):
            for prefix in ("", "k", "M", "G", "T", "P", "Ki", "Mi", "Gi", "Ti", "m", "µ", "n"):
                if lower == (prefix + symbol).lower():
                    unit = find_unit(prefix + symbol + slash + below)
                    if unit is not None and unit.dimension == self.unit.dimension:
                        return unit
        return None

    def write(self, value: float | int) -> str:
        """``value``, a number in this unit, as a person writes it: at most six digits, and the unit."""
        number = show(value if isinstance(value, int) else float(f"{value:.6g}"))
        if self.name == "%":
            return f"{number}%"
        return f"{number} {self.name}".rstrip()


def _finite(value: float | int) -> float | int:
    try:
        as_float = float(value)
    except OverflowError:
        as_float = float("inf")
    if as_float != as_float or as_float in (float("inf"), float("-inf")):
        raise AnswerError("the answer is a finite number")
    return value


_NO_DIGITS = str.maketrans("", "", "0123456789(")
_END_OF_NUMBER = r"[0-9).⁰¹²³⁴-⁹½¼¾π](?=\s*[A-Za-zµμ%‰°])|(?<=[A-Za-z])\s(?=\s*[A-Za-zµμ%‰°])"


def _splits(text: str) -> Iterator[tuple[str, str]]:
    """``text`` as number and unit in every way it could be meant, the longest unit first."""
    for end in re.compile(_END_OF_NUMBER).finditer(text, max(0, len(text) - MAX_UNIT - 2)):
        yield text[: end.end()].strip(), text[end.end() :].strip()


def _is_number(text: str) -> bool:
    try:
        Expression(text, typed=True)
    except AnswerError:
        return False
    return True


def _same_word(written: str, name: str) -> bool:
    left, right = (" ".join(word.casefold().replace("/", " per ").split()) for word in (written, name))
    return bool(name) and (left == right or left.rstrip("s") == right.rstrip("s"))


class Tolerance(NamedTuple):
    """How far an answer may be off: ``relative`` to the expected value, or ``absolute`` in the card's unit."""

    relative: float = 0.0
    absolute: float = 0.0

    @classmethod
    def of(cls, written: str | int | float | None) -> Tolerance | None:
        """``1%`` is relative, a plain number absolute; None for no tolerance. Raises AnswerError."""
        if written is None:
            return None
        text = str(written).strip()
        part = Expression(text.removesuffix("%")).number()
        if part < 0:
            raise AnswerError("a tolerance is not below 0")
        return cls(relative=part / 100) if text.endswith("%") else cls(absolute=float(part))

    def accepts(self, given: float | int, expected: float | int) -> bool:
        """Whether ``given`` is near enough; the last bits of a float never decide."""
        allowed = max(self.absolute, self.relative * abs(expected))
        return abs(given - expected) <= allowed + 1e-9 * abs(expected)


EXACT = Tolerance()
ROUNDED = Tolerance(relative=0.01)


_FACTORS = (
    (1000.0, "a factor of 1000: one prefix (k, M, G) off"),
    (1e6, "a factor of a million: two prefixes off"),
    (1e9, "a factor of 1e9: three prefixes off"),
    (100.0, "a factor of 100: a fraction and per cent mixed up"),
    (10.0, "a factor of 10: the decimal point or the exponent is one off"),
    (2.0, "a factor of 2"),
)
_OF_BYTES = (
    (1024.0, "a factor of 1024: one binary prefix (Ki, Mi, Gi) off"),
    (1024.0**2, "a factor of 1024²: two binary prefixes off"),
    (1024.0**3, "a factor of 1024³: three binary prefixes off"),
    (8.0, "a factor of 8: bits and bytes mixed up"),
)
_OF_SECONDS = ((60.0, "a factor of 60: minutes and seconds mixed up"),)


def _factors(scale: Scale, dimension: str) -> Iterator[tuple[float, str]]:
    """The factors that numbers of this scale are off by when something known went wrong."""
    yield from _FACTORS
    if dimension == "seconds":
        yield from _OF_SECONDS
    if dimension == "bytes" and scale.unit is not None:
        yield from _OF_BYTES
        for power, letter in enumerate("KMGT", start=1):
            if scale.unit.factor in (1000.0**power, 1024.0**power):
                decimal = "k" if letter == "K" else letter
                yield 1.024**power, f"a factor of {1.024**power:.4g}: {decimal}B and {letter}iB mixed up"


def near_miss(given: float | int, expected: float | int, scale: Scale) -> str:
    """What a wrong number has to do with the right one, if it is off by a tell-tale factor; else an empty string."""
    if not expected or not given:
        return ""
    if abs(given + expected) <= 0.002 * abs(expected):
        return "The sign is the wrong way round."
    ratio = abs(given / expected)
    dimension = (scale.unit.dimension if scale.unit else "").partition("/")[0]
    for factor, meaning in _factors(scale, dimension):
        for exact in (factor, 1 / factor):
            if abs(ratio / exact - 1) <= 0.002 and given * expected > 0:
                return f"Too {'large' if exact > 1 else 'small'} by {meaning}."
    if abs(given * expected - 1) <= 0.002:
        return "That is the reciprocal."
    return ""
