"""Every claim's proof holds, and a mistake made on purpose does not go unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

pytest.importorskip("torch", reason="the demos need the extra `demos`")

Runner = Callable[..., "CompletedProcess[str]"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_proof_of_every_topic_holds(run_kb: Runner) -> None:
    run = run_kb("verify", "--json", timeout=880)
    result = json.loads(run.stdout)
    failed = [(proof["claim"], proof["proof"], proof["error"]) for proof in result["proofs"] if not proof["holds"]]
    assert failed == [] and result["failed"] == 0 and run.returncode == 0
    assert result["held"] >= 100


@pytest.mark.parametrize(
    ("fault", "caught"),
    [
        ("no-average", {"averaged"}),
        ("keep-gradient", {"stage-2-bytes", "stage-3-bytes", "stage-3-cluster-total"}),
        ("keep-weights", {"stage-3-bytes", "stage-3-cluster-total", "stage-3-one-layer-whole"}),
        ("all-reduce", {"stage-1-traffic"}),
    ],
)
def test_zero_catches_a_fault(run_kb: Runner, fault: str, caught: set[str]) -> None:
    options = ("--fault", fault, "--no-compare", "--steps", "2", "--depth", "2", "--width", "32")
    run = run_kb("demo", "zero", "--json", *options)
    assert run.returncode == 1
    assert {check["name"] for check in json.loads(run.stdout)["checks"] if not check["holds"]} == caught


@pytest.mark.parametrize(
    "options", [("--ranks", "3"), ("--ranks", "4"), ("--bucket", "0.0001"), ("--bucket", "1000"), ("--no-overlap",)]
)
def test_ddp_holds_for_other_ranks_and_buckets(run_kb: Runner, options: tuple[str, ...]) -> None:
    run = run_kb("demo", "ddp", "--json", "--width", "64", *options)
    assert [check for check in json.loads(run.stdout)["checks"] if not check["holds"]] == []
    assert run.returncode == 0


@pytest.mark.cuda
@pytest.mark.parametrize("demo", ["zero", "ddp"])
def test_distributed_demos_on_cuda(run_kb: Runner, demo: str) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    run = run_kb("demo", demo, "--json", "--device", "cuda", timeout=300)
    assert run.returncode == 0, run.stderr
