"""What conjugate gradients are told of the Hessian: its diagonal, or the block of each class.

In the basis of the problem the Hessian is nearly diagonal as long as every row counts alike. Under a weak penalty few
rows count, those that are still in doubt, and their covariance is another: hundreds of products then solve nothing. The
blocks of the classes, X' diag(p (1 - p)) X + penalty, know these rows. They cost a quarter of the width in passes, once
every few steps, and need the square of the width in memory for each class; so they are for hard problems only.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from bench.logistic.objective import Problem

MEMORY = 1 << 29
"""Bytes of float64 blocks at most."""
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

    @staticmethod
    def fit(problem: Problem) -> bool:
        """Do the blocks fit into MEMORY?"""
        return problem.columns * problem.rotated.shape[1] ** 2 * 8 <= MEMORY

    def refresh(self, weights: Tensor, penalty: Tensor) -> None:
        """At float32 weights [1, column, width]."""
        problem, width = self.problem, weights.shape[2]
        blocks = torch.zeros(problem.columns, width, width, dtype=torch.float64, device=weights.device)
        for rows in problem.blocks(problem.columns):
            features = problem.rotated[rows]
            logits = problem.logits(features, weights[0], rows, 1)
            shares = problem.slopes(logits, problem.targets[rows])[1].abs_()[:, 0]
            roots = shares.addcmul_(shares, shares, value=-1).clamp_(min=0).sqrt_()
            for column in range(problem.columns):
                counted = features * roots[:, column, None]
                blocks[column] += counted.T @ counted
        free = torch.arange(width, device=weights.device) < problem.rank
        main = blocks.diagonal(dim1=1, dim2=2)
        main += penalty.double() * free
        main[..., problem.rank + 1 :] = 1.0  # columns of padding
        scale = main.clamp(min=1e-300).rsqrt()
        blocks *= scale[:, :, None] * scale[:, None, :]
        blocks.diagonal(dim1=1, dim2=2).add_(JITTER)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(blocks))
        inverse *= scale[:, :, None] * scale[:, None, :]
        self._inverse = inverse.float()

    def __call__(self, vectors: Tensor) -> Tensor:
        """[1, column, width], in the type of the vectors; steps of a softmax sum to zero over the classes."""
        moved = torch.einsum("cij,cj->ci", self._inverse, vectors[0].float())[None]
        return self.problem.centred(moved).to(vectors.dtype)
