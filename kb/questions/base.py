"""What a kind of question is. Built-in kinds and those of plugins are subclasses of ``Question``."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import msgspec

from kb.errors import AnswerError, ContentError, SandboxError
from kb.knowledge.model import QuestionCard
from kb.questions import markup
from kb.questions.parameters import DrawFault, Parameters

MAX_ANSWER_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Ask:
    """One question as it is put to the learner: numbers drawn, options shuffled. Made again from the same seed."""

    question: str  # topic/id
    kind: str
    text: str  # Markdown, drawn parameters filled in
    seed: int
    hint: str | None = None
    options: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    starter: str | None = None
    gaps: int = 0
    values: Mapping[str, Any] = field(default_factory=dict)  # the drawn parameters
    written: tuple[int, ...] = ()  # written[i] is the place in the file of the option or item shown at i


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of an answer. ``correct`` is None where the learner grades (recall)."""

    correct: bool | None
    expected: str  # Markdown: the right answer as a person would write it
    why: str = ""  # what this very answer got wrong (a known mistake), in Markdown
    score: float | None = None  # partial credit from 0 to 1, shown but not scheduled on
    note: str = ""  # a remark on a right answer ("watch the spelling")
    detail: str = ""  # shown as it is: a diff, the output of a run
    figure: object = None  # a Report whose plot is worth showing afterwards


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in a card that ``kb check`` shows: the ``key`` it is in, what is wrong, and the cure.

    Inside a list or mapping the key is a path: ``options/2/why``.
    """

    key: str
    rule: str
    message: str
    cure: str

    @property
    def pointer(self) -> tuple[str | int, ...]:
        """The key as a way into the card's YAML: ``("options", 2, "why")``."""
        return tuple(int(part) if part.isdigit() else part for part in self.key.split("/"))


class CardError(ContentError):
    """A card that no question can be made of; ``pointer`` leads to the key at fault, as in ``Problem``."""

    def __init__(self, question: str, pointer: Sequence[str | int], message: str, cure: str | None = None) -> None:
        key = "/".join(map(str, pointer))
        super().__init__(f"question {question!r}: {key}: {message}" if key else f"question {question!r}: {message}")
        self.cure = cure
        self.pointer = tuple(pointer)


class Laboratory(Protocol):
    """What a kind may ask of the rest of kb to settle an answer; passed in, so that grading stays pure."""

    def demo(self, name: str, parameters: Mapping[str, object]) -> Any:
        """Run the demo (or take its recorded evidence) and return its Report."""

    def python(self, source: str, *, seconds: float, call: str | None = None) -> Any:
        """Run Python in the sandbox; returns an object with ``ok``, ``value``, ``output`` and ``error``.

        ``call`` names a function of ``source`` without arguments that is called at the end; ``value`` is what it
        returns, JSON data that came by the sandbox's private channel. ``output`` is what was printed.
        """


