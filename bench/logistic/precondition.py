"""What conjugate gradients are told of the Hessian: its diagonal, or the block of each class.

In the basis of the problem the Hessian is nearly diagonal as long as every row counts alike. Under a weak penalty few
rows count, those that are still in doubt, and their covariance is another: hundreds of products then solve nothing. The
blocks of the classes, X' diag(p (1 - p)) X + penalty, know these rows. Made of all rows they cost a quarter of the
width in passes; a sample will do: of each class some rows a direction, drawn with a chance that grows with p (1 - p),
those in doubt for certain, each weighed by the inverse of its chance. On 20,000 x 512 x 100 they took a third of the
time, and as many products followed. They need the square of the width in memory for each class; so they are for hard
problems only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.logistic.objective import Problem

MEMORY = 1 << 28
"""Bytes of blocks at most."""
SAMPLED = 2
"""Rows that a block is made of, as a multiple of the width: more made it no better."""
LEAST = 1024
"""That many at least."""
LOOKED = 1 << 15
"""Rows at most from which the chances are judged."""
JITTER = 1e-7
"""Added to blocks of unit diagonal: float32 products know them no better."""


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
    """The inverse blocks [column, width, width] of one problem, made anew by `refresh`."""

    problem: Problem
    _inverse: Tensor = field(init=False)

    def __post_init__(self) -> None:
        design = self.problem.design
        self._inverse = torch.empty(self.problem.columns, design.width, design.width, device=design.features.device)

    @staticmethod
    def fit(problem: Problem) -> bool:
        """Do the blocks fit into MEMORY?"""
        return problem.columns * problem.design.width**2 * 4 <= MEMORY

    def refresh(self, weights: Tensor, penalty: Tensor) -> None:
        """At float32 weights [1, column, width]."""
        problem = self.problem
        there = problem.design.weights(weights[0])
        blocks = self._inverse.zero_()
        rate = self._rate(there, max(LEAST, SAMPLED * problem.design.width))
        dice = torch.Generator(weights.device).manual_seed(0)
        for rows in problem.blocks(problem.columns):
            counts = self._counts(there, rows)
            chance = (counts * rate).clamp_(max=1) if rate is not None else torch.ones_like(counts)
            drawn = torch.rand(chance.shape, generator=dice, device=chance.device) < chance
            some = torch.nonzero(drawn.any(1)).flatten()
            features, drawn = problem.design.rows(some + rows.start), drawn[some]
            roots = (counts[some] / chance[some].clamp(min=1e-30)).sqrt_()
            for column in range(problem.columns):
                few = torch.nonzero(drawn[:, column]).flatten()
                counted = features[few] * roots[few, column, None]
                blocks[column].addmm_(counted.T, counted)
        for block in blocks:
            block.copy_(_inverse(block.double(), penalty.double()))

    def _counts(self, there: tuple[Tensor, Tensor], rows: slice) -> Tensor:
        """How much each row counts for each class: p (1 - p), float32 [row, column]."""
        problem = self.problem
        shares = problem.slopes(problem.logits(*there, rows, 1), problem.targets[rows])[1].abs_()[:, 0]
        return shares.addcmul_(shares, shares, value=-1).clamp_(min=0)

    def _rate(self, there: tuple[Tensor, Tensor], wanted: int) -> Tensor | None:
        """[column]: with chances min(1, rate x count), about so many rows are drawn of each class; None for all."""
        total = len(self.problem.design)
        if total <= wanted:
            return None
        every = slice(0, total, -(-total // LOOKED))
        counts = self._counts(there, every)
        share = wanted * len(counts) / total
        rate = share / counts.sum(0).clamp(min=1e-30)
        for _ in range(20):  # those that are certain leave room for others
            certain = counts * rate >= 1
            left = counts.masked_fill(certain, 0).sum(0).clamp(min=1e-30)
            rate = (share - certain.sum(0)).clamp(min=1) / left
        return rate

    def __call__(self, vectors: Tensor) -> Tensor:
        """[1, column, width], in the type of the vectors; steps of a softmax sum to zero over the classes."""
        moved = torch.einsum("cij,cj->ci", self._inverse, vectors[0].float())[None]
        return self.problem.centred(moved).to(vectors.dtype)


def _inverse(block: Tensor, penalty: Tensor) -> Tensor:
    """Of a block and the penalty, which the last direction, the intercept, is free of."""
    main = block.diagonal()
    main[:-1] += penalty
    main.clamp_(min=1e-12)  # where all is beyond doubt the intercept has no curvature
    scale = main.rsqrt()
    block *= scale[:, None] * scale
    main += JITTER
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(block))
    return inverse.mul_(scale[:, None] * scale)
