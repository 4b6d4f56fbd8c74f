"""What each part of a Transformer is good for: Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.

A small encoder (norm first) reads scikit-learn's digits, an image as eight tokens of eight pixels, and names the digit
from the mean of its outputs. It is trained again with one part taken out: the rest has the same code and, by the seed,
the same first weights and batches. One layer is enough to need attention and positions; what residual connections and
norms are for shows in deep networks only (`kb demo residual`).
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from kb import Report
from kb.errors import UsageError

from .layers import embed, feed_forward, multi_head, norm

HEADS, BATCH, TRAINED = 4, 128, 1400
CALIBRATED = (80, 1, 32)  # steps, layers, width: bench/calibration.md has the margins over seeds
WITHOUT = ("nothing", "positions", "attention", "feed-forward", "residual", "norm")


class Reader(nn.Module):
    """Pixels (B, 8, 8) to the scores of ten digits (B, 10), without the part called ``missing``."""

    def __init__(self, width: int, layers: int, missing: str) -> None:
        super().__init__()
        self.missing = missing
        self.embedding = nn.Parameter(torch.randn(8, width) / width**0.5)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, HEADS, 4 * width, 0.0, batch_first=True) for _ in range(layers)
        )
        self.digits = nn.Linear(width, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = images @ self.embedding * self.embedding.shape[1] ** 0.5  # (B, 8, D)
        if self.missing != "positions":
            x = embed(images, self.embedding)
        for layer in self.layers:
            assert isinstance(layer, nn.TransformerEncoderLayer)
            if self.missing != "attention":
                y = self.before(x, layer.norm1)
                x = self.after(x, multi_head(y, y, layer.self_attn))
            if self.missing != "feed-forward":
                x = self.after(x, feed_forward(self.before(x, layer.norm2), layer))
        scores: Tensor = self.digits(x.mean(1))  # (B, 10)
        return scores

    def before(self, x: Tensor, module: nn.LayerNorm) -> Tensor:
        return x if self.missing == "norm" else norm(x, module)

    def after(self, x: Tensor, change: Tensor) -> Tensor:
        return change if self.missing == "residual" else x + change


def accuracy(missing: str, steps: int, layers: int, width: int, seed: int) -> float:
    """The share of unseen digits that are named rightly after ``steps`` of Adam."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    data = load_digits()
    images, labels = torch.tensor(data.images / 16, dtype=torch.float32), torch.tensor(data.target)
    order = torch.randperm(len(images), generator=generator)
    train, test = order[:TRAINED], order[TRAINED:]
    model = Reader(width, layers, missing)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        batch = train[torch.randint(TRAINED, (BATCH,), generator=generator)]
        optimizer.zero_grad()
        torch.autograd.backward(F.cross_entropy(model(images[batch]), labels[batch]))
        optimizer.step()
    with torch.no_grad():
        return float((model(images[test]).argmax(1) == labels[test]).float().mean())


def main(report: Report, steps: int, layers: int, width: int, seed: int) -> None:
    """Train the whole and the six that lack something."""
    if width % 8:
        raise UsageError(f"width ({width}) must be a multiple of 8")
    torch.set_num_threads(1)
    right = {part: accuracy(part, steps, layers, width, seed) for part in report.progress(WITHOUT, label="training")}
    for part, share in right.items():
        report.metric("accuracy" if part == "nothing" else f"accuracy-without-{part}", share)
    if (steps, layers, width) == CALIBRATED:
        lost = {part: right["nothing"] - right[part] for part in WITHOUT[1:]}
        report.check("learns", right["nothing"], at_least=0.75)
        report.check("attention-matters", lost["attention"], at_least=0.01)
        report.check("positions-matter", lost["positions"], at_least=0.02)
        report.check("norm-is-for-depth", lost["norm"], at_most=0.1)
        report.check("residual-is-for-depth", lost["residual"], at_most=0.1)
    else:
        report.note("The checks have their margins from 80 steps of one layer of width 32, and are made there only.")
    report.bars(
        ["the whole", *(f"without {part}" for part in WITHOUT[1:])],
        {"accuracy": [right[part] for part in WITHOUT]},
        title="Digits named rightly, one part taken out",
        unit="",
    )
    report.note("Chance is 0.1. Accuracies are of 397 unseen digits; one of them is 0.0025.")
