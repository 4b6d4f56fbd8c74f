"""What holds for every built-in kind; the examples are those of the kinds' own documentation."""

from __future__ import annotations

import importlib
import json
import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kb.errors import AnswerError, ContentError, SandboxError
from kb.knowledge.model import QuestionCard
from kb.questions.base import Ask, CardError, NoLaboratory, Problem, Question

NAMES = ["choice", "cloze", "numeric", "order", "recall", "predict", "code"]
PURE = NAMES[:5]
Make = Callable[..., Question]


def examples(kind: str) -> list[str]:
    doc = importlib.import_module(f"kb.questions.{kind}").__doc__ or ""
    return [textwrap.dedent(block) for block in re.findall(r"\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", doc)]


EXAMPLES = [(kind, text) for kind in NAMES for text in examples(kind)]
PURE_EXAMPLES = [(kind, text) for kind, text in EXAMPLES if kind in PURE]


def test_every_kind_has_an_example(kinds: dict[str, type[Question]]) -> None:
    assert list(kinds) != [] and sorted(kinds) == sorted(NAMES)
    assert {kind for kind, _ in EXAMPLES} == set(NAMES)


def prepared(make: Make, text: str, bench: Any) -> Question:
    bench.demos["fft"] = lambda report, n: report.metric("operations", n // 2 * (n.bit_length() - 1))
    return make(text)


@pytest.mark.parametrize(("kind", "text"), EXAMPLES)
def test_examples_are_asked_answered_and_free_of_faults(kind: str, text: str, make: Make, bench: Any) -> None:
    question = prepared(make, text, bench)
    ask = question.ask(3)
    assert (ask.kind, ask.seed, ask.question) == (kind, 3, "topic/q")
    assert ask.text.strip() and "{" not in ask.text.replace("{d}", "")
    assert question.how.strip()
    assert question.reveal(ask, bench).strip()
    assert "{" not in question.explain(ask).replace("$n^2$", "")
    answer = question.reference(ask)
    if answer is not None:
        verdict = question.grade(json.loads(json.dumps(answer)), ask, bench)
        assert verdict.correct is (None if kind == "recall" else True)
        assert verdict.why == ""
    assert list(question.lint(bench)) == []


@settings(max_examples=60)
@given(st.sampled_from(PURE_EXAMPLES), st.integers(-(2**70), 2**70))
def test_the_same_seed_asks_the_same(make: Make, example: tuple[str, str], seed: int) -> None:
    one, other = make(example[1]).ask(seed), make(example[1]).ask(seed)
    assert one == other
    json.dumps({"options": one.options, "items": one.items, "values": dict(one.values)})


@settings(max_examples=60)
@given(st.sampled_from(PURE_EXAMPLES), st.integers())
def test_the_reference_answer_is_right_for_every_seed(make: Make, example: tuple[str, str], seed: int) -> None:
    question = make(example[1])
    ask = question.ask(seed)
    verdict = question.grade(question.reference(ask), ask, NoLaboratory())
    assert verdict.correct in (True, None)
    assert verdict.score in (None, 1.0)


@settings(max_examples=60)
@given(st.sampled_from(PURE_EXAMPLES), st.integers())
def test_what_is_shown_is_a_permutation_of_what_is_written(make: Make, example: tuple[str, str], seed: int) -> None:
    ask = make(example[1]).ask(seed)
    shown = ask.options or ask.items
    assert sorted(ask.written) == list(range(len(shown)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(EXAMPLES), json_values)
def test_any_json_gets_a_verdict_or_an_answer_error(make: Make, example: tuple[str, str], answer: object) -> None:
    question = make(example[1])
    ask = question.ask(1)
    try:
        question.grade(answer, ask, NoLaboratory())
    except AnswerError as error:
        assert str(error) and "\n" not in str(error)
    except SandboxError:
        assert question.kind in ("code", "predict")  # the answer was fit to be judged


@settings(max_examples=300)
@given(st.sampled_from(EXAMPLES), st.text(max_size=30))
def test_any_line_is_an_answer_or_an_answer_error(make: Make, example: tuple[str, str], line: str) -> None:
    question = make(example[1])
    ask = question.ask(1)
    try:
        answer = question.parse(line, ask)
    except AnswerError as error:
        assert str(error) and "\n" not in str(error)
        return
    assert json.loads(json.dumps(answer)) == answer
    try:
        question.grade(answer, ask, NoLaboratory())  # what parse lets through, grade takes
    except SandboxError:
        assert question.kind in ("code", "predict")


CHOICE = "{kind: choice, options: [{text: a, right: true}, {text: b, why: w}, {text: c, why: w}]}"
SEVERAL = "{kind: choice, options: [{text: a, right: true}, {text: b, right: true}, {text: c, why: w}]}"
CLOZE = '{kind: cloze, ask: "{{a}} and {{b}}"}'
NUMERIC = "{kind: numeric, answer: 16, unit: GB}"
ORDER = "{kind: order, items: [a, b, c]}"
RECALL = "{kind: recall, answer: a}"
HUGE = "x" * 100_001


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (CHOICE, [None, True, 1.0, "1", -1, 3, [], [0, 1], [0, 0], [True], ["0"], {}, 10**30, float("nan")]),
        (SEVERAL, [None, True, [], [0, 0], [0, 3], [-1], [[0]], "0,1", [0.0]]),
        (CLOZE, [None, "a", ["a"], ["a", "b", "c"], ["a", 1], ["", " "], {}, 3, [HUGE, "b"], ["\ud800", "b"]]),
        (NUMERIC, [None, True, "", "lots", [16], {}, "16 s", float("nan"), float("inf"), HUGE, "\ud800"]),
        (ORDER, [None, [0, 1], [0, 1, 1], [0, 1, 3], [0, 1, 2, 2], ["0", 1, 2], [True, 0, 2], "012", 0, [0.0, 1, 2]]),
        (RECALL, [None, 3, [], HUGE, "\ud800"]),
    ],
)
def test_malformed_answers_are_refused_with_a_line(text: str, answers: list[Any], make: Make) -> None:
    question = make(text)
    ask = question.ask(0)
    for answer in answers:
        with pytest.raises(AnswerError) as caught:
            question.grade(answer, ask, NoLaboratory())
        assert str(caught.value) and "\n" not in str(caught.value), answer


