"""The command line of bubblewrap that shuts the worker in: no network, nothing writable but a small /tmp."""

from __future__ import annotations

from kb.sandbox.view import View

WORKER = "/kb-worker.py"


def command(program: str, view: View, worker: str, arguments: list[str], tmp_bytes: int) -> list[str]:
    """``bwrap`` with the worker as process 1, which no process inside can signal to death."""
    line = [program, "--unshare-all", "--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL"]
    line += ["--hostname", "kb", "--clearenv"]
    for path, target in view.links:
        line += ["--symlink", target, path]
    for path in view.read_only:
        line += ["--ro-bind", path, path]
    line += ["--proc", "/proc", "--dev", "/dev", "--size", str(tmp_bytes), "--tmpfs", "/tmp"]
    for path in view.hidden:
        line += ["--tmpfs", path, "--remount-ro", path]
    # /tmp may have hidden an interpreter that lives there: show it again
    for path in view.read_only:
        if path.startswith("/tmp/"):
            line += ["--ro-bind", path, path]
    line += ["--ro-bind", worker, WORKER, "--chdir", "/tmp", "--remount-ro", "/"]
    return [*line, *arguments]
