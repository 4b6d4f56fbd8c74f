"""Layer Normalization, Ba, Kiros and Hinton 2016, https://arxiv.org/abs/1607.06450

Every norm is one formula with other axes. μ and σ² are taken over the set of numbers S that share them:

    y = γ · (x − μ_S) / √(σ²_S + ε) + β

    batch norm      S = all samples and places of one channel       axes (N, H, W)   https://arxiv.org/abs/1502.03167
    layer norm      S = all features of one sample                  axes (C, H, W)
    layer norm      S = all features of one token (Transformers)    axis  (D,)
    instance norm   S = all places of one channel of one sample     axes (H, W)      https://arxiv.org/abs/1607.08022
    group norm      S = some channels of one sample                 axes (C/G, H, W) https://arxiv.org/abs/1803.08494
    RMS norm        no mean: y = γ · x / √(mean x² + ε)             axis  (D,)       https://arxiv.org/abs/1910.07467

The images are real (scikit-learn's digits), passed through random 3×3 filters so that there are channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional as F

from kb import Report

AXES = {"batch": (0, 2, 3), "layer": (1, 2, 3), "instance": (2, 3)}


def normalise(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    """Zero mean and unit variance over ``axes``, up to ε; the variance is the biased one (divided by n)."""
    mean = x.mean(dim=axes, keepdim=True)
    variance = ((x - mean) ** 2).mean(dim=axes, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def group_norm(x: Tensor, groups: int, eps: float) -> Tensor:
    """Channels in ``groups``: one group is layer norm, one channel a group is instance norm."""
    n, c, h, w = x.shape
    return normalise(x.view(n, groups, c // groups, h, w), (2, 3, 4), eps).view(n, c, h, w)


def rms_norm(x: Tensor, eps: float) -> Tensor:
    """Divide by the root mean square over the last axis; the mean stays."""
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps)


def main(report: Report, batch: int, channels: int, eps: float, seed: int) -> None:
    """Compare every norm with torch's, and show on what each output depends."""
    torch.set_num_threads(1)
    channels -= channels % 4
    generator = torch.Generator().manual_seed(seed)
    images = torch.tensor(load_digits().images[:batch] / 16).unsqueeze(1)  # (N, 1, 8, 8) float64
    filters = torch.randn(channels, 1, 3, 3, generator=generator, dtype=torch.float64)
    x = F.conv2d(images, filters, padding=1)  # (N, C, 8, 8)
    tokens = x.flatten(2).transpose(1, 2)  # (N, 64, C): 64 places as tokens of C features
    weight = torch.randn(channels, generator=generator, dtype=torch.float64)  # γ
    bias = torch.randn(channels, generator=generator, dtype=torch.float64)  # β
    across = (1, channels, 1, 1)

    ours = {
        "batch-norm": normalise(x, AXES["batch"], eps) * weight.view(across) + bias.view(across),
        "layer-norm-image": normalise(x, AXES["layer"], eps),
        "layer-norm-token": normalise(tokens, (-1,), eps) * weight + bias,
        "instance-norm": normalise(x, AXES["instance"], eps),
        "group-norm": group_norm(x, 4, eps),
        "rms-norm": rms_norm(tokens, eps) * weight,
    }
    theirs = {
        "batch-norm": F.batch_norm(x, None, None, weight, bias, training=True, eps=eps),
        "layer-norm-image": F.layer_norm(x, x.shape[1:], eps=eps),
        "layer-norm-token": F.layer_norm(tokens, (channels,), weight, bias, eps=eps),
        "instance-norm": F.instance_norm(x, eps=eps),
        "group-norm": F.group_norm(x, 4, eps=eps),
        "rms-norm": F.rms_norm(tokens, (channels,), weight, eps=eps),
    }
    for name, result in ours.items():
        error = float((result - theirs[name]).abs().max())
        report.metric(f"{name}-error", error)
        report.check(f"{name}-is-torchs", error, at_most=1e-10)

    one = group_norm(x, 1, eps) - normalise(x, AXES["layer"], eps)
    each = group_norm(x, channels, eps) - normalise(x, AXES["instance"], eps)
    report.check("one-group-is-layer-norm", float(one.abs().max()), at_most=1e-10)
    report.check("a-group-a-channel-is-instance-norm", float(each.abs().max()), at_most=1e-10)

    not_affine(report, tokens, weight, bias)
    dependence(report, x, eps)
    axes = {"batch norm": AXES["batch"], "layer norm (image)": AXES["layer"], "instance norm": AXES["instance"]}
    report.table("Which axes share μ and σ²", ("norm", "samples N", "channels C", "places H,W", "numbers that share"), [
        (name, *("yes" if axis in dims else "no" for axis in (0, 1, 2)), int(torch.tensor(x.shape)[list(dims)].prod()))
        for name, dims in axes.items()
    ])  # fmt: skip
    for name, dims in axes.items():
        report.image(
            shared(dims), title=f"{name}: numbers that share μ and σ² with the first", xlabel="channel", ylabel="sample"
        )


