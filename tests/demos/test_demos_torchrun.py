"""A demo of several processes runs unchanged under torchrun: rank 0 reports, the others keep still."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

pytest.importorskip("torch")
pytestmark = pytest.mark.slow

KB_DEMO = ["-m", "kb", "demo", "ranks", "--json"]
REGISTER = """
    from kb import Demo, hookimpl


    @hookimpl
    def register_demos(register):
        register(Demo("ranks", run="main:main", devices=("cpu",)))
"""
MAIN = """
    import torch, torch.distributed as dist


    def main(report, device):
        dist.init_process_group("gloo")
        x = torch.ones(1) * (dist.get_rank() + 1)
        dist.all_reduce(x)
        report.check("sum", x.item(), 3)
        report.metric("rank", dist.get_rank())
        dist.destroy_process_group()
"""


def test_two_ranks_give_one_report(tmp_path, home, monkeypatch):
    folder = tmp_path / "root" / "plugins" / "ranks"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(dedent(REGISTER))
    (folder / "main.py").write_text(dedent(MAIN))
    checkout = Path(__file__).resolve().parents[2]
    result = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", *KB_DEMO],
        env={**os.environ, "KB_PATH": str(tmp_path / "root"), "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert result.returncode == 0, result.stderr
    shown = json.loads(result.stdout)  # exactly one document
    assert shown["checks"][0]["holds"] and shown["metrics"][0]["value"] == 0
    import sqlite3

    with sqlite3.connect(home / "kb.db") as db:
        assert db.execute("SELECT count(*) FROM evidence").fetchone() == (1,)
    db.close()