@pytest.mark.parametrize(
    ("text", "pointer", "says"),
    [
        ("{kind: choice, options: [], other: 1}", (), "unknown field `other`"),
        ("{kind: choice}", (), "missing required field `options`"),
        ("{kind: choice, options: [{text: a, right: 3}]}", ("options", 0, "right"), "Expected `bool`, got `int`"),
        ("{kind: choice, options: [{text: a, right: true}]}", ("options",), "2 to 26 options, not 1"),
        ("{kind: choice, options: [{text: a}, {text: b}]}", ("options",), "no option is right"),
        (
            "{kind: choice, options: [{text: yes, right: true}, {text: b}]}",
            ("options", 0, "text"),
            'put "quotes" around it',
        ),
        ("{kind: choice, options: [{text: a, right: true}, {text: b, wy: w}]}", ("options", 1), "unknown field `wy`"),
        ("{kind: cloze, ask: no gap}", ("ask",), "at least one gap"),
        ('{kind: cloze, ask: "{{a|}}"}', ("ask",), "has an empty answer"),
        ("{kind: cloze, ask: '{{a}}', reject: {b: 1}}", ("reject",), "Expected `str`, got `int`"),
        ("{kind: numeric, answer: m + 1}", ("answer",), "'m' is no number"),
        ("{kind: numeric, answer: true}", ("answer",), 'put "quotes" around it'),
        ("{kind: numeric, answer: 1, tolerance: close}", ("tolerance",), "'close' is no number"),
        ("{kind: numeric, answer: 1, mistakes: [{answer: m, why: w}]}", ("mistakes", 0, "answer"), "'m' is no number"),
        ("{kind: order, items: [a]}", ("items",), "2 to 20 items"),
        ("{kind: order, items: [a, no]}", ("items", 1), 'put "quotes" around it'),
        ("{kind: recall, answer: ' '}", ("answer",), "is empty"),
        ("{kind: recall, answer: a, draw: {n: []}}", ("draw", "n"), "nothing to draw from"),
        ("{kind: recall, answer: a, draw: {n: [1]}, where: m}", ("where",), "'m' is no number"),
        ("{kind: predict}", (), "nothing to run"),
        ("{kind: predict, demo: d}", (), "nothing to run"),
        ("{kind: predict, snippet: print(1), metric: m}", ("snippet",), "neither a metric"),
        ("{kind: predict, snippet: print(1), line: 0}", ("line",), "number of a line"),
        ("{kind: predict, demo: d, metric: m, options: [a]}", ("options",), "no choice"),
        ("{kind: predict, demo: d, metric: m, options: [a, {text: b, when: z}]}", ("options", 1, "when"), "'z' is no"),
    ],
)
def test_a_card_that_makes_no_question_is_refused_where_it_is_wrong(
    text: str, pointer: tuple[str | int, ...], says: str, make: Make
) -> None:
    with pytest.raises(CardError) as caught:
        make(text)
    assert says in str(caught.value) and "topic/q" in str(caught.value)
    assert caught.value.pointer == pointer
    assert isinstance(caught.value, ContentError)


