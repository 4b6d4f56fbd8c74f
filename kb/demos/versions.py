"""What a result depends on besides the code: versions, the machine, its instruction set, threads.

Only what the demo itself has loaded is asked: finding out must not cost an import of torch.
"""

from __future__ import annotations

import os
import platform
import sys

from kb import __version__
from kb.demos import devices

LIBRARIES = ("numpy", "torch", "scipy", "sklearn", "statsmodels", "triton")


def collect(device: str) -> dict[str, str | int]:
    """Versions of kb, Python and the loaded libraries, the processor or GPU, its instruction set, the threads."""
    found: dict[str, str | int] = {"kb": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        version = getattr(sys.modules.get(name), "__version__", None)
        if version is not None:
            found[name] = str(version)
    found["platform"] = f"{platform.system()} {platform.machine()}"
    found["cpu"] = processor()
    found["cores"] = os.cpu_count() or 1
    torch = sys.modules.get("torch")
    if torch is not None:
        found["isa"] = torch.backends.cpu.get_cpu_capability()
        found["threads"] = torch.get_num_threads()
    if device != "cpu":
        found["gpu"] = devices.gpu_name(device)
        cuda = getattr(getattr(torch, "version", None), "cuda", None)
        if cuda and device.startswith("cuda"):
            found["cuda"] = str(cuda)
    return found


def processor() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine()
