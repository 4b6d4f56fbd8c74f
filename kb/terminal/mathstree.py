"""LaTeX maths as a small tree: pylatexenc finds the structure, unicodeit's tables name the symbols.

Row, Symbol, Fraction, Root, Script, Accent, Grid and Fenced are all there is; ``maths`` draws them on one line and
``mathsbox`` in two dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from kb.terminal.mathstables import (
    ACCENTS,
    ALPHABETS,
    ARGUMENTS,
    FENCES,
    FUNCTIONS,
    IGNORED,
    SPACES,
    TEXTS,
    UPRIGHT,
    lookup,
    role_of,
    symbols,
)

MAX_LENGTH = 4000  # a longer formula is not a formula that somebody reads in a terminal


class Row(NamedTuple):
    items: tuple[Any, ...]


class Symbol(NamedTuple):
    text: str
    role: str = "ord"  # ord, fun, big, bin, rel, open, close, punct, text, space


class Fraction(NamedTuple):
    above: Any
    below: Any
    bar: bool = True  # without it: a binomial coefficient


class Root(NamedTuple):
    body: Any
    degree: Any = None


class Script(NamedTuple):
    base: Any
    below: Any = None
    above: Any = None


class Accent(NamedTuple):
    body: Any
    mark: str  # a combining character


class Grid(NamedTuple):
    rows: tuple[tuple[Any, ...], ...]
    left: str
    right: str
    align: str = "c"  # of the columns: "c", or "rl" in turn for aligned equations, or "l"


class Fenced(NamedTuple):
    left: str
    body: Any
    right: str


class Unrenderable(Exception):
    """This LaTeX has no rendering here; the text says why."""


def parse(source: str) -> Row:
    """The tree of ``source``, LaTeX without its dollar signs; raises Unrenderable."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

    if len(source) > MAX_LENGTH:
        raise Unrenderable(f"the formula has {len(source):,} characters; {MAX_LENGTH:,} are the most")
    walker = LatexWalker(source, latex_context=_context(), tolerant_parsing=False)
    try:
        state = walker.make_parsing_state(in_math_mode=True)
        nodes = walker.get_latex_nodes(parsing_state=state)[0]
        return _Builder(nodes).row()
    except LatexWalkerParseError as error:
        raise Unrenderable(str(error.msg).strip().splitlines()[0]) from None
    except RecursionError:
        raise Unrenderable("the formula is nested too deeply") from None


@cache
def _context() -> Any:
    """The macros that take arguments and the environments; a macro that is not listed takes none."""
    from pylatexenc.macrospec import LatexContextDb, MacroSpec, std_environment, std_macro, std_specials

    context = LatexContextDb()
    context.add_context_category(
        "maths",
        macros=[std_macro(name, arguments) for name, arguments in ARGUMENTS.items()],
        environments=[std_environment(name, "{" if name == "array" else None) for name in FENCES],
        specials=[std_specials("&")],
    )
    context.set_unknown_macro_spec(MacroSpec(""))
    return context


