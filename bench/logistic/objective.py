"""Loss, gradient and curvature of many penalties at once, in blocks of rows.

The objective is scikit-learn's, divided by C: sum of log-losses + penalty / 2 x |weights|^2, intercept free,
penalty = 1 / C. Softmax over classes; with two classes, and for each label of several, a sigmoid.

The share of the true class is formed as minus the sum of the others: where classes separate, 1 - p is all that is left
of the gradient, and float32 would round it away. The products with the Hessian take logits relative to the true
class's for the same reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from bench.logistic.basis import Design

HELD = 1 << 22
"""Bytes of logits at once: what a processor keeps near."""
ROWS = 4096
"""Rows of features at most that are met at once."""
LEAST = 1024
"""And at least: adding up the gradients of many columns would cost more than the products."""
TINY = 1e-26
"""Shares up to here are 0: they move nothing, while float32's smallest numbers take a processor ten times as long."""
SHARES = 1 << 26
"""Bytes of probabilities that are kept between products with one Hessian; beyond it they are computed anew."""


class Value(NamedTuple):
    """For each penalty: float64 objective [penalty], gradient [penalty, column, width], curvature [penalty, column].

    The curvature is the mean over rows of p (1 - p).
    """

    objective: Tensor
    gradient: Tensor
    curvature: Tensor


