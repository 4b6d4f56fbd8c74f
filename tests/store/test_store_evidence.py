"""Evidence: what runs of demos proved, the last word on each proof."""

from __future__ import annotations

import math

from kb.demos.evidence import Evidence
from kb.demos.report import Check, Metric
from kb.store.evidence import Mark
from kb.store.store import Store


def run(at: str, holds: bool, ranks: int = 2, value: float = 16.0) -> Evidence:
    return Evidence(
        demo="zero",
        device="cpu",
        parameters={"ranks": ranks, "mode": "fast"},
        metrics=(Metric("bytes", value, "B"), Metric("name", "gloo")),
        checks=(Check("bytes-per-parameter", value, 16.0, "≈", holds, 0.1), Check("equal", True, True, "==", True)),
        seconds=1.25,
        versions={"torch": "2.13.0", "ranks": 2},
        at=at,
    )


def test_the_last_run_counts(store: Store) -> None:
    proofs = ["zero/bytes-per-parameter", "zero/equal", "zero/never"]
    assert store.evidence_for(proofs) == {}
    store.evidence_add(run("2026-09-21T15:20:00+01:00", holds=True))
    assert store.evidence_for(proofs) == {
        "zero/bytes-per-parameter": Mark("2026-09-21T15:20:00+01:00", "cpu", True),
        "zero/equal": Mark("2026-09-21T15:20:00+01:00", "cpu", True),
    }
    store.evidence_add(run("2026-09-21T15:20:00+01:00", holds=False))
    assert store.evidence_for(proofs)["zero/bytes-per-parameter"].holds is False


def test_a_run_reads_back_as_it_was(store: Store) -> None:
    assert store.evidence_of("zero") is None
    first = run("2026-09-21T15:20:00+01:00", True)
    second = run("2026-09-21T15:21:00+01:00", True, ranks=4, value=math.inf)
    store.evidence_add(first)
    store.evidence_add(second)
    assert store.evidence_of("zero") == second
    assert store.evidence_of("zero", {"mode": "fast", "ranks": 2}) == first
    assert store.evidence_of("zero", {"ranks": 3, "mode": "fast"}) is None
    store.evidence_add(run("2026-09-21T15:22:00+01:00", True, value=math.nan))
    read = store.evidence_of("zero")
    assert read is not None
    assert math.isnan(float(read.metrics[0].value)) and math.isnan(float(read.checks[0].measured))


def test_a_rebuild_leaves_evidence_alone(store: Store) -> None:
    store.evidence_add(run("2026-09-21T15:20:00+01:00", True))
    store.rebuild()
    assert store.evidence_of("zero") is not None
