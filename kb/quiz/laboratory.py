"""What settles an answer by running: demos (or their recorded evidence) and Python in the sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from kb.demos.api import Demo
from kb.demos.report import Report
from kb.errors import SandboxError, UnknownName

if TYPE_CHECKING:
    from kb.demos.evidence import Evidence
    from kb.registry import Registry
    from kb.sandbox.sandbox import Sandbox

LONG_SECONDS = 10.0  # a run that took longer is not repeated while somebody waits; its record stands for it


class RunLaboratory:
    """Runs demos in a process of their own and Python in the sandbox; a run is made once a sitting.

    ``recorded`` gives the last evidence of a demo with just these parameters, or None; ``keep`` stores a new one.
    ``allowed`` is asked, with what the sandbox says of itself, before code runs where it cannot be shut in.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        recorded: Callable[[str, Mapping[str, object]], Evidence | None] = lambda name, parameters: None,
        keep: Callable[[Evidence], None] = lambda evidence: None,
        allowed: Callable[[str], bool] = lambda danger: True,
    ) -> None:
        self._registry = registry
        self._recorded = recorded
        self._keep = keep
        self._allowed = allowed
        self._sandbox: Sandbox | None = None
        self._reports: dict[str, Report] = {}

    def demo(self, name: str, parameters: Mapping[str, object]) -> Report:
        """The report of a run of ``name``: made now, or the recorded one where a run takes long (a note says so)."""
        demo = self._demo(name)
        arguments = demo.arguments(parameters)
        key = f"{name} {sorted(arguments.items())!r}"
        if key not in self._reports:
            evidence = self._recorded(name, arguments)
            if evidence is not None and evidence.seconds > LONG_SECONDS and evidence.metrics:
                self._reports[key] = _report_of(evidence)
            else:
                self._reports[key] = self._run(demo, arguments)
        return self._reports[key]

    def python(self, source: str, *, seconds: float, call: str | None = None) -> Any:
        """Run Python in the sandbox; see ``kb.questions.base.Laboratory``."""
        if self._sandbox is None:
            from kb.sandbox.sandbox import Sandbox

            self._sandbox = Sandbox()
        level = self._sandbox.level
        if not level.isolates and not self._allowed(level.says):
            message = f"its code was not run: it did not ship with kb, and this sandbox has {level.says}"
            raise SandboxError(message, cure="or answer it on a terminal, where you are asked once")
        return self._sandbox.run(source, seconds=seconds, call=call)

    def close(self) -> None:
        """End what is still running."""
        close = getattr(self._sandbox, "close", None)
        if close is not None:
            close()

    def _demo(self, name: str) -> Demo:
        demos = self._registry.demos
        if name not in demos:
            raise UnknownName("demo", name, demos, listing="see: kb demo")
        return demos[name]

    def _run(self, demo: Demo, arguments: Mapping[str, object]) -> Report:
        from kb.demos import process

        report = Report()
        evidence = process.run(demo, partial(self._registry.function, demo), arguments, report=report)
        self._keep(evidence)
        return report


def _report_of(evidence: Evidence) -> Report:
    report = Report(metrics=list(evidence.metrics), checks=list(evidence.checks))
    report.note(f"From the run of {evidence.at[:16].replace('T', ' ')} ({evidence.seconds:.0f} s, {evidence.device}).")
    return report
