"""``kb verify``: each demo once, each claim judged, and nothing passes that was not proved."""

from __future__ import annotations

import json

import pytest

HEAD = """
    title: T
    summary: S.
    sources:
      me: {title: A title, authors: Somebody, year: 2026, url: "https://example.org"}
"""


def claims(*proofs: str) -> str:
    lines = "".join(
        f"      - {{id: c{n}, says: Something., verdict: added, source: me, proof: {proof}}}\n"
        for n, proof in enumerate(proofs)
    )
    return f"{HEAD}    claims:\n{lines}"


def verify(run_kb, *arguments, **options):
    result = run_kb("verify", "--json", *arguments, **options)
    return result, json.loads(result.stdout)


def test_the_shape_and_that_each_demo_runs_once(run_kb, lab, home):
    result, shown = verify(run_kb, "lab", env={"KB_NOW": "2026-11-23T10:00+01:00"})
    assert result.returncode == 0, result.stderr
    assert (shown["held"], shown["failed"]) == (3, 0)
    assert [(row["claim"], row["proof"], row["holds"], row["error"]) for row in shown["proofs"]] == [
        ("lab/first", "lab/steps-positive", True, None),
        ("lab/second", "lab/rate-halves", True, None),
        ("lab/second", "failing/holds", True, None),
    ]
    assert all(row["seconds"] > 0 for row in shown["proofs"])
    import sqlite3

    with sqlite3.connect(home / "kb.db") as db:
        assert db.execute("SELECT demo FROM evidence ORDER BY id").fetchall() == [("lab",), ("failing",)]
    db.close()


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ("failing/too-large", "2.5 ≤ 1 does not hold"),
        ("failing/too-larg", "no check of demo 'failing' is called 'too-larg'; did you mean too-large?"),
        ("labb/x", "no demo is called 'labb'; did you mean lab?"),
        ("raising/x", "demo 'raising' raised ValueError: no way"),
        ("crashing/x", "demo 'crashing' crashed: its process died of SIGSEGV"),
        ("vanishing/x", "ended its process with code 0"),
        ("leaving/x", "tried to end kb by exit(0)"),
    ],
)
@pytest.mark.slow
def test_a_proof_that_fails_says_why_and_the_others_go_on(run_kb, lab, topic, proof, said):
    topic(lab, "bad", claims(proof, "lab/steps-positive"))
    result, shown = verify(run_kb, "bad")
    if not shown.get("proofs"):  # the loader may refuse a proof that no demo can deliver; then it says so itself
        assert result.returncode == 1 and "labb" in shown["error"]["message"]
        return
    assert result.returncode == 1
    assert (shown["held"], shown["failed"]) == (1, 1)
    assert [row["holds"] for row in shown["proofs"]] == [False, True]
    assert said in shown["proofs"][0]["error"]


@pytest.mark.slow
def test_a_demo_that_hangs_fails_alone(run_kb, lab, topic):
    topic(lab, "slow", claims("asleep/x", "lab/steps-positive"))
    result, shown = verify(run_kb, "slow", "--timeout", "2")
    assert result.returncode == 1
    assert "took longer than 2 s and was stopped" in shown["proofs"][0]["error"]
    assert "main.py" in shown["proofs"][0]["error"], "it says where it hung"
    assert shown["proofs"][1]["holds"]


def test_fail_fast_stops_at_the_first(run_kb, lab, topic):
    topic(lab, "bad", claims("failing/too-large", "lab/steps-positive"))
    result, shown = verify(run_kb, "bad", "--fail-fast")
    assert result.returncode == 1 and len(shown["proofs"]) == 1
    text = run_kb("verify", "bad", "--fail-fast").stdout
    assert "1 not run" in text and "steps-positive" not in text


def test_included_topics_are_verified_too_and_each_once(run_kb, lab, topic):
    topic(lab, "parent", f"{HEAD}    includes: [lab]\n")
    _, shown = verify(run_kb, "parent", "lab")
    assert len(shown["proofs"]) == 3


def test_a_topic_without_proofs_and_one_that_does_not_exist(run_kb, lab, topic):
    topic(lab, "bare", HEAD)
    result, shown = verify(run_kb, "bare")
    assert result.returncode == 0 and shown == {"proofs": [], "held": 0, "failed": 0}
    assert "nothing to verify" in run_kb("verify", "bare").stderr
    result = run_kb("verify", "labx")
    assert result.returncode == 2 and len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_a_device_that_no_demo_declares_is_refused_and_one_that_some_declare_says_where_each_ran(run_kb, lab):
    result = run_kb("verify", "lab", "--device", "mps")
    assert result.returncode == 2 and "none of these proofs' demos runs on mps" in result.stderr
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        result = run_kb("verify", "lab", "--device", "cuda")
        assert result.returncode == 2 and "there is no CUDA device here" in result.stderr


def test_without_torch_the_proofs_that_need_it_fail_and_name_the_extra(run_kb, lab, topic, without):
    topic(lab, "needs", claims("lazy/x", "lab/steps-positive"))
    result, shown = verify(run_kb, "needs", env=without("torch"))
    assert result.returncode == 1 and "kb-scribbles[demos]" in shown["proofs"][0]["error"]
    assert shown["proofs"][1]["holds"]


def test_the_table_for_people(run_kb, lab, topic):
    topic(lab, "bad", claims("failing/too-large", "failing/holds"))
    result = run_kb("verify", "bad")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("failing  ") and lines[0].endswith(" s on cpu")
    assert lines[1:5] == ["  bad/c0", "    ✗ too-large  2.5 ≤ 1 does not hold", "  bad/c1", "    ✓ holds      1 = 1"]
    assert lines[-1].startswith("1 of 2 proofs held")
    assert result.returncode == 1 and result.stderr == ""


@pytest.mark.slow
def test_an_error_of_one_proof_stands_beside_it_and_one_of_the_demo_is_said_once(run_kb, lab, topic):
    topic(lab, "bad", claims("failing/too-larg", "failing/holds"))
    lines = run_kb("verify", "bad").stdout.splitlines()
    assert lines[2:4] == [
        "    ✗ too-larg",
        "        no check of demo 'failing' is called 'too-larg'; did you mean too-large?",
    ]
    topic(lab, "bad", claims("raising/x", "raising/y"))
    text = run_kb("verify", "bad").stdout
    assert text.count("raised ValueError: no way") == 1 and text.count("✗") == 2
