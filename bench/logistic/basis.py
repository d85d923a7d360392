"""The basis in which the problem is solved: features centred and rotated to the eigenvectors of their covariance.

A rotation keeps the length of every weight vector, so the penalty, and with it the optimum, stays that of the raw
features; but the Hessian is close to diagonal, and its diagonal is known: variance times curvature plus penalty. The
rotation is done in float64: a direction of small variance is a small difference of large numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

BLOCK = 8192
"""Rows that are converted at once."""
WIDTH = 16
"""Columns are padded with zeros to a multiple of this: narrow matrix products are slow."""
NULL = 1e-13
"""Directions whose share of the largest variance is below this are rounding; their optimal weight is 0."""


@dataclass(frozen=True)
class Basis:
    """`centre` [dim] and `axes` [dim, rank] (orthonormal columns), float64; `variances` [rank].

    Without an intercept nothing may be subtracted: the centre is 0, and the variances are mean squares.
    """

    centre: Tensor
    axes: Tensor
    variances: Tensor
    intercept: bool = True

    def rotate(self, features: np.ndarray) -> Tensor:
        """[row, dim] -> float32 [row, width]: rotated features, the intercept's ones at `rank`, zeros after it."""
        rank = self.axes.shape[1]
        width = -(-(rank + 1) // WIDTH) * WIDTH
        rotated = torch.zeros(len(features), width, dtype=torch.float32, device=self.axes.device)
        for start in range(0, len(features), BLOCK):
            block = _wide(features[start : start + BLOCK], self.axes.device)
            rotated[start : start + len(block), :rank] = (block - self.centre) @ self.axes
        rotated[:, rank] = float(self.intercept)
        return rotated

    def weights(self, solved: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Solution [column, width] -> weights [column, dim] and intercepts [column] of the raw features, float64."""
        rank = self.axes.shape[1]
        raw = solved[:, :rank].double() @ self.axes.T
        return raw.cpu().numpy(), (solved[:, rank].double() - raw @ self.centre).cpu().numpy()


def basis_of(features: np.ndarray, device: torch.device, *, intercept: bool = True) -> Basis:
    """The basis of features [row, dim], which may be a memory map; blocks of rows are read twice."""
    count, dim = features.shape
    blocks = range(0, count, BLOCK)
    centre = torch.zeros(dim, dtype=torch.float64, device=device)
    for start in blocks if intercept else ():
        centre += _wide(features[start : start + BLOCK], device).sum(0)
    centre /= count
    if count <= dim:
        _, deviations, rows = torch.linalg.svd(_wide(features, device) - centre, full_matrices=False)
        variances, axes = deviations**2 / count, rows.T
    else:
        scatter = torch.zeros(dim, dim, dtype=torch.float64, device=device)
        for start in blocks:
            block = _wide(features[start : start + BLOCK], device) - centre
            scatter.addmm_(block.T, block)
        variances, axes = torch.linalg.eigh(scatter / count)
    kept = variances > NULL * variances.max().clamp(min=1e-300)
    return Basis(centre, axes[:, kept].contiguous(), variances[kept], intercept)


def _wide(block: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(np.array(block, dtype=np.float64)).to(device)