class NoLaboratory:
    """The laboratory of a place that must not run anything."""

    def demo(self, name: str, parameters: Mapping[str, object]) -> Any:
        raise SandboxError(f"demo {name!r} cannot be run here")

    def python(self, source: str, *, seconds: float, call: str | None = None) -> Any:
        raise SandboxError("code cannot be run here")


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of a kind that adds none."""


class Question(ABC):
    """A question of one kind, made from its card.

    A kind sets ``kind`` and ``Fields`` (a msgspec.Struct of the keys that it adds to a card; unknown ones are errors),
    and implements ``ask`` (most often ``return self.prepare(seed)`` and what the kind adds), ``parse``, ``grade`` and
    ``expected``. It keeps no state and reads no clock: the same seed gives the same question.
    """

    kind: ClassVar[str]
    Fields: ClassVar[type[msgspec.Struct]] = NoFields
    how: str = "type the answer"  # one line under the question: how to answer

    def __init__(self, name: str, card: QuestionCard) -> None:
        self.name = name
        self.card = card
        try:
            self.fields: Any = msgspec.convert(card.fields, self.Fields, strict=True)
        except msgspec.ValidationError as error:
            message, pointer = _pointer(str(error))
            cure = 'YAML reads yes and no as this: put "quotes" around it' if "got `bool`" in message else None
            raise CardError(name, pointer, message, cure) from None
        try:
            self.parameters = Parameters(card.draw, card.where)
        except DrawFault as fault:
            raise self._draw_error(fault) from None

    @abstractmethod
    def ask(self, seed: int) -> Ask:
        """The question as shown for ``seed``."""

    @abstractmethod
    def parse(self, line: str, ask: Ask) -> Any:
        """A typed line as this kind's JSON answer; raises AnswerError if it cannot be one (the question stays open)."""

    @abstractmethod
    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        """Judge a JSON answer; raises AnswerError if it cannot be one (the question stays open)."""

    @abstractmethod
    def expected(self, ask: Ask) -> str:
        """The right answer in Markdown, for the learner who gives up or grades themself."""

    def reveal(self, ask: Ask, laboratory: Laboratory) -> str:
        """As ``expected``, for a kind that must run something to know it."""
        return self.expected(ask)

    def explain(self, ask: Ask) -> str:
        """The card's ``why`` with the drawn values filled in."""
        return self.fill("why", self.card.why, ask.values)

    def reference(self, ask: Ask) -> Any:
        """A right answer as JSON; ``kb check`` proves that it passes."""
        return None

    def draw(self, seed: int, accept: Callable[[Mapping[str, Any]], bool] | None = None) -> dict[str, Any]:
        """The drawn parameters for ``seed``, the first draw that ``where`` and ``accept`` agree to."""
        try:
            return self.parameters.draw(seed, accept)
        except DrawFault as fault:
            raise self._draw_error(fault) from None

    def fill(self, key: str, text: str, values: Mapping[str, Any]) -> str:
        """``text``, found under the card's ``key``, with ``{name}`` and ``{= formula}`` filled in."""
        try:
            return markup.fill(text, values)
        except AnswerError as error:
            raise CardError(self.name, (key,), str(error)) from None

    def prepare(self, seed: int, values: Mapping[str, Any] | None = None, **more: Any) -> Ask:
        """The Ask that all kinds have in common: the parameters drawn, the texts filled in; ``more`` is the kind's."""
        values = self.draw(seed) if values is None else values
        hint = None if self.card.hint is None else self.fill("hint", self.card.hint, values)
        more.setdefault("text", self.fill("ask", self.card.ask, values))
        return Ask(question=self.name, kind=self.kind, seed=seed, hint=hint, values=values, **more)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text of the card that drawn values are filled into, with its key; a kind adds its own."""
        yield "ask", self.card.ask
        yield "why", self.card.why
        if self.card.hint is not None:
            yield "hint", self.card.hint

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        """Faults in the card. A kind adds its own; the base one looks at the texts and the draws, and proves the
        reference answer over several seeds."""
        faults = list(self._lint_texts())
        yield from faults
        if faults:
            return
        for seed in seeds:
            try:
                ask = self.ask(seed)
                self.explain(ask)
                answer = self.reference(ask)
                verdict = None if answer is None else self.grade(answer, ask, laboratory)
            except CardError as error:
                key = "/".join(map(str, error.pointer)) or "draw"
                yield Problem(
                    key, "draw", f"{error.message} (seed {seed})", error.cure or "mend the draw or the formula"
                )
                return
            except AnswerError as error:
                yield Problem("answer", "reference-answer", f"the reference answer is refused: {error}", "mend it")
                return
            if verdict is not None and verdict.correct is False:
                yield Problem(
                    "answer",
                    "reference-answer",
                    f"the reference answer {answer!r} is graded wrong (seed {seed})",
                    "make the answer and the grader agree",
                )
                return

    def _lint_texts(self) -> Iterator[Problem]:
        names = self.parameters.names
        used = set(self.parameters.used)
        for key, text in self.texts():
            for fault in markup.unknown(text, names):
                yield Problem(key, "drawn-name", fault, "draw it, or write it in `code` or $maths$")
            used |= markup.names(text)
        others = self.formula_names()
        for name in sorted(names - used - others) if others is not None else ():
            yield Problem(f"draw/{name}", "unused-draw", f"{name!r} is drawn and never used", "use it or leave it out")

    def formula_names(self) -> set[str] | None:
        """The drawn parameters that are used elsewhere than in texts; None if that is not known."""
        return None

    def _draw_error(self, fault: DrawFault) -> CardError:
        pointer = ("where",) if fault.name is None else ("draw", fault.name)
        return CardError(self.name, pointer, str(fault))


_PLACE = r"(?s)^(?P<message>.*?)(?: - at `(?P<place>[^`]*)`)?$"
_STEP = r"\.([A-Za-z_]\w*)|\[(\d+)\]|\[\.\.\.\]"


def _pointer(message: str) -> tuple[str, tuple[str | int, ...]]:
    """A message of msgspec, and its ``$.options[0].why`` as a pointer."""
    match = re.match(_PLACE, message)
    assert match is not None
    steps = re.findall(_STEP, match["place"] or "")
    return match["message"], tuple(name or int(index) for name, index in steps if name or index)


def text_answer(answer: Any, what: str = "the answer") -> str:
    """``answer`` as a text of a decent size; raises AnswerError."""
    if not isinstance(answer, str):
        raise AnswerError(f"{what} must be a text, not {kind_of(answer)}")
    if len(answer) > MAX_ANSWER_BYTES:
        raise AnswerError(f"{what} is too long: {len(answer)} characters; {MAX_ANSWER_BYTES} are allowed")
    try:
        answer.encode("utf-8")
    except UnicodeEncodeError:
        raise AnswerError(f"{what} is not valid Unicode") from None
    return answer


def kind_of(value: Any) -> str:
    """What a JSON value is, in words."""
    return _WORDS.get(type(value), type(value).__name__)


_WORDS = {
    type(None): "null",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    tuple: "a list",
    dict: "an object",
}
