"""Param and Demo: what a registration may say, and what a parameter takes from a command line or a YAML file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.demos import devices
from kb.demos.api import Demo, Param
from kb.errors import DeviceMissing, UnknownName, UsageError

values = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)


@given(values)
def test_a_value_survives_being_typed(value):
    param = Param("p", value)
    for given_as in (value, str(value)):
        taken = param.convert(given_as)
        assert taken == value and type(taken) is type(value)


@given(st.integers(), st.integers(), st.integers())
def test_limits_are_inclusive_and_nothing_outside_gets_in(low, high, value):
    low, high = sorted((low, high))
    param = Param("p", low, min=low, max=high)
    if low <= value <= high:
        assert param.convert(value) == value
    else:
        with pytest.raises(UsageError, match=rf"must be from {low} to {high}, not"):
            param.convert(value)


@pytest.mark.parametrize(
    ("default", "given_as", "taken"),
    [(1, "1e6", 1_000_000), (1, 4.0, 4), (1, "1_000", 1000), (0.5, "1e-3", 1e-3), (0.5, 2, 2.0),
     (0.5, "inf", float("inf")), (True, "no", False), (False, "ON", True), (True, "0", False), ("a", 3, "3")],
)  # fmt: skip
def test_ways_to_write_a_value(default, given_as, taken):
    value = Param("p", default).convert(given_as)
    assert value == taken and type(value) is type(taken)


@pytest.mark.parametrize(
    ("default", "given_as"),
    [(1, "2.5"), (1, "inf"), (1, "nan"), (1, True), (1, None), (1, ""), (1, [1]), (1, "1e999"), (0.5, "x"),
     (0.5, "nan"), (0.5, True), (0.5, None), (True, "maybe"), (True, 2), (True, None)],
)  # fmt: skip
def test_what_is_no_such_value_is_a_usage_error(default, given_as):
    with pytest.raises(UsageError, match="parameter 'p'"):
        Param("p", default).convert(given_as)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Param("two words", 1),
        lambda: Param("p", None),
        lambda: Param("p", 5, max=4),
        lambda: Param("p", 5, choices=(1, 2)),
        lambda: Param("p", 1, choices=("one",)),
        lambda: Param("json", 1),
        lambda: Param("no_record", 1),
        lambda: Demo("d", run="a:b", params=(Param("x", 1), Param("x", 2))),
        lambda: Demo("d", run="a:b", params=(Param("kv-heads", 1), Param("kv_heads", 2))),
        lambda: Demo("d", run="a:b", devices=("cpu",), params=(Param("device", "x"),)),
        lambda: Demo("d", run="a:b", devices="cpu"),
        lambda: Demo("d", run="a:b", devices=("tpu",)),
        lambda: Demo("d", run="a:b", params=("x",)),
    ],
)
def test_a_wrong_registration_is_refused(wrong):
    with pytest.raises(UsageError):
        wrong()


def test_choices_take_the_type_of_the_default():
    param = Param("p", 1.0, choices=(1, 2))
    assert [type(choice) for choice in param.choices] == [float, float]
    assert param.convert("2") == 2.0


DEMO = Demo("d", run="a:b", devices=("cpu", "cuda"))


@pytest.mark.parametrize("name", ["cpu", "cuda", "cuda:0", "cuda:12"])
def test_a_declared_device_is_taken_as_it_was_asked_for(name):
    assert devices.choose(DEMO, name) == name


@pytest.mark.parametrize(
    "name", ["CPU", "gpu", "cuda:", "cuda:-1", "cuda:01", "cuda:1:2", "cpu:0", "mps:0", " cpu", ""]
)
def test_what_is_no_device(name):
    with pytest.raises(UnknownName):
        devices.choose(DEMO, name)


def test_nothing_falls_back():
    with pytest.raises(DeviceMissing):
        devices.choose(DEMO, "mps")
    with pytest.raises(DeviceMissing):
        devices.choose(Demo("d", run="a:b"), "cuda")
    with pytest.raises(DeviceMissing):
        devices.choose(Demo("d", run="a:b", devices=("cuda",)), "cpu")
    assert devices.choose(Demo("d", run="a:b", devices=("cuda",)), None) == "cuda"
    assert devices.choose(DEMO, None) == "cpu" == devices.choose(Demo("d", run="a:b"), None)


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:1"])
def test_a_machine_with_two_gpus_has_these(name, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices.check(name)


def test_and_not_a_third(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(DeviceMissing, match="there is no device cuda:2; this machine has cuda:0 to cuda:1"):
        devices.check("cuda:2")


@pytest.mark.cuda
def test_a_real_gpu_is_named_in_the_evidence():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA here")
    from kb.demos import process
    from kb.demos.report import Report

    def function(report, device):
        report.check("on-it", float(torch.ones(2, device=device).sum()), 2)

    demo = Demo("d", run=function, devices=("cpu", "cuda"))
    evidence = process.run(demo, lambda: function, {}, "cuda:0", report=Report())
    assert evidence.holds and evidence.device == "cuda:0" and evidence.versions["gpu"] and evidence.versions["cuda"]
