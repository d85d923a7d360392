"""Loss and gradient of many penalties at once, in blocks of rows.

The objective is scikit-learn's, divided by C: sum of log-losses + penalty / 2 x |weights|^2, intercept free,
penalty = 1 / C. Softmax over classes; with two classes, and for each label of several, a sigmoid.

The share of the true class is formed as minus the sum of the others: where classes separate, 1 - p is all that is left
of the gradient, and float32 would round it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

CELLS = 1 << 21
"""Logits held at once."""
ROWS = 8192
"""Rows of features at most that are widened at once."""


class Value(NamedTuple):
    """For each penalty: float64 objective [penalty], gradient [penalty, column, width], curvature [penalty, column].

    The curvature is the mean over rows of p (1 - p).
    """

    objective: Tensor
    gradient: Tensor
    curvature: Tensor


@dataclass(frozen=True)
class Problem:
    """Rotated features [row, width] with ones at column `rank`, and what they must predict.

    `targets` is int64 [row] for a softmax over `columns` classes, or float [row, column] of 0 and 1 for sigmoids.
    `offset` [row, column] is added to the logits.
    """

    rotated: Tensor
    rank: int
    targets: Tensor
    columns: int
    offset: Tensor | None = None

    def penalised(self, weights: Tensor) -> Tensor:
        """The weights with a zero for the intercept."""
        masked = weights.clone()
        masked[..., self.rank :] = 0
        return masked

    def evaluate(self, weights: Tensor, penalties: Tensor) -> Value:
        """At weights [penalty, column, width], in their type; `penalties` float64 [penalty]."""
        count, columns, width = weights.shape
        flat = weights.reshape(-1, width)
        objective = torch.zeros(count, dtype=torch.float64, device=weights.device)
        gradient = torch.zeros_like(flat)
        curvature = torch.zeros(count, columns, dtype=torch.float64, device=weights.device)
        step = min(ROWS, max(256, CELLS // len(flat)))
        for start in range(0, len(self.rotated), step):
            rows = slice(start, start + step)
            features = self.rotated[rows].to(weights.dtype)
            logits = (features @ flat.T).view(-1, count, columns)
            if self.offset is not None:
                logits += self.offset[rows, None].to(weights.dtype)
            losses, slopes = self._slopes(logits, self.targets[rows])
            objective += losses
            gradient.addmm_(slopes.view(len(features), -1).T, features)
            shares = slopes.abs_()
            curvature += shares.addcmul_(shares, shares, value=-1).sum(0).double()
        masked = self.penalised(weights)
        scale = penalties.to(weights.dtype)[:, None, None]
        objective += penalties / 2 * masked.double().square().sum((1, 2))
        return Value(objective, gradient.view_as(weights) + scale * masked, curvature / len(self.rotated))

    def _slopes(self, logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Summed losses [penalty] and derivatives by the logits [row, penalty, column]; overwrites the logits."""
        return _softmax(logits, targets) if targets.ndim == 1 else _sigmoid(logits, targets)


def _softmax(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    index = targets[:, None, None].expand(-1, logits.shape[1], 1)
    top = logits.amax(2, keepdim=True)
    own = logits.gather(2, index) - top
    grown = logits.sub_(top).exp_()
    true = own.exp()
    grown.scatter_(2, index, 0.0)
    others = grown.sum(2, keepdim=True)
    total = others + true
    losses = F.softplus(others.log() - own).double().sum((0, 2))
    slopes = grown.div_(total)
    slopes.scatter_(2, index, -(others / total))
    return losses, slopes


def _sigmoid(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    sign = (1 - 2 * targets.to(logits.dtype))[:, None]
    against = logits * sign
    losses = F.softplus(against).double().sum((0, 2))
    return losses, torch.sigmoid(against) * sign
