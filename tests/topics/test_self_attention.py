"""Attention in all its variants against an oracle written again here, and the demo's checks against broken methods."""

import math

import pytest

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from kb import Report  # noqa: E402
from kb.demos import meters  # noqa: E402
from kb.errors import UnknownName, UsageError  # noqa: E402
from kb.plugins import self_attention  # noqa: E402
from kb.plugins.self_attention import (  # noqa: E402
    attention,
    checks,
    compiled,
    counts,
    fused,
    measure,
    naive,
    scaling,
    tiled,
    variants,
)


@pytest.fixture(autouse=True)
def one_thread():
    with meters.threads(1):
        yield


def demo(name):
    found = []
    self_attention.register_demos(found.append)
    return next(one for one in found if one.name == name)


def run(**given):
    """The attention demo with its defaults but for ``given``, small unless told otherwise."""
    given = {"n": "64,128", "dim": 8, "variants": "naive,tiled,sdpa", "repeats": 1, **given}
    report = Report()
    attention.main(report, **demo("attention").arguments(given), device="cpu")
    return report


def tensors(n, d=8, heads=2, dtype=torch.float64, seed=0, scale=1.0):
    generator = torch.Generator().manual_seed(seed)
    return [scale * torch.randn(1, heads, n, d, generator=generator).to(dtype) for _ in range(4)]


def oracle(q, k, v, causal):
    """The definition, one query at a time, in Python's own arithmetic."""
    output = torch.empty_like(v)
    for b in range(q.shape[0]):
        for h in range(q.shape[1]):
            for i in range(q.shape[2]):
                seen = range(i + 1 if causal else k.shape[2])
                scores = [float(q[b, h, i] @ k[b, h, j]) / math.sqrt(q.shape[3]) for j in seen]
                top = max(scores)
                weights = [math.exp(score - top) for score in scores]
                output[b, h, i] = sum(w * v[b, h, j] for w, j in zip(weights, seen, strict=True)) / sum(weights)
    return output


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("n", [1, 5, 16, 23])
def test_every_way_computes_the_definition(n, causal):
    q, k, v, _ = tensors(n)
    exact = oracle(q, k, v, causal)
    ways = {
        "naive": naive.attention(q, k, v, causal),
        "reference": naive.reference(q, k, v, None, causal, rows=7)[0],
        "tiled": tiled.attention(q, k, v, causal, 6),
        "fused": fused.attention(q, k, v, causal),
        "math": fused.attention(q, k, v, causal, "math"),
    }
    for name, output in ways.items():
        assert torch.allclose(output, exact, rtol=1e-10, atol=1e-12), name


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("block", [1, 4, 7, 32])
@pytest.mark.slow
def test_the_tiles_gradient_is_the_derivative_for_any_block(block, causal):
    q, k, v, _ = (x.requires_grad_() for x in tensors(9, d=3))
    assert torch.autograd.gradcheck(lambda *x: tiled.attention(*x, causal, block), (q, k, v))


@pytest.mark.parametrize("causal", [False, True])
def test_the_reference_in_bands_has_the_gradients_of_the_whole(causal):
    q, k, v, upstream = tensors(20)
    leaves = [x.clone().requires_grad_() for x in (q, k, v)]
    expected = torch.autograd.grad(naive.attention(*leaves, causal), leaves, upstream)
    _, gradients = naive.reference(q, k, v, upstream, causal, rows=6)
    for mine, whole in zip(gradients, expected, strict=True):
        assert torch.allclose(mine, whole, rtol=1e-10, atol=1e-12)


def test_scores_of_a_million_stay_finite_and_exact():
    q, k, v, upstream = tensors(32, dtype=torch.float32, scale=1000.0)
    output, gradients = naive.reference(q, k, v, upstream)
    leaves = [x.requires_grad_() for x in (q, k, v)]
    mine = tiled.attention(*leaves, False, 5)
    assert naive.relative_error(mine, output) < 1e-3
    assert all(torch.isfinite(x).all() for x in torch.autograd.grad(mine, leaves, upstream))
    assert len(gradients) == 3


class Largest(TorchDispatchMode):
    """The largest tensor that any operation returns."""

    def __init__(self):
        super().__init__()
        self.numel = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        for tensor in result if isinstance(result, tuple | list) else [result]:
            if isinstance(tensor, torch.Tensor):
                self.numel = max(self.numel, tensor.numel())
        return result


def test_the_tiles_never_make_anything_of_n_by_n():
    n, d, block = 256, 8, 32
    q, k, v, _ = (x.requires_grad_() for x in tensors(n, d=d, heads=1))
    with Largest() as largest:
        torch.autograd.grad(tiled.attention(q, k, v, False, block).sum(), (q, k, v))
    assert largest.numel == max(n * d, block * block)
    with Largest() as largest:
        naive.attention(q, k, v)
    assert largest.numel == n * n


