"""The step by hand is held against the plain module; without its parts it differs."""

import pytest

torch = pytest.importorskip("torch")

from kb import Report  # noqa: E402
from kb.plugins.data_parallel import gil, step  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def checks(batch=10, replicas=4, seed=0):
    torch.manual_seed(seed)
    module = step.Counting(5).double()
    x, target = torch.randn(2, batch, 8, dtype=torch.float64).unbind()
    report = Report()
    gil.by_hand(report, module, x, target, replicas)
    return report


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("batch", "replicas"), [(10, 4), (9, 4), (2, 16), (64, 2)])
@pytest.mark.slow
def test_a_step_by_hand_holds(seed, batch, replicas):
    assert checks(batch, replicas, seed).holds


def failed(report):
    return {check.name for check in report.checks if not check.holds}


def test_replicas_cut_off_from_the_module_get_no_gradient_to_it(monkeypatch):
    def cut(module, count):
        return [step.copy.deepcopy(module) for _ in range(count)]

    monkeypatch.setattr(step, "replicate", cut)
    with pytest.raises((RuntimeError, ValueError), match="expected a non-empty list"):  # no gradient arrived
        checks()


def test_the_module_itself_in_place_of_replicas_keeps_its_counter(monkeypatch):
    monkeypatch.setattr(step, "replicate", lambda module, count: [module] * count)
    assert {"a-counter-is-lost", "a-buffer-is-kept"} <= failed(checks())


def test_threads_one_after_the_other_in_the_caller_are_seen(monkeypatch):
    def serial(replicas, chunks, seen):
        seen.threads.add(0)
        seen.processes.add(0)
        return [replica(chunk) for replica, chunk in zip(replicas, chunks, strict=True)]

    monkeypatch.setattr(step, "parallel_apply", serial)
    assert failed(checks()) == {"a-thread-a-replica"}


def test_an_error_in_a_thread_is_raised():
    class Broken(torch.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        step.forward(Broken(), torch.zeros(4, 8), 2)


def test_the_rest_holds_without_a_gpu():
    if torch.accelerator.is_available():
        pytest.skip("this is how it is without a GPU")
    report = Report()
    module = step.Counting(3)
    gil.on_the_cpu(report, module, torch.randn(4, 8))
    gil.split_module(report)
    assert len(report.checks) == 3 and report.holds


def test_a_module_on_one_device_is_not_refused(monkeypatch):
    """The control: past the test of the devices, torch goes on to GPUs that are not there, and fails otherwise."""
    whole = torch.nn.Linear
    monkeypatch.setattr(gil.nn, "Linear", lambda *sizes, device=None: whole(*sizes))
    report = Report()
    try:
        gil.split_module(report)
    except (AssertionError, AttributeError, RuntimeError):
        return
    assert not report.holds


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_whole_demo_over_seeds(seed):
    report = Report()
    gil.main(report, replicas=2 + seed % 3, batch=30, layers=10, passes=3, seed=seed, device="cpu")
    assert report.holds
