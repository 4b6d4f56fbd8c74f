"""The tables behind maths: TeX's spacing classes, the macros that are known, and the characters of unicodeit."""

from __future__ import annotations

from functools import cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The classes of TeX's spacing (The TeXbook, chapter 18): ordinary, function, big operator, binary, relation, opening,
# closing, punctuation; "space" is a space that was asked for.
RELATIONS = frozenset("=<>≤≥≠≈∼∈∉∋⊂⊆⊃⊇→←↔↦⇒⇐⇔⟹⟸⟺⟶⟵∝≡≜≔≪≫≺≻⪯⪰∣⊢⊨≃≅∥⊥⟂⪅⪆≲≳")
BINARIES = frozenset("+−±∓×·⋅∗*⊕⊗⊙⊖∘∪∩∧∨∖÷⋆•⊎")
OPENERS = frozenset("([{⟨⌊⌈")
CLOSERS = frozenset(")]}⟩⌋⌉")
PUNCTUATION = frozenset(",;")
BIG = frozenset("∑∏∫∬∮⋃⋂⨁⨂∐⋁⋀")
FUNCTIONS = _words("""
    log ln lg exp sin cos tan cot sec csc sinh cosh tanh arcsin arccos arctan max min sup inf lim limsup liminf arg det
    dim ker deg gcd hom Pr argmax argmin mod
""")


ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "bar": "\u0304",
    "overline": "\u0305",
    "underline": "\u0332",
    "vec": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
}
ALPHABETS = {"mathbb", "mathcal", "mathfrak", "mathscr"}
UPRIGHT = {"mathrm", "mathsf", "mathtt", "mathbf", "mathit", "boldsymbol", "bm", "symbf", "mathnormal", "pmb"}
TEXTS = {"text", "textrm", "textbf", "textit", "texttt", "textsf", "mbox", "hbox"}
SPACES = {",": " ", ":": " ", ";": " ", " ": " ", ">": " ", "quad": "  ", "qquad": "    ", "~": " ", "enspace": " "}
IGNORED = _words("""
    ! / displaystyle textstyle scriptstyle limits nolimits middle nonumber notag
    big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr bigm Bigm
""")
# Where unicodeit is silent or names a letter-like sign that reads badly in a terminal.
OWN = {
    "epsilon": "ε",
    "varepsilon": "ε",
    "phi": "φ",
    "varphi": "φ",
    "cdot": "·",
    "ldots": "…",
    "dots": "…",
    "cdots": "⋯",
    "vdots": "⋮",
    "ddots": "⋱",
    "lVert": "‖",
    "rVert": "‖",
    "Vert": "‖",
    "|": "‖",
    "lvert": "|",
    "rvert": "|",
    "vert": "|",
    "mid": "∣",
    "langle": "⟨",
    "rangle": "⟩",
    "lbrace": "{",
    "rbrace": "}",
    "lbrack": "[",
    "rbrack": "]",
    "{": "{",
    "}": "}",
    "%": "%",
    "$": "$",
    "&": "&",
    "#": "#",
    "_": "_",
    "ast": "∗",
    "star": "⋆",
    "colon": ":",
    "coloneqq": "≔",
    "to": "→",
    "gets": "←",
    "implies": "⇒",
    "iff": "⇔",
    "setminus": "∖",
    "ell": "ℓ",
    "top": "⊤",
    "intercal": "⊤",
    "prime": "′",
    "dagger": "†",
    "degree": "°",
    "circ": "∘",
    "sim": "∼",
    "iint": "∬",
    "bigcup": "⋃",
    "bigcap": "⋂",
    "bigoplus": "⨁",
    "bigotimes": "⨂",
    "lesssim": "≲",
    "gtrsim": "≳",
    "i": "ı",
    "imath": "ı",
    "jmath": "ȷ",
    "hbar": "ℏ",
    "bot": "⊥",
    "perp": "⊥",
    "parallel": "∥",
    "Re": "Re",
    "Im": "Im",
    "tr": "tr",
    "le": "≤",
    "ge": "≥",
    "ne": "≠",
}
ARGUMENTS = {
    **dict.fromkeys(["frac", "dfrac", "tfrac", "cfrac", "binom", "dbinom", "tbinom"], "{{"),
    **dict.fromkeys(["underset", "overset", "stackrel", "textcolor"], "{{"),
    "sqrt": "[{",
    **dict.fromkeys(["xrightarrow", "xleftarrow"], "[{"),
    **dict.fromkeys(["operatorname", "underbrace", "overbrace", "substack", "phantom", "boxed", "not"], "{"),
    **dict.fromkeys([*ACCENTS, *ALPHABETS, *UPRIGHT, *TEXTS], "{"),
    "operatorname*": "{",
    "\\": "*[",
}
FENCES = {
    "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"),
    "Bmatrix": ("{", "}"),
    "vmatrix": ("|", "|"),
    "Vmatrix": ("‖", "‖"),
    "matrix": ("", ""),
    "smallmatrix": ("", ""),
    "array": ("", ""),
    "cases": ("{", ""),
    "aligned": ("", ""),
    "align": ("", ""),
    "align*": ("", ""),
    "split": ("", ""),
    "gathered": ("", ""),
    "equation": ("", ""),
    "equation*": ("", ""),
}


@cache
def symbols() -> dict[str, str]:
    """LaTeX → character: unicodeit's table (the first entry wins), ours before it."""
    from unicodeit.data import REPLACEMENTS

    table: dict[str, str] = {}
    for latex, character in REPLACEMENTS:
        table.setdefault(latex.removesuffix("{}"), character)
    return table


def lookup(macro: str) -> str | None:
    """The character of ``\\macro``, or None."""
    return OWN.get(macro) or symbols().get("\\" + macro)


def role_of(character: str) -> str:
    """The spacing class of one character."""
    for characters, role in (
        (RELATIONS, "rel"),
        (BINARIES, "bin"),
        (OPENERS, "open"),
        (CLOSERS, "close"),
        (PUNCTUATION, "punct"),
        (BIG, "big"),
    ):
        if character in characters:
            return role
    return "ord"
