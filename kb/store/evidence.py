"""The evidence table: every run of a demo, and per proof the last word on it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from kb.store import ids
from kb.store.events import from_iso, to_json

if TYPE_CHECKING:
    from kb.demos.evidence import Evidence


class Mark(NamedTuple):
    """The last evidence of a claim's proof: when (ISO time), on which device, and whether the check held."""

    at: str
    device: str
    holds: bool


def add(db: sqlite3.Connection, evidence: Evidence) -> None:
    """Keep ``evidence``, and for each of its checks that it was made, where it proves something."""
    last = db.execute("SELECT max(id) FROM evidence").fetchone()[0]
    identifier = ids.next_id(from_iso(evidence.at).at_ms, last)
    document = evidence.as_json()
    checks = [
        {**shown, "tolerance": check.tolerance}
        for shown, check in zip(document["checks"], evidence.checks, strict=True)
    ]
    row = (
        *(identifier, evidence.demo, evidence.device, evidence.at, float(evidence.seconds)),
        *(
            to_json(document["parameters"]),
            to_json(document["metrics"]),
            to_json(checks),
            to_json(document["versions"]),
        ),
    )
    db.execute("INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    if not evidence.proves:
        return
    proofs = [(f"{evidence.demo}/{check.name}", identifier, check.holds) for check in evidence.checks]
    db.executemany("INSERT INTO proof (name, evidence, holds) VALUES (?, ?, ?)", proofs)


def marks(db: sqlite3.Connection, proofs: Iterable[str]) -> dict[str, Mark]:
    """The last mark of each of ``proofs`` that has one."""
    query = (
        "SELECT e.at, e.device, p.holds FROM proof p JOIN evidence e ON e.id = p.evidence "
        "WHERE p.name = ? ORDER BY p.evidence DESC LIMIT 1"
    )
    found = ((proof, db.execute(query, (proof,)).fetchone()) for proof in proofs)
    return {proof: Mark(row[0], row[1], bool(row[2])) for proof, row in found if row is not None}


def last(db: sqlite3.Connection, demo: str, parameters: Mapping[str, object] | None) -> Evidence | None:
    """The last run of ``demo``, with exactly ``parameters`` if given."""
    from kb.demos.evidence import Evidence
    from kb.demos.report import Check, Metric

    wanted = None if parameters is None else dict(parameters)
    rows = db.execute("SELECT * FROM evidence WHERE demo = ? ORDER BY id DESC", (demo,))
    for _, name, device, at, seconds, given, metrics, checks, versions in rows:
        if wanted is not None and json.loads(given) != wanted:
            continue
        return Evidence(
            demo=name,
            device=device,
            parameters=json.loads(given),
            metrics=tuple(Metric(**_numbers(metric, ("value",))) for metric in json.loads(metrics)),
            checks=tuple(Check(**_numbers(check, ("measured", "expected"))) for check in json.loads(checks)),
            seconds=seconds,
            versions=json.loads(versions),
            at=at,
        )
    return None


_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def _numbers(fields: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """``fields`` with what JSON cannot hold (NaN, infinity) as numbers again."""
    for name in names:
        if fields[name] in _NOT_FINITE:
            fields[name] = float(fields[name])
    return fields