def test_half_precision_keeps_its_sums_in_float32():
    q, k, v, upstream = tensors(512, d=32, dtype=torch.bfloat16)
    output, _ = naive.reference(q, k, v, upstream)
    plain = naive.relative_error(naive.attention(q, k, v), output)
    assert naive.relative_error(tiled.attention(q, k, v, False, 64), output) <= 2 * plain


def test_the_counts_are_pytorchs_own():
    q, k, v, _ = tensors(48, d=16, heads=3)
    with FlopCounterMode(display=False) as counter:
        naive.attention(q, k, v)
    assert counter.get_total_flops() == counts.forward_flops(1, 3, 48, 16)
    assert counts.backward_flops(1, 3, 48, 16) == 2 * counts.forward_flops(1, 3, 48, 16)
    assert counts.forward_flops(1, 1, 3, 1, halved=True) == 4 * 6  # pairs (1,1) (2,1) (2,2) (3,1) (3,2) (3,3)
    assert counts.compulsory_bytes(1, 3, 48, 16, 2) == sum(x.numel() for x in (q, k, v, q)) * 2


def test_the_intensities_are_the_textbooks():
    assert counts.intensity(4096, 64, 2) == 2048  # N/s
    assert counts.intensity(10**6, 64, 2, matrices=4) == pytest.approx(32, rel=1e-3)  # D/s for N ≫ D


def test_the_demo_holds_and_says_what_is_missing_where_lengths_are_short():
    report = run()
    names = {check.name for check in report.checks}
    assert report.holds
    assert {"error-sdpa", "gradient-error-tiled", "naive-peak-bytes", "tiled-backward-flops"} <= names
    assert "fused-memory-exponent" not in names
    assert any("two lengths" in note for note in report.notes)


def test_without_gradients_none_are_measured():
    report = run(backward=False)
    assert report.holds
    assert not any("gradient" in check.name for check in report.checks)
    assert not any(metric.name.startswith("saved") for metric in report.metrics)


def test_flex_attention_without_a_backward_pass_is_a_finding():
    found = {metric.name: metric.value for metric in run().metrics}
    if torch.__version__.startswith("2.13"):
        assert found["flex-backward"].startswith("NotImplementedError")
    else:
        assert found["flex-backward"]


def test_a_backend_that_is_not_there_is_a_note():
    report = run(variants="naive,sdpa-cudnn", n="64")
    assert [note for note in report.notes if note.startswith("sdpa-cudnn is left out: RuntimeError")]
    assert report.holds


def test_what_does_not_fit_is_left_out_with_a_note(monkeypatch):
    one = counts.matrix_bytes(1, 1, 128, 4)
    monkeypatch.setattr(meters, "free_bytes", lambda device: 6 * one)  # room for N = 64 only
    report = run()
    assert any(note.startswith("naive at N = 128 is left out") for note in report.notes)
    assert report.holds


@pytest.mark.parametrize("n", ["", "one", "8", "64,-2", "64;128", "9999999"])
def test_lengths_that_are_none_are_refused_in_a_line(n):
    with pytest.raises(UsageError, match="sequence lengths"):
        run(n=n)


def test_an_unknown_variant_is_refused_with_the_nearest():
    with pytest.raises(UnknownName, match="did you mean sdpa"):
        run(variants="naive,sdpaa")


def test_the_naive_baseline_is_always_there():
    assert variants.chosen("sdpa", "cpu", False) == ["naive", "sdpa"]
    assert variants.chosen("auto", "cpu", True)[-1] == "flex"
    assert "sdpa-flash" in variants.chosen("auto", "cuda:0", False)


# Broken on purpose: the check that is there for it must fail.


def failed(report):
    return {check.name for check in report.checks if not check.holds}


def swap(monkeypatch, name, function):
    build = variants.build

    def broken(asked, device, causal):
        variant = build(asked, device, causal)
        return variants.Variant(asked, function) if asked == name else variant

    monkeypatch.setattr(attention, "build", broken)


def test_a_tile_sum_that_is_not_rescaled_is_caught(monkeypatch):
    def forgetful(q, k, v, causal=False):
        d = q.shape[-1]
        parts = [(q @ x.mT * d**-0.5, y) for x, y in zip(k.split(32, 2), v.split(32, 2), strict=True)]
        weights = [(s - s.amax(-1, keepdim=True)).exp() for s, _ in parts]
        return sum(w @ y for w, (_, y) in zip(weights, parts, strict=True)) / sum(
            w.sum(-1, keepdim=True) for w in weights
        )

    swap(monkeypatch, "tiled", forgetful)
    assert {"error-tiled", "gradient-error-tiled"} <= failed(run())


def test_a_wrong_gradient_alone_is_caught(monkeypatch):
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, q, k, v):
            ctx.save_for_backward(q, k, v)
            return fused.attention(q, k, v)

        @staticmethod
        def backward(ctx, upstream):
            leaves = [x.detach().requires_grad_() for x in ctx.saved_tensors]
            with torch.enable_grad():
                dq, dk, dv = torch.autograd.grad(fused.attention(*leaves), leaves, upstream)
            return dq, dk, dv * 1.001

    swap(monkeypatch, "sdpa", lambda q, k, v, causal=False: Wrong.apply(q, k, v))
    assert failed(run()) == {"gradient-error-sdpa"}


