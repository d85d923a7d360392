"""What conjugate gradients are told of the Hessian: its diagonal, or the block of each class.

In the basis of the problem the Hessian is nearly diagonal as long as every row counts alike. Under a weak penalty few
rows count, those that are still in doubt, and their covariance is another: hundreds of products then solve nothing. The
blocks of the classes, X' diag(p (1 - p)) X + penalty, know these rows. Made of all rows they cost a quarter of the
width in passes; a sample will do: of each class some rows a direction, drawn with a chance that grows with p (1 - p),
those in doubt for certain, each weighed by the inverse of its chance. On 20,000 x 512 x 100 they took a third of the
time, and as many products followed. They need half the square of the width in memory for each class, as they are kept
packed (BLAS meets them so, at four times the speed of dense ones); so they are for hard problems only.
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
LOOKED = 1 << 12
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
    """The inverse blocks of one problem, made anew by `refresh`.

    On a processor [column, width (width + 1) / 2], the lower triangles row by row; on a GPU [column, width, width].
    """

    problem: Problem
    _inverse: Tensor = field(init=False)
    _lower: Tensor | None = field(init=False)

    def __post_init__(self) -> None:
        columns, width, device = self.problem.columns, self.problem.design.width, self.problem.targets.device
        if device.type == "cpu":
            self._lower = torch.ones(width, width, dtype=torch.bool).tril_()
            self._inverse = torch.empty(columns, width * (width + 1) // 2)
        else:
            self._lower, self._inverse = None, torch.empty(columns, width, width, device=device)

    @staticmethod
    def fit(problem: Problem) -> bool:
        """Do the blocks fit into MEMORY?"""
        return problem.columns * problem.design.width**2 * 4 <= MEMORY

    def refresh(self, weights: Tensor, penalty: Tensor) -> None:
        """At float32 weights [1, column, width]."""
        for block, (rows, counts) in zip(self._inverse, self._drawn(weights[0]), strict=True):
            counted = self.problem.design.rows(rows).mul_(counts.sqrt_()[:, None])
            inverse = _inverse((counted.T @ counted).double(), penalty.double())
            block.copy_(inverse if self._lower is None else inverse[self._lower])

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
        flat = vectors[0].float()
        if self._lower is None:
            moved = torch.einsum("cij,cj->ci", self._inverse, flat)
        else:
            from scipy.linalg.blas import sspmv

            pairs = zip(self._inverse.numpy(), flat.numpy(), strict=True)
            moved = torch.stack([torch.from_numpy(sspmv(flat.shape[1], 1.0, *pair)) for pair in pairs])
        return self.problem.centred(moved[None]).to(vectors.dtype)


def _inverse(block: Tensor, penalty: Tensor) -> Tensor:
    """Of a block and the penalty, which the last direction, the intercept, is free of; overwrites the block."""
    main = block.diagonal()
    main[:-1] += penalty
    main.clamp_(min=1e-12)  # where all is beyond doubt the intercept has no curvature
    scale = main.rsqrt()
    block *= scale[:, None] * scale
    more, failed = JITTER, torch.ones(())
    while failed:  # of directions that are alike, products in float32 may leave less than nothing
        main += more
        more *= 10
        root, failed = torch.linalg.cholesky_ex(block)
    return torch.cholesky_inverse(root).mul_(scale[:, None] * scale)
