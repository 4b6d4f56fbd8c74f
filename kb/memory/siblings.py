"""Siblings: questions about the same claim. One a day is enough, since each gives the others away."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def set_aside(
    queue: Iterable[T],
    family: Callable[[T], Hashable | None],
    answered: Iterable[Hashable] = (),
    in_steps: Callable[[T], bool] = lambda _: False,
) -> tuple[list[T], list[T]]:
    """``queue`` as what is asked today and what waits until tomorrow, both in order.

    ``family`` names the claim that a question is about (None: it has no siblings), ``answered`` the claims that were
    asked about today. A question whose steps are running is never set aside: it has been begun.
    """
    taken = set(answered)
    asked: list[T] = []
    waiting: list[T] = []
    for question in queue:
        name = family(question)
        if name is None or in_steps(question):
            asked.append(question)
        elif name in taken:
            waiting.append(question)
        else:
            asked.append(question)
        if name is not None:
            taken.add(name)
    return asked, waiting
