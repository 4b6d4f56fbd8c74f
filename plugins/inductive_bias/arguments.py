"""Validity by truth table: https://plato.stanford.edu/entries/logical-consequence/ ; the problem of induction:
https://plato.stanford.edu/entries/induction-problem/

An argument is **valid** if no possible world makes all premises true and the conclusion false. It is **sound** if it is
valid and its premises are in fact true. Worlds are counted here, so nothing is left to opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from operator import itemgetter

from kb import Report

World = tuple[bool, ...]
Statement = Callable[[World], bool]


def implies(a: bool, b: bool) -> bool:
    """a → b."""
    return not a or b


# name, premises, conclusion; over p, q, r
FORMS: list[tuple[str, list[Statement], Statement]] = [
    ("p → q, p  ⊢  q", [lambda w: implies(w[0], w[1]), lambda w: w[0]], lambda w: w[1]),
    ("p → q, ¬q  ⊢  ¬p", [lambda w: implies(w[0], w[1]), lambda w: not w[1]], lambda w: not w[0]),
    ("p ∧ q  ⊢  p", [lambda w: w[0] and w[1]], lambda w: w[0]),
    (
        "p → q, q → r  ⊢  p → r",
        [lambda w: implies(w[0], w[1]), lambda w: implies(w[1], w[2])],
        lambda w: implies(w[0], w[2]),
    ),
    ("p → q, q  ⊢  p", [lambda w: implies(w[0], w[1]), lambda w: w[1]], lambda w: w[0]),
    ("p → q, ¬p  ⊢  ¬q", [lambda w: implies(w[0], w[1]), lambda w: not w[0]], lambda w: not w[1]),
]
VALID = 4  # the first four; the others affirm the consequent and deny the antecedent


def worlds(bits: int) -> list[World]:
    """All 2^bits of them."""
    return list(product((False, True), repeat=bits))


def count(premises: Sequence[Statement], conclusion: Statement, bits: int) -> tuple[int, int, int]:
    """Worlds with true premises; those of them with a false conclusion; false conclusions where a premise is false."""
    true = [w for w in worlds(bits) if all(premise(w) for premise in premises)]
    refuted = sum(not conclusion(w) for w in true)
    return len(true), refuted, sum(not conclusion(w) for w in worlds(bits)) - refuted


def main(report: Report, examples: int) -> None:
    """Four valid forms and two fallacies; then a generalisation from examples, held against all worlds alike."""
    counted = [(name, *count(premises, conclusion, 3)) for name, premises, conclusion in FORMS]
    report.table("Worlds", ("argument", "premises true", "of these conclusion false", "conclusion false else"), counted)
    report.check("valid-forms-have-no-counterexample", sum(row[2] for row in counted[:VALID]), 0)
    report.check("each-fallacy-has-one", min(row[2] for row in counted[VALID:]), at_least=1)
    # validity does not make the conclusion true: a false premise may lead anywhere
    report.check("valid-but-unsound", min(row[3] for row in counted[:VALID]), at_least=1)

    # induction: "the first m of 8 swans are white, so all are"
    true, refuted, _ = count(seen_first(examples), all, 8)
    report.metric("worlds-that-agree", true)
    report.metric("worlds-that-refute", refuted)
    report.check("induction-can-fail", refuted, 2 ** (8 - examples) - 1)
    report.check("seeing-all-is-deduction", count(seen_first(8), all, 8)[1], 0)
    left = [count(seen_first(m), all, 8)[1] for m in range(1, 9)]
    report.bars(
        [f"{m} seen" for m in range(1, 9)],
        {"worlds in which all premises are true and the generalisation is false": left},
        title="All swans seen were white: worlds in which some swan is not",
    )


def seen_first(m: int) -> list[Statement]:
    """The premises: each of the first ``m`` is white."""
    return [itemgetter(n) for n in range(m)]
