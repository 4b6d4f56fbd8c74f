"""How far every check of a demo stays from its bound over many seeds. Prints bench/calibration.md.

Usage: python bench/calibration.py [--seeds 20] [DEMO…] > bench/calibration.md
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
from importlib.metadata import version

from kb.demos.api import Demo
from kb.demos.report import Check, Report
from kb.registry import Registry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("demos", nargs="*")
    options = parser.parse_args()
    registry = Registry.load({**os.environ, "KB_LOAD_PLUGINS": ""})
    seeded = {name: demo for name, demo in registry.demos.items() if any(p.key == "seed" for p in demo.params)}
    print("# Checks over seeds\n")
    print(f"Made by `python bench/calibration.py --seeds {options.seeds}` on Python {platform.python_version()}, torch")
    print(
        f"{version('torch').partition('+')[0]}, numpy {version('numpy')}, "
        f"scikit-learn {version('scikit-learn')}, CPU. Every"
    )
    print(
        "check of every demo that takes a seed: the range of what was measured, and the bound. `slack` is how far the"
    )
    print("worst seed is from failing, in units of the bound. Checks without a number hold or don't.\n")
    print("| demo | check | seeds held | least | most | bound | slack |")
    print("|---|---|---|---|---|---|---|")
    failed = 0
    for name in options.demos or sorted(seeded):
        failed += rows(name, seeded[name], registry, options.seeds)
    sys.exit(1 if failed else 0)


def rows(name: str, demo: Demo, registry: Registry, seeds: int) -> int:
    """Print one row a check of ``demo``; the number of checks that failed for some seed."""
    function = registry.function(demo)
    found: dict[str, list[Check]] = {}
    for seed in range(seeds):
        report = Report()
        arguments = demo.arguments({"seed": seed})
        if demo.devices:
            arguments["device"] = "cpu"
        function(report, **arguments)
        for check in report.checks:
            found.setdefault(check.name, []).append(check)
        print(f"{name}: seed {seed}", file=sys.stderr)
    failed = 0
    for check_name, checks in found.items():
        held = sum(check.holds for check in checks)
        failed += held < len(checks)
        print(f"| {name} | {check_name} | {held} of {len(checks)} | {numbers(checks)} |")
    return failed


def numbers(checks: list[Check]) -> str:
    """The cells least, most, bound and slack."""
    last = checks[-1]
    values = [check.measured for check in checks]
    if any(isinstance(value, bool | str) for value in values) or isinstance(last.expected, bool | str):
        return f"{values[0]} | {values[-1]} | {last.relation} {last.expected} | –"
    measured = [float(value) for value in values]
    margin = min(slack(check) for check in checks)
    bound = f"{last.relation} {float(last.expected):.4g}" + (f" ± {last.tolerance:.2g}" if last.tolerance else "")
    return f"{min(measured):.4g} | {max(measured):.4g} | {bound} | {'exact' if math.isinf(margin) else f'{margin:.2g}'}"


def slack(check: Check) -> float:
    """Distance to failing as a share of the bound (of the tolerance for ≈); infinite for an equality that holds."""
    value, bound = float(check.measured), float(check.expected)
    if check.relation == "==":
        return math.inf if check.holds else -1.0
    if check.relation == "≈":
        return 1 - abs(value - bound) / check.tolerance
    distance = bound - value if check.relation == "<=" else value - bound
    return distance / abs(bound) if bound else distance


if __name__ == "__main__":
    main()
