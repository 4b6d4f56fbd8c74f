"""What a run of a demo left behind: device, versions, parameters, metrics and checks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kb.demos.report import Check, Metric, Scalar


@dataclass(frozen=True, slots=True)
class Evidence:
    """One run. ``at`` is an ISO time with offset, ``seconds`` the wall time of the demo's function alone.

    ``proves`` tells a run with the demo's defaults, which is what claims are proved by, from a run with other
    parameters (a fault put in on purpose, say): that is kept too, but says nothing about a claim.
    """

    demo: str
    device: str
    parameters: Mapping[str, Scalar]
    metrics: tuple[Metric, ...]
    checks: tuple[Check, ...]
    seconds: float
    versions: Mapping[str, str | int]
    at: str
    proves: bool = True

    @property
    def holds(self) -> bool:
        """Whether every check holds."""
        return all(check.holds for check in self.checks)

    def check(self, name: str) -> Check | None:
        """The check called ``name``, if the run made it."""
        return next((check for check in self.checks if check.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """The run as ``kb demo NAME --json`` prints it."""
        return {
            "demo": self.demo,
            "device": self.device,
            "parameters": {name: json_value(value) for name, value in self.parameters.items()},
            "metrics": [
                {"name": metric.name, "value": json_value(metric.value), "unit": metric.unit} for metric in self.metrics
            ],
            "checks": [
                {
                    "name": check.name,
                    "measured": json_value(check.measured),
                    "expected": json_value(check.expected),
                    "relation": check.relation,
                    "holds": check.holds,
                }
                for check in self.checks
            ],
            "seconds": round(self.seconds, 6),
            "versions": dict(self.versions),
        }


def json_value(value: Scalar) -> Scalar:
    """``value`` as valid JSON can hold it.

    JSON has no NaN and no infinity: they become the strings "NaN", "Infinity" and "-Infinity", which Python's
    ``float`` and JavaScript's ``Number`` both read back.
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
