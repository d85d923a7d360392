"""The basis in which the problem is solved: features centred and rotated to the eigenvectors of their covariance.

A rotation keeps the length of every weight vector, so the penalty, and with it the optimum, stays that of the raw
features; but the Hessian is close to diagonal, and its diagonal is known: variance times curvature plus penalty.

Features need not be copied for that: weights are rotated into theirs, gradients back. Where the smallest direction is
a small difference of large numbers (its spread below a ROUGH-th of the features' length), that would be lost to
rounding: there the features are rotated in float64, once, into a copy.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from bench.errors import BenchError

BLOCK = 4096
"""Rows that are converted at once."""
NULL = 1e-13
"""Directions whose share of the largest variance is below this are rounding; their optimal weight is 0."""
PLAIN = 1e-5
"""A smallest variance above this share of the largest is known well enough from a covariance in float32."""
ROUGH = 1e3
"""Length of the features at most, in smallest standard deviations, that float32 may meet unrotated: noise of 1e-4."""


@dataclass(frozen=True)
class Basis:
    """`centre` [dim] and `axes` [dim, rank] (orthonormal columns), float64; `variances` [rank].

    Without an intercept nothing may be subtracted: the centre is 0, and the variances are mean squares.
    """

    centre: Tensor
    axes: Tensor
    variances: Tensor

    @property
    def rank(self) -> int:
        return self.axes.shape[1]

    def rotate(self, rows: Tensor) -> Tensor:
        """Raw rows [row, dim] -> [row, rank], in their type."""
        return (rows - self.centre.to(rows.dtype)) @ self.axes.to(rows.dtype)

    def weights(self, solved: Tensor) -> tuple[Tensor, Tensor]:
        """Solution [..., rank + 1] -> weights [..., dim] and intercepts [...] of the raw features, in its type."""
        raw = solved[..., :-1] @ self.axes.T.to(solved.dtype)
        return raw, solved[..., -1] - raw @ self.centre.to(solved.dtype)

    def solution(self, raw: np.ndarray, intercept: np.ndarray) -> Tensor:
        """Weights [column, dim] and intercepts [column] of the raw features -> [column, rank + 1], float64."""
        weights, constant = (torch.from_numpy(part).to(self.axes.device).double() for part in (raw, intercept))
        return torch.cat([weights @ self.axes, (constant + weights @ self.centre)[:, None]], dim=1)

    def gradient(self, raw: Tensor, total: Tensor) -> Tensor:
        """Gradients by raw weights [..., dim] and by the logits of all rows together [...] -> [..., rank]."""
        return (raw - total[..., None] * self.centre.to(raw.dtype)) @ self.axes.to(raw.dtype)


@dataclass(frozen=True)
class Design:
    """What logits are made of, [row, width]: `rank` rotated features, and ones for the intercept (zeros without).

    `features` float32 [row, dim] are raw where there is a `basis`, and rotated already where there is none.
    """

    features: Tensor
    basis: Basis | None = None
    intercept: bool = True

    def __len__(self) -> int:
        return len(self.features)

    @property
    def rank(self) -> int:
        return self.features.shape[1] if self.basis is None else self.basis.rank

    @property
    def width(self) -> int:
        return self.rank + 1

    def rows(self, which: Tensor | slice) -> Tensor:
        """float32 [row, width]."""
        rows = self.features[which]
        rows = rows if self.basis is None else self.basis.rotate(rows)
        return F.pad(rows, (0, 1), value=float(self.intercept))

    def weights(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Weights [column, width] -> those of the features [column, dim] and a constant [column]."""
        own = weights if self.intercept else F.pad(weights[..., :-1], (0, 1))
        return (own[..., :-1].contiguous(), own[..., -1]) if self.basis is None else self.basis.weights(own)

    def gradient(self, raw: Tensor, total: Tensor) -> Tensor:
        """Gradients by those weights [column, dim] and by the constant [column] -> by weights [column, width]."""
        rotated = raw if self.basis is None else self.basis.gradient(raw, total)
        return torch.cat([rotated, total[..., None] * float(self.intercept)], dim=-1)


def design_of(features: np.ndarray, basis: Basis, *, intercept: bool = True) -> Design:
    """Of features [row, dim], which may be a memory map: themselves where float32 may meet them so, else a copy."""
    device = basis.axes.device
    square = float(basis.variances.sum() + basis.centre.square().sum())
    plain = device.type == "cpu" and features.dtype == np.float32 and features.flags.c_contiguous
    if plain and basis.rank and square <= ROUGH**2 * float(basis.variances.min()):
        return Design(_tensor(features), basis, intercept)
    rotated = torch.empty(len(features), basis.rank, dtype=torch.float32, device=device)
    for start in range(0, len(features), BLOCK):
        rotated[start : start + BLOCK] = basis.rotate(_block(features, start, device, torch.float64))
    return Design(rotated, None, intercept)


def basis_of(features: np.ndarray, device: torch.device, *, intercept: bool = True) -> Basis:
    """The basis of features [row, dim], which may be a memory map; blocks of rows are read twice or thrice."""
    count, dim = features.shape
    centre = torch.zeros(dim, dtype=torch.float64, device=device)
    for start in range(0, count, BLOCK) if intercept else ():
        centre += _block(features, start, device, torch.float64).sum(0)
    centre /= count
    if count <= dim:
        deviations = _finite(_tensor(features).to(device, torch.float64) - centre)
        _, values, rows = torch.linalg.svd(deviations, full_matrices=False)
        variances, axes = values**2 / count, rows.T
    else:
        variances, axes = _eigen(features, centre, torch.float32)
        if not float(variances[0]) > PLAIN * float(variances[-1]):
            variances, axes = _eigen(features, centre, torch.float64)
    kept = variances > NULL * variances.max().clamp(min=1e-300)
    return Basis(centre, axes[:, kept].contiguous(), variances[kept])


def _eigen(features: np.ndarray, centre: Tensor, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Variances, rising, and axes of the covariance, from blocks in this type added up in float64."""
    count, dim = features.shape
    scatter = torch.zeros(dim, dim, dtype=torch.float64, device=centre.device)
    for start in range(0, count, BLOCK):
        block = _block(features, start, centre.device, kind) - centre.to(kind)
        scatter += block.T @ block
    variances, axes = torch.linalg.eigh(_finite(scatter) / count)
    return variances, axes


def _finite(values: Tensor) -> Tensor:
    if not values.isfinite().all():
        raise BenchError(
            "A probe's features hold NaN or infinity, or are too large to be squared. Leave those rows out."
        )
    return values


def _block(features: np.ndarray, start: int, device: torch.device, kind: torch.dtype) -> Tensor:
    return _tensor(features[start : start + BLOCK]).to(device, kind)


def _tensor(features: np.ndarray) -> Tensor:
    """The same memory where its order allows, which nobody writes to."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(np.ascontiguousarray(features))
