"""The evaluation on a real log: what is published in ``bench/memory.md`` still comes out."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
LOG = CHECKOUT / ".." / "shared" / "data" / "review_log.csv"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    pytest.importorskip("fsrs_rs_python", reason="fsrs-rs-python is not installed")
    spec = importlib.util.spec_from_file_location("bench_memory", CHECKOUT / "bench" / "memory.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_memory"] = module
    spec.loader.exec_module(module)
    return module


def needs_log() -> None:
    if not LOG.is_file():
        pytest.skip("the sample log is not beside this checkout")


EXPECTED = {
    "24 h since the last answer": (4440, 0.4948, 0.5875, 0.4400, 0.4344),
    "study days from 4 am, UTC−4": (5310, 0.5113, 0.6051, 0.4417, 0.4388),
}
"""Items tested, and the log loss of AVG, SM-2, FSRS-6 with defaults and fitted, measured before by other code."""


@pytest.mark.parametrize("rule", EXPECTED)
@pytest.mark.slow
def test_the_log_losses_are_those_that_other_code_measured_and_kb_beats_them(bench: ModuleType, rule: str) -> None:
    needs_log()
    rows = bench.read(LOG)
    found = bench.evaluate(bench.RULES[rule](rows), bench.MODELS)
    count, *losses = EXPECTED[rule]
    assert len(found.tested) == count
    names = ("AVG (constant)", "SM-2, every answer counts", "FSRS-6, defaults", "FSRS-6, fitted")
    assert [found.scores[name].log_loss for name in names] == pytest.approx(losses, abs=3e-4)
    middle, low, high = bench.difference(found, "kb", "FSRS-6, fitted", draws=400)
    assert low < middle < high < 0  # better out of sample, beyond the chance of the cards


def test_without_a_log_it_says_so() -> None:
    found = subprocess.run(
        [sys.executable, str(CHECKOUT / "bench" / "memory.py"), "nowhere.csv"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (found.returncode, found.stdout) == (0, "")
    assert found.stderr == "skipped: there is no log nowhere.csv\n"


def test_the_line_through_the_log_odds_finds_a_line(bench: ModuleType) -> None:
    """Outcomes drawn with the odds 2x + 1 give back 2 and 1, up to chance."""
    import random
    from math import exp

    draw = random.Random(1)
    xs = [draw.uniform(-2, 2) for _ in range(4000)]
    outcomes = [draw.random() < 1 / (1 + exp(-(2 * x + 1))) for x in xs]
    assert bench.line(xs, outcomes, ridge=0.0) == pytest.approx((2, 1), abs=0.15)
