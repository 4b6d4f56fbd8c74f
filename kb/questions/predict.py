"""Predict: say what a demo will measure, or what a snippet will print, before it is run.

.. code-block:: yaml

    id: operations
    kind: predict
    draw: {n: [8, 16, 32]}
    ask: How many complex multiplications does the radix-2 FFT of {n} points take?
    demo: fft
    parameters: {n: "{n}"}
    metric: operations
    tolerance: 1%
    why: Each of the $\\log_2 n$ stages multiplies half of the points.

.. code-block:: yaml

    id: broadcast
    kind: predict
    ask: What does the last line print?
    snippet: |
      rows = [[0] * 2] * 3
      rows[0][0] = 1
      print(rows)
    why: The outer list holds one row three times.

With ``demo``, ``metric`` is read from its report, run with ``parameters`` (``"{name}"`` is a drawn one) or taken from
recorded evidence. With ``snippet``, shown under the question, it is ``line`` of what it prints (from 1; left out, the
last). A number is accepted within ``tolerance`` (as in ``kb.questions.numeric``), in the metric's unit or ``unit``;
a text must agree but for spaces.

``options`` turns it into a choice: of labels, of which one is what is measured, or of statements about it, of which
one holds: ``{text: less than half, when: value < 0.5}``, each with a ``why`` for who chose it and was wrong.

The answer is a number or a text, and with ``options`` an index into them as shown, from 0, or the text of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions import markup
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict, kind_of, text_answer
from kb.questions.expression import Expression
from kb.questions.number import EXACT, ROUNDED, Scale, Tolerance, near_miss
from kb.questions.parameters import Stream, number
from kb.questions.picking import indices, place_of, typed

Value = bool | int | float | str


class Guess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An option: a label, or a statement about the measured ``value`` that holds ``when`` the formula does."""

    text: Annotated[str, Meta(description="What is shown.")]
    when: Annotated[
        str | None,
        Meta(description="A formula over `value` and the drawn parameters: the option is right when it holds."),
    ] = None
    why: str | None = None


class PredictFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parameters: Annotated[
        dict[str, bool | int | float | str],
        Meta(description="The parameters of the demo; a drawn one in braces: {n: '{n}'}."),
    ] = {}
    metric: Annotated[str | None, Meta(description="The metric of the demo that is predicted.")] = None
    snippet: Annotated[str | None, Meta(description="Python that is shown and run, in place of a demo.")] = None
    line: Annotated[
        int | None, Meta(description="The line of what the snippet prints, from 1; left out, the last.")
    ] = None
    tolerance: Annotated[str | int | float | None, Meta(description="1% is relative, a plain number absolute.")] = None
    unit: Annotated[str | None, Meta(description="The unit of the answer; left out, that of the metric.")] = None
    options: Annotated[
        list[str | Guess], Meta(description="Labels, or statements with `when`, of which one is right.")
    ] = []
    seconds: Annotated[float, Meta(description="How long the snippet may run.")] = 5.0


class Seen(NamedTuple):
    """What was measured or printed, its unit, and the Report it came from."""

    value: Value
    unit: str = ""
    report: Any = None
    output: str = ""


