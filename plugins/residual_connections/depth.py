"""Deep Residual Learning for Image Recognition, He et al. 2015, https://arxiv.org/abs/1512.03385

A residual layer computes y = x + F(x), so that its Jacobian is

    ∂y/∂x = I + ∂F/∂x

Whatever F does, the gradient has a path around it. Four wirings of the same layer F(x) = relu(W x + b):

    plain       y = F(x)
    residual    y = x + F(x)
    pre-norm    y = x + F(norm(x))      https://arxiv.org/abs/2002.04745
    post-norm   y = norm(x + F(x))

The input and labels are real (scikit-learn's digits: 64 pixels, 10 classes).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from kb import Report

WIRINGS = ("plain", "residual", "pre-norm", "post-norm")
Wire = Callable[[Tensor, nn.Linear], Tensor]


def block(wiring: str, x: Tensor, linear: nn.Module) -> Tensor:
    """One layer, (batch, width) -> (batch, width)."""
    if wiring == "plain":
        return F.relu(linear(x))
    if wiring == "residual":
        return x + F.relu(linear(x))
    if wiring == "pre-norm":
        return x + F.relu(linear(F.layer_norm(x, x.shape[-1:])))
    return F.layer_norm(x + F.relu(linear(x)), x.shape[-1:])


class Network(nn.Module):
    """Pixels to features, ``depth`` layers of one wiring, features to classes."""

    def __init__(self, wiring: str, depth: int, width: int, init: str) -> None:
        super().__init__()
        self.wiring = wiring
        self.enter = nn.Linear(64, width)
        layers = [nn.Linear(width, width) for _ in range(depth)]
        self.layers = nn.ModuleList(layers)
        self.leave = nn.Linear(width, 10)
        if init == "he":  # variance 2/n keeps the size of relu's output; torch's default has variance 1/(3n)
            for linear in layers:
                nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")

    def states(self, x: Tensor) -> list[Tensor]:
        """h₀ … h_L, each (batch, width)."""
        found = [self.enter(x)]
        for linear in self.layers:
            found.append(block(self.wiring, found[-1], linear))
        return found

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.leave(self.states(x)[-1])  # (batch, 10)
        return scores


def gradient_sizes(network: Network, x: Tensor, y: Tensor) -> list[float]:
    """‖∂L/∂h_l‖ for l = 0 … L, the size of the gradient as it arrives at each layer."""
    states = network.states(x)
    loss = F.cross_entropy(network.leave(states[-1]), y)
    return [float(g.norm()) for g in torch.autograd.grad(loss, states)]


def train(network: Network, x: Tensor, y: Tensor, steps: int) -> list[float]:
    """The training loss, a step at a time (Adam, whole batch)."""
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main(report: Report, depth: int, width: int, init: str, steps: int, seed: int) -> None:
    """Measure the gradient at every layer of the four wirings, then train them."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    digits = load_digits()
    x = torch.tensor(digits.data / 16, dtype=torch.float64)[:128]  # (128, 64)
    y = torch.tensor(digits.target)[:128]

    sizes, losses = {}, {}
    for wiring in report.progress(WIRINGS, label="wirings"):
        network = Network(wiring, depth, width, init).double()  # fp32 underflows to 0 in some plain ones
        sizes[wiring] = gradient_sizes(network, x, y)
        losses[wiring] = train(network.float(), x.float(), y, steps)
        ratio = sizes[wiring][0] / sizes[wiring][-1]
        report.metric(f"{wiring}-gradient-ratio", ratio)
        report.metric(f"{wiring}-loss", losses[wiring][-1], "nats")
    report.note("The ratio is ‖∂L/∂h₀‖ / ‖∂L/∂h_L‖: how much of the gradient at the last layer reaches the first.")
    jacobian(report, width)
    if init == "default" and depth >= 50:
        # each plain layer shrinks the gradient by about √(1/6); fifty of them by 1e-19
        report.check("plain-vanishes", sizes["plain"][0] / sizes["plain"][-1], at_most=1e-10)
        report.check("residual-does-not", sizes["residual"][0] / sizes["residual"][-1], at_least=1.0)
        report.note(
            "Without a norm the residual sum grows layer by layer, and the gradient with it: it explodes instead."
        )
    else:
        report.note(
            "No check on vanishing: that needs torch's default init and 50 layers. He's init keeps plain layers alive."
        )
    if init == "default" and depth >= 50 and steps >= 60:
        report.check("plain-does-not-learn", losses["plain"][-1], at_least=1.8)
        report.check("pre-norm-learns", losses["pre-norm"][-1], at_most=0.7)
    layers = range(depth + 1)
    report.curve(layers, sizes, log="y", title="Size of the gradient at each layer", xlabel="layer", ylabel="‖∂L/∂h‖")
    report.curve(range(1, steps + 1), losses, title="Training loss", xlabel="step", ylabel="nats")


def jacobian(report: Report, width: int) -> None:
    """∂y/∂x of one residual layer is I + ∂F/∂x, and the layer is the identity where F is 0."""
    linear = nn.Linear(width, width).double()
    x = torch.randn(1, width, dtype=torch.float64)
    whole = torch.autograd.functional.jacobian(lambda v: block("residual", v, linear), x).reshape(width, width)
    inner = torch.autograd.functional.jacobian(lambda v: block("plain", v, linear), x).reshape(width, width)
    difference = whole - inner - torch.eye(width, dtype=torch.float64)
    report.check("jacobian-is-identity-plus", float(difference.abs().max()), at_most=1e-12)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    with torch.no_grad():
        kept, lost = block("residual", x, linear) - x, block("plain", x, linear) - x
    report.check("zero-branch-is-identity", float(kept.abs().max()), 0.0)
    report.check("zero-plain-layer-is-not", float(lost.abs().max()), at_least=0.1)
