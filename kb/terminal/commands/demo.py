"""``kb demo``: list the demos, or run one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kb.demos.api import Demo, Param, Value
from kb.demos.evidence import Evidence, json_value
from kb.demos.report import Report
from kb.errors import KbError, PluginError, UnknownName
from kb.terminal.context import App
from kb.terminal.group import option_json

if TYPE_CHECKING:
    from kb.terminal.text import Line

WIDEST = 100  # a plot may be wider than a text


class DemoGroup(click.Group):
    """Each demo is a subcommand whose options are the demo's Params: data from its registration, no demo code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_app(ctx).registry.demos)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        demo = _app(ctx).registry.demos.get(name)
        return None if demo is None else _command(demo)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in _app(ctx).registry.demos:
            _say_if_broken(_app(ctx), name)
            raise UnknownName("demo", name, self.list_commands(ctx), listing="see: kb demo")
        return super().resolve_command(ctx, args)


class DemoCommand(click.Command):
    """A demo as a command: an unknown option gets the nearest parameter's name."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            known = [name[2:] for option in self.get_params(ctx) for name in option.opts if name.startswith("--")]
            raise UnknownName(
                f"parameter of demo {self.name!r}",
                error.option_name.lstrip("-"),
                known,
                listing=f"see: kb demo {self.name} --help",
            ) from None


class ParamType(click.ParamType["Value"]):
    """The type of a Param: its own conversion judges, so the command line and YAML take the same values."""

    def __init__(self, param: Param) -> None:
        self.param = param
        self.name = {bool: "yes/no", int: "integer", float: "number", str: "text"}[param.type]

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Value:
        return self.param.convert(value)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str | None:
        if self.param.choices:
            return f"[{'|'.join(str(choice) for choice in self.param.choices)}]"
        return None


HELP = """Run a demo: measure a claim and check it. Without a name, list the demos.

\b
Examples:
  kb demo                          what there is
  kb demo zero                     run it with its defaults
  kb demo zero --ranks 4           with a parameter of the demo; see: kb demo zero --help
  kb demo zero --device cuda       on a GPU
  kb demo zero --json              metrics and checks for a script
  kb demo zero --save out          pictures as PNG, report.json and report.md in the folder out

