"""Writes the beginnings of a topic and of a pack: examples that pass kb's own checks at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

from kb import __version__
from kb.errors import UsageError
from kb.registry.names import SLUG

TEMPLATES = Path(__file__).parent / "templates"
SCHEMA = Path(__file__).parent.parent / "knowledge" / "topic.schema.json"
LONGEST_NAME = 60


def check_name(what: str, name: str) -> None:
    """Refuse a ``name`` that cannot be one (UsageError)."""
    if not SLUG.fullmatch(name) or len(name) > LONGEST_NAME:
        raise UsageError(
            f"a {what}'s name is made of small letters, digits and single hyphens, not {name!r}", cure=_suggestion(name)
        )


def write_topic(root: str, name: str, title: str | None = None) -> Path:
    """Write ``topics/<name>.yaml`` into the content root and return its path. Never overwrites."""
    file = Path(root) / "topics" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    _write(file, (TEMPLATES / "topic.yaml").read_text("utf-8"), _values(name, title))
    return file


def write_pack(folder: str, name: str, title: str | None = None) -> Path:
    """Write the pack ``kb-<name>`` into ``folder`` and return its path. Never overwrites."""
    pack = Path(folder) / f"kb-{name}"
    values = _values(name, title)
    try:
        pack.mkdir(parents=True)
    except FileExistsError:
        raise UsageError(f"{pack} exists already", cure="choose another name or folder") from None
    for template in sorted((TEMPLATES / "pack").rglob("*")):
        if template.is_file():
            place = str(template.relative_to(TEMPLATES / "pack")).removesuffix(".txt")
            file = pack / place.replace("MODULE", values["module"]).replace("NAME", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            _write(file, template.read_text("utf-8"), values)
    return pack


def _values(name: str, title: str | None) -> dict[str, str]:
    shown = title or name.replace("-", " ").capitalize()
    return {
        "name": name,
        "module": name.replace("-", "_"),
        "title": json.dumps(shown, ensure_ascii=False)[1:-1],  # it stands in quotes, in YAML and TOML
        "schema": os.fspath(SCHEMA),
        "version": __version__,
    }


def _write(file: Path, text: str, values: dict[str, str]) -> None:
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    try:
        with open(file, "x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{file} exists already", cure="choose another name") from None


def _suggestion(name: str) -> str | None:
    """The nearest name that would do."""
    letters = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in name.lower())
    near = "-".join(filter(None, letters.split("-")))[:LONGEST_NAME].rstrip("-")
    return f"for example {near}" if near else None
