"""On the difficulty of training Recurrent Neural Networks, Pascanu, Mikolov, Bengio 2012, https://arxiv.org/abs/1211.5063

A recurrent network computes h_t = tanh(W h_{t−1} + u_t). The gradient through T steps is a product of Jacobians,

    ∂h_T/∂h_0 = ∏ₜ diag(1 − h_t²) W        so        ‖∂h_T/∂h_0‖₂ ≤ ‖W‖₂^T ,

since |tanh'| ≤ 1. With ‖W‖₂ < 1 it must vanish. With ‖W‖₂ > 1 it can grow, but saturated units (tanh' ≈ 0) hold it far
below the bound. An LSTM's cell, c_t = f_t ∘ c_{t−1} + i_t ∘ g_t, adds instead: along that path the factor is f_t, which
the network can hold near 1. Here W = ρQ with Q orthogonal, so that ‖W‖₂ = ρ exactly; the weights are random, since the
statements are about Jacobians and hold for all weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from kb import Report

BLOCK = 10  # steps between two points of the plot


def jacobian_norms(rho: float, steps: int, width: int, generator: torch.Generator) -> list[float]:
    """‖∂h_t/∂h_0‖₂ for t = BLOCK, 2·BLOCK, …, from the product of the exact Jacobians."""
    q, _ = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))
    w = rho * q  # (width, width)
    h = 0.1 * torch.randn(width, generator=generator, dtype=torch.float64)  # (width,)
    product = torch.eye(width, dtype=torch.float64)
    norms = []
    for t in range(1, steps + 1):
        h = torch.tanh(w @ h)
        product = torch.diag(1 - h * h) @ w @ product  # (width, width): one more factor on the left
        if t % BLOCK == 0:
            norms.append(float(torch.linalg.matrix_norm(product, 2)))
    return norms


def by_autograd(rho: float, steps: int, width: int, seed: int) -> float:
    """The largest difference between the product above and autograd's Jacobian of the whole recurrence."""
    generator = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(width, width, generator=generator, dtype=torch.float64))
    w, start = rho * q, 0.1 * torch.randn(width, generator=generator, dtype=torch.float64)

    def run(h: Tensor) -> Tensor:
        for _ in range(steps):
            h = torch.tanh(w @ h)
        return h

    whole = torch.autograd.functional.jacobian(run, start)
    assert isinstance(whole, Tensor)
    generator.manual_seed(seed)
    return abs(float(torch.linalg.matrix_norm(whole, 2)) - jacobian_norms(rho, steps, width, generator)[-1])


def lstm_cell_path(bias: float, steps: int, width: int, seed: int) -> list[float]:
    """‖∂c_t/∂c_0‖₂ of torch's LSTM cell whose forget gates have this extra ``bias``, every BLOCK steps."""
    torch.manual_seed(seed)
    cell = nn.LSTMCell(1, width).double()
    with torch.no_grad():
        cell.bias_ih[width : 2 * width] += bias  # torch keeps the gates in the order i, f, g, o
    start = torch.zeros(1, width, dtype=torch.float64)
    inputs = torch.randn(steps, 1, 1, dtype=torch.float64)
    norms = []
    for last in range(BLOCK, steps + 1, BLOCK):

        def run(c: Tensor, last: int = last) -> Tensor:
            h = start
            for x in inputs[:last]:
                h, c = cell(x, (h, c))
            return c[0]

        whole = torch.autograd.functional.jacobian(run, start)
        assert isinstance(whole, Tensor)
        norms.append(float(torch.linalg.matrix_norm(whole.reshape(width, width), 2)))
    return norms


def context(s: Tensor, states: Tensor, wa: Tensor, ua: Tensor, va: Tensor) -> tuple[Tensor, Tensor]:
    """Bahdanau's attention (https://arxiv.org/abs/1409.0473) for one decoder state ``s``: weights α and context c.

    e_j = vᵀ tanh(W s + U h_j),    α = softmax(e),    c = Σ_j α_j h_j
    """
    energies = torch.tanh(wa @ s + states @ ua.T) @ va  # (n, d) @ (d,) -> (n,)
    alpha = torch.softmax(energies, 0)  # (n,)
    return alpha, alpha @ states  # (n,) @ (n, d) -> (d,)


def main(report: Report, steps: int, width: int, seed: int) -> None:
    """Follow the gradient through time, then take a context vector apart."""
    torch.set_num_threads(1)
    steps -= steps % BLOCK
    times = [float(t) for t in range(BLOCK, steps + 1, BLOCK)]
    curves, bounds = {}, {}
    worst = 0.0
    for rho in (0.9, 1.0, 1.2):
        generator = torch.Generator().manual_seed(seed)
        curves[f"tanh, ‖W‖ = {rho}"] = norms = jacobian_norms(rho, steps, width, generator)
        worst = max(worst, *(norm / rho**t for norm, t in zip(norms, times, strict=True)))
        report.metric(f"gradient-rho-{rho}", norms[-1])
    bounds["— bound 0.9^t"] = [0.9**t for t in times]
    bounds["— bound 1.2^t"] = [1.2**t for t in times]
    report.metric("bound-rho-1.2", 1.2**steps)
    report.check("never-above-the-bound", worst, at_most=1 + 1e-9)
    report.check("product-is-autograds", by_autograd(1.1, BLOCK, width, seed), at_most=1e-10)
    report.check("a-norm-above-1-can-grow", curves["tanh, ‖W‖ = 1.2"][1], at_least=1.0)
    report.check("saturation-keeps-it-far-below", curves["tanh, ‖W‖ = 1.2"][-1] / 1.2**steps, at_most=0.1)
    curves["LSTM cell, forget bias 5"] = gated = lstm_cell_path(5.0, steps, width, seed)
    report.metric("gradient-lstm-cell", gated[-1])
    report.check("an-lstm-cell-keeps-more", gated[-1] / curves["tanh, ‖W‖ = 0.9"][-1], at_least=100.0)
    report.note("The LSTM curve is ∂c_t/∂c_0, the additive path; the bound ‖W‖^t is about the tanh recurrence only.")
    attend(report, seed)
    report.curve(
        times,
        curves | bounds,
        log="y",
        title="Gradient through time",
        xlabel="step t",
        ylabel="‖∂h_t/∂h_0‖",
        dashed=tuple(bounds),
    )


def attend(report: Report, seed: int, n: int = 6, d: int = 8) -> None:
    """The context vector is the weighted sum of the encoder's states, recomputed for each decoder state."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    states, wa, ua, va = draw(n, d), draw(d, d), draw(d, d), draw(d)
    first, second = draw(d), draw(d)
    alpha, c = context(first, states, wa, ua, va)
    by_hand = torch.zeros(d, dtype=torch.float64)
    for j in range(n):
        for k in range(d):
            by_hand[k] += alpha[j] * states[j, k]
    report.check("context-is-the-weighted-sum", float((c - by_hand).abs().max()), at_most=1e-12)
    report.check("weights-sum-to-one", float(alpha.sum()), 1.0, atol=1e-12)
    moved = states.clone()
    strongest = int(alpha.argmax())
    moved[strongest] += 1.0
    changed = (
        context(first, moved, wa, torch.zeros_like(ua), va)[1] - context(first, states, wa, torch.zeros_like(ua), va)[1]
    )
    report.check("every-state-reaches-it", float(changed.abs().min()), 1 / n, atol=1e-12)
    other = context(second, states, wa, ua, va)[1]
    report.check("a-new-one-at-every-step", float((other - c).abs().max()), at_least=1e-3)
