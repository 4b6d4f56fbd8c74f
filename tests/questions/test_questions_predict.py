"""Predictions are settled by running what they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kb.errors import AnswerError
from kb.questions.base import CardError, Question, Verdict

Make = Callable[..., Question]

FFT = """
kind: predict
draw: {n: [8, 16]}
ask: How many for {n}?
demo: fft
parameters: {n: "{n}", window: hann}
metric: operations
tolerance: 5%
"""


def fft(report: Any, n: int, window: str) -> None:
    assert type(n) is int
    report.metric("operations", n * 10.0, "ops")
    report.metric("exact", n * 10)
    report.metric("name", f"fft-{window}")
    report.metric("fast", True)
    report.metric("nothing", float("nan"))
    report.curve([1, 2], {"a": [1, 2]})


@pytest.fixture
def demo(bench: Any) -> Any:
    bench.demos["fft"] = fft
    return bench


def grade(question: Question, answer: Any, bench: Any, seed: int = 0) -> Verdict:
    return question.grade(answer, question.ask(seed), bench)


@pytest.mark.parametrize(("factor", "correct"), [(10.0, True), (10.4, True), (10.6, False), (9.6, True)])
def test_a_metric_is_predicted_within_tolerance(factor: float, correct: bool, make: Make, demo: Any) -> None:
    question = make(FFT)
    n = question.ask(0).values["n"]
    verdict = grade(question, factor * n, demo)
    assert (verdict.correct, verdict.expected) == (correct, f"{10 * n} ops")
    assert verdict.figure is not None and verdict.figure.figures
    assert grade(question, f"{factor * n} ops", demo).correct is correct


def test_a_near_miss_and_a_wrong_unit_are_told(make: Make, demo: Any) -> None:
    question = make(FFT)
    n = question.ask(0).values["n"]
    assert "1000" in grade(question, n * 10_000, demo).why
    with pytest.raises(AnswerError, match="measures bytes"):
        grade(question, "3 GB", demo)


@pytest.mark.parametrize(
    ("metric", "right", "wrong", "expected"),
    [
        ("name", " FFT-Hann", "fft-box", "fft-hann"),
        ("fast", "yes", "no", "yes"),
        ("fast", True, False, "yes"),
        ("exact", 80, 81, "80"),
    ],
)
def test_texts_and_yes_or_no_can_be_predicted(
    metric: str, right: Any, wrong: Any, expected: str, make: Make, demo: Any
) -> None:
    question = make(FFT, draw={"n": [8]}, metric=metric, tolerance=None)
    assert grade(question, right, demo).correct is True
    verdict = grade(question, wrong, demo)
    assert (verdict.correct, verdict.expected) == (False, expected)


def test_statements_about_the_value_become_options(make: Make, demo: Any) -> None:
    options = [
        {"text": "below {= 5*n}", "when": "value < 5*n", "why": "Too few."},
        {"text": "at least {= 5*n}", "when": "value >= 5*n"},
    ]
    question = make(FFT, options=options)
    ask = question.ask(3)
    n = ask.values["n"]
    right = ask.options.index(f"at least {5 * n}")
    verdict = question.grade(right, ask, demo)
    assert (verdict.correct, verdict.expected) == (True, f"at least {5 * n} ({10 * n} ops)")
    assert question.grade(1 - right, ask, demo).why == "Too few."
    assert question.grade(f"at least {5 * n}", ask, demo).correct
    assert question.parse(str(right + 1), ask) == right
    assert question.reveal(ask, demo) == f"at least {5 * n}"


def test_labels_become_options(make: Make, demo: Any) -> None:
    question = make(FFT, draw={"n": [8]}, metric="name", options=["fft-hann", "fft-box"])
    ask = question.ask(0)
    verdict = question.grade(ask.options.index("fft-hann"), ask, demo)
    assert (verdict.correct, verdict.expected) == (True, "fft-hann")
    assert question.grade(ask.options.index("fft-box"), ask, demo).correct is False


@pytest.mark.parametrize("answer", [None, [], [0, 1], 2, -1, True, 0.5, "neither", {}])
def test_malformed_choices_are_refused_before_anything_runs(answer: Any, make: Make, demo: Any) -> None:
    question = make(FFT, options=["a", "b"])
    with pytest.raises(AnswerError):
        grade(question, answer, demo)
    assert demo.runs == []


@pytest.mark.parametrize("answer", [None, [], {}, "", "  ", "x" * 100_001])
def test_malformed_predictions_are_refused_before_anything_runs(answer: Any, make: Make, demo: Any) -> None:
    with pytest.raises(AnswerError):
        grade(make(FFT), answer, demo)
    assert demo.runs == []


@pytest.mark.parametrize(
    ("keys", "pointer", "says"),
    [
        ({"metric": "speed"}, ("metric",), "reports no metric 'speed'; it reports operations, exact"),
        ({"metric": "nothing"}, ("metric",), "NaN"),
        ({"options": ["a", "b"]}, ("options",), "none of the options hold"),
        ({"options": [{"text": "a", "when": "value > 0"}, {"text": "b", "when": "value > 1"}]}, ("options",), "2 of"),
        ({"options": [{"text": "a", "when": "1/(value-value)"}, "b"]}, ("options", 0, "when"), "divides by zero"),
    ],
)
def test_a_card_that_does_not_fit_its_demo_says_where(
    keys: dict[str, Any], pointer: tuple[str | int, ...], says: str, make: Make, demo: Any
) -> None:
    question = make(FFT, **keys)
    with pytest.raises(CardError) as caught:
        grade(question, 0 if "options" in keys else "80", demo)
    assert caught.value.pointer == pointer and says in str(caught.value)
    assert [problem.pointer for problem in question.lint(demo)] == [pointer]


SNIPPET = """
kind: predict
draw: {n: [3]}
ask: What is printed?
snippet: |
  print("start")
  squares = {i: i * i for i in range({n})}
  print(squares)
  print(sum(squares.values()))
"""


def test_the_snippet_is_shown_with_its_values(make: Make) -> None:
    ask = make(SNIPPET).ask(0)
    assert "```python" in ask.text and "range(3)" in ask.text and "{i: i * i" in ask.text


@pytest.mark.parametrize(
    ("line", "answer", "correct"),
    [(None, "5", True), (None, 5, True), (None, "6", False), (2, "{0:0,1:1, 2:4}", True), (2, "{0: 0}", False)],
)
def test_a_printed_line_is_predicted(line: int | None, answer: Any, correct: bool, make: Make, bench: Any) -> None:
    question = make(SNIPPET, **({} if line is None else {"line": line}))
    verdict = grade(question, answer, bench)
    assert verdict.correct is correct
    assert verdict.detail.startswith("it printed:\nstart")
    assert list(question.lint(bench)) == []


def test_a_snippet_that_fails_or_prints_too_little_says_so(make: Make, bench: Any) -> None:
    for keys, pointer, says in (
        ({"snippet": "print({n} / 0)"}, ("snippet",), "ZeroDivisionError"),
        ({"line": 9}, ("line",), "prints 3 lines"),
        ({"snippet": "x = {n}"}, ("line",), "prints 0 lines"),
    ):
        question = make(SNIPPET, **keys)
        with pytest.raises(CardError) as caught:
            grade(question, "1", bench)
        assert caught.value.pointer == pointer and says in str(caught.value)


def test_before_it_is_run_the_way_to_run_it_is_all_that_is_known(make: Make) -> None:
    question = make(FFT, draw={"n": [8]})
    assert question.expected(question.ask(0)) == "`operations` of `kb demo fft --n 8 --window hann`"
