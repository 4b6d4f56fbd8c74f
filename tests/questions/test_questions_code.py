"""Code is judged by what it returns, in a process that knows nothing of what is expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kb.errors import AnswerError, MissingExtra
from kb.questions import judge as judging
from kb.questions.base import CardError, Question, Verdict

Make = Callable[..., Question]

DOUBLE = """
kind: code
starter: |
  def double(x):
      ...
reference: |
  def double(x):
      return 2 * x
tests: |
  def cases(rng):
      for _ in range(3):
          yield (rng.randint(1, 99),)
tolerance: 1e-9
"""


def grade(question: Question, source: str, bench: Any, seed: int = 0) -> Verdict:
    return question.grade(source, question.ask(seed), bench)


def test_the_starter_is_shown_and_the_reference_is_what_is_expected(make: Make) -> None:
    question = make(DOUBLE)
    ask = question.ask(0)
    assert ask.starter == "def double(x):\n    ...\n"
    assert question.expected(ask) == "```python\ndef double(x):\n    return 2 * x\n```"
    assert question.how == "write double"


def test_another_way_to_write_it_passes(make: Make, bench: Any) -> None:
    verdict = grade(make(DOUBLE), "import math\n\ndef double(x):\n    return math.fsum([x, x])\n", bench)
    assert verdict.correct and verdict.note == "It agrees with the reference on 3 cases."


def test_a_wrong_result_is_shown_with_its_input(make: Make, bench: Any) -> None:
    verdict = grade(make(DOUBLE), "def double(x):\n    print('here', x)\n    return x * x\n", bench)
    assert not verdict.correct
    assert verdict.why.startswith("A result is wrong: off by ")
    lines = verdict.detail.splitlines()
    assert lines[0] == "case 1 of 3"
    x = int(lines[1].removeprefix("  double(").removesuffix(")"))
    assert lines[2:4] == [f"  expected  {2 * x}", f"  got       {x * x}"]
    assert f"here {x}" in verdict.detail and "it printed" in verdict.detail


def test_the_same_seed_gives_the_same_inputs_and_another_seed_others(make: Make, bench: Any) -> None:
    question = make(DOUBLE)
    details = [grade(question, "def double(x): return None", bench, seed).detail for seed in (1, 1, 2)]
    assert details[0] == details[1] != details[2]


FAILING = {
    "def double(x): return x": "A result is wrong",
    "def double(x): return [2 * x]": "a list where a whole number is expected",
    "def double(x): return str(2 * x)": "a text where a whole number is expected",
    "def double(x): return float('nan')": "nan where",
    "def double(x): pass": "None where",
    "def double(x): return x.nope": "Your code raised AttributeError on line 1",
    "def double(x): raise SystemExit": "Your code raised SystemExit",
    "def double(x):\n    import sys\n    sys.exit(0)": "Your code raised SystemExit on line 3: 0",
    "def double(x): return double(x)": "RecursionError",
    "def double(x, y): return 2 * x": "Your code raised TypeError",
    "double = 3": "double is not defined",
    "def triple(x): return 3 * x": "double is not defined",
    "def double(x)\n    return 2 * x": "Your code could not be run: line 1: SyntaxError: expected ':'",
    "x = 1 / 0": "Your code could not be run: line 1: ZeroDivisionError",
    "raise KeyboardInterrupt": "Your code could not be run: line 1: KeyboardInterrupt",
    "import os\nos._exit(0)": "did not come to its end",
    "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)": "did not come to its end",
}


@pytest.mark.parametrize(("source", "says"), FAILING.items(), ids=range(len(FAILING)))
def test_failures_are_explained(source: str, says: str, make: Make, bench: Any) -> None:
    verdict = grade(make(DOUBLE), source, bench)
    assert verdict.correct is False and says in verdict.why


TRICKS = {
    "an object equal to everything": """
class Yes(int):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0
    __rsub__ = __abs__ = __float__ = lambda *a: 0
def double(x): return Yes(0)
""",
    "a float with a lying comparison": """
class Yes(float):
    def __eq__(self, other): return True
    def hex(self): return '0x1p0'
def double(x): return Yes(0)
""",
    "patched builtins": """
