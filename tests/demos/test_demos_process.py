"""A demo in a process of its own, from Python: what comes back, what is stopped, what is left behind."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import time
from datetime import datetime

import pytest

from kb.demos import process, runner
from kb.demos.api import Demo, Param
from kb.demos.report import Report
from kb.errors import DemoError, DeviceMissing, KbError, MissingExtra, UnknownName, UsageError

AT = datetime.fromisoformat("2026-11-23T10:00:00+01:00")


def run(function, demo=None, arguments=None, *, how=process, **options):
    demo = demo or Demo("it", run=function)
    report = options.pop("report", None) or Report()
    if how is process:
        return process.run(demo, lambda: function, arguments or {}, report=report, at=AT, **options)
    return runner.run(demo, function, arguments or {}, report=report, at=AT, **options)


@pytest.fixture(params=[process, runner], ids=["process", "here"])
def how(request):
    return request.param


def test_both_ways_give_the_same_evidence(how):
    def function(report, n, device):
        report.metric("twice", 2 * n, "B")
        report.check("even", 2 * n % 2, 0)
        report.note(device)

    demo = Demo("it", run=function, devices=("cpu",), params=(Param("n", 3),))
    report = Report()
    evidence = run(function, demo, {"n": "4"}, how=how, report=report)
    assert (evidence.demo, evidence.device, evidence.parameters) == ("it", "cpu", {"n": 4})
    assert [(m.name, m.value, m.unit) for m in evidence.metrics] == [("twice", 8, "B")]
    assert evidence.holds and evidence.at == "2026-11-23T10:00:00+01:00" and not evidence.proves
    assert list(evidence.metrics) == report.metrics and report.notes == ["cpu"]
    assert run(function, demo, how=how).proves


def test_arguments_are_judged_before_anything_runs(how):
    def function(report, n):
        raise AssertionError("it ran")

    demo = Demo("it", run=function, params=(Param("n", 3, max=9),))
    with pytest.raises(UsageError, match="at most 9"):
        run(function, demo, {"n": 10}, how=how)
    with pytest.raises(UnknownName, match="no parameter of demo 'it' is called 'm'"):
        run(function, demo, {"m": 1}, how=how)
    with pytest.raises(DeviceMissing, match="runs on: cpu"):
        run(function, demo, {}, device="cuda", how=how)


def test_an_error_keeps_its_class_place_and_cure(how):
    def fails(report):
        raise ZeroDivisionError("by hand")

    def is_kbs_own(report):
        raise KbError("said", file="x.py", line=3, cure="do that")

    def lacks(report):
        raise ModuleNotFoundError("No module named 'sklearn.svm'", name="sklearn.svm")

    with pytest.raises(DemoError, match="raised ZeroDivisionError: by hand") as caught:
        run(fails, how=how)
    assert (caught.value.file, caught.value.line) == (__file__, fails.__code__.co_firstlineno + 1)
    with pytest.raises(KbError) as caught:
        run(is_kbs_own, how=how)
    assert str(caught.value) == "x.py:3: said; do that"
    with pytest.raises(MissingExtra, match="scikit-learn"):
        run(lacks, how=how)


def test_an_interrupt_inside_the_demo_stays_an_interrupt():
    def interrupted(report):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted, how=runner)


def test_what_takes_too_long_is_stopped_and_the_place_is_named():
    def hangs(report):
        time.sleep(1000)

    with pytest.raises(DemoError, match=r"demo 'it' took longer than 0\.5 s and was stopped"):
        run(hangs, timeout_seconds=0.5)


def test_a_report_larger_than_a_pipe_comes_through():
    def large(report):
        report.image([[float(n * m) for n in range(300)] for m in range(300)])

    report = Report()
    run(large, report=report)
    assert len(report.figures[0].pixels) == 300


def test_a_rank_that_outlives_the_demo_neither_delays_nor_survives_it():
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def leaves_one_behind(report):
        child = os.fork()
        if child == 0:
            time.sleep(1000)
        sender.send(child)
        os._exit(3)  # and dies while the child still holds the pipe

    with pytest.raises(DemoError, match="ended its process with code 3"):
        run(leaves_one_behind)
    assert receiver.poll(10)
    child = receiver.recv()
    until = time.monotonic() + 30
    while lives(child):
        assert time.monotonic() < until
        time.sleep(0.05)


def lives(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{process_id}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] != "Z"


def test_it_can_be_run_from_a_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(run(lambda report: report.metric("x", 1))))
    thread.start()
    thread.join()
    assert found[0].metrics[0].value == 1


def test_the_demo_shares_nothing_with_the_caller(capfd):
    here = os.getpid(), dict(os.environ)

    def function(report):
        os.environ["LEFT"] = "behind"
        sys.modules["kb_left_behind"] = sys
        print("printed")
        report.metric("process", os.getpid())
        report.metric("stdin", sys.stdin.read())

    evidence = run(function)
    assert evidence.metrics[0].value != here[0] and dict(os.environ) == here[1]
    assert "kb_left_behind" not in sys.modules
    out, err = capfd.readouterr()
    assert out == "" and "printed" in err


def test_progress_is_shown_by_the_demo_and_not_by_its_ranks():
    receiver, sender = multiprocessing.Pipe(duplex=False)

    def show(items, total, label):
        for item in items:
            sender.send((total, label))
            yield item

    def function(report):
        child = os.fork()
        for _ in report.progress([1, 2], label="steps"):
            pass
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)

    run(function, report=Report(on_progress=show))
    seen = []
    while receiver.poll():
        seen.append(receiver.recv())
    assert seen == [(2, "steps")] * 2


@pytest.mark.parametrize("numbers", [[0.0], [float("nan")]])
def test_no_checks_hold_and_a_nan_does_not(numbers, how):
    def function(report):
        for number in numbers:
            report.check("not-above-one", number, at_most=1.0)

    assert run(function, how=how).holds == (numbers == [0.0])


def test_the_caller_hears_how_far_the_demo_has_come():
    heard = []

    def function(report):
        for _ in report.progress(range(3), label="steps"):
            time.sleep(0.25)

    run(function, on_wait=lambda seconds, step: heard.append(step))
    told = [(step.done, step.total, step.label) for step in heard if step is not None]
    assert told == sorted(told) and set(told) == {(n, 3, "steps") for n in range(3)}
