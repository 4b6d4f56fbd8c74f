"""The topics that ship with kb hold every rule that kb holds others to."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

import pytest

from kb.knowledge.library import Library
from kb.registry import Registry

Kb = Callable[..., "subprocess.CompletedProcess[str]"]


def test_every_topic_can_be_used_and_names_only_what_there_is(home: object) -> None:
    library = Library.open(os.environ, Registry.load(os.environ, packs=False))
    assert [str(error) for error in library.broken()] == []
    assert library.names()


@pytest.mark.slow
def test_check_is_clean(run_kb: Kb) -> None:
    done = run_kb("check", "--json", timeout=280)
    faults = json.loads(done.stdout)
    assert [f"{fault['file']}:{fault['line']}: {fault['message']} [{fault['rule']}]" for fault in faults] == []
    assert done.returncode == 0
