"""Model states split over ranks: ZeRO, Rajbhandari et al. 2020, https://arxiv.org/abs/1910.02054

Mixed-precision Adam keeps 16 bytes of model states for each of the ψ parameters: 2 for a 16-bit weight, 2 for
its gradient, and 12 for the optimizer (fp32 copy of the weight, momentum m, variance v). A stage says what is split:

    stage 0   nothing                 16 ψ                 plain data parallelism
    stage 1   optimizer               4 ψ + 12 ψ/N         P_os
    stage 2   + gradients             2 ψ + 14 ψ/N         P_os+g
    stage 3   + parameters            16 ψ/N               P_os+g+p

A `Unit` is one layer's states, as one flat vector padded to a multiple of N.
"""

from __future__ import annotations

import weakref

import torch
from torch import Tensor

from kb.demos.ranks import Rank, all_gather, reduce_scatter

LR, BETA1, BETA2 = 1e-2, 0.9, 0.999
EPS = 1e-4  # large on purpose: near g = 0 Adam's step is about LR·sign(g), which would turn a rounding into a full step


def bytes_per_parameter(stage: int, ranks: int) -> float:
    """The paper's formula (§5), in bytes of model states a rank keeps for each parameter of the model."""
    return (16.0, 4 + 12 / ranks, 2 + 14 / ranks, 16 / ranks)[stage]


class Unit:
    """The model states of one layer on this rank, at one stage."""

    def __init__(self, weights: Tensor, stage: int, place: Rank, fault: str = "none") -> None:
        self.stage, self.place, self.fault = stage, place, fault
        self.size = weights.numel()
        n = place.size
        self.padded = -(-self.size // n) * n  # ceil(size / N)·N
        part = self.padded // n
        self.mine = slice(place.rank * part, (place.rank + 1) * part)

        full = torch.zeros(self.padded, device=place.device)  # (padded,) fp32
        full[: self.size] = weights.to(place.device)
        owned = slice(None) if stage == 0 else self.mine
        self.master = full[owned].clone()  # fp32: padded at stage 0, else padded/N
        self.m = torch.zeros_like(self.master)
        self.v = torch.zeros_like(self.master)
        low = full.to(torch.bfloat16)
        self.param = low[self.mine].clone() if stage == 3 else low  # bf16: padded/N at stage 3, else padded
        self.grad: Tensor | None = None
        self.copies: list[weakref.ref[Tensor]] = []  # of the whole weights that were handed out
        self.kept: Tensor | None = None

    def gather(self) -> Tensor:
        """The whole weight vector, (padded,): at stage 3 from all ranks, for as long as the caller holds it."""
        if self.stage < 3:
            return self.param
        whole = torch.empty(self.padded, dtype=torch.bfloat16, device=self.place.device)
        all_gather(whole, self.param, self.place)  # ψ elements of traffic
        self.copies = [copy for copy in self.copies if copy() is not None] + [weakref.ref(whole)]
        self.kept = whole if self.fault == "keep-weights" else None
        return whole

    def reduce(self, local: Tensor) -> None:
        """Average the local gradient, (padded,), over the ranks and keep the part this stage keeps.

        The gradient of the mean over N equal batches is the mean of the N gradients: divide by N, then sum.
        """
        if self.fault != "no-average":
            local = local / self.place.size
        part = torch.empty(self.padded // self.place.size, dtype=local.dtype, device=local.device)
        reduce_scatter(part, local, self.place)  # ψ elements of traffic: rank r gets the sum of everybody's part r
        if self.stage == 0 or (self.stage == 1 and self.fault == "all-reduce"):
            whole = torch.empty_like(local)
            all_gather(whole, part, self.place)  # an all-reduce is a reduce-scatter and an all-gather: 2ψ
            self.grad = whole
        elif self.stage == 1:
            local[self.mine] = part  # the gradients are not split yet: the buffer stays, its own part is the average
            self.grad = local
        elif self.fault == "keep-gradient":
            local[self.mine] = part
            self.grad = local
        else:
            self.grad = part

    def step(self, count: int) -> None:
        """Adam on the part of the states that this rank owns: it works element by element, so a part is enough."""
        assert self.grad is not None
        g = self.grad if self.stage == 0 or self.grad.numel() == self.master.numel() else self.grad[self.mine]
        g = g.float()
        self.m.lerp_(g, 1 - BETA1)  # m ← β₁ m + (1 − β₁) g
        self.v.lerp_(g * g, 1 - BETA2)  # v ← β₂ v + (1 − β₂) g²
        m_hat, v_hat = self.m / (1 - BETA1**count), self.v / (1 - BETA2**count)
        self.master -= LR * m_hat / (v_hat.sqrt() + EPS)  # w ← w − η m̂ / (√v̂ + ε)
        updated = self.master.to(torch.bfloat16)
        if self.stage in (1, 2):
            all_gather(self.param, updated, self.place)  # ψ elements: everybody needs the whole new weights
        else:
            self.param.copy_(updated)

    def whole(self) -> Tensor:
        """All weights of the layer, (size,), as every rank would use them."""
        return self.gather()[: self.size].clone()
