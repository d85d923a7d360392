"""What Newton's equation is solved with: the Hessian's diagonal, the block of each class, or all of it.

In the basis of the problem the Hessian is nearly diagonal as long as every row counts alike. Under a weak penalty few
rows count, those that are still in doubt, and their covariance is another: hundreds of products then solve nothing. The
blocks of the classes, X' diag(p (1 - p)) X + penalty, know these rows. Made of all rows they cost a quarter of the
width in passes; a sample will do: of each class some rows a direction, drawn with a chance that grows with p (1 - p),
those in doubt for certain, each weighed by the inverse of its chance. On 20,000 x 512 x 100 they took a third of the
time, and as many products followed. They need half the square of the width in memory for each class, as they are kept
packed (BLAS meets them so, at four times the speed of dense ones); so they are for hard problems only.

Where rare classes are all but separable, directions matter whose curvature float32 cannot tell from none beside the
others. If the problem is small, the whole Hessian in float64 solves the equation as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from bench.logistic.objective import Problem

MEMORY = 1 << 28
"""Bytes of blocks at most."""
SAMPLED = 2
"""Rows that a block is made of, as a multiple of the width: more made it no better."""
LEAST = 1024
"""That many at least."""
LOOKED = 1 << 12
"""Rows at most from which the chances are judged."""
ROWS_WHOLE = 1024
"""Rows at most that the whole Hessian is made of at once."""
JITTER_WHOLE = 1e-13
"""Added to the diagonal of the whole Hessian, as a share of it."""
JITTER = tuple(10.0**i for i in range(-7, 1))
"""Added to blocks of unit diagonal, the first that makes them positive: float32 products know them no better."""


def diagonal(problem: Problem, vectors: Tensor, inverse: Tensor) -> Tensor:
    """By the inverse diagonal; for a softmax, within the steps that sum to zero over the classes.

    What is added to all classes alike changes no loss: those directions have no curvature but the penalty's, and
    the optimum has nothing there.
    """
    moved = inverse * vectors
    if not problem.softmax:
        return moved
    return moved - inverse * (moved.sum(1, keepdim=True) / inverse.sum(1, keepdim=True))


@dataclass
class Blocks:
    """The inverse blocks of one problem, made anew by `refresh`; scaled to a unit diagonal before inversion.

    On a processor `inverse` is [column, width (width + 1) / 2], the upper triangles row by row; on a GPU
    [column, width, width].
    """

    problem: Problem
    inverse: Tensor = field(init=False)
    scale: Tensor = field(init=False)
    """[column, width]"""
    stale: bool = field(default=False, init=False)
    """Whether they are to be made anew where the next step begins."""
    _upper: Tensor | None = field(init=False)

    def __post_init__(self) -> None:
        columns, width, device = self.problem.columns, self.problem.design.width, self.problem.targets.device
        self._upper = torch.ones(width, width, dtype=torch.bool).triu_() if device.type == "cpu" else None
        shape = (width, width) if self._upper is None else (width * (width + 1) // 2,)
        self.inverse = torch.empty(columns, *shape, device=device)
        self.scale = torch.empty(columns, width, device=device)

    @staticmethod
    def fit(problem: Problem) -> bool:
        """Do the blocks fit into MEMORY?"""
        return problem.columns * problem.design.width**2 * 4 <= MEMORY

    def refresh(self, weights: Tensor, penalty: Tensor) -> None:
        """At weights [1, column, width]."""
        self.stale = False
        for column, (rows, counts) in enumerate(self._drawn(weights[0].float())):
            counted = self.problem.design.rows(rows).mul_(counts.sqrt_()[:, None])
            main = counted.square().sum(0)
            main[:-1] += penalty
            scale = main.clamp_(min=1e-12).rsqrt_()  # where all is beyond doubt the intercept has no curvature
            inverse = _inverse(counted.mul_(scale))
            self.scale[column] = scale
            self.inverse[column] = inverse if self._upper is None else inverse[self._upper]

    def _drawn(self, weights: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Of each class a sample: numbers of its rows, and how much each counts, also for those that were left out."""
        problem, there = self.problem, self.problem.design.weights(weights)
        rate = self._rate(there, max(LEAST, SAMPLED * problem.design.width))
        dice = torch.Generator(weights.device).manual_seed(0)
        found: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(problem.columns)]
        for rows in problem.blocks(problem.columns):
            counts = self._counts(there, rows)
            chance = torch.ones_like(counts) if rate is None else (counts * rate).clamp_(max=1)
            drawn = torch.rand(chance.shape, generator=dice, device=chance.device) < chance
            counts /= chance.clamp_(min=1e-30)
            for column, some in enumerate(drawn):
                few = torch.nonzero(some).flatten()
                found[column].append((few + rows.start, counts[column, few]))
        return [(torch.cat([few for few, _ in parts]), torch.cat([count for _, count in parts])) for parts in found]

    def _counts(self, there: tuple[Tensor, Tensor], rows: slice) -> Tensor:
        """How much each row counts for each class: p (1 - p), float32 [column, row]."""
        shares = self.problem.slopes(self.problem.logits(there, 1)(rows), rows)[1].abs_()[0]
        return shares.addcmul_(shares, shares, value=-1).clamp_(min=0)

    def _rate(self, there: tuple[Tensor, Tensor], wanted: int) -> Tensor | None:
        """[column, 1]: with chances min(1, rate x count), about so many rows are drawn of each class; None for all."""
        total = len(self.problem.design)
        if total <= wanted:
            return None
        every = slice(0, total, -(-total // LOOKED))
        counts = self._counts(there, every)
        share = wanted * counts.shape[1] / total
        rate = share / counts.sum(1, keepdim=True).clamp(min=1e-30)
        for _ in range(20):  # those that are certain leave room for others
            certain = counts * rate >= 1
            left = counts.masked_fill(certain, 0).sum(1, keepdim=True).clamp(min=1e-30)
            rate = (share - certain.sum(1, keepdim=True)).clamp(min=1) / left
        return rate

    def __call__(self, vectors: Tensor) -> Tensor:
        """[1, column, width], in the type of the vectors; steps of a softmax sum to zero over the classes."""
        scaled = vectors[0].float() * self.scale
        if self._upper is None:
            moved = torch.einsum("cij,cj->ci", self.inverse, scaled)
        else:
            moved = _times_packed(self.inverse.numpy(), scaled.numpy())
        return self.problem.centred((moved * self.scale)[None]).to(vectors.dtype)


@dataclass
class Whole:
    """The Hessian of one problem in float64, made anew for each step."""

    problem: Problem
    stale: bool = field(default=True, init=False)
    _root: Tensor = field(init=False)

    @staticmethod
    def fit(problem: Problem) -> bool:
        """Does it fit into MEMORY?"""
        return (problem.columns * problem.design.width) ** 2 * 8 <= MEMORY

    def refresh(self, weights: Tensor, penalty: Tensor) -> None:
        """At float64 weights [1, column, width]."""
        _, columns, width = weights.shape
        hessian = weights.new_zeros(columns, width, columns * width)
        logits = self.problem.logits(self.problem.design.weights(weights[0]), 1)
        for rows in self._blocks():
            residuals = self.problem.slopes(logits(rows), rows)[1][0].abs_()
            x = self.problem.design.rows(rows).double()
            for column, shares in enumerate(self._shares(residuals, rows)):
                hessian[column, :, : (column + 1) * width] += x.T @ (shares.T[:, :, None] * x[:, None]).flatten(1)
        square = hessian.view(columns * width, -1)
        main = square.diagonal()
        main += self.problem.penalised(penalty.expand(1, columns, width)).flatten()
        main += (JITTER_WHOLE * main).clamp(min=1e-300)
        if self.problem.softmax:  # what all classes have in common has no curvature, and needs some to be kept at zero
            common = main.view(columns, width).mean(0) / columns
            for column in range(columns):
                hessian[column].view(width, columns, width).diagonal(dim1=0, dim2=2).add_(common)
        self._root = torch.linalg.cholesky(square)  # reads the lower triangle

    def _blocks(self) -> list[slice]:
        count = len(self.problem.design)
        step = max(1, min(ROWS_WHOLE, MEMORY // (8 * self.problem.columns * self.problem.design.width)))
        return [slice(start, min(start + step, count)) for start in range(0, count, step)]

    def _shares(self, residuals: Tensor, rows: slice) -> Iterator[Tensor]:
        """For each column what its logit bends those up to it by; without a difference that rounding would eat."""
        bend = residuals * (1 - residuals)
        if self.problem.softmax:
            index = self.problem.targets[None, rows]
            shares = residuals.scatter(0, index, 1 - residuals.gather(0, index))
        for column in range(len(residuals)):
            across = torch.zeros_like(bend[: column + 1])
            if self.problem.softmax:
                across -= shares[column] * shares[: column + 1]
            across[column] = bend[column]
            yield across

    def __call__(self, vectors: Tensor) -> Tensor:
        """[1, column, width] float64; steps of a softmax sum to zero over the classes."""
        solved = torch.cholesky_solve(vectors.double().reshape(-1, 1), self._root).view_as(vectors)
        return self.problem.centred(solved)


def _inverse(rows: Tensor) -> Tensor:
    """Of rows' rows [width, width], whose diagonal is 1 with the penalty; float64."""
    block = (rows.T @ rows).double()
    for more in JITTER:
        root, failed = torch.linalg.cholesky_ex(block.fill_diagonal_(1 + more))
        if not failed:
            break
    return torch.cholesky_inverse(root)


def _times_packed(blocks: np.ndarray, vectors: np.ndarray) -> Tensor:
    """[column, width]"""
    from scipy.linalg.blas import sspmv

    pairs = zip(blocks, vectors, strict=True)
    return torch.from_numpy(np.stack([sspmv(len(vector), 1.0, block, vector, lower=1) for block, vector in pairs]))