import builtins, math
builtins.abs = lambda value: 0
builtins.isinstance = lambda *a: True
math.isnan = lambda value: True
def double(x): return -1
""",
    "a patched encoder": """
import sys
def double(x): return -1
for name, module in list(sys.modules.items()):
    if name.startswith('kb'):
        module.difference = lambda *a: None
        module.encode = lambda *a, **k: ['n']
        module._result = lambda *a, **k: ['n']
""",
    "looking for the reference in memory": """
import gc, sys
def double(x):
    for thing in gc.get_objects():
        if isinstance(thing, dict) and 'reference' in thing and callable(thing.get('reference')):
            return thing['reference'](x)
    frame = sys._getframe()
    while frame:
        for value in list(frame.f_locals.values()) + list(frame.f_globals.values()):
            if isinstance(value, dict) and isinstance(value.get('reference'), str):
                space = {}
                exec(value['reference'], space)
                return space['double'](x)
        frame = frame.f_back
    return -1
""",
    "claiming the verdict": """
import sys
print('{"results": "passed"}', file=sys.__stdout__)
def double(x): print('correct'); return True
""",
    "returning what answers returns": """
def double(x): return {"results": [["i", "0x2"]]}
""",
    "taking the later inputs away": """
import sys
def double(x):
    frame, calls = sys._getframe(), 0
    while frame:
        if isinstance(frame.f_locals.get('payload'), dict):
            frame.f_locals['payload']['inputs'].clear()
        frame = frame.f_back
    return 2 * x if not done.append(x) and len(done) == 1 else -1
done = []
""",
    "taking the inputs away and claiming a hang": """
import sys
class TooSlow(BaseException): pass
def double(x):
    frame = sys._getframe()
    while frame:
        if isinstance(frame.f_locals.get('payload'), dict):
            frame.f_locals['payload']['inputs'].clear()
        frame = frame.f_back
    raise TooSlow
""",
}


@pytest.mark.parametrize("trick", TRICKS, ids=str)
def test_tampering_does_not_pass(trick: str, make: Make, bench: Any) -> None:
    assert grade(make(DOUBLE), TRICKS[trick], bench).correct is False


def test_the_learners_program_holds_neither_reference_nor_tests(make: Make, bench: Any) -> None:
    question = make(DOUBLE.replace("2 * x", "x + x  # SECRET").replace("def cases", "# HIDDEN\n  def cases"))
    assert grade(question, "def double(x): return 2 * x  # MINE", bench).correct
    mine = [run for run in bench.runs if "MINE" in run]
    assert len(mine) == 1 and "SECRET" not in mine[0] and "HIDDEN" not in mine[0]
    theirs = [run for run in bench.runs if "SECRET" in run]
    assert len(theirs) == 1 and "MINE" not in theirs[0]


@pytest.mark.slow
def test_a_hanging_answer_is_told_with_its_case(make: Make, bench: Any) -> None:
    question = make(DOUBLE, seconds=1.0)
    verdict = grade(question, "def double(x):\n    while True: pass", bench)
    assert verdict.correct is False and "took too long" in verdict.why and "double(" in verdict.detail
    assert "did not come to its end" in grade(question, STUBBORN, bench).why


STUBBORN = """
import time

def double(x):
    while True:
        try:
            time.sleep(1)
        except BaseException:
            pass
"""


@pytest.mark.parametrize("answer", [None, 3, True, ["def f"], "", "  \n", "a\0b", "x" * 100_001, "\ud800"])
def test_what_is_no_source_is_refused(answer: Any, make: Make, bench: Any) -> None:
    with pytest.raises(AnswerError):
        grade(make(DOUBLE), answer, bench)
    assert bench.runs == []


# --- check(answer, rng) ----------------------------------------------------------------------------------------------

NORMALISE = """
kind: code
starter: |
  def normalise(values):
      ...
reference: |
  def normalise(values):
      total = sum(values)
      if total == 0:
          raise ValueError("nothing to share")
      return [value / total for value in values]
tests: |
  def check(answer, rng):
      values = [rng.uniform(1, 2) for _ in range(4)]
      shares = answer(values)
      assert abs(sum(shares) - 1) < 1e-9, "the shares must sum to 1"
      again = answer(shares)
      assert all(abs(a - b) < 1e-9 for a, b in zip(shares, again))
      try:
          answer([0.0, 0.0])
      except ValueError:
          pass
      else:
          raise AssertionError("zeros must raise ValueError")
