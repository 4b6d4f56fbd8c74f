"""The devices a demo can be asked to run on. Nothing falls back: a device that is not there is an error."""

from __future__ import annotations

import re

from kb.demos.api import DEVICES, Demo
from kb.errors import DeviceMissing, MissingExtra, UnknownName

_NAME = re.compile(r"(cpu|mps|cuda)(?::(0|[1-9]\d*))?")


def choose(demo: Demo, asked: str | None) -> str:
    """The device that ``demo`` runs on: the one ``asked`` for, else the CPU, else the first that it declares.

    Says nothing about the machine (``check`` does). Raises UnknownName for a name that is no device and DeviceMissing
    for one that the demo does not declare; a demo that declares none runs on the CPU.
    """
    declared = demo.devices or ("cpu",)
    if asked is None:
        return "cpu" if "cpu" in declared else declared[0]
    match = _NAME.fullmatch(asked)
    if match is None or (match[1] != "cuda" and match[2] is not None):
        raise UnknownName("device", asked, [*DEVICES, "cuda:0"], listing="devices are cpu, cuda, cuda:N and mps")
    if match[1] not in {name.partition(":")[0] for name in declared}:
        raise DeviceMissing(f"demo {demo.name!r} does not run on {asked}", cure=f"it runs on: {', '.join(declared)}")
    return asked


def check(name: str) -> None:
    """Raise DeviceMissing unless this machine has the device ``name``. Only here is torch imported to find out."""
    family, _, number = name.partition(":")
    if family == "cpu":
        return
    try:
        import torch
    except ImportError:
        raise MissingExtra("torch", "demos") from None
    if family == "cuda":
        if not torch.cuda.is_available():
            build = "" if torch.version.cuda else " (torch is a CPU build)"
            raise DeviceMissing(f"there is no CUDA device here{build}", cure="run it with --device cpu")
        count = torch.cuda.device_count()
        if number and int(number) >= count:
            last = f" to cuda:{count - 1}" if count > 1 else ""
            raise DeviceMissing(f"there is no device {name}", cure=f"this machine has cuda:0{last}")
    elif family == "mps":
        if not torch.backends.mps.is_available():
            raise DeviceMissing("there is no MPS device here", cure="run it with --device cpu")
    else:
        raise UnknownName("device", name, DEVICES)


def gpu_name(device: str) -> str:
    """What the accelerator ``device`` is called; empty for the CPU."""
    family, _, number = device.partition(":")
    if family == "cuda":
        import torch

        return str(torch.cuda.get_device_name(int(number or torch.cuda.current_device())))
    return "Apple GPU" if family == "mps" else ""
