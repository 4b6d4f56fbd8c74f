"""The settings: ``config.toml`` in the data folder, checked key by key. A missing file means the defaults.

kb reads the file; it writes to it only for ``kb config KEY VALUE``, and then changes that one key and leaves comments
and layout alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kb.errors import KbError, UnknownName, UsageError

FILE = "config.toml"
TABLES = ("retention",)
"""The settings that are tables; their keys are written ``retention.TOPIC``."""


class Settings(NamedTuple):
    """Every setting with its default. Steps are in seconds; weekdays count from Monday = 0."""

    new_per_day: int = 20
    desired_retention: float = 0.9
    retention: Mapping[str, float] = MappingProxyType({})
    learning_steps: tuple[float, ...] = (60, 600)
    relearning_steps: tuple[float, ...] = (600,)
    maximum_interval_days: int = 36_500
    fuzz: bool = True
    balance: bool = True
    rollover_hour: int = 4
    leech_lapses: int = 8
    easy_days: tuple[int, ...] = ()
    optimize_every: int = 0
    backups: bool = True
    backups_daily: int = 7
    backups_weekly: int = 4
    backups_monthly: int = 12


class Rule(NamedTuple):
    """How a setting is read: ``read`` turns a TOML value into ours or raises ValueError; ``help`` is one line."""

    read: Callable[[Any], Any]
    help: str


def path_of(home: str) -> str:
    """Where the settings of the data folder ``home`` are kept."""
    return os.path.join(home, FILE)


def load(home: str) -> Settings:
    """The settings of the data folder ``home``. A fault raises KbError with file, line and cure."""
    path = path_of(home)
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return Settings()
    except OSError as error:
        raise KbError(f"cannot be read: {error.strerror}", file=path) from None
    return read(_decode(raw, path), path)


def read(text: str, path: str = FILE) -> Settings:
    """The settings written in ``text`` (TOML); ``path`` is for the messages."""
    values: dict[str, Any] = {}
    for key, value in _parse(text, path).items():
        try:
            rule = rule_of(key)
            values[key] = rule.read(value)
        except UnknownName as error:
            raise KbError(error.message, file=path, line=_line_of(text, key), cure=error.cure) from None
        except ValueError as error:
            cure = f"see: kb config {key}"
            raise KbError(f"{key}: {error}", file=path, line=_line_of(text, key), cure=cure) from None
    return Settings(**values)


def rule_of(key: str) -> Rule:
    """The rule of the setting ``key``; UnknownName offers the nearest ones."""
    if key not in RULES:
        raise UnknownName("setting", key, RULES, listing="see: kb config")
    return RULES[key]


def value_of(settings: Settings, key: str) -> Any:
    """The value of ``key`` (``retention.TOPIC`` reaches into a table; None where the table has no such key)."""
    table, _, name = key.partition(".")
    rule_of(table if table in TABLES else key)
    return getattr(settings, table).get(name) if name else getattr(settings, key)


def put(home: str, key: str, text: str | None) -> Settings:
    """Set ``key`` to ``text`` as typed on a command line (None takes the setting out) and return all settings.

    The file is replaced in one step, so that a crash leaves the old one or the new one.
    """
    path = path_of(home)
    try:
        with open(path, "rb") as file:
            before = _decode(file.read(), path)
    except (FileNotFoundError, NotADirectoryError):
        before = ""
    read(before, path)  # a file that is wrong already is for a person to mend
    table, _, name = key.partition(".")
    if name and table not in TABLES:
        rule_of(key)
    rule = rule_of(table)
    if table in TABLES and not name:
        raise UsageError(f"{table} is a table", cure=f"name the entry: kb config {table}.TOPIC 0.9")
    literal = None if text is None else show(key, _typed(rule, table, name, text))
    after = _edited(before, table if name else "", name or key, literal, path)
    settings = read(after, path)
    _write(path, after)
    return settings


def show(key: str, value: Any) -> str:
    """The value of ``key`` as TOML, the way ``kb config`` prints it and reads it back."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_bare(name)} = {_literal(item)}" for name, item in value.items()) + "}"
    if key == "easy_days":
        value = tuple(WEEKDAYS[day] for day in value)
    elif key.endswith("_steps"):
        value = tuple(_duration(seconds) for seconds in value)
    return _literal(value)