JSON knows no NaN and no infinity: they are the strings "NaN", "Infinity" and "-Infinity".
"""


@click.group(
    cls=DemoGroup,
    help=HELP,
    invoke_without_command=True,
    subcommand_metavar="[NAME [PARAMETERS]...]",
    no_args_is_help=False,
)
@option_json()
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    if ctx.invoked_subcommand is None:
        _list(_app(ctx), as_json)


def _app(ctx: click.Context) -> App:
    app: App = ctx.find_root().obj
    return app


def _say_if_broken(app: App, name: str) -> None:
    """Where the demo is missing because the plugin that should bring it is broken, that is the answer."""
    for plugin in app.registry.plugins:
        if plugin.error and plugin.name.replace("_", "-") == name:
            raise PluginError(f"the plugin {plugin.name} did not load: {plugin.error}", cure="see: kb plugins")


def _command(demo: Demo) -> click.Command:
    options: list[click.Parameter] = [_option(param) for param in demo.params]
    if not any(param.key == "device" for param in demo.params):
        where = "|".join("cuda[:N]" if name == "cuda" else name for name in demo.devices or ("cpu",))
        options.append(click.Option(["--device"], metavar=f"[{where}]", help="Where to run.  [default: cpu]"))
    options += [
        click.Option(["--json", "as_json"], is_flag=True, help="Print JSON for scripts and editors."),
        click.Option(["--save"], metavar="DIR", help="Save pictures (PNG), report.json and report.md in DIR."),
        click.Option(["--record/--no-record"], default=True, help="Keep the result as evidence."),
        click.Option(["--debug"], is_flag=True, help="Run in this process with full tracebacks, for its author."),
    ]
    own = {param.key for param in demo.params}

    def invoke(device: str | None = None, **given: Any) -> int:
        ctx = click.get_current_context()
        arguments = {name: given.pop(name) for name in list(given) if name in own}
        if "device" in own:
            arguments["device"], device = device, None
        group = ctx.parent
        as_json = given.pop("as_json") or bool(group and group.params.get("as_json"))
        return run(_app(ctx), demo, arguments, device, as_json=as_json, **given)

    return DemoCommand(
        demo.name,
        params=options,
        callback=invoke,
        help=f"{demo.summary}\n\nTopic: {demo.topic}" if demo.topic else demo.summary,
        short_help=demo.summary,
        # An option may be typed with the parameter's Python name: --kv_heads is --kv-heads.
        context_settings={"token_normalize_func": lambda token: token.replace("_", "-"), "show_default": True},
    )


def _option(param: Param) -> click.Option:
    name = param.key.replace("_", "-")
    help_text = param.help
    if isinstance(param.default, bool):
        return click.Option([f"--{name}/--no-{name}", param.key], default=param.default, help=help_text)
    if (param.min is not None or param.max is not None) and not param.choices:
        help_text = f"{help_text}  [{param.limits}]" if help_text else f"[{param.limits}]"
    return click.Option([f"--{name}", param.key], type=ParamType(param), default=param.default, help=help_text)


# ---- running --------------------------------------------------------------------------------------------------------


def run(
    app: App,
    demo: Demo,
    arguments: dict[str, Any],
    device: str | None,
    *,
    as_json: bool,
    save: str | None,
    record: bool,
    debug: bool,
) -> int:
    """Run ``demo`` and show what it reported; returns the exit code."""
    from kb.demos import devices, process
    from kb.demos.save import check_folder
    from kb.demos.save import save as write
    from kb.terminal import progress

    quiet = os.environ.get("RANK", "0") != "0"  # torchrun: rank 0 speaks for all
    place = devices.choose(demo, device)
    values = demo.arguments(arguments)
    show = printer(app, silent=as_json or quiet)
    if not quiet and save is not None:
        check_folder(save)
    from kb.terminal import reports

    columns, colour = page(app)
    show(reports.heading(demo, values, place, columns))
    report = Report() if quiet else Report(on_progress=progress.bar)
    load = partial(app.registry.function, demo)
    at = app.now()
    if debug:
        evidence = _here(demo, load, values, place, report, at)
    else:
        waiting = progress.Waiting()
        try:
            on_wait = None if quiet else waiting
            evidence = process.run(demo, load, values, place, report=report, at=at, on_wait=on_wait)
        finally:
            waiting.wipe()
    if quiet:
        return 0 if report.holds else 1
    if record:
        record_evidence(app, evidence)
    if as_json:
        click.echo(json.dumps(evidence.as_json(), ensure_ascii=False, allow_nan=False))
    show(reports.body(report, evidence, columns, colour))
    if save is not None:
        for file in write(report, evidence, demo, save):
            click.echo(f"saved {file}", err=True)
    return 0 if report.holds else 1


def _here(
    demo: Demo,
    load: Callable[[], Callable[..., object]],
    values: dict[str, Value],
    device: str,
    report: Report,
    at: datetime,
) -> Evidence:
    """Run ``demo`` in this process; what it raises is shown in full before it becomes one line."""
    from kb.demos import runner

    try:
        return runner.run(demo, load(), values, device, report=report, at=at)
    except KbError as error:
        if error.__cause__ is not None:
            import traceback

            traceback.print_exception(error.__cause__)
        raise


def printer(app: App, *, silent: bool) -> Callable[[Iterable[Line]], None]:
    from kb.terminal.text import ansi

    _, colour = page(app)

    def show(lines: Iterable[Line]) -> None:
        if not silent:
            for line in lines:
                sys.stdout.write(ansi(line, colour) + "\n")
            sys.stdout.flush()

    return show


def record_evidence(app: App, evidence: Evidence) -> None:
    """Keep the evidence; that it could not be kept is said, and does not spoil the run."""
    try:
        app.store.evidence_add(evidence)
    except (KbError, OSError) as error:
        click.echo(f"kb: the result was not recorded: {error}", err=True)


def page(app: App) -> tuple[int, bool]:
    """How many columns to use, and whether colours show."""
    from kb.terminal.text import NARROWEST, terminal_size, wants_colour

    columns, _ = terminal_size(sys.stdout, app.environment)
    return max(NARROWEST, min(WIDEST, columns)), wants_colour(sys.stdout, app.environment)


# ---- listing --------------------------------------------------------------------------------------------------------


def _list(app: App, as_json: bool) -> None:
    demos = [app.registry.demos[name] for name in sorted(app.registry.demos)]
    if as_json:
        click.echo(json.dumps([_as_json(demo) for demo in demos], ensure_ascii=False))
        return
    from kb.terminal.text import BOLD, DIM, Span, one_line, width, wrap

    columns, _ = page(app)
    names = max((width(demo.name) for demo in demos), default=0)
    show = printer(app, silent=False)
    for demo in demos:
        name = Span(f"{demo.name}{' ' * (names - width(demo.name))}  ", BOLD)
        where = ", ".join(demo.devices) or "cpu"
        about = f"{demo.topic}: {where}" if demo.topic else where
        show(wrap([Span(one_line(demo.summary)), Span(f" [{about}]", DIM)], columns, [name], [Span(" " * (names + 2))]))
    click.echo(f"\nRun one: kb demo {demos[0].name}" if demos else "There are no demos.", err=True)


def _as_json(demo: Demo) -> dict[str, Any]:
    return {
        "name": demo.name,
        "topic": demo.topic,
        "summary": demo.summary,
        "devices": list(demo.devices),
        "parameters": [
            {
                "name": param.name,
                "default": json_value(param.default),
                "choices": [json_value(choice) for choice in param.choices],
                "help": param.help,
            }
            for param in demo.params
        ],
    }
