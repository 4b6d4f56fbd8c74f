"""Runs the proofs of claims: each demo once, with its defaults, in a process of its own; then each claim is judged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kb.demos import devices, process
from kb.demos.api import Demo
from kb.demos.evidence import Evidence
from kb.demos.numbers import statement
from kb.demos.report import Report
from kb.errors import DeviceMissing, KbError, UnknownName
from kb.knowledge.model import Topic

TIMEOUT_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Proof:
    """A claim (``topic/claim``) and the ``demo/check`` that its card names as its proof."""

    claim: str
    name: str

    @property
    def demo(self) -> str:
        """The demo's name, before the slash."""
        return self.name.partition("/")[0]

    @property
    def check(self) -> str:
        """The check's name, after the slash."""
        return self.name.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a proof. ``seconds`` is its demo's whole run; ``error`` says why it does not hold."""

    proof: Proof
    holds: bool
    seconds: float
    device: str | None = None
    error: str | None = None
    shown: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as ``kb verify --json`` prints it."""
        return {
            "claim": self.proof.claim,
            "proof": self.proof.name,
            "holds": self.holds,
            "seconds": round(self.seconds, 3),
            "error": self.error,
            "device": self.device,
        }


def proofs_of(topics: Iterable[Topic]) -> list[Proof]:
    """The proofs of all claims of ``topics``, in their order."""
    return [
        Proof(f"{topic.name}/{claim.id}", name) for topic in topics for claim in topic.claims for name in claim.proofs
    ]


def by_demo(proofs: Iterable[Proof]) -> dict[str, list[Proof]]:
    """The proofs that each demo has to deliver, demos in the order in which they are first needed."""
    groups: dict[str, list[Proof]] = {}
    for proof in proofs:
        groups.setdefault(proof.demo, []).append(proof)
    return groups


def device_for(demo: Demo, asked: str | None) -> str:
    """Where ``demo`` is verified: on the device ``asked`` for if it declares it, else where it runs by default."""
    try:
        return devices.choose(demo, asked)
    except DeviceMissing:
        return devices.choose(demo, None)


def verify(
    proofs: Sequence[Proof],
    demos: Mapping[str, Demo],
    load: Callable[[Demo], Callable[..., object]],
    *,
    device: str | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    now: Callable[[], datetime] | None = None,
    keep: Callable[[Evidence], None] | None = None,
    on_wait: process.OnWait | None = None,
) -> Iterator[tuple[str, list[Result]]]:
    """Run each demo that ``proofs`` need and yield its name with the results of its proofs, demo by demo.

    ``load`` imports a demo's function (in the demo's process), ``keep`` gets the evidence of every run that came to its
    end, ``on_wait`` is as in ``process.run``. What goes wrong with one demo fails its own proofs only; a ``device``
    that this machine lacks, or that none of the demos declares, raises DeviceMissing.
    """
    groups = by_demo(proofs)
    if device is not None:
        known = [demos[name] for name in groups if name in demos]
        if known and all(device_for(demo, device) != device for demo in known):
            raise DeviceMissing(f"none of these proofs' demos runs on {device}")
    for name, wanted in groups.items():
        start = time.monotonic()
        try:
            if name not in demos:
                raise UnknownName("demo", name, demos)
            demo = demos[name]
            place = device_for(demo, device)
            evidence = process.run(
                demo,
                lambda demo=demo: load(demo),  # type: ignore[misc]
                {},
                place,
                report=Report(),
                at=now() if now is not None else None,
                timeout_seconds=timeout_seconds,
                on_wait=on_wait,
            )
        except KbError as error:
            if isinstance(error, DeviceMissing) and device is not None:
                raise
            seconds = time.monotonic() - start
            yield name, [Result(proof, False, seconds, error=str(error)) for proof in wanted]
            continue
        if keep is not None:
            keep(evidence)
        yield name, [_judge(proof, evidence, time.monotonic() - start) for proof in wanted]


def _judge(proof: Proof, evidence: Evidence, seconds: float) -> Result:
    check = evidence.check(proof.check)
    if check is None:
        missing = UnknownName("check of demo " + repr(proof.demo), proof.check, (c.name for c in evidence.checks))
        return Result(proof, False, seconds, evidence.device, str(missing))
    said = statement(check)
    return Result(proof, check.holds, seconds, evidence.device, None if check.holds else said, said)