class Predict(Question):
    """What a demo measures or a snippet prints."""

    kind = "predict"
    Fields = PredictFields
    fields: PredictFields

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        fields = self.fields
        if fields.snippet is None and (card.demo is None or fields.metric is None):
            raise CardError(name, (), "there is nothing to run", "give `demo:` and `metric:`, or a `snippet:`")
        if fields.snippet is not None and (fields.metric is not None or fields.parameters):
            raise CardError(name, ("snippet",), "a snippet has neither a metric nor parameters", "keep one of the two")
        if fields.line is not None and (fields.line < 1 or fields.snippet is None):
            raise CardError(name, ("line",), "is the number of a line that the snippet prints, from 1")
        if not 0 < fields.seconds <= 60:
            raise CardError(name, ("seconds",), "a run takes above 0 and at most 60 seconds")
        try:
            self.tolerance = Tolerance.of(fields.tolerance)
        except AnswerError as error:
            raise CardError(name, ("tolerance",), str(error), "write 1% or an absolute number") from None
        self.guesses = [Guess(option) if isinstance(option, str) else option for option in fields.options]
        if len(self.guesses) == 1:
            raise CardError(name, ("options",), "one option is no choice", "give two or more, or none")
        self._when = [self._condition(place, guess) for place, guess in enumerate(self.guesses)]
        self.how = "choose one: type its number" if self.guesses else "type what you expect"

    def _condition(self, place: int, guess: Guess) -> Expression | None:
        if guess.when is None:
            return None
        try:
            return Expression(guess.when, {*self.parameters.names, "value"})
        except AnswerError as error:
            raise CardError(self.name, ("options", place, "when"), str(error)) from None

    def texts(self) -> Iterator[tuple[str, str]]:
        yield from super().texts()
        for place, guess in enumerate(self.guesses):
            yield f"options/{place}", guess.text
            if guess.why is not None:
                yield f"options/{place}/why", guess.why

    def formula_names(self) -> set[str]:
        used = {name for when in self._when if when is not None for name in when.used}
        for text in (self.fields.snippet or "", *map(str, self.fields.parameters.values())):
            used |= markup.names(text)
        return used

    def ask(self, seed: int) -> Ask:
        values = self.draw(seed)
        text = self.fill("ask", self.card.ask, values)
        if self.fields.snippet is not None:
            text = f"{text.rstrip()}\n\n```python\n{self._snippet(values).strip()}\n```"
        order = Stream(seed, "options").permutation(len(self.guesses))
        shown = [self.fill(f"options/{place}", self.guesses[place].text, values) for place in order]
        return self.prepare(seed, values, text=text, options=tuple(shown), written=tuple(order))

    def _snippet(self, values: Any) -> str:
        return markup.fill_code(self.fields.snippet or "", values)

    def parse(self, line: str, ask: Ask) -> int | str:
        if not self.guesses:
            return self._text(line)
        places = [place_of(token, len(ask.options), "option") for token in typed(line)]
        if len(places) != 1:
            raise AnswerError(f"type the number of one option, 1 to {len(ask.options)}")
        return places[0]

    def _text(self, line: str) -> str:
        text = text_answer(line).strip()
        if not text:
            raise AnswerError("type what you expect")
        return text

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        if self.guesses:
            return self._grade_guess(self._guessed(answer, ask), ask, laboratory)
        if not isinstance(answer, bool | int | float | str):
            raise AnswerError(f"the answer is a number or a text, not {kind_of(answer)}")
        if isinstance(answer, str):
            answer = self._text(answer)
        seen = self.look(ask, laboratory)
        correct, why = self._compared(answer, seen)
        return self._verdict(correct, why, self._written(seen), seen)

    def _verdict(self, correct: bool, why: str, expected: str, seen: Seen) -> Verdict:
        figure = seen.report if getattr(seen.report, "figures", None) else None
        detail = f"it printed:\n{seen.output.rstrip()}" if seen.output.count("\n") > 1 else ""
        return Verdict(correct=correct, expected=expected, why=why, detail=detail, figure=figure)

    def _guessed(self, answer: Any, ask: Ask) -> int:
        """The place in the file of the option that was chosen."""
        if isinstance(answer, str):
            matching = [place for place, text in enumerate(ask.options) if _squeezed(text) == _squeezed(answer)]
            if len(matching) != 1:
                raise AnswerError(f"{answer[:40]!r} is none of the options")
            answer = matching[0]
        given = answer if isinstance(answer, list | tuple) else [answer]
        places = indices(given, len(ask.options), "option")
        if len(places) != 1:
            raise AnswerError("choose one option")
        return ask.written[places[0]]

    def _grade_guess(self, chosen: int, ask: Ask, laboratory: Laboratory) -> Verdict:
        seen = self.look(ask, laboratory)
        right = self._right(seen, ask)
        why = ""
        if chosen != right and self.guesses[chosen].why:
            why = self.fill(f"options/{chosen}/why", self.guesses[chosen].why or "", ask.values)
        text = ask.options[ask.written.index(right)]
        measured = self._written(seen)
        expected = text if _squeezed(text) == _squeezed(measured) else f"{text} ({measured})"
        return self._verdict(chosen == right, why, expected, seen)

    def _right(self, seen: Seen, ask: Ask) -> int:
        """The one option that what was seen makes right."""
        holding = []
        for place, (guess, when) in enumerate(zip(self.guesses, self._when, strict=True)):
            if when is None:
                text = self.fill(f"options/{place}", guess.text, ask.values)
                holds = _squeezed(text) in (_squeezed(str(seen.value)), _squeezed(self._written(seen)))
            else:
                try:
                    holds = bool(when.value({**ask.values, "value": number(seen.value)}))
                except AnswerError as error:
                    raise CardError(self.name, ("options", place, "when"), str(error)) from None
            if holds:
                holding.append(place)
        if len(holding) != 1:
            count = "none" if not holding else str(len(holding))
            message = f"{count} of the options hold for {self._written(seen)}"
            raise CardError(self.name, ("options",), message, "make exactly one of them right")
        return holding[0]

    def _compared(self, answer: Value, seen: Seen) -> tuple[bool, str]:
        """Whether the answer agrees with what was seen, and what is known about it if not."""
        if isinstance(seen.value, bool):
            return _yes(answer) is seen.value, ""
        if isinstance(seen.value, str):
            if _squeezed(str(answer)) == _squeezed(seen.value):
                return True, ""
            return False, ""
        scale = Scale(seen.unit)
        given = scale.read(answer)
        if self._within(given, seen.value):
            return True, ""
        return False, near_miss(given, seen.value, scale)

    def _within(self, given: int | float, value: int | float) -> bool:
        whole = float(value).is_integer()
        return (self.tolerance or (EXACT if whole else ROUNDED)).accepts(given, value)

    def look(self, ask: Ask, laboratory: Laboratory) -> Seen:
        """Run the demo or the snippet; raises CardError where it doesn't give what the card wants."""
        return self._printed(ask, laboratory) if self.fields.snippet is not None else self._measured(ask, laboratory)

    def _measured(self, ask: Ask, laboratory: Laboratory) -> Seen:
        assert self.card.demo is not None
        report = laboratory.demo(self.card.demo, self._arguments(ask))
        for metric in report.metrics:
            if metric.name == self.fields.metric:
                unit = metric.unit if self.fields.unit is None else self.fields.unit
                if isinstance(metric.value, float) and metric.value != metric.value:
                    raise CardError(self.name, ("metric",), f"{metric.name} is not a number (NaN)")
                return Seen(metric.value, unit, report)
        reported = ", ".join(metric.name for metric in report.metrics) or "none"
        message = f"the demo {self.card.demo} reports no metric {self.fields.metric!r}"
        raise CardError(self.name, ("metric",), message, f"it reports {reported}")

    def _arguments(self, ask: Ask) -> dict[str, Any]:
        """The demo's parameters, those in braces drawn."""
        return {
            name: number(self.fill(f"parameters/{name}", value, ask.values)) if isinstance(value, str) else value
            for name, value in self.fields.parameters.items()
        }

    def _printed(self, ask: Ask, laboratory: Laboratory) -> Seen:
        outcome = laboratory.python(self._snippet(ask.values), seconds=self.fields.seconds)
        if not outcome.ok:
            raise CardError(self.name, ("snippet",), f"the snippet failed: {outcome.error}", "mend it")
        lines = [line.rstrip() for line in str(outcome.output).splitlines() if line.strip()]
        place = len(lines) if self.fields.line is None else self.fields.line
        if not 1 <= place <= len(lines):
            raise CardError(self.name, ("line",), f"the snippet prints {len(lines)} lines", "name one of them")
        value = number(lines[place - 1].strip())
        return Seen(value, self.fields.unit or "", None, str(outcome.output))

    def _written(self, seen: Seen) -> str:
        if isinstance(seen.value, bool):
            return "yes" if seen.value else "no"
        if isinstance(seen.value, str):
            return f"`{seen.value}`" if self.fields.snippet is not None else seen.value
        return Scale(seen.unit).write(seen.value)

    def expected(self, ask: Ask) -> str:
        if self.fields.snippet is not None:
            return "what the snippet prints"
        options = "".join(f" --{name.replace('_', '-')} {value}" for name, value in self._arguments(ask).items())
        return f"`{self.fields.metric}` of `kb demo {self.card.demo}{options}`"

    def reveal(self, ask: Ask, laboratory: Laboratory) -> str:
        seen = self.look(ask, laboratory)
        return ask.options[ask.written.index(self._right(seen, ask))] if self.guesses else self._written(seen)

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(8))) -> Iterator[Problem]:
        problems = [*self._lint_guesses(), *super().lint(laboratory, seeds)]
        yield from problems
        if problems:
            return
        looked: list[Any] = []
        for seed in seeds:
            ask = self.ask(seed)
            if ask.values in looked or len(looked) == 3:  # every look is a run
                continue
            looked.append(ask.values)
            try:
                seen = self.look(ask, laboratory)
                if self.guesses:
                    self._right(seen, ask)
                elif not self._compared(_reread(self._written(seen)), seen)[0]:
                    message = f"what is shown, {self._written(seen)}, is outside its own tolerance (seed {seed})"
                    yield Problem("tolerance", "tolerance-too-tight", message, "widen the tolerance to what is shown")
            except CardError as error:
                yield Problem("/".join(map(str, error.pointer)), "predict", error.message, error.cure or "mend it")
                return

    def _lint_guesses(self) -> Iterator[Problem]:
        for place, guess in enumerate(self.guesses):
            if not guess.why and any(other.why for other in self.guesses):
                message = f"the option {guess.text!r} has no why, others have"
                yield Problem(f"options/{place}", "distractor-why", message, "name the mistake that leads to it")


def _reread(written: str) -> str:
    return written.strip("`")


def _squeezed(text: str) -> str:
    """``text`` as it is compared: without spaces, with one kind of quotes, in lower case."""
    return "".join(text.split()).replace('"', "'").strip("`").casefold()


def _yes(answer: Value) -> bool:
    if isinstance(answer, bool):
        return answer
    word = str(answer).strip().casefold()
    if word in ("yes", "y", "true", "1", "holds"):
        return True
    if word in ("no", "n", "false", "0"):
        return False
    raise AnswerError("answer yes or no")
