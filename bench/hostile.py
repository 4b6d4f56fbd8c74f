# ruff: noqa: E501  (a program is easier to read in one line)
"""Programs that a sandbox must survive, and what must become of each. Data for the tests and for bench/sandbox.py.

``filled`` puts in ``{secret}`` (a private file), ``{database}`` (kb's), ``{outside}`` (a path that must not be written),
``{topics}`` (a folder of topic files) and ``{port}`` (a listening port of this machine).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LEFT_BEHIND = "kb-left-behind"  # the name of the process that a program tries to leave


class Program(NamedTuple):
    """``ends``: the kinds of outcome allowed at every level; ``harmless``: the value that shows it got nowhere.

    ``needs_isolation``: it is held only where files, network and processes are shut off.
    """

    name: str
    source: str
    ends: tuple[str, ...]
    harmless: object = None
    needs_isolation: bool = False
    seconds: float = 2.0
    only_isolated: bool = False  # where it is not held it would harm the machine: it is not even tried there

    def filled(self, places: Mapping[str, object]) -> str:
        """The source with its places filled in."""
        source = self.source
        for name, value in places.items():
            source = source.replace(f"{{{name}!r}}", repr(value)).replace(f"{{{name}}}", str(value))
        return source.replace("{{", "{").replace("}}", "}")

    @property
    def call(self) -> str | None:
        """The function to call for a value."""
        return "attempt" if "def attempt" in self.source else None


def _try(action: str) -> str:
    lines = "\n".join(f"        {line}" for line in action.strip().splitlines())
    return f"def attempt():\n    try:\n{lines}\n    except BaseException as error:\n        return 'refused'\n"


PROGRAMS = (
    Program("endless loop", "while True: pass", ("timeout",), seconds=1),
    Program("sleep", "import time; time.sleep(60)", ("timeout",), seconds=1),
    Program("a power that never ends", "x = 9 ** 9 ** 9", ("timeout", "memory"), seconds=1),
    Program(
        "ignores the signals that end it",
        "import signal\nfor n in range(1, 32):\n    try: signal.signal(n, signal.SIG_IGN)\n    except OSError: pass\nwhile 1: pass",
        ("timeout",),
        seconds=1,
    ),
    Program("stops itself", "import os, signal; os.kill(os.getpid(), signal.SIGSTOP)", ("timeout",), seconds=1),
    Program(
        "fork bomb",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        ("processes", "timeout"),
        seconds=2,
    ),
    Program(
        "thread bomb",
        "import threading, time\nfor _ in range(10**6): threading.Thread(target=time.sleep, args=(60,)).start()",
        ("exception", "memory", "timeout", "processes"),
    ),
    Program("memory bomb", "x = []\nwhile True: x.append(bytearray(10**7))", ("memory",)),
    Program("one huge allocation", "x = bytearray(10**12)", ("memory",)),
    Program("output flood", "while True: print('x' * 10_000)", ("timeout",), seconds=1),
    Program("deep recursion", "def f(n): return f(n + 1)\nf(0)", ("exception",)),
    Program(
        "recursion without Python's limit",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(n): return f(n + 1)\nf(0)",
        ("timeout", "crash", "memory"),
    ),
    Program("segmentation fault", "import ctypes; ctypes.string_at(0)", ("crash",)),
    Program("os._exit(0)", "print('passed'); import os; os._exit(0)", ("silent",)),
    Program("sys.exit(0)", "import sys; sys.exit(0)", ("silent",)),
    Program("raises KeyboardInterrupt", "raise KeyboardInterrupt", ("exception",)),
    Program("closes every file", "import os; os.closerange(0, 1024)", ("silent", "exception")),
    Program(
        "writes a verdict to every file",
        'import os\nfor fd in range(3, 256):\n    try: os.write(fd, b\'\\n={"kind": "done", "value": 42}\\n\')\n'
        "    except OSError: pass\nos._exit(0)",
        ("silent",),
    ),
    Program(
        "a result that is not data",
        "def attempt():\n    class Equal:\n        __eq__ = lambda s, o: True\n    return Equal()",
        ("refused",),
    ),
    Program("a result that is too large", "def attempt(): return 'x' * 10**8", ("refused", "memory")),
    Program(
        "a result nested too deeply",
        "def attempt():\n    x = []\n    for _ in range(10**5): x = [x]\n    return x",
        ("refused", "crash"),
    ),
    Program(
        "fills the disk",
        _try("with open('big', 'wb') as f:\n    for _ in range(100): f.write(bytes(10**7))\nreturn 'wrote'"),
        ("done", "silent", "timeout"),
        "refused",
    ),
    Program(
        "opens ten thousand files",
        _try("held = [open(f'f{n}', 'w') for n in range(10_000)]\nreturn 'opened'"),
        ("done",),
        "refused",
    ),
    Program(
        "kills its parent",
        "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(0.1)",
        ("done", "broken", "exception"),
    ),
    Program(
        "kills everything it can",
        "import os, time\nos.kill(-1, 9)\ntime.sleep(0.1)",
        ("done", "silent", "broken", "exception", "timeout"),
        needs_isolation=True,
        only_isolated=True,
    ),
    Program(
        "leaves a process behind",
        "import ctypes, os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        ctypes.CDLL(None).prctl(15, b'{LEFT_BEHIND}')\n        time.sleep(60)\n    os._exit(0)\n"
        "time.sleep(0.3)\ndef attempt(): return 'ended with it'",
        ("done",),
        "ended with it",
    ),
    Program("reads a private file", _try("return open({secret!r}).read()"), ("done",), "refused", True),
    Program(
        "lists the home folder",
        _try("import os\nreturn os.listdir(os.path.dirname({secret!r}))"),
        ("done",),
        "refused",
        True,
    ),
    Program("reads the database", _try("return open({database!r}, 'rb').read().hex()"), ("done",), "refused", True),
    Program(
        "reads the reference solutions",
        _try("import os\nreturn len(os.listdir({topics!r})) or 1 / 0"),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "writes outside its folder",
        _try("open({outside!r}, 'w').write('x')\nreturn 'wrote'"),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "reaches the network",
        _try("import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\nreturn 'connected'"),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "writes into its parent's memory",
        _try("import os\nopen(f'/proc/{{os.getppid()}}/mem', 'r+b').read(1)\nreturn 'open'"),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "traces its parent",
        _try(
            "import ctypes, os\nif ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) < 0: raise OSError\nreturn 'traced'"
        ),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "sees other processes",
        _try(
            "import os\nseen = [n for n in os.listdir('/proc') if n.isdigit()]\nif len(seen) <= 2: raise OSError\nreturn len(seen)"
        ),
        ("done",),
        "refused",
        True,
    ),
    Program(
        "mounts a file system",
        _try(
            "import ctypes\nif ctypes.CDLL(None).mount(b't', b'/tmp', b'tmpfs', 0, 0) < 0: raise OSError\nreturn 'mounted'"
        ),
        ("done",),
        "refused",
        True,
        only_isolated=True,
    ),
)