"""


def test_a_check_plays_against_the_answer(make: Make, bench: Any) -> None:
    question = make(NORMALISE)
    assert list(question.lint(bench)) == []
    reference = question.reference(question.ask(0))
    assert grade(question, reference, bench).note == "It agrees with the reference on 1 case."


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return values", "A property fails: the shares must sum to 1."),
        ("return [1.0] + [0.0] * (len(values) - 1)", "zeros must raise ValueError"),
        (
            "return [v / sum(values) for v in values]",
            "Your code raised ZeroDivisionError on line 2: float division by zero.",
        ),
        ("return 1 / 0", "Your code raised ZeroDivisionError on line 2: division by zero."),
        ("return None", "A property fails: TypeError"),
        ("return iter(lambda: 1, 2)", "A property fails"),
        ("return print", "A property fails"),
    ],
)
def test_a_check_that_fails_is_explained(body: str, says: str, make: Make, bench: Any) -> None:
    verdict = grade(make(NORMALISE), f"def normalise(values):\n    {body}", bench)
    assert verdict.correct is False
    assert says in verdict.why
    assert verdict.detail.startswith("the last call\n  normalise([")


def test_a_bare_assertion_shows_its_line(make: Make, bench: Any) -> None:
    tests = "def check(answer, rng):\n    assert answer(2) == 4\n"
    assert grade(make(DOUBLE, tests=tests), "def double(x): return 5", bench).why == (
        "A property fails: `assert answer(2) == 4` does not hold."
    )


def test_an_answer_that_equals_everything_does_not_pass_a_check(make: Make, bench: Any) -> None:
    tests = "def check(answer, rng):\n    assert answer(2) == 4\n    assert answer(3) == 6\n"
    assert not grade(make(DOUBLE, tests=tests), TRICKS["an object equal to everything"], bench).correct


# --- given, use, values, arrays ---------------------------------------------------------------------------------------


def test_given_functions_can_be_arguments_and_use_can_adapt(make: Make, bench: Any) -> None:
    question = make(
        """
        kind: code
        given: |
          def square(x):
              return x * x

          def use(answer, f, x):
              return answer(f)(x)
        starter: |
          def slope(f):
              ...
        reference: |
          def slope(f):
              return lambda x: (f(x + 1e-6) - f(x - 1e-6)) / 2e-6
        tests: |
          def cases(rng):
              yield (square, rng.uniform(1, 2))
        tolerance: 1e-3
        wrong: ["def slope(f): return f"]
        """
    )
    assert list(question.lint(bench)) == []
    verdict = grade(question, "def slope(f): return lambda x: 0", bench)
    assert "slope(square, " in verdict.detail


def test_drawn_values_reach_the_tests(make: Make, bench: Any) -> None:
    question = make(
        DOUBLE.replace("2 * x", "values_of(x)"),
        ask="Multiply by {k}.",
        draw={"k": [3]},
        reference="def double(x):\n    return x * values['k'] if 'values' in globals() else x * 3\n",
        tests="def cases(rng):\n    yield (values['k'],)\n",
    )
    assert grade(question, "def double(x): return 3 * x", bench).correct


def test_rng_is_pythons_and_numpys(make: Make, bench: Any) -> None:
    pytest.importorskip("numpy")
    tests = """
import numpy as np

def cases(rng):
    yield (rng.randint(1, 6),)
    yield (rng.random(),)
    yield (rng.choice([1, 2]),)
    yield (rng.gauss(0, 1),)
    yield (rng.uniform(0, 1),)
    yield (rng.uniform(0, 1, size=3),)
    yield (rng.integers(0, 9, size=(2, 3)),)
    yield (rng.normal(size=4),)
    yield (rng.standard_normal((2, 2)).astype(np.float32),)
    yield (rng.choice(5, size=2),)
    yield (rng.permutation(4),)
    items = [1, 2, 3]
    rng.shuffle(items)
    yield (rng.sample(items, 2)[0],)