@pytest.mark.slow
def test_a_kernel_that_keeps_the_matrix_is_caught(monkeypatch):
    swap(monkeypatch, "sdpa", naive.attention)
    assert failed(run(n="1024,2048", dim=64, variants="naive,sdpa")) >= {
        "fused-memory-exponent",
        "fused-memory-share",
        "fused-saved-bytes",
    }


def result(variant, n, peak, **more):
    return measure.Result(variant, n, 1e-7, peak, 1.0, 1, **more)


def test_linear_memory_where_the_square_is_expected_is_caught():
    report = Report()
    checks.memory(report, [result("naive", n, 1000 * n) for n in (1024, 2048)], (1, 64, 4), False, on_cuda=False)
    assert {"naive-peak-bytes", "naive-memory-exponent"} <= failed(report)


def test_code_without_the_kernel_is_caught_and_a_mask_that_is_fused_too():
    kernel = ("_scaled_dot_product_flash_attention_for_cpu",)
    for causal, calls, name in (
        (False, (), "compiled-calls-fused-kernel"),
        (True, kernel, "masked-fill-calls-fused-kernel"),
    ):
        report = Report()
        checks.fusion(report, [result("compiled", 64, 10**9, fused_calls=calls)], 1, 4, causal, on_cuda=False)
        assert failed(report) == {name}


def test_on_cuda_in_float32_the_compiler_is_not_expected_to_fuse():
    report = Report()
    checks.fusion(report, [result("compiled", 64, 10**9)], 1, 4, causal=False, on_cuda=True)
    assert not report.checks and any("TF32" in note for note in report.notes)


def test_only_a_call_counts_as_a_call():
    code = """
    # Topologically Sorted Source Nodes: [_scaled_dot_product_flash], Original ATen: [aten._scaled_dot_product]
    buf0 = torch.ops.aten._scaled_dot_product_flash_attention.default(q, k, v)
    buf1 = torch.ops.aten._scaled_dot_product_flash_attention.default(q, k, v)
    """
    assert compiled.Built(0.0, (code,)).fused_calls == ("_scaled_dot_product_flash_attention",)
    assert compiled.Built(0.0, (code.replace("torch.ops.aten", "extern"),)).fused_calls == ()


def test_the_cache_folder_comes_back(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "before")
    with compiled.cache(tmp_path):
        pass
    import os

    assert os.environ["TORCHINDUCTOR_CACHE_DIR"] == "before"


def test_scaling_is_what_keeps_entropy_and_gradient():
    report = Report()
    scaling.main(report, keys=64, pairs=20000, seed=0)
    assert report.holds
    p = torch.softmax(torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64), -1)
    jacobian = torch.autograd.functional.jacobian(lambda s: torch.softmax(s, -1), p.log())
    assert float(scaling.jacobian_norm(p)) == pytest.approx(float(torch.linalg.matrix_norm(jacobian)))
    assert float(scaling.normalized_entropy(torch.full((7,), 1 / 7))) == pytest.approx(1)


def test_without_the_division_the_scaling_checks_fail(monkeypatch):
    monkeypatch.setattr(scaling.math, "sqrt", lambda d: 1.0 if d in scaling.WIDTHS else d**0.5)
    report = Report()
    scaling.main(report, keys=64, pairs=5000, seed=0)
    assert {"entropy-scaled-stays", "gradient-lost"} <= failed(report)


def test_half_precision_on_the_cpu_is_judged_with_its_scratch_memory_in_mind():
    report = run(n="64,2048", dim=64, dtype="float16", variants="naive,sdpa,tiled")
    assert report.holds
    assert "fused-memory-share" in {check.name for check in report.checks}


def test_short_sequences_of_few_heads_on_cuda_are_not_judged_by_their_scratch_memory():
    """FlashAttention splits the keys there; what it keeps for each part is no growth with N."""
    assert checks.settled_from(16, 2, on_cuda=True) == 1024
    assert checks.settled_from(1, 2, on_cuda=True) == 2**14
    for heads, judged in ((16, True), (1, False)):
        report = Report()
        measured = [result("naive", n, 3 * n * n) for n in (1024, 2048)]
        measured += [result("sdpa", n, 2 * n * n) for n in (1024, 2048)]
        checks.memory(report, measured, (heads, 64, 2), True, on_cuda=True)
        assert ("fused-memory-share" in failed(report)) is judged
        assert ("fused-memory-exponent" in failed(report)) is judged


def test_what_the_compiler_left_alone_is_not_held_to_be_linear():
    """As in float32 on CUDA: the note says it, and its memory is that of the plain formula."""
    for calls, judged in (((), False), (("_scaled_dot_product_flash_attention",), True)):
        report = Report()
        measured = [result("compiled", n, n * n, fused_calls=calls) for n in (1024, 2048)]
        checks.memory(report, measured, (16, 64, 4), False, on_cuda=True)
        assert ("compiled-memory-exponent" in failed(report)) is judged