LINTED = [
    ("{kind: choice, options: [{text: a, right: true}, {text: b}]}", "options/1", "distractor-why"),
    ("{kind: choice, options: [{text: a, right: true}, {text: b, right: true}]}", "options", "all-right"),
    ("{kind: choice, options: [{text: a, right: true}, {text: ' a', why: w}]}", "options", "equal-options"),
    (
        "{kind: choice, draw: {n: [2]}, options: [{text: '{= 2*n}', right: true}, {text: '{= n^2}', why: w}]}",
        "where",
        "draw",
    ),
    ("{kind: recall, ask: 'is {n} {m}', draw: {n: [1]}, answer: a}", "ask", "drawn-name"),
    ("{kind: recall, answer: 'is {m}'}", "answer", "drawn-name"),
    ("{kind: recall, answer: a, draw: {n: [1]}}", "draw/n", "unused-draw"),
    ("{kind: recall, answer: a, ask: '{n}', draw: {n: [1, 2]}, where: n > 3}", "where", "draw"),
    ("{kind: recall, answer: a, why: '{= 1/n}', draw: {n: [0]}}", "why", "draw"),
    ("{kind: cloze, ask: 'Attention has {{queries}}, so name queries.'}", "ask", "gap-given-away"),
    ("{kind: cloze, ask: 'It {{attends}}.', hint: it attends}", "ask", "gap-given-away"),
    ("{kind: cloze, ask: '{{Adam|adamw}}', reject: {AdamW: w}}", "reject/AdamW", "reject-accepted"),
    ("{kind: cloze, ask: 'a {{b}} $x_{{i}}$'}", "ask", "gap-in-maths"),
    ("{kind: numeric, answer: 1 / n, draw: {n: [0]}}", "answer", "draw"),
    ("{kind: numeric, answer: n, draw: {n: [0]}, tolerance: 1%}", "tolerance", "tolerance-of-zero"),
    ("{kind: numeric, answer: 1/3, tolerance: 1e-12}", "tolerance", "tolerance-too-tight"),
    (
        "{kind: numeric, answer: 2*n, draw: {n: [2]}, mistakes: [{answer: n^2, why: w}]}",
        "mistakes/0/answer",
        "mistake-is-right",
    ),
    (
        "{kind: numeric, answer: 9, mistakes: [{answer: 3, why: w}, {answer: 1 + 2, why: w}]}",
        "mistakes/1/answer",
        "mistakes-alike",
    ),
    ("{kind: order, items: [a, b, ' a']}", "items", "equal-items"),
    ("{kind: order, items: ['{n}', '{m}'], draw: {n: [1], m: [1]}}", "where", "draw"),
]


@pytest.mark.parametrize(("text", "key", "rule"), LINTED, ids=[rule for _, _, rule in LINTED])
def test_lint_finds(text: str, key: str, rule: str, make: Make) -> None:
    problems = list(make(text).lint(NoLaboratory()))
    assert (key, rule) in [(problem.key, problem.rule) for problem in problems]
    assert all(problem.message and problem.cure for problem in problems)


@pytest.mark.parametrize(
    "ask",
    [
        "The {{queries}} of a query.",
        "Of η and {{1 − η}} the error is 1 minus the larger, η.",
        "A {{batch norm}}: it normalises over the batch, and has a norm.",
        "Of $n$ tokens {{16}} attend to 16.",
    ],
)
def test_lint_takes_only_the_whole_answer_for_given_away(ask: str, make: Make) -> None:
    assert list(make("kind: cloze", ask=ask).lint(NoLaboratory())) == []


def test_a_problems_key_leads_into_the_card() -> None:
    assert Problem("options/2/why", "r", "m", "c").pointer == ("options", 2, "why")


def test_a_question_that_needs_the_laboratory_says_so_where_there_is_none(make: Make) -> None:
    question = make(examples("code")[0])
    ask = question.ask(0)
    with pytest.raises(SandboxError):
        question.grade("x = 1", ask, NoLaboratory())


class TrueFalse(Question):
    """A kind as a third party would write it."""

    kind = "true-false"

    def ask(self, seed: int) -> Ask:
        return self.prepare(seed)

    def parse(self, line: str, ask: Ask) -> bool:
        return line.strip() == "t"

    def grade(self, answer: Any, ask: Ask, laboratory: Any) -> Any:
        from kb import Verdict

        return Verdict(correct=answer is True, expected=self.expected(ask))

    def expected(self, ask: Ask) -> str:
        return "true"


class Backwards(TrueFalse):
    """A kind whose reference answer fails its own grader."""

    kind = "backwards"

    def reference(self, ask: Ask) -> bool:
        return False


def test_lint_grades_the_reference_answer_of_any_kind() -> None:
    card = QuestionCard(id="q", kind="backwards", ask="?", why="w")
    (problem,) = Backwards("topic/q", card).lint(NoLaboratory())
    assert (problem.key, problem.rule) == ("answer", "reference-answer")


def test_a_kind_of_a_plugin_gets_parameters_and_texts() -> None:
    keys = yaml.safe_load("{id: q, kind: true-false, ask: 'Is {n} odd?', why: '{n} is.', draw: {n: [1, 3], k: [4]}}")
    question = TrueFalse("topic/q", QuestionCard(**keys))
    ask = question.ask(0)
    assert ask.text == f"Is {ask.values['n']} odd?"
    assert question.explain(ask) == f"{ask.values['n']} is."
    assert list(question.lint(NoLaboratory())) == []  # what it does with k is its own affair
    with pytest.raises(CardError, match="unknown field `x`"):
        TrueFalse("topic/q", QuestionCard(**keys, fields={"x": 1}))
