"""LaTeX maths on one line of Unicode: ``\\frac{QK^\\top}{\\sqrt{d_k}}`` becomes ``QKᵀ/√dₖ``.

What cannot be said in Unicode keeps a form that can be read (``d_model``, ``x^(1/n)``); what cannot be parsed is shown
as it was written, never an error.
"""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from typing import Any

from kb.terminal.mathstree import (
    Accent,
    Fenced,
    Fraction,
    Grid,
    Root,
    Row,
    Script,
    Symbol,
    Unrenderable,
    parse,
)

_VULGAR = {("1", "2"): "½", ("1", "3"): "⅓", ("2", "3"): "⅔", ("1", "4"): "¼", ("3", "4"): "¾"}
_BARE_ABOVE = {"∗": "*", "†": "†", "′": "′", "″": "″", "∘": "°", "⊤": "ᵀ", "*": "*"}


@lru_cache(maxsize=512)
def to_unicode(source: str) -> str:
    """``source`` (LaTeX maths, without dollar signs) on one line; the source itself where that can't be done."""
    try:
        return unicodedata.normalize("NFC", linear(parse(source)))
    except (Unrenderable, RecursionError):
        return source.strip()


def problem(source: str) -> str | None:
    """Why ``source`` cannot be rendered, or None; for ``kb check``."""
    try:
        linear(parse(source))
    except Unrenderable as error:
        return str(error)
    except RecursionError:
        return "the formula is nested too deeply"
    return None


def linear(tree: Any, tight: bool = False) -> str:
    """``tree`` on one line; ``tight`` (inside scripts) leaves out the spaces around operators."""
    if isinstance(tree, Row):
        return _row(tree, tight)
    if isinstance(tree, Symbol):
        return tree.text
    if isinstance(tree, Fraction):
        return _fraction(tree, tight)
    if isinstance(tree, Root):
        return _root(tree, tight)
    if isinstance(tree, Script):
        return _script(tree)
    if isinstance(tree, Accent):
        return accented(linear(tree.body, tight), tree.mark)
    if isinstance(tree, Fenced):
        return f"{tree.left}{linear(tree.body, tight)}{tree.right}"
    if isinstance(tree, Grid):
        return _grid(tree)
    raise Unrenderable(f"no rendering for {type(tree).__name__}")


def accented(text: str, mark: str) -> str:
    """``text`` under (or over) ``mark``, a combining character."""
    if len(text) == 1:
        return text + mark
    if mark in "\u0305\u0304\u0332":  # bars can be joined letter by letter
        line = "\u0305" if mark == "\u0304" else mark
        return "".join(letter + line for letter in text)
    return f"({text}){mark}" if " " in text else text[:1] + mark + text[1:] if text else ""


def role(tree: Any) -> str:
    """The spacing class of a tree (see mathstree)."""
    if isinstance(tree, Symbol):
        return tree.role
    if isinstance(tree, Script):
        return role(tree.base)
    if isinstance(tree, Fraction):
        return "ord" if _vulgar(tree) or not tree.bar else "inner"
    if isinstance(tree, Fenced):
        return "fenced"
    if isinstance(tree, Row) and tree.items and all(role(item) in ("fun", "big") for item in tree.items):
        return "fun"
    return "ord"


def gap(left: str, right: str) -> str:
    """The space between neighbours of two classes."""
    if left in ("space", "sign", "slash") or right in ("space", "slash"):
        return ""
    if left == "text" or right == "text":
        return " " if left in ("bin", "rel") or right in ("bin", "rel") else ""
    if right == "punct" or left == "open" or right == "close":
        return ""
    if left in ("rel", "bin", "punct") or right in ("rel", "bin"):
        return " "
    if left == "big":
        return " "
    if left == "fun":
        return "" if right in ("open", "fenced") else " "
    if right in ("fun", "big"):
        return "" if left == "open" else " "
    if "inner" in (left, right):
        return " "
    return ""


def roles(row: Row) -> list[str]:
    """The class of each item, a sign (``−x``) told from an operation (``a − x``)."""
    result: list[str] = []
    before = "open"
    for item in row.items:
        this = role(item)
        if this == "bin" and before in ("open", "rel", "bin", "punct", "fun", "big"):
            this = "sign"
        elif item == Symbol("/"):
            this = "slash"
        result.append(this)
        if this != "space":
            before = this
    return result


def _row(row: Row, tight: bool) -> str:
    text = ""
    before: str | None = None
    for item, this in zip(row.items, roles(row), strict=True):
        piece = linear(item, tight)
        if before is not None:
            space = "" if text.endswith(" ") or piece.startswith(" ") else gap(before, this)
            if tight and space and not (before == "fun" and piece[:1].isalnum()):
                space = ""
            if not space and _runs_together(text, piece):
                space = " "
            text += space
        text += piece
        if piece:
            before = this
    return text


def _runs_together(text: str, piece: str) -> bool:
    """Whether a fallback script (``d_model``) would swallow the letter that follows."""
    head, underscore, tail = text.rpartition("_")
    return bool(underscore and tail.isalnum() and head and piece[:1].isalnum())


def _fraction(tree: Fraction, tight: bool) -> str:
    if not tree.bar:
        return f"({linear(tree.above, tight)} choose {linear(tree.below, tight)})"
    whole = _vulgar(tree)
    if whole:
        return whole
    above, below = linear(tree.above, tight), linear(tree.below, tight)
    if not _is_product(tree.above):
        above = f"({above})"
    if not (_is_single(tree.below) or _is_call(tree.below) or _is_differential(tree.below)):
        below = f"({below})"
    return f"{above}/{below}"