@dataclass(frozen=True)
class Problem:
    """A design, and what it must predict.

    `targets` is int64 [row] for a softmax over `columns` classes, or float [column, row] of 0 and 1 for sigmoids.
    `offset` [column, row] is added to the logits.
    """

    design: Design
    targets: Tensor
    columns: int
    offset: Tensor | None = None

    @property
    def softmax(self) -> bool:
        return self.targets.ndim == 1

    def centred(self, weights: Tensor) -> Tensor:
        """Weights [penalty, column, width] without what all classes of a softmax have in common: it changes no loss."""
        return weights - weights.mean(1, keepdim=True) if self.softmax else weights

    def penalised(self, weights: Tensor) -> Tensor:
        """The weights with a zero for the intercept."""
        masked = weights.clone()
        masked[..., -1] = 0
        return masked

    def evaluate(self, weights: Tensor, penalties: Tensor, *, plain: bool = True) -> Value:
        """At weights [penalty, column, width]; `penalties` float64 [penalty].

        Logits, losses and residuals are in the type of the weights, sums over blocks in float64. Within a block,
        residuals meet features in float32: its rounding, relative to each term and of either sign, moves the gradient
        by about 1e-7 of its standard deviation over rows, which is far below what a gap of 1e-7 allows, unless there
        are directions with hardly any curvature; so not `plain`, they meet in the type of the weights.
        """
        count, columns, width = weights.shape
        raw, constant = self.design.weights(weights.reshape(-1, width))
        objective = torch.zeros(count, dtype=torch.float64, device=weights.device)
        gradient = torch.zeros(raw.shape, dtype=torch.float64, device=weights.device)
        total = torch.zeros(len(raw), dtype=torch.float64, device=weights.device)
        curvature = torch.zeros(count, columns, dtype=torch.float64, device=weights.device)
        logits = self.logits((raw, constant), count)
        for rows in self.blocks(len(raw), raw.itemsize):
            losses, slopes = self.slopes(logits(rows), rows)
            objective += losses
            shares = slopes.float()
            met = shares if plain else slopes
            gradient += met.view(len(raw), -1) @ self.design.features[rows].to(met.dtype)
            total += slopes.sum(2).double().view(-1)
            shares = shares.abs_()
            curvature += shares.addcmul_(shares, shares, value=-1).sum(2).double()
        masked = self.penalised(weights.double())
        objective += penalties / 2 * masked.square().sum((1, 2))
        gradient = self.design.gradient(gradient, total).view_as(masked) + penalties[:, None, None] * masked
        return Value(objective, gradient, curvature / len(self.design))

    def blocks(self, columns: int, size: int = 4) -> list[slice]:
        """Rows of a block, so that `columns` logits of each, `size` bytes long, take about HELD."""
        count, step = len(self.design), min(ROWS, max(LEAST, HELD // (columns * size)))
        return [slice(start, min(start + step, count)) for start in range(0, count, step)]

    def logits(self, weights: tuple[Tensor, Tensor], count: int) -> Linear:
        """By `Design.weights` of `count` penalties."""
        return Linear(self.design.features, weights, count, self.offset)

    def slopes(self, logits: Tensor, rows: slice) -> tuple[Tensor, Tensor]:
        """Summed losses [penalty] and derivatives by the logits [penalty, column, row]; overwrites the logits."""
        return _softmax(logits, self.targets[rows]) if self.softmax else _sigmoid(logits, self.targets[:, rows])

    def shares(self, logits: Tensor) -> Tensor:
        """What the Hessian is made of: probabilities of a softmax, p (1 - p) of sigmoids; overwrites the logits."""
        return _probabilities(logits) if self.softmax else _variances(logits)

    def bend(self, moved: Tensor, shares: Tensor, rows: slice) -> Tensor:
        """Second derivatives by the logits, times a movement of the logits; overwrites the movement."""
        return _bend(moved, shares, self.targets[rows]) if self.softmax else moved.mul_(shares)


class Linear:
    """Weights times features, [penalty, column, row], of one block of rows after the other, in the weights' type.

    Each block lies where the one before lay: new memory for every one would cost more than the rest. `weights` are
    those of `Design.weights` for `count` penalties; `offset` [column, row] is added.
    """

    def __init__(
        self, features: Tensor, weights: tuple[Tensor, Tensor], count: int, offset: Tensor | None = None
    ) -> None:
        self._features, self._count, self._offset = features, count, offset
        self._weights, self._constant = weights[0], weights[1][:, None]
        self._out = self._wide = weights[0].new_empty(0)

    def __call__(self, rows: slice) -> Tensor:
        features, columns = self._features[rows], len(self._weights)
        if features.dtype != self._weights.dtype:
            self._wide = _room(self._wide, features.numel())
            features = self._wide[: features.numel()].view(features.shape).copy_(features)
        self._out = _room(self._out, columns * len(features))
        out = self._out[: columns * len(features)].view(columns, len(features))
        torch.addmm(self._constant, self._weights, features.T, out=out)
        out = out.view(self._count, -1, len(features))
        return out if self._offset is None else out.add_(self._offset[:, rows].to(out.dtype))


def _room(had: Tensor, size: int) -> Tensor:
    return had if had.numel() >= size else had.new_empty(size)


@dataclass
class Hessian:
    """The Hessians at float32 weights [penalty, column, width], to be multiplied with vectors.

    Probabilities are kept from the first product on, unless they are larger than SHARES.
    """

    problem: Problem
    weights: Tensor
    penalties: Tensor
    _kept: Tensor | None = field(default=None, init=False)

    def times(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        """[problem, column, width] for the problems of these numbers; the first call must ask for all."""
        count, _, width = vectors.shape
        problem, design = self.problem, self.problem.design
        at = self.weights if count == len(self.weights) else self.weights[numbers]
        first, whole = self._kept is None, count == len(self.weights)
        if first and self.weights[..., 0].numel() * len(design) * 4 <= SHARES:
            self._kept = torch.empty(*self.weights.shape[:2], len(design), device=vectors.device)
        there = problem.logits(design.weights(at.reshape(-1, width)), count) if first else None
        raw, constant = design.weights(vectors.reshape(-1, width))
        product, total = torch.zeros_like(raw), torch.zeros_like(constant)
        moved = Linear(design.features, (raw, constant), count)
        for rows in problem.blocks(len(raw), 8 if first else 4):
            if there is not None:
                shares = problem.shares(there(rows))
                if self._kept is not None:
                    self._kept[..., rows] = shares
            else:
                assert self._kept is not None
                shares = self._kept[..., rows] if whole else self._kept[numbers, :, rows]
            bent = problem.bend(moved(rows), shares, rows).view(len(raw), -1)
            product.addmm_(bent, design.features[rows])
            total += bent.sum(1)
        scale = self.penalties[numbers].to(vectors.dtype)[:, None, None]
        return design.gradient(product, total).view_as(vectors) + scale * problem.penalised(vectors)


def _softmax(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    index = targets.expand(len(logits), 1, -1)
    top = logits.amax(1, keepdim=True)
    own = logits.gather(1, index) - top
    grown = _exp(logits.sub_(top))
    true = own.exp()
    grown.scatter_(1, index, 0.0)
    others = grown.sum(1, keepdim=True)
    total = others + true
    losses = F.softplus(others.log() - own).double().sum((1, 2))
    slopes = grown.div_(total)
    slopes.scatter_(1, index, -(others / total))
    return losses, slopes


def _sigmoid(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    sign = 1 - 2 * targets.to(logits.dtype)
    against = logits * sign
    losses = F.softplus(against).double().sum((1, 2))
    return losses, torch.threshold_(torch.sigmoid(against.clamp_(min=math.log(TINY))), 2 * TINY, 0.0) * sign


def _probabilities(logits: Tensor) -> Tensor:
    grown = _exp(logits.sub_(logits.amax(1, keepdim=True)))
    return grown.div_(grown.sum(1, keepdim=True))


def _variances(logits: Tensor) -> Tensor:
    logits.clamp_(math.log(TINY), -math.log(TINY))
    return torch.threshold_(torch.sigmoid(logits).mul_(torch.sigmoid(-logits)), 2 * TINY, 0.0)


def _exp(logits: Tensor) -> Tensor:
    """Of logits up to 0, in place; what is TINY becomes 0 without having been smaller."""
    if logits.is_cuda or float(logits.min()) > math.log(TINY):  # a GPU is as fast with the smallest numbers
        return logits.exp_()
    return torch.threshold_(logits.clamp_(min=math.log(TINY)).exp_(), 2 * TINY, 0.0)


def _bend(moved: Tensor, shares: Tensor, targets: Tensor) -> Tensor:
    moved.sub_(moved.gather(1, targets.expand(len(moved), 1, -1)))
    return moved.sub_((moved * shares).sum(1, keepdim=True)).mul_(shares)
