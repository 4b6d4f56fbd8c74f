"""The view: kb's own package and the hidden folders are never in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import kb
from kb.sandbox import bubblewrap
from kb.sandbox.view import view


def test_the_interpreter_is_seen_and_the_checkout_is_not() -> None:
    seen = view()
    prefix = os.path.abspath(sys.prefix)
    assert any(prefix == path or prefix.startswith(path + "/") for path in seen.read_only)
    package = os.path.dirname(os.path.abspath(kb.__file__))
    shown = any(package.startswith(path + "/") for path in seen.read_only)
    assert not shown or package in seen.hidden


def test_no_path_lies_inside_another() -> None:
    paths = view().read_only
    assert not [a for a in paths for b in paths if a != b and a.startswith(b.rstrip("/") + "/")]


def test_a_hidden_folder_inside_the_view_is_hidden_and_one_outside_needs_no_hiding(tmp_path: Path) -> None:
    inside = os.path.join(os.path.abspath(sys.prefix), "lib")
    seen = view([inside, str(tmp_path / "elsewhere")])
    assert inside in seen.hidden and str(tmp_path / "elsewhere") not in seen.hidden


def test_the_command_line_cuts_off_network_processes_and_rights() -> None:
    line = bubblewrap.command("bwrap", view(), "/w.py", [], 1024)
    for flag in ("--unshare-all", "--die-with-parent", "--as-pid-1", "--new-session", "--clearenv"):
        assert flag in line
    assert line[line.index("--cap-drop") + 1] == "ALL" and "--share-net" not in line and "--bind" not in line