def not_affine(report: Report, tokens: Tensor, weight: Tensor, bias: Tensor) -> None:
    """y = γx + β is not layer norm: scaling and shifting a token leaves layer norm as it is, but not γx + β."""
    alive = tokens[tokens.var(-1) > 0]  # (rows, C): a constant row has no direction to keep
    moved = normalise(3 * alive + 2, (-1,), 0.0) - normalise(alive, (-1,), 0.0)
    affine = (weight * (3 * alive + 2) + bias) - (weight * alive + bias)
    report.check("layer-norm-ignores-scale-and-shift", float(moved.abs().max()), at_most=1e-8)
    report.check("affine-map-does-not", float(affine.abs().max()), at_least=1.0)


def dependence(report: Report, x: Tensor, eps: float) -> None:
    """Change the other samples: batch norm's output for the first one changes, layer norm's does not."""
    other = x.clone()
    other[1:] = 5 * x[1:].flip(0) + 1
    batch = normalise(x, AXES["batch"], eps)[0] - normalise(other, AXES["batch"], eps)[0]
    layer = normalise(x, AXES["layer"], eps)[0] - normalise(other, AXES["layer"], eps)[0]
    report.metric("batch-norm-change", float(batch.abs().max()))
    report.metric("layer-norm-change", float(layer.abs().max()))
    report.check("batch-norm-depends-on-the-batch", float(batch.abs().max()), at_least=1e-3)
    report.check("layer-norm-does-not", float(layer.abs().max()), at_most=1e-12)

    channels = x.shape[1]
    mean, variance = x.mean(AXES["batch"]), x.var(AXES["batch"])  # (C,): what training keeps as running statistics
    alone = F.batch_norm(x[:1], mean, variance, training=False, eps=eps)
    together = F.batch_norm(x, mean, variance, training=False, eps=eps)[:1]
    report.check("batch-norm-in-eval-does-not", float((alone - together).abs().max()), at_most=1e-12)

    tokens = x.flatten(2).transpose(1, 2)  # (N, 64, C)
    later = tokens.clone()
    later[:, 1:] += 1.0
    first = F.layer_norm(tokens, (channels,))[:, 0] - F.layer_norm(later, (channels,))[:, 0]
    spread = F.layer_norm(tokens, tokens.shape[1:])[:, 0] - F.layer_norm(later, tokens.shape[1:])[:, 0]
    report.check("token-norm-ignores-other-tokens", float(first.abs().max()), at_most=1e-12)
    report.check("norm-over-tokens-does-not", float(spread.abs().max()), at_least=1e-3)


def shared(axes: Sequence[int], samples: int = 6, channels: int = 6) -> list[list[float]]:
    """Shade the (sample, channel) cells whose numbers are normalised together with those of sample 0, channel 0."""
    return [[float((n == 0 or 0 in axes) and (c == 0 or 1 in axes)) for c in range(channels)] for n in range(samples)]
