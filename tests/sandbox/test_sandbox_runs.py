"""What a run returns: values, errors at their line, questions put to kb; and that state never leaks between runs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from kb.sandbox.outcome import Limits
from kb.sandbox.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.mark.parametrize("value", [None, True, 3, 2.5, "héllo\n", [1, [2, {"a": None}]], {"k": [1.5]}])
def test_json_goes_in_and_comes_out(sandbox: Sandbox, value: object) -> None:
    assert sandbox.run("def same(x): return x", call="same", arguments=[value]).value == value


def test_nan_and_infinity_survive(sandbox: Sandbox) -> None:
    found = sandbox.run("def f(): return [float('nan'), float('inf')]", call="f").value
    assert math.isnan(found[0]) and found[1] == math.inf


def test_what_is_printed_is_kept_apart_from_the_value(sandbox: Sandbox) -> None:
    outcome = sandbox.run("import sys\nprint('out'); print('err', file=sys.stderr)\ndef f(): return 1", call="f")
    assert (outcome.value, outcome.output) == (1, "out\nerr\n")


def test_an_error_names_the_line_of_the_source_and_no_frame_of_ours(sandbox: Sandbox) -> None:
    outcome = sandbox.run("def f(x):\n    y = 1\n    return y / x\n", call="f", arguments=[0])
    assert outcome.kind == "exception" and outcome.error == "ZeroDivisionError: division by zero"
    assert outcome.line == 3 and "return y / x" in outcome.trace and "worker" not in outcome.trace


def test_a_syntax_error_names_its_line(sandbox: Sandbox) -> None:
    outcome = sandbox.run("x = 1\ndef f(:\n")
    assert outcome.kind == "exception" and outcome.line == 2 and outcome.error.startswith("SyntaxError")


def test_a_missing_function_is_an_exception(sandbox: Sandbox) -> None:
    assert sandbox.run("", call="f").kind == "exception"


def test_runs_share_nothing(sandbox: Sandbox) -> None:
    sandbox.run("import builtins, json\nbuiltins.len = lambda x: 0\njson.dumps = None\nopen('left', 'w').close()")
    outcome = sandbox.run("import os\ndef f(): return [len([1, 2]), os.listdir('.')]", call="f")
    assert outcome.value == [2, []]


@pytest.mark.slow
def test_a_program_may_ask_and_the_time_of_the_answer_is_not_its_own(sandbox: Sandbox) -> None:
    import time

    def slow(question: int) -> int:
        time.sleep(0.3)
        return question + 1

    source = "def f(): return [ask(n) for n in range(5)]"
    outcome = sandbox.run(source, call="f", seconds=1.0, answer=slow)
    assert outcome.value == [1, 2, 3, 4, 5] and outcome.seconds < 1.0


def test_an_error_while_answering_leaves_a_usable_sandbox(sandbox: Sandbox) -> None:
    def fails(question: object) -> object:
        raise KeyError(question)

    with pytest.raises(KeyError):
        sandbox.run("def f(): return ask(1)", call="f", answer=fails)
    assert sandbox.run("def f(): return 1", call="f").value == 1


def test_memory_is_current_plus_headroom(sandbox: Sandbox) -> None:
    limits = Limits(memory_bytes=64 * 2**20)
    assert sandbox.run("x = bytearray(32 * 2**20)", limits=limits).ok
    assert sandbox.run("x = bytearray(128 * 2**20)", limits=limits).kind == "memory"


@pytest.mark.slow
def test_torch_is_loaded_once_and_trains_in_a_fork(sandbox: Sandbox) -> None:
    pytest.importorskip("torch", reason="torch comes with the extra `demos`")
    source = (
        "import torch\n"
        "def f():\n"
        "    w = torch.zeros(3, requires_grad=True)\n"
        "    o = torch.optim.Adam([w], lr=0.1)\n"
        "    for _ in range(5):\n"
        "        o.zero_grad(); ((w - 1) ** 2).sum().backward(); o.step()\n"
        "    return w.tolist()\n"
    )
    first = sandbox.run(source, call="f")
    second = sandbox.run(source, call="f")
    assert first.ok and first.value == second.value and 0.4 < first.value[0] < 0.6