def _vulgar(tree: Fraction) -> str | None:
    above, below = (_items(part) for part in (tree.above, tree.below))
    if tree.bar and len(above) == len(below) == 1 and isinstance(above[0], Symbol) and isinstance(below[0], Symbol):
        return _VULGAR.get((above[0].text, below[0].text))
    return None


def _items(tree: Any) -> tuple[Any, ...]:
    items = tree.items if isinstance(tree, Row) else (tree,)
    while len(items) == 1 and isinstance(items[0], Row):
        items = items[0].items
    return items


def _is_single(tree: Any) -> bool:
    """Whether it can stand behind a slash or a root without brackets."""
    items = _items(tree)
    if len(items) != 1:
        return False
    item = items[0]
    if isinstance(item, Script):
        return _is_single(item.base)
    if isinstance(item, Symbol):
        return item.role in ("ord", "fun") or (item.role == "text" and " " not in item.text)
    return isinstance(item, Root | Accent) or (isinstance(item, Fenced) and bool(item.left and item.right))


def _top(tree: Any) -> list[str]:
    """The classes of what stands outside brackets; a pair of brackets counts as one "fenced"."""
    row = Row(_items(tree))
    depth, kinds = 0, []
    for kind in roles(row):
        if kind == "open":
            depth += 1
        elif kind == "close":
            depth -= 1
            kinds.append("fenced")
        elif depth == 0:
            kinds.append(kind)
    return kinds if depth == 0 else [*kinds, "open"]


def _is_product(tree: Any) -> bool:
    """Whether it can stand before a slash without brackets: factors side by side."""
    return all(kind in ("ord", "text", "fun", "fenced") for kind in _top(tree))


def _is_call(tree: Any) -> bool:
    """Whether it is one thing with one pair of brackets behind it: ``p(y)``."""
    return _top(tree) in (["ord", "fenced"], ["fun", "fenced"], ["fenced"])


def _is_differential(tree: Any) -> bool:
    """Whether it is ``∂w`` or ``dx``."""
    items = _items(tree)
    return len(items) == 2 and items[0] in (Symbol("∂"), Symbol("d")) and _is_single(Row(items[1:]))


def _root(tree: Root, tight: bool) -> str:
    degree = "" if tree.degree is None else linear(tree.degree, True)
    sign = {"": "√", "2": "√", "3": "∛", "4": "∜"}.get(degree) or (_raised(degree) or f"{degree}") + "√"
    body = linear(tree.body, tight)
    return f"{sign}{body}" if _is_single(tree.body) else f"{sign}({body})"


def _script(tree: Script) -> str:
    base = linear(tree.base)
    composite = isinstance(tree.base, Row) and len(_items(tree.base)) > 1 and role(tree.base) != "fun"
    if composite or isinstance(tree.base, Fraction | Root):
        base = f"({base})"
    below = "" if tree.below is None else _lower(tree.below)
    above = "" if tree.above is None else _upper(tree.above)
    return base + below + above


def _lower(tree: Any) -> str:
    text = linear(tree, True)
    small = None if _is_word(tree) else _lowered(text)
    if small is not None:
        return small
    return f"_{text}" if _plain_word(text) or len(text) == 1 else f"_({_unbracketed(text)})"


def _upper(tree: Any) -> str:
    text = linear(tree, True)
    bare = "".join(_BARE_ABOVE.get(character, "\0") for character in text)
    if "\0" not in bare:
        return bare
    small = None if _is_word(tree) else _raised(text)
    if small is not None:
        return small
    return f"^{text}" if _plain_word(text) else f"^({_unbracketed(text)})"


def _plain_word(text: str) -> bool:
    """Letters and digits without small ones among them, so that nothing is ambiguous without brackets."""
    return all(unicodedata.category(character) in ("Ll", "Lu", "Lo", "Nd") for character in text)


def _unbracketed(text: str) -> str:
    inside = text[1:-1]
    return inside if text[:1] == "(" and text[-1:] == ")" and "(" not in inside and ")" not in inside else text


def _is_word(tree: Any) -> bool:
    """Whether it is a word (``model``) that would be unreadable in small letters."""
    items = _items(tree)
    return any(isinstance(item, Symbol) and item.role in ("text", "fun") and len(item.text) > 2 for item in items)


def _lowered(text: str) -> str | None:
    return _scripted(text, "_")


def _raised(text: str) -> str | None:
    return _scripted(text, "^")


def _scripted(text: str, sign: str) -> str | None:
    table = _scripts()
    result = "".join(table.get(sign + character, "\0") for character in text)
    return None if "\0" in result else result


@cache
def _scripts() -> dict[str, str]:
    from unicodeit.data import SUBSUPERSCRIPTS

    table = dict(SUBSUPERSCRIPTS)
    for sign in ("_<", "_>", "^<", "^>"):
        table.pop(sign, None)  # they are mapped to signs that nobody reads as smaller and greater
    return table | {"_−": "₋", "^−": "⁻", "^⊤": "ᵀ", "^∗": "*", "^′": "′"}


def _grid(tree: Grid) -> str:
    rows = ["  ".join(linear(cell) for cell in row) for row in tree.rows]
    if tree.align == "rl":
        rows = [" ".join(linear(cell) for cell in row) for row in tree.rows]
    return f"{tree.left}{'; '.join(rows)}{tree.right}"
