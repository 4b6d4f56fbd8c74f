"""The meters are held against programs whose bytes can be counted by hand."""

import pytest

torch = pytest.importorskip("torch")

from kb.demos import meters  # noqa: E402

KIB = 1024


@pytest.fixture(autouse=True)
def one_thread():
    with meters.threads(1):
        yield


def make(kib):
    return torch.empty(kib * KIB, dtype=torch.uint8)


def test_the_peak_is_the_worst_moment_not_the_sum():
    def program():
        for _ in range(5):
            make(100)  # each is gone before the next
        first, second = make(300), make(200)
        del first
        return second

    assert meters.peak_bytes(program) == 500 * KIB


def test_what_was_there_before_does_not_count_and_releasing_it_does_not_hide_a_peak():
    before = [make(1000)]

    def program():
        result = make(64)
        before.clear()
        return result

    assert meters.peak_bytes(program) == 64 * KIB


def test_a_program_without_allocations_has_no_peak():
    assert meters.peak_bytes(lambda: 1 + 1) == 0


def test_scratch_memory_inside_a_kernel_is_seen():
    x = torch.randn(256, 256)
    x.sum()
    assert meters.peak_bytes(lambda: torch.sort(x)) > 2 * 256 * 256 * 4  # values and indices, and more inside


def test_a_storage_counts_once_and_whole_however_many_views_are_saved():
    x = torch.randn(100, 100, dtype=torch.float64, requires_grad=True)

    def program():
        y = x.exp()  # exp saves its result
        return y[0] * y[1]  # two views of that same storage

    assert meters.saved_bytes(program) == 100 * 100 * 8


def test_only_what_is_kept_for_the_result_counts():
    x = torch.randn(1000, requires_grad=True)

    def program():
        for _ in range(4):
            x.exp().sum()  # the graph dies at once
        return x.exp(), x.exp()

    assert meters.saved_bytes(program) == 2 * 4000


def test_a_checkpoint_keeps_its_input_only():
    x = torch.randn(1000, requires_grad=True)

    def program():
        return torch.utils.checkpoint.checkpoint(lambda y: y.exp().sin().exp(), x, use_reentrant=False)

    assert meters.saved_bytes(lambda: x.exp().sin().exp()) == 2 * 4000  # both results of exp; sin reads the first
    assert meters.saved_bytes(program) == 4000


def test_inputs_that_live_anyway_can_be_left_out():
    weight = torch.randn(50, 50, requires_grad=True)
    x = torch.randn(50, 50, requires_grad=True)
    assert meters.saved_bytes(lambda: x @ weight) == 2 * 50 * 50 * 4
    assert meters.saved_bytes(lambda: x @ weight, ignore=[weight]) == 50 * 50 * 4


def test_the_exponent_of_a_power_law_is_its_power():
    sizes = [128, 512, 1024]
    assert meters.exponent(sizes, [3 * n**2 for n in sizes]) == pytest.approx(2)
    assert meters.exponent(sizes, [7 * n for n in sizes]) == pytest.approx(1)


def test_the_roofline_is_the_lower_of_two_roofs():
    roof = meters.Roofline(flops=100.0, bandwidth=10.0)
    assert roof.balance == 10
    assert roof.seconds(flops=50, traffic=1) == 0.5  # 50 FLOP/byte: limited by arithmetic
    assert roof.seconds(flops=50, traffic=20) == 2.0  # 2.5 FLOP/byte: limited by memory


def test_measured_peaks_and_free_memory_are_positive():
    roof = meters.roofline(repeats=1)
    assert roof.flops > 1e8 and roof.bandwidth > 1e8
    free = meters.free_bytes()
    assert free is None or free > 0


def test_the_number_of_threads_comes_back_even_after_an_error():
    with pytest.raises(RuntimeError), meters.threads(2):
        assert torch.get_num_threads() == 2
        raise RuntimeError
    assert torch.get_num_threads() == 1