"""
    question = make(DOUBLE, tests=tests)
    verdict = grade(question, "def double(x): return x + x", bench)
    assert verdict.correct, verdict
    assert verdict.note.endswith("12 cases.")
    wrong = grade(question, "def double(x): return 2 * x if not hasattr(x, 'shape') else 3 * x", bench)
    assert "differ, most at" in wrong.why


@pytest.mark.slow
def test_torch_answers_are_compared_as_tensors(make: Make, bench: Any) -> None:
    pytest.importorskip("torch")
    question = make(
        """
        kind: code
        starter: |
          import torch

          def layer_norm(x):
              ...
        reference: |
          import torch

          def layer_norm(x):
              return torch.nn.functional.layer_norm(x, x.shape[-1:])
        tests: |
          import torch

          def cases(rng):
              yield (torch.randn(3, 8),)
        wrong:
          - |
            import torch

            def layer_norm(x):
                return (x - x.mean(-1, keepdim=True)) / x.std(-1, keepdim=True)
        """
    )
    assert list(question.lint(bench)) == []
    mine = """
def layer_norm(x):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.pow(2).mean(-1, keepdim=True) + 1e-5).sqrt()
"""
    assert grade(question, mine, bench).correct
    assert "tensor([[" in grade(question, "def layer_norm(x): return x", bench).detail
    assert "shape (3, 1) where (3, 8)" in grade(question, "def layer_norm(x): return x[:, :1]", bench).why


def test_an_answer_may_change_its_arguments(make: Make, bench: Any) -> None:
    question = make(
        DOUBLE,
        reference="def double(x):\n    x.append(x.pop() * 2)\n    return list(x)\n",
        tests="def cases(rng):\n    shared = [1, 2]\n    yield (shared,)\n    yield (shared,)\n",
    )
    assert grade(question, "def double(x):\n    x[-1] *= 2\n    return x", bench).correct


# --- the card's own faults ----------------------------------------------------------------------------------------

FAULTY = [
    ({"tests": "def cases(rng):\n    yield (1 / 0,)\n"}, "tests", "line 2: ZeroDivisionError: division by zero"),
    ({"tests": "def cases(rng):\n    return []\n"}, "tests", "yields no case"),
    ({"tests": "def cases(rng):\n    for i in range(10**9): yield (i,)\n"}, "tests", "more than 500 cases"),
    ({"tests": "def cases(rng):\n    yield (print,)\n"}, "tests", "define it in `given`"),
    ({"tests": "def check(answer, rng):\n    answer(print)\n"}, "tests", "define it in `given`"),
    ({"tests": "def cases(rng):\n    yield (1,)\nraise ValueError('no')\n"}, "tests", "line 3: ValueError: no"),
    ({"tests": "def cases(rng):\n    while True: pass\n", "seconds": 0.5}, "tests", "did not come to their end"),
    ({"tests": "import os\nos._exit(0)\ndef cases(rng): ...\n"}, "tests", "did not come to their end"),
    ({"tests": "def cases(rng):\n    yield (1, 2)\n"}, "tests", "TypeError: double() takes 1"),
    ({"reference": "def double(x):\n    return undefined\n"}, "reference", "line 2: NameError"),
    ({"reference": "def double(x):\n    return print\n"}, "tests", "define it in `given`"),
    (
        {"tests": "def check(answer, rng):\n    assert answer(1) == 3\n"},
        "tests",
        "line 2: the reference fails the check",
    ),
    ({"given": "x = 1 / 0\n"}, "given", "line 1: ZeroDivisionError"),
]


@pytest.mark.parametrize(("keys", "key", "says"), FAULTY, ids=range(len(FAULTY)))
def test_a_card_that_is_itself_at_fault_says_where(
    keys: dict[str, Any], key: str, says: str, make: Make, bench: Any
) -> None:
    question = make(DOUBLE, **keys)
    with pytest.raises(CardError) as caught:
        grade(question, "def double(x): return 2 * x", bench)
    assert caught.value.pointer == (key,) and says in str(caught.value)
    (problem,) = question.lint(bench)
    assert (problem.key, problem.rule) == (key, "code-tests") and says in problem.message


@pytest.mark.parametrize(
    ("keys", "key", "says"),
    [
        ({"reference": "def double(x:\n"}, "reference", "line 1"),
        ({"tests": "def check(\n"}, "tests", "line 1"),
        ({"given": "1 +\n"}, "given", "line 1"),
        ({"tests": "x = 1\n"}, "tests", "define cases"),
        ({"reference": "def twice(x): return 2 * x\n"}, "reference", "no function that the starter defines"),
        ({"function": "twice"}, "reference", "twice is not defined here"),
        (
            {
                "starter": "def double(x): ...\ndef helper(): ...\n",
                "reference": "def double(x): ...\ndef helper(): ...\n",
            },
            "starter",
            "both define",
        ),
        ({"seconds": 0.0}, "seconds", "at most 60"),
        ({"tolerance": "near"}, "tolerance", "is no number"),
    ],
)
def test_cards_that_make_no_question(keys: dict[str, Any], key: str, says: str, make: Make) -> None:
    with pytest.raises(CardError) as caught:
        make(DOUBLE, **keys)
    assert caught.value.pointer == (key,) and says in str(caught.value)


def test_a_starter_may_be_no_python_yet(make: Make, bench: Any) -> None:
    question = make(DOUBLE, starter="def double(x):\n    return ???\n")
    assert question.how == "write double"
    assert list(question.lint(bench)) == []


def test_lint_proves_that_reference_passes_and_the_others_fail(make: Make, bench: Any) -> None:
    rules = {
        "code-tests": {"tests": "def check(answer, rng):\n    assert answer(1) == 3\n"},
        "reference-fails": {"reference": "import time\ndef double(x): return time.monotonic()\n", "wrong": []},
        "starter-passes": {"starter": "def double(x): return x + x\n"},
        "wrong-passes": {"wrong": ["def double(x): return x\n", "def double(x): return x * 2.0\n"]},
    }
    for rule, keys in rules.items():
        problems = list(make(DOUBLE, **keys).lint(bench))
        assert [problem.rule for problem in problems] == [rule]
    assert problems[0].key == "wrong/1"


def test_a_library_that_is_not_there_names_the_extra(make: Make, bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "EXTRAS", ("nowhere",))
    with pytest.raises(MissingExtra, match="nowhere"):
        grade(make(DOUBLE, tests="import nowhere\ndef cases(rng): ...\n"), "def double(x): ...", bench)


def test_the_programs_carry_all_they_need() -> None:
    """What runs in the sandbox may not import kb, for it is not there: only what was sent before."""
    sent = [f"kb.questions.{part}" for part in (*judging.PARTS, "answers")]
    for place, name in enumerate(sent):
        text = judging.text_of(name.rpartition(".")[2])
        imported = [line.split()[1] for line in text.splitlines() if line.startswith(("from kb", "import kb"))]
        assert set(imported) <= set(sent[:place])


def test_a_check_takes_three_runs_unless_it_makes_arguments_of_answers(make: Make, bench: Any) -> None:
    tests = "def check(answer, rng):\n    for x in range(20):\n        assert answer(x) == 2 * x\n"
    assert grade(make(DOUBLE, tests=tests), "def double(x): return x + x", bench).correct
    assert len(bench.runs) == 3
    bench.runs.clear()
    tests = "def check(answer, rng):\n    x = answer(0.1)\n    for _ in range(3):\n        x = answer(x)\n"
    assert grade(make(DOUBLE, tests=tests), "def double(x): return x + x", bench).correct
    assert len(bench.runs) == 3
    bench.runs.clear()
    assert grade(make(DOUBLE, tests=tests), "def double(x): return x + 1", bench).correct
    assert len(bench.runs) == 3 + 2 * 3  # its answers are others, and so are the arguments made of them


def test_a_check_sees_each_of_several_calls_with_the_same_arguments(make: Make, bench: Any) -> None:
    question = make(
        DOUBLE,
        reference="def double(x, state=[]):\n    state.append(x)\n    return len(state)\n",
        tests="def check(answer, rng):\n    assert answer(5) != answer(5), 'each call must give another'\n",
    )
    counting = "n = 0\ndef double(x):\n    global n\n    n += 1\n    return n\n"
    assert grade(question, counting, bench).correct
    assert "another" in grade(question, "def double(x): return x", bench).why
