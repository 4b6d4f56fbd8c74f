"""The Transformer, whole: Vaswani et al. 2017, "Attention Is All You Need", https://arxiv.org/abs/1706.03762, §3.

    encoder layer   x ← norm(x + attention(x, x));   x ← norm(x + FFN(x))
    decoder layer   x ← norm(x + causal attention(x, x));   x ← norm(x + attention(x, encoder));   x ← norm(x + FFN(x))

Held against torch.nn.Transformer with the same weights in float64, forward and gradients, with the norm after each
sub-layer (the paper) and before it (most models since). Then what follows from the wiring: who sees whom, and that a
decoder which is given the whole target at once computes what it computes token by token. The source is real: the rows
of scikit-learn's digits, eight tokens of eight pixels each.
"""

from __future__ import annotations

import copy
import warnings

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from kb import Report
from kb.errors import UsageError

from .layers import decoder_layer, embed, encoder_layer, multi_head, transformer

EXACT = 1e-12  # float64; the two sides add up the same numbers in another order


def main(report: Report, width: int, heads: int, layers: int, seed: int) -> None:
    """Compare layer by layer and whole, then take the wiring apart."""
    if width % heads or width % 2:
        raise UsageError(f"width ({width}) must be even and a multiple of heads ({heads})")
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    images = torch.tensor(load_digits().images[:4] / 16)  # (B, 8, 8) float64: eight tokens of eight pixels
    embedding = torch.randn(8, width, dtype=torch.float64) / width**0.5  # (8, D)
    source = embed(images, embedding)  # (B, M, D)
    target = embed(images[:, :5].flip(1), embedding)  # (B, N, D): another sequence, and a shorter one
    models = {first: build(width, heads, layers, norm_first=first) for first in (False, True)}

    compare(report, models, source, target)
    positions(report, models[False], images, embedding)
    parameters(report, models[False], width)
    arithmetic(report, models[False], width)
    sight(report, models[False], source, target)


def build(width: int, heads: int, layers: int, norm_first: bool) -> nn.Transformer:
    """PyTorch's Transformer with random weights everywhere, biases and norms included, without dropout."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that norm_first rules out nested tensors, which nobody wants here
        model = nn.Transformer(
            width, heads, layers, layers, 4 * width, 0.0, batch_first=True, norm_first=norm_first, dtype=torch.float64
        )
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() == 1:  # they start as 0 and 1, with which a forgotten one would not be noticed
                parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return model.eval()


def largest(difference: Tensor) -> float:
    """The largest absolute value."""
    return float(difference.detach().abs().max())


def compare(report: Report, models: dict[bool, nn.Transformer], source: Tensor, target: Tensor) -> None:
    """Each kind of layer, both stacks together, and the gradients of all weights."""
    worst: dict[str, float] = {}

    def note(name: str, ours: Tensor, theirs: Tensor) -> None:
        worst[name] = max(worst.get(name, 0.0), largest(ours - theirs))

    future = nn.Transformer.generate_square_subsequent_mask(target.shape[1], dtype=torch.float64)  # (N, N)
    for model in models.values():
        encoder, decoder = model.encoder.layers[0], model.decoder.layers[0]
        assert isinstance(encoder, nn.TransformerEncoderLayer) and isinstance(decoder, nn.TransformerDecoderLayer)
        theirs = encoder.self_attn(source, source, source, need_weights=False)[0]
        note("attention-is-torchs", multi_head(source, source, encoder.self_attn), theirs)
        note("encoder-layer-is-torchs", encoder_layer(source, encoder), encoder(source))
        note("decoder-layer-is-torchs", decoder_layer(target, source, decoder), decoder(target, source, future))
        ours, whole = transformer(source, target, model), model(source, target, tgt_mask=future)
        note("transformer-is-torchs", ours, whole)
        weights = list(model.parameters())
        probe = torch.randn_like(whole)
        mine = torch.autograd.grad(ours, weights, probe, materialize_grads=True)
        other = torch.autograd.grad(whole, weights, probe)
        scale = max(float(gradient.abs().max()) for gradient in other)
        for x, y in zip(mine, other, strict=True):
            note("gradients-are-torchs", x / scale, y / scale)
    for name, difference in worst.items():
        report.check(name, difference, at_most=EXACT)


def positions(report: Report, model: nn.Transformer, images: Tensor, embedding: Tensor) -> None:
    """Without the position vectors a shuffle of the tokens only shuffles the encoder's outputs."""
    order = torch.randperm(images.shape[1])

    def encode(tokens: Tensor) -> Tensor:
        for layer in model.encoder.layers:
            assert isinstance(layer, nn.TransformerEncoderLayer)
            tokens = encoder_layer(tokens, layer)
        return tokens

    width = embedding.shape[1]
    bare = encode(images @ embedding * width**0.5)  # (B, M, D)
    shuffled = encode(images[:, order] @ embedding * width**0.5)
    report.check("without-positions-no-order", largest(shuffled - bare[:, order]), at_most=EXACT)
    with_positions, moved = encode(embed(images, embedding)), encode(embed(images[:, order], embedding))
    report.check("positions-give-order", largest(moved - with_positions[:, order]), at_least=1e-3)


