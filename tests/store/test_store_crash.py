"""``kill -9`` at any moment: every answer that was acknowledged is there, and the database is sound."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kb.config import Settings
from kb.memory.days import Moment
from kb.store import doctor
from kb.store.store import Store

# Answers, undoes, regrades, suspends and fits as fast as it can, and acknowledges each thing once it is stored, as a
# sitting does when it shows the verdict. Days pass quickly, so that daily backups are made meanwhile too.
_LEARNER = """
import os, random, sys
from kb.config import Settings
from kb.memory import fsrs
from kb.memory.days import Moment
from kb.store.store import Store

home, seed = sys.argv[1], int(sys.argv[2])
chooser = random.Random(seed)
store = Store.open(home, Settings(backups_daily=2, backups_weekly=0, backups_monthly=0))
at = 1_790_000_400_000 + seed * 3_600_000
while True:
    at += chooser.randrange(40 * 60_000)
    moment = Moment(at, 60)
    kind = chooser.choice(["answer"] * 12 + ["undo", "regrade", "suspend", "params", "close"])
    if kind == "answer":
        question, grade, answer = f"zero/{chooser.randrange(20)}", chooser.randint(1, 4), "x" * chooser.randrange(3000)
        event = store.record(question, grade, moment, answer=answer)
        line = f"answer {event.id}"
    elif kind == "undo":
        line = " ".join(["undone", *(event.id for event in store.undo(moment))])
    elif kind == "regrade":
        if store.undoable() is None:
            continue
        line = f"answer {store.regrade(chooser.randint(1, 4), moment).id}"
    elif kind == "params":
        line = f"params {store.append('params', moment, data={'weights': fsrs.DEFAULT_WEIGHTS}).id}"
    elif kind == "suspend":
        line = f"suspend {store.append('suspend', moment, 'zero/1').id}"
    else:
        store.close()
        continue
    os.write(1, (line + "\\n").encode())
"""


def kill_at_random(home: Path, seed: int, chooser: random.Random, learners: int) -> set[tuple[str, str]]:
    """Start learners, kill them all at a random instant, and return what they acknowledged: (kind, id)."""
    started = [
        subprocess.Popen([sys.executable, "-c", _LEARNER, str(home), str(seed * 10 + n)], stdout=subprocess.PIPE)
        for n in range(learners)
    ]
    said = {process.pid: b"" for process in started}
    # from before the database is made to deep in the work
    if chooser.random() < 0.3:
        time.sleep(chooser.uniform(0.05, 0.6))
    else:
        wait_for(started[0], chooser.randrange(1, 60), said)
        time.sleep(chooser.uniform(0, 0.01))
    for process in started:
        os.kill(process.pid, signal.SIGKILL)
    for process in started:
        assert process.stdout is not None
        with process.stdout:
            said[process.pid] += process.stdout.read()
        assert process.wait() == -signal.SIGKILL, "it ended by itself"
    # a line that the kill cut short was not acknowledged
    lines = [line.split() for output in said.values() for line in output.decode().split("\n")[:-1]]
    return {(kind, identifier) for kind, *identifiers in lines for identifier in identifiers}


def wait_for(process: subprocess.Popen[bytes], lines: int, said: dict[int, bytes]) -> None:
    assert process.stdout is not None
    while said[process.pid].count(b"\n") < lines:
        piece = os.read(process.stdout.fileno(), 4096)
        if not piece:
            return
        said[process.pid] += piece


def verify(home: Path, said: set[tuple[str, str]]) -> None:
    """Everything in ``said`` is in the log, and the doctor finds nothing."""
    with Store.open(str(home), Settings(backups=False)) as store:
        kept = {event.id for event in store.events()}
        undone = store.undone()
    for kind, identifier in said:
        assert identifier in kept, f"{kind} {identifier} was acknowledged and is lost"
        assert kind != "undone" or identifier in undone, f"the undo of {identifier} is lost"
    findings = doctor.examine(str(home), Moment(1_900_000_000_000, 0))
    assert [finding for finding in findings if not finding.ok] == []


def campaign(home: Path, kills: int, seed: int) -> int:
    """Kill again and again on the same database; returns how many things were acknowledged in all."""
    chooser = random.Random(seed)
    said: set[tuple[str, str]] = set()
    for n in range(kills):
        said |= kill_at_random(home, n, chooser, learners=1 + (n % 3 == 2))
        verify(home, said)
    return len(said)


@pytest.mark.slow
def test_three_kills(home: Path) -> None:
    assert campaign(home, kills=3, seed=1) > 0


def test_a_lost_answer_would_be_noticed(store: Store, home: Path, noon: Moment) -> None:
    event = store.record("zero/a", 3, noon, answer=1)
    verify(home, {("answer", event.id)})
    with pytest.raises(AssertionError, match="is lost"):
        verify(home, {("answer", event.id), ("answer", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")})
    with pytest.raises(AssertionError, match="the undo of"):
        verify(home, {("undone", event.id)})


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(4))
def test_a_campaign_of_kills(home: Path, seed: int) -> None:
    assert campaign(home, kills=50, seed=seed) > 500
