"""The kinds that kb ships, registered through the hook that every pack uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kb.hooks import hookimpl
from kb.questions.choice import Choice
from kb.questions.cloze import Cloze
from kb.questions.code import Code
from kb.questions.numeric import Numeric
from kb.questions.order import Order
from kb.questions.predict import Predict
from kb.questions.recall import Recall


@hookimpl
def register_question_kinds(register: Callable[[Any], None]) -> None:
    for kind in (Choice, Cloze, Numeric, Order, Recall, Predict, Code):
        register(kind)