def sight(report: Report, model: nn.Transformer, source: Tensor, target: Tensor) -> None:
    """Who sees whom: the decoder never the future; and so all steps at once are the steps one by one."""
    n = target.shape[1]
    with torch.no_grad():
        whole = transformer(source, target, model)  # (B, N, D)
        changed = target.clone()
        changed[:, -1] += 1.0
        moved = (transformer(source, changed, model) - whole).abs().amax((0, 2))  # (N,)
        report.check("past-does-not-see-the-future", float(moved[:-1].max()), at_most=EXACT)
        report.check("present-sees-itself", float(moved[-1]), at_least=1e-6)
        steps = [transformer(source, target[:, : i + 1], model)[:, -1] for i in range(n)]  # n times (B, D)
        report.check("all-at-once-is-step-by-step", largest(torch.stack(steps, 1) - whole), at_most=EXACT)

        other = source.clone()
        other[:, -1] += 1.0
        layer = model.encoder.layers[0]
        assert isinstance(layer, nn.TransformerEncoderLayer)
        seen = (encoder_layer(other, layer) - encoder_layer(source, layer)).abs().amax((0, 2))  # (M,)
        report.check("encoder-sees-both-ways", float(seen[0]), at_least=1e-9)
        deaf = copy.deepcopy(layer)
        deaf.self_attn.out_proj.weight.zero_()
        alone = (encoder_layer(other, deaf) - encoder_layer(source, deaf)).abs().amax((0, 2))  # (M,)
        report.check("only-attention-moves-information", float(alone[:-1].max()), at_most=EXACT)
        reached = (transformer(other, target, model) - whole).abs().amax((0, 2))  # (N,)
        report.check("decoder-sees-the-source", float(reached.min()), at_least=1e-9)

    tokens = [f"t{i}" for i in range(n)]
    rows = []
    for j in range(n):
        poked = target.clone()
        poked[:, j] += 1.0
        with torch.no_grad():
            rows.append((transformer(source, poked, model) - whole).abs().amax((0, 2)).tolist())
    matrix = [[rows[j][i] for j in range(n)] for i in range(n)]  # output i, input j
    report.image(matrix, title="Who sees whom", xlabel="target token j is changed", ylabel="output i changes by")
    changes = [(tokens[i], *(f"{x:.2g}" for x in matrix[i])) for i in range(n)]
    report.table("How much an output changes with each target token", ("output", *tokens), changes)


def parameters(report: Report, model: nn.Transformer, width: int) -> None:
    """Where a layer's weights are: 4D² + 4D in attention, 8D² + 5D in the feed-forward network, 4D in the norms."""
    layer = model.encoder.layers[0]
    assert isinstance(layer, nn.TransformerEncoderLayer)
    parts = {
        "attention": sum(p.numel() for p in layer.self_attn.parameters()),
        "feed-forward": sum(p.numel() for m in (layer.linear1, layer.linear2) for p in m.parameters()),
        "norms": sum(p.numel() for m in (layer.norm1, layer.norm2) for p in m.parameters()),
    }
    total = sum(parts.values())
    report.metric("parameters-of-a-layer", total)
    report.check("parameters-are-counted", total, 12 * width**2 + 13 * width)
    report.check("feed-forward-share", parts["feed-forward"] / total, 2 / 3, atol=0.4 / width)  # biases: −11/(36D + 39)
    report.bars(list(parts), {"weights": list(parts.values())}, title="Weights of an encoder layer", unit="")


def arithmetic(report: Report, model: nn.Transformer, width: int) -> None:
    """24·N·D² FLOPs in the products with weights and 4·N²·D in attention: equal at N = 6D."""
    layer = model.encoder.layers[0]
    assert isinstance(layer, nn.TransformerEncoderLayer)
    n = min(6 * width, 768)
    tokens = torch.zeros(1, n, width, dtype=torch.float64)  # (1, N, D)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder_layer(tokens, layer)
    total = counter.get_total_flops()
    report.metric("tokens", n)
    report.metric("flops-of-a-layer", total, "FLOP")
    report.check("flops-are-counted", total, 24 * n * width**2 + 4 * n**2 * width)
    between_tokens = counter.get_flop_counts()["Global"][torch.ops.aten.bmm]  # QKᵀ and PV: no weights in them
    report.check("attentions-share-of-the-flops", between_tokens / total, n / (n + 6 * width), rtol=1e-9)
