"""From a demo's ``run="module:function"`` to the function: the only place where a demo's own code is imported."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Callable
from functools import reduce
from importlib import import_module
from types import ModuleType
from typing import Any

from kb.demos.api import Demo
from kb.errors import DemoError


def resolve(demo: Demo, beside: str) -> Callable[..., object]:
    """The function of ``demo``, whose module stands beside the module ``beside`` that registered it.

    Beside a package is inside it; beside ``pack.plugin`` is ``pack.<module>``. What the import prints goes to stderr.
    Raises MissingExtra where a library of an extra is not installed, and DemoError for all else that goes wrong.
    """
    if callable(demo.run):
        return demo.run
    from kb.demos.runner import told_apart

    module_name, _, function_name = demo.run.partition(":")
    full_name = ".".join(filter(None, (_package(beside), module_name)))
    with told_apart(demo), contextlib.redirect_stdout(sys.stderr):
        try:
            module = import_module(full_name)
        except ModuleNotFoundError as error:
            if error.name is None or not (full_name + ".").startswith(error.name + "."):
                raise  # a library that the module imports, not the module itself
            raise DemoError(
                f"demo {demo.name!r} has run={demo.run!r}, but there is no module {full_name}",
                file=_file(beside),
                cure="run names a module beside the one that registers the demo",
            ) from error
    try:
        function = reduce(getattr, function_name.split("."), module)
    except AttributeError:
        raise _no_function(demo, module, function_name) from None
    if not callable(function):
        raise DemoError(f"demo {demo.name!r}: {function_name} is not a function", file=_file(full_name))
    return function


def _no_function(demo: Demo, module: ModuleType, name: str) -> DemoError:
    near = difflib.get_close_matches(name, [known for known in vars(module) if not known.startswith("_")], n=1)
    return DemoError(
        f"demo {demo.name!r} has run={demo.run!r}, but the module has no function {name!r}",
        file=getattr(module, "__file__", None),
        cure=f"did you mean {near[0]}?" if near else "define it, or correct run",
    )


def _package(module_name: str) -> str:
    module: Any = sys.modules.get(module_name)
    return module_name if hasattr(module, "__path__") else module_name.rpartition(".")[0]


def _file(module_name: str) -> str | None:
    return getattr(sys.modules.get(module_name), "__file__", None)
