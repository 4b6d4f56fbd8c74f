"""Code: write a function; hidden tests run it beside a reference on random inputs.

.. code-block:: yaml

    id: softmax
    kind: code
    ask: Write `softmax(scores)`, the softmax of a list of numbers, so that it works for scores of ±1000 too.
    starter: |
      import math

      def softmax(scores):
          ...
    reference: |
      import math

      def softmax(scores):
          top = max(scores)
          powers = [math.exp(score - top) for score in scores]
          return [power / sum(powers) for power in powers]
    tests: |
      def cases(rng):
          for size in (1, 2, 8):
              yield ([rng.uniform(-5, 5) for _ in range(size)],)
          yield ([1000.0, 999.0, -1000.0],)

      def check(answer, rng):
          assert abs(sum(answer([rng.gauss(0, 3) for _ in range(5)])) - 1) < 1e-9, "the weights must sum to 1"
    tolerance: 1e-9
    wrong:
      - |
        import math

        def softmax(scores):
            return [math.exp(score) / sum(map(math.exp, scores)) for score in scores]
    hint: Softmax doesn't change when a constant is subtracted from all scores.
    why: "Subtracting the largest score leaves the result alone and keeps every exponent at or below 0."

``cases(rng)`` yields tuples of arguments; the answer and the reference each get copies of their own, and their results
are compared by the rules of ``kb.questions.compare``. ``check(answer, rng)`` raises where a property fails. ``rng`` is
a ``random.Random`` that also has the methods of NumPy's Generator, seeded by the question's seed. The drawn parameters
are in ``values``.

Arguments and results are data: numbers, texts, bytes, None, lists, tuples, dicts, sets, arrays, tensors and dtypes.
What else both sides need is defined in ``given``, which runs before the answer and the reference: functions that are
passed as arguments, classes, and ``use(answer, *arguments)``, which calls the answer where calling it is not enough
(``lambda answer, x: answer(4)(x)`` for one that returns a function). ``dtype: true`` compares dtypes, ``seconds``
limits the time of a run (5), ``function`` names the function where starter and reference have several in common.

The answer is the source text. The verdict is made of what the two programs of ``kb.questions.judge`` return from
sandboxes of their own; what the learner's program prints is shown and never believed.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from kb.errors import AnswerError
from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, Laboratory, Problem, Question, Verdict, text_answer
from kb.questions.number import Tolerance

if TYPE_CHECKING:
    from kb.questions.judge import Judge


class CodeFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    starter: Annotated[str, Meta(description="What the learner begins with; it must fail the tests.")]
    reference: Annotated[str, Meta(description="The right answer; defines the same function.")]
    tests: Annotated[
        str,
        Meta(description="cases(rng) yields tuples of arguments; check(answer, rng) raises where a property fails."),
    ]
    tolerance: Annotated[
        str | int | float | None, Meta(description="1% is relative; a number t allows t * max(1, |expected|).")
    ] = None
    wrong: Annotated[list[str], Meta(description="Sources that must fail the tests.")] = []
    given: Annotated[str, Meta(description="Python that both the answer and the reference may use.")] = ""
    function: Annotated[
        str | None, Meta(description="The function that is asked for, where several could be meant.")
    ] = None
    dtype: Annotated[bool, Meta(description="Compare dtypes too.")] = False
    seconds: Annotated[float, Meta(description="How long one run may take.")] = 5.0


class Code(Question):
    """A function that is run beside a reference."""

    kind = "code"
    Fields = CodeFields
    fields: CodeFields
    how = "write the function"

    def __init__(self, name: str, card: QuestionCard) -> None:
        super().__init__(name, card)
        for key in ("given", "reference", "tests"):
            _definitions(name, (key,), getattr(self.fields, key))
        self.function = self._function()
        if not {"cases", "check"} & set(_definitions(name, ("tests",), self.fields.tests)):
            raise CardError(name, ("tests",), "define cases(rng), check(answer, rng), or both")
        if not 0 < self.fields.seconds <= 60:
            raise CardError(name, ("seconds",), "a run takes above 0 and at most 60 seconds")
        try:
            self.tolerance = Tolerance.of(self.fields.tolerance)
        except AnswerError as error:
            raise CardError(name, ("tolerance",), str(error), "write 1e-9 or 1%") from None
        self.how = f"write {self.function}"

    def _function(self) -> str:
        """The name of the function that is asked for: the one that starter and reference both define."""
        reference = _definitions(self.name, ("reference",), self.fields.reference)
        if self.fields.function is not None:
            if self.fields.function not in reference:
                raise CardError(self.name, ("reference",), f"{self.fields.function} is not defined here")
            return self.fields.function
        try:
            starter = _definitions(self.name, ("starter",), self.fields.starter)
        except CardError:  # a starter may have holes that are no Python yet
            starter = re.findall(r"^(?:def|class)\s+(\w+)", self.fields.starter, re.MULTILINE)
        both = [name for name in reference if name in starter]
        if len(both) == 1:
            return both[0]
        if not both:
            raise CardError(
                self.name, ("reference",), "defines no function that the starter defines", "name them alike"
            )
        message = f"the starter and the reference both define {', '.join(both)}"
        raise CardError(self.name, ("starter",), message, "say which is asked for with `function:`")

    def formula_names(self) -> set[str]:
        return set(self.parameters.names) if re.search(r"\bvalues\b", self.fields.tests) else set()

    def ask(self, seed: int) -> Ask:
        return self.prepare(seed, starter=self.fields.starter)

    def parse(self, line: str, ask: Ask) -> str:
        return self._source(line)

    def _source(self, answer: Any) -> str:
        source = text_answer(answer, "the code")
        if "\0" in source:
            raise AnswerError("the code holds a null character")
        if not source.strip():
            raise AnswerError("there is no code")
        return source

    def grade(self, answer: Any, ask: Ask, laboratory: Laboratory) -> Verdict:
        source = self._source(answer)
        judge = self._judge(ask, laboratory)
        failure = judge.judge(source)
        printed = f"it printed\n{judge.printed()}" if judge.printed() else ""
        if failure is None:
            note = f"It agrees with the reference on {judge.held} case{'s' if judge.held > 1 else ''}."
            return Verdict(correct=True, expected=self.expected(ask), note=note, detail=printed)
        detail = "\n\n".join(part for part in (failure.detail, printed) if part)
        return Verdict(correct=False, expected=self.expected(ask), why=failure.message, detail=detail)

    def _judge(self, ask: Ask, laboratory: Laboratory) -> Judge:
        from kb.questions.compare import Closeness  # only who answers pays for the machinery
        from kb.questions.judge import Judge, Tests

        fields = self.fields
        tests = Tests(
            question=self.name,
            function=self.function,
            given=fields.given,
            reference=fields.reference,
            tests=fields.tests,
            values=ask.values,
            closeness=Closeness(self.tolerance, fields.dtype),
            seconds=fields.seconds,
        )
        return Judge(tests, ask.seed, laboratory)

    def expected(self, ask: Ask) -> str:
        return f"```python\n{self.fields.reference.strip()}\n```"

    def reference(self, ask: Ask) -> str:
        return self.fields.reference

    def lint(self, laboratory: Laboratory, seeds: Sequence[int] = tuple(range(3))) -> Iterator[Problem]:
        problems = list(self._lint_texts())
        yield from problems
        if problems:
            return
        for seed in seeds[:3]:  # each takes a run of the tests and one of every source
            try:
                faults = list(self._lint_sources(self.ask(seed), laboratory))
            except CardError as error:
                yield Problem("/".join(map(str, error.pointer)), "code-tests", error.message, error.cure or "mend it")
                return
            yield from faults
            if faults:
                return

    def _lint_sources(self, ask: Ask, laboratory: Laboratory) -> Iterator[Problem]:
        """The reference must pass; the starter and every wrong solution must fail."""
        judge = self._judge(ask, laboratory)
        failure = judge.judge(self.fields.reference)
        if failure is not None:
            message = f"the reference fails its own tests (seed {ask.seed}): {failure.message} {failure.detail}"
            yield Problem("reference", "reference-fails", " ".join(message.split())[:400], "make the two agree")
            return
        if judge.judge(self.fields.starter) is None:
            message = f"the starter passes the tests (seed {ask.seed})"
            yield Problem("starter", "starter-passes", message, "leave out what is asked for")
        for place, source in enumerate(self.fields.wrong):
            if judge.judge(source) is None:
                message = f"a solution listed as wrong passes the tests (seed {ask.seed})"
                yield Problem(f"wrong/{place}", "wrong-passes", message, "add a case that catches it")


def _definitions(name: str, pointer: tuple[str, ...], source: str) -> list[str]:
    """The functions and classes that ``source`` defines at its top level; raises CardError if it is not Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
    except SyntaxError as error:
        raise CardError(name, pointer, f"line {error.lineno}: {error.msg}", "mend the Python") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise CardError(name, pointer, f"is not Python: {error}") from None
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