class _Builder:
    """Walks a node list with characters taken one by one, so that ``_`` and ``^`` find what they bind."""

    def __init__(self, nodes: Sequence[Any]) -> None:
        self.tokens: list[Any] = []
        for node in nodes:
            if node is None:
                continue
            if hasattr(node, "chars"):
                self.tokens.extend(node.chars)
            elif not hasattr(node, "comment"):
                self.tokens.append(node)
        self.at = 0

    def row(self, stop: Callable[[Any], bool] | None = None) -> Row:
        """Everything up to the end, or up to the token that ``stop`` accepts (which is consumed)."""
        items: list[Any] = []
        while self.at < len(self.tokens):
            token = self.tokens[self.at]
            if stop is not None and stop(token):
                self.at += 1
                return Row(tuple(items))
            if isinstance(token, str) and token in "^_'":
                self.at += 1
                self._attach(items, token)
                continue
            if isinstance(token, str) and token.isspace():
                self.at += 1
                continue
            item = self.one()
            if item is not None:
                items.append(item)
        if stop is not None:
            raise Unrenderable(r"a \left has no \right")
        return Row(tuple(items))

    def _attach(self, items: list[Any], sign: str) -> None:
        base = items.pop() if items else Symbol("")
        script = base if isinstance(base, Script) else Script(base)
        body: Any = Symbol("′") if sign == "'" else self._argument()
        if sign == "_":
            if script.below is not None:
                raise Unrenderable("two subscripts on one thing")
            items.append(script._replace(below=body))
        elif script.above is None:
            items.append(script._replace(above=body))
        elif script.above == Symbol("′") or sign == "'":
            items.append(script._replace(above=Row((script.above, body))))
        else:
            raise Unrenderable("two superscripts on one thing")

    def _argument(self) -> Any:
        while self.at < len(self.tokens) and isinstance(self.tokens[self.at], str) and self.tokens[self.at].isspace():
            self.at += 1
        token = self.tokens[self.at] if self.at < len(self.tokens) else "^"
        if isinstance(token, str) and token in "^_":
            raise Unrenderable("a ^ or _ has nothing behind it")
        item = self.one()
        return Row(()) if item is None else item

    def one(self) -> Any:
        """The next token as a tree; None for what leaves no mark."""
        token = self.tokens[self.at]
        self.at += 1
        if isinstance(token, str):
            return self._character(token)
        if hasattr(token, "environmentname"):
            return _grid(token)
        if hasattr(token, "macroname"):
            return self._macro(token)
        if hasattr(token, "nodelist"):
            return _Builder(token.nodelist).row()
        if getattr(token, "specials_chars", "") == "&":
            return Symbol(" ", "space")
        raise Unrenderable(f"no rendering for {token.latex_verbatim()!r}")

    def _character(self, character: str) -> Symbol:
        if character.isdigit():
            start = self.at - 1
            while self.at < len(self.tokens) and _continues(self.tokens, self.at):
                self.at += 1
            return Symbol("".join(self.tokens[start : self.at]))
        character = {"-": "−", "*": "∗", "~": " "}.get(character, character)
        return Symbol(character, "space" if character == " " else role_of(character))

    def _macro(self, node: Any) -> Any:
        name = node.macroname
        arguments = node.nodeargd.argnlist if node.nodeargd else []
        if name in IGNORED:
            return None
        if name in SPACES:
            return Symbol(SPACES[name], "space")
        if name == "\\":
            return Symbol("; ", "space")
        if name == "left":
            return self._fenced()
        if name in ("right", "end"):
            raise Unrenderable(rf"a \{name} has no beginning")
        if name in ARGUMENTS:
            return _with_arguments(name, arguments)
        if name in FUNCTIONS:
            return Symbol(name, "fun")
        character = lookup(name)
        if character is None:
            raise Unrenderable(rf"\{name} is not known")
        return Symbol(character, role_of(character))

    def _fenced(self) -> Fenced:
        left = self._delimiter()
        body = self.row(lambda token: getattr(token, "macroname", None) == "right")
        return Fenced(left, body, self._delimiter())

    def _delimiter(self) -> str:
        while self.at < len(self.tokens) and isinstance(self.tokens[self.at], str) and self.tokens[self.at].isspace():
            self.at += 1
        if self.at >= len(self.tokens):
            raise Unrenderable(r"a \left or \right has no delimiter")
        token = self.tokens[self.at]
        self.at += 1
        if isinstance(token, str):
            return {".": "", "<": "⟨", ">": "⟩"}.get(token, token)
        character = lookup(getattr(token, "macroname", ""))
        if character is None:
            raise Unrenderable(r"a \left or \right has a delimiter that is not known")
        return character


def _continues(tokens: Sequence[Any], at: int) -> bool:
    """Whether the number goes on: a digit, or a point or thousands comma between digits."""
    token = tokens[at]
    if not isinstance(token, str):
        return False
    following = tokens[at + 1] if at + 1 < len(tokens) else ""
    return token.isdigit() or (token == "." and isinstance(following, str) and following.isdigit())