def _duration(seconds: float) -> str:
    """``seconds`` in the largest unit that gives a whole number."""
    sizes = ((size, unit) for unit, size in reversed(_UNITS.items()) if unit)
    return next((f"{int(seconds // size)}{unit}" for size, unit in sizes if seconds % size == 0), f"{seconds:g}s")


def _typed(rule: Rule, table: str, name: str, text: str) -> Any:
    """``text`` from a command line as the setting's value; what is no TOML value is taken as plain words."""
    import tomllib

    try:
        parsed = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        parsed = {}
    value = parsed["value"] if len(parsed) == 1 else text
    try:
        return rule.read({name: value})[name] if name else rule.read(value)
    except ValueError as error:
        raise UsageError(f"{table}: {error}", cure=rule.help) from None


# --- rules ---------------------------------------------------------------------------------------------------------


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}, not {value!r}")
        return value

    return read


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"must be true or false, not {value!r}")
    return value


def _retention(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 0.99:
        raise ValueError(f"must be a number from 0.5 to 0.99, not {value!r}")
    return float(value)


def _retentions(value: Any) -> Mapping[str, float]:
    if not isinstance(value, dict):
        raise ValueError(f"must be a table of topics, not {value!r}")
    result = {}
    for topic, wanted in value.items():
        try:
            result[topic] = _retention(wanted)
        except ValueError as error:
            raise ValueError(f"{topic} {error}") from None
    return MappingProxyType(result)


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def _steps(value: Any) -> tuple[float, ...]:
    """Steps as seconds, from numbers (seconds) or words such as ``1m``, ``10m``, ``1d``."""
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    elif not isinstance(value, list):
        value = [value]
    steps = []
    for item in value:
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", str(item))
        seconds = float(match[1]) * _UNITS[match[2]] if match and not isinstance(item, bool) else 0.0
        if not 1 <= seconds <= 30 * 86_400:
            raise ValueError(f'must be steps from 1s to 30d such as ["1m", "10m"], not {item!r}')
        steps.append(int(seconds) if seconds.is_integer() else seconds)
    return tuple(steps)


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _weekdays(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        value = value.replace(",", " ").split()
    days = set()
    for item in value if isinstance(value, list) else [value]:
        name = str(item).lower()[:3]
        if name in WEEKDAYS:
            days.add(WEEKDAYS.index(name))
        elif isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= 6:
            days.add(item)
        else:
            raise ValueError(f'must be weekdays such as ["sat", "sun"], not {item!r}')
    return tuple(sorted(days))


RULES: dict[str, Rule] = {
    "new_per_day": Rule(_whole(0, 9_999), "new questions a day, from 0 to 9999"),
    "desired_retention": Rule(_retention, "the probability of recall at which a question is asked again, 0.5 to 0.99"),
    "retention": Rule(_retentions, "desired retention of single topics: retention.TOPIC, 0.5 to 0.99"),
    "learning_steps": Rule(_steps, 'steps of a new question within the day: ["1m", "10m"]'),
    "relearning_steps": Rule(_steps, 'steps after a failure: ["10m"]'),
    "maximum_interval_days": Rule(_whole(1, 36_500), "the longest interval in days, from 1 to 36500"),
    "fuzz": Rule(_switch, "spread the days on which questions come back: true or false"),
    "balance": Rule(_switch, "even out the days, as far as the fuzz allows it: true or false"),
    "rollover_hour": Rule(_whole(0, 23), "the local hour at which a study day begins, from 0 to 23"),
    "leech_lapses": Rule(_whole(0, 999), "failures after which a question is called a leech; 0 is never"),
    "easy_days": Rule(_weekdays, 'weekdays with less to do: ["sat", "sun"]'),
    "optimize_every": Rule(_whole(0, 1_000_000), "answers after which the weights are fitted again; 0 is never"),
    "backups": Rule(_switch, "back the database up before the first answer of a day: true or false"),
    "backups_daily": Rule(_whole(1, 366), "daily backups that are kept, from 1 to 366"),
    "backups_weekly": Rule(_whole(0, 520), "weekly backups that are kept, from 0 to 520"),
    "backups_monthly": Rule(_whole(0, 1_200), "monthly backups that are kept, from 0 to 1200"),
}


# --- the file ------------------------------------------------------------------------------------------------------


def _decode(raw: bytes, path: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise KbError("is not UTF-8", file=path, line=line, cure="save it as UTF-8") from None


def _parse(text: str, path: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    import tomllib  # only where there is something to read

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        message = str(error).replace(found[0], "") if found else str(error)
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        column = int(found[2]) if found and found[2] else None
        message = message[:1].lower() + message[1:]
        raise KbError(message, file=path, line=line, column=column, cure="it must be TOML: key = value") from None


def _line_of(text: str, key: str) -> int | None:
    pattern = re.compile(rf"""\s*(\[\s*)?["']?{re.escape(key)}["']?\s*[=.\]]""")
    return next((n for n, line in enumerate(text.splitlines(), 1) if pattern.match(line)), None)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return "[" + ", ".join(_literal(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _edited(text: str, table: str, key: str, literal: str | None, path: str) -> str:
    """``text`` with ``key`` of ``table`` ("" is the top) set to ``literal`` or, for None, taken out.

    Lines are edited in place, so that comments and layout stay; the result is then parsed and compared with what it
    must say, so that an unusual layout is refused rather than spoilt.
    """
    lines = text.splitlines()
    start, end = _section(lines, table)
    found = None if start is None else _entry(lines, start, end, key)
    new_line = None if literal is None else f"{_bare(key)} = {literal}"
    if found is not None:
        first, last, comment = found
        lines[first:last] = [] if new_line is None else [new_line + comment]
    elif new_line is not None and start is not None:
        while end > start and not lines[end - 1].strip():
            end -= 1
        lines.insert(end, new_line)
    elif new_line is not None:
        lines += [*([""] if lines else []), f"[{table}]", new_line]
    result = "".join(f"{line}\n" for line in lines)

    expected = _parse(text, path)
    inner = expected.setdefault(table, {}) if table else expected
    inner.pop(key, None)
    if literal is not None:
        inner[key] = _parse(f"value = {literal}", path)["value"]
    try:
        actual = _parse(result, path)
    except KbError:
        actual = {}
    if table:
        actual.setdefault(table, {})
    if actual != expected:
        raise KbError(f"{key} is written in a way that kb cannot change", file=path, cure="change it in an editor")
    return result


def _section(lines: list[str], table: str) -> tuple[int | None, int]:
    """First line after the header of ``table`` and the line after its last one; (None, …) if there is no header."""
    headers = [n for n, line in enumerate(lines) if re.match(r"\s*\[", line) and _parses(line)]
    if not table:
        return 0, headers[0] if headers else len(lines)
    for place, n in enumerate(headers):
        if re.match(rf"""\s*\[\s*["']?{re.escape(table)}["']?\s*\]""", lines[n]):
            return n + 1, headers[place + 1] if place + 1 < len(headers) else len(lines)
    return None, len(lines)


def _parses(line: str) -> bool:
    try:
        return bool(_parse(line, ""))
    except KbError:
        return False


def _entry(lines: list[str], start: int, end: int, key: str) -> tuple[int, int, str] | None:
    """First line of ``key``'s entry, the line after its last one, and the comment behind it."""
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*=""")
    for first in range(start, end):
        if not pattern.match(lines[first]):
            continue
        for last in range(first + 1, end + 1):
            entry = "\n".join(lines[first:last])
            if _parses(entry):
                return first, last, _comment(lines[last - 1], "\n".join(lines[first : last - 1]))
    return None


def _comment(line: str, before: str) -> str:
    """The comment at the end of ``line``: from the first # on at which what stands before it is complete."""
    for match in re.finditer(r"\s*#", line):
        if _parses(f"{before}\n{line[: match.start()]}"):
            return line[match.start() :]
    return ""


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _write(path: str, text: str) -> None:
    partial = f"{path}.partial"
    try:
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise KbError(f"cannot be written: {error.strerror}", file=path) from None