def _node(node: Any) -> Row:
    return _Builder([node]).row() if not hasattr(node, "nodelist") else _Builder(node.nodelist).row()


def _with_arguments(name: str, arguments: Sequence[Any]) -> Any:
    bodies = list(arguments)
    last = bodies[-1] if bodies else None
    if last is None:
        raise Unrenderable(rf"\{name} has no argument")
    if name in TEXTS or name in ("operatorname", "operatorname*"):
        text = _plain(last)
        return Symbol(text, "text" if name in TEXTS else "fun")
    if name in ALPHABETS:
        return Symbol("".join(symbols().get(rf"\{name}{{{letter}}}", letter) for letter in _plain(last)))
    if name == "not":
        inside = _node(last)
        return Symbol(_first_text(inside) + "\u0338", "rel")
    if name == "phantom":
        return Symbol(" ", "space")
    if name == "substack" or name == "boxed":
        return _node(last)
    if name in UPRIGHT:
        row = _node(last)
        if row.items and all(isinstance(item, Symbol) and item.text.isalpha() for item in row.items):
            word = "".join(item.text for item in row.items)
            return Symbol(word, "fun" if word in FUNCTIONS else "text" if len(word) > 1 else "ord")
        return row
    if name in ACCENTS:
        return Accent(_node(last), ACCENTS[name])
    if name in ("underbrace", "overbrace"):
        return _node(last)
    if name == "sqrt":
        return Root(_node(last), None if bodies[0] is None else _node(bodies[0]))
    if name in ("xrightarrow", "xleftarrow"):
        return Script(Symbol("→" if name == "xrightarrow" else "←", "rel"), above=_node(last))
    first = bodies[0]
    if first is None:
        raise Unrenderable(rf"\{name} lacks an argument")
    if name == "underset":
        return Script(_unwrap(_node(last)), below=_node(first))
    if name in ("overset", "stackrel"):
        return Script(_unwrap(_node(last)), above=_node(first))
    if name == "textcolor":
        return _node(last)
    return Fraction(_node(first), _node(last), bar=not name.endswith("binom"))


def _unwrap(row: Row) -> Any:
    return row.items[0] if len(row.items) == 1 else row


def _plain(node: Any) -> str:
    """The text of an argument as it is written (``\\text{if } x``)."""
    if hasattr(node, "nodelist"):
        return "".join(_plain(child) for child in node.nodelist)
    if hasattr(node, "chars"):
        return str(node.chars)
    if hasattr(node, "macroname"):
        if node.macroname in SPACES:
            return SPACES[node.macroname]
        character = lookup(node.macroname)
        if node.macroname in FUNCTIONS:
            return str(node.macroname)
        if character is not None:
            return character + (" " if node.macro_post_space else "")
    return str(node.latex_verbatim())


def _first_text(row: Row) -> str:
    item = row.items[0] if row.items else Symbol("")
    return item.text if isinstance(item, Symbol) else ""


def _grid(node: Any) -> Grid:
    name = node.environmentname
    if name not in FENCES:
        raise Unrenderable(f"the environment {name!r} is not known")
    left, right = FENCES[name]
    align = "rl" if name.startswith("align") or name == "split" else "l" if name == "cases" else "c"
    rows: list[tuple[Row, ...]] = []
    cells: list[list[Any]] = [[]]
    for child in [*node.nodelist, None]:
        if child is None or getattr(child, "macroname", None) == "\\":
            if child is not None or any(cells) or len(cells) > 1:
                rows.append(tuple(_Builder(cell).row() for cell in cells))
            cells = [[]]
        elif getattr(child, "specials_chars", None) == "&":
            cells.append([])
        else:
            cells[-1].append(child)
    if rows and not any(cell.items for cell in rows[-1]):
        rows.pop()
    if not rows:
        raise Unrenderable(f"an empty {name}")
    return Grid(tuple(rows), left, right, align)
