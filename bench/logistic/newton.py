"""Truncated Newton on many problems in lockstep: one pass over the features serves all.

Newton's equation is solved by conjugate gradients (Nocedal, Wright 2006, algorithm 7.1), each product of a Hessian with
a vector being a pass over the features in float32. What float32 leaves is corrected by the next step, whose gradient
comes from float64 residuals (iterative refinement), so that it never limits what is reached.

The distance to the optimum's objective is gradient . Hessian^-1 gradient / 2. It is bounded by the preconditioner's
length of the gradient over the smallest eigenvalue of the preconditioned Hessian, which conjugate gradients find on
their way (Ritz values; Golub, Van Loan 2013, section 10.2). Each problem ends by its own bound and leaves the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from bench.logistic.objective import Hessian, Problem, Value
from bench.logistic.precondition import Blocks, Whole, diagonal

CLOSE = 1e-3
"""A step that lowers the objective by less than this share of it ends where float64 looks."""
USUAL = 40
"""Passes that a problem takes about, while nothing better is known."""
PRODUCTS = 60
"""Products of one Newton step at most."""
WORTH = 1e-6
"""Gap that counts as solved, as a share of what the weights lower the objective by."""
SAFETY = 2.0
"""The smallest eigenvalue that was met is not quite the smallest there is."""
UNMET = 0.01
"""That eigenvalue before any was met."""
STALE = 25
"""Products of a step from which blocks are made anew."""
LONG = 8
"""Products after which that eigenvalue has been met."""


class Start(NamedTuple):
    """Where problems begin: float64 weights [problem, column, width] and, of problems alike, `lowest` [problem].

    That is the smallest eigenvalue of the preconditioned Hessian; 0 where none is known.
    """

    weights: Tensor
    lowest: Tensor


@dataclass
class State:
    """One row a problem in everything."""

    number: Tensor
    penalty: Tensor
    weights: Tensor
    objective: Tensor
    """At the last weights that were good; NaN before the first look."""
    gradient: Tensor
    curvature: Tensor
    gap: Tensor
    lowest: Tensor
    move: Tensor
    """The last step, to be shortened if it went too far."""
    precise: Tensor
    """Whether the next look is in float64."""
    exact: Tensor
    """Whether the objective is from such a look."""

    def take(self, rows: Tensor) -> State:
        return State(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True)
class Minimum:
    """One row a problem, in the order given. `gap` bounds the distance to the optimum's objective."""

    weights: Tensor
    objective: Tensor
    gradient: Tensor
    curvature: Tensor
    gap: Tensor
    lowest: Tensor
    converged: Tensor
    passes: int

    def take(self, row: int) -> Minimum:
        """The minimum of one problem."""
        one = slice(row, row + 1)
        return Minimum(self.weights[one], self.objective[one], self.gradient[one], self.curvature[one], self.gap[one],
                       self.lowest[one], self.converged[one], self.passes)  # fmt: skip


@dataclass(frozen=True)
class Newton:
    """The method. `diagonal`: (curvature, penalties) -> diagonal of the Hessians [problem, column, width], float64."""

    problem: Problem
    diagonal: Callable[[Tensor, Tensor], Tensor]
    tolerance: float
    """Gap that counts as solved, as a share of the objective."""
    limit: int
    """Passes over the features at most."""
    null: float = math.inf
    """Objective without any weights. Under a strong penalty the optimum is hardly below it: the gap must be small
    beside that difference (WORTH) too, or the weights, and what they predict, would be loose."""
    blocks: Blocks | Whole | None = None
    """A better preconditioner than the diagonal, for one problem alone; by the whole Hessian no product is needed."""
    report: Callable[[int, int], None] = lambda done, total: None
    """Called after each pass with the passes so far and how many there will be about."""

    @property
    def direct(self) -> bool:
        """Whether Newton's equation is solved as it stands."""
        return isinstance(self.blocks, Whole)

    def minimise(self, start: Start, penalties: Tensor) -> Minimum:
        """Lower every problem until it is solved, cannot be lowered or the passes are used up."""
        if self.blocks is not None:
            self.blocks.refresh(start.weights, penalties)
        state = _begin(start._replace(weights=self.problem.centred(start.weights)), penalties, self.problem.columns)
        used, done = 0, []
        while True:
            good = self._look(state)
            used += 1
            self.report(used, self._expected(state, used))
            over = good & state.precise & (state.gap <= self._allowed(state))
            still = (_largest(state.move) <= 1e-9 * _largest(state.weights)) & (used > 1)
            leaving = over | still & (state.precise | ~good) | (used >= self.limit)
            state.weights[leaving & ~good] -= state.move[leaving & ~good]
            done.append((state.take(leaving), over[leaving]))
            state, good = state.take(~leaving), good[~leaving]
            if not len(state.number):
                return _gather(done, used)
            used += self._step(state, good, used)

    def _look(self, state: State) -> Tensor:
        """Evaluate all, each in its precision; which ones are good, having been lowered or being new."""
        good = torch.zeros_like(state.precise)
        for wide in (False, True):
            rows = torch.nonzero(state.precise == wide).flatten()
            if not len(rows):
                continue
            weights = state.weights[rows]
            value = self.problem.evaluate(weights if wide else weights.float(), state.penalty[rows],
                                          plain=not self.direct)  # fmt: skip
            rise = torch.where(state.exact[rows] & wide, 1e-13, 1e-4)  # what rounding may do
            bound = (state.objective[rows] * (1 + rise)).nan_to_num(nan=torch.inf)
            better = (value.objective <= bound) & value.objective.isfinite()
            good[rows] = better
            if better.any():
                self._accept(state, rows[better], Value(*(part[better] for part in value)))
        return good

    def _accept(self, state: State, rows: Tensor, value: Value) -> None:
        state.objective[rows], state.curvature[rows] = value.objective, value.curvature
        state.gradient[rows], state.exact[rows] = value.gradient, state.precise[rows]
        diagonal = self.diagonal(value.curvature, state.penalty[rows])
        aim = (value.gradient * self._precondition(value.gradient, 1 / diagonal)).sum((1, 2)) / 2
        aim = torch.where(aim < 0, torch.inf, aim)  # the preconditioner was lost to rounding
        lowest = torch.where(state.lowest[rows] > 0, state.lowest[rows] / SAFETY, UNMET)
        # The Hessian is at least the penalty; the intercept, all but independent of centred features, goes apart.
        least = diagonal / 10
        least[..., :-1] = state.penalty[rows, None, None]
        certain = (value.gradient.square() / least).sum((1, 2)) / 2
        state.gap[rows] = torch.minimum(aim / lowest, certain)

    def _allowed(self, state: State) -> Tensor:
        """The gap that counts as solved."""
        worth = WORTH * (self.null - state.objective)
        return torch.minimum(self.tolerance * state.objective, worth.maximum(1e-13 * state.objective))

    def _expected(self, state: State, used: int) -> int:
        """Passes in all, as if each divided the gap alike."""
        worst = float((state.gap / state.objective).nan_to_num(nan=1.0).max().clamp(1e-12, 1.0))
        share = math.log10(worst) / math.log10(self.tolerance)
        return min(self.limit, max(USUAL if share < 0.2 else int(used / share), used + 1))

    def _step(self, state: State, good: Tensor, before: int) -> int:
        """Newton steps of the good ones, half of the last step taken back of the others; passes used."""
        state.move[~good] /= 2
        state.weights[~good] -= state.move[~good]
        rows = torch.nonzero(good).flatten()
        if not len(rows):
            return 0
        part = state.take(rows)
        if self.blocks is not None and self.blocks.stale:
            self.blocks.refresh(part.weights, part.penalty)
            part.lowest.fill_(UNMET)  # that was another preconditioner's
        move, lowest, used = self._solve(part, before)
        if self.blocks is not None:
            self.blocks.stale = used > STALE or self.direct
        state.move[rows], state.lowest[rows] = move, lowest
        state.weights[rows] += move
        state.precise[rows] = -(part.gradient * move).sum((1, 2)) / 2 <= CLOSE * part.objective
        return used

    def _solve(self, state: State, before: int) -> tuple[Tensor, Tensor, int]:
        """Conjugate gradients: steps, smallest eigenvalues met, products used."""
        if self.direct:
            assert self.blocks is not None
            return self.blocks(-state.gradient), torch.ones_like(state.lowest), 0
        hessian = Hessian(self.problem, state.weights.float(), state.penalty)
        inverse = (1 / self.diagonal(state.curvature, state.penalty)).float()
        scale = _largest(state.gradient).clamp(min=1e-300)[:, None, None]  # keeps squares within float32
        residual = (-state.gradient / scale).float()
        direction = self._precondition(residual, inverse)
        size = _dot(residual, direction)
        enough = self._forcing(state).square() * size
        move, ritz = torch.zeros_like(direction), _Ritz(len(size))
        rows, used = torch.arange(len(size), device=size.device), 0
        limit, expected = max(1, min(self.limit - before, PRODUCTS)), self._expected(state, before)
        while len(rows) and used < limit:
            along = direction[rows]
            bent = hessian.times(along, rows)
            used += 1
            self.report(before + used, max(expected, before + used + 1))
            curve = _dot(along, bent)
            alpha = torch.where(curve > 0, size[rows] / curve.clamp(min=1e-300), 0.0)
            move[rows] += _wide(alpha) * along
            residual[rows] -= _wide(alpha) * bent
            z = self._precondition(residual[rows], inverse[rows])
            new = _dot(residual[rows], z)
            beta = new / size[rows]
            ritz.add(rows, alpha, beta)
            direction[rows], size[rows] = z + _wide(beta) * along, new
            rows = rows[(new > enough[rows]) & (alpha > 0)]
        move = move.double().nan_to_num(0.0, 0.0, 0.0) * scale
        return self.problem.centred(move), ritz.lowest(state.lowest), used

    def _precondition(self, vectors: Tensor, inverse: Tensor) -> Tensor:
        return diagonal(self.problem, vectors, inverse) if self.blocks is None else self.blocks(vectors)

    def _forcing(self, state: State) -> Tensor:
        """Relative residual at which Newton's equation is solved well enough: loosely at first."""
        relative = (state.gap / state.objective).clamp(min=1e-300)
        target = (self._allowed(state) / 8 / state.gap.clamp(min=1e-300)).sqrt()
        return torch.maximum(target, relative.sqrt()).clamp(max=0.5)


class _Ritz:
    """The tridiagonal matrices that conjugate gradients write down, one a problem."""

    def __init__(self, count: int) -> None:
        self.main: list[list[float]] = [[] for _ in range(count)]
        self.off: list[list[float]] = [[] for _ in range(count)]
        self.carry = [0.0] * count

    def add(self, rows: Tensor, alpha: Tensor, beta: Tensor) -> None:
        for row, a, b in zip(rows.tolist(), alpha.tolist(), beta.tolist(), strict=True):
            if a > 0:
                self.main[row].append(1 / a + self.carry[row])
                self.carry[row] = b / a
                self.off[row].append(b**0.5 / a)

    def lowest(self, before: Tensor) -> Tensor:
        """Smallest eigenvalues; a short run has not seen them, and keeps to what was met `before` (0: none)."""
        found = before.clone()
        for row, main in enumerate(self.main):
            if main:
                off = torch.tensor(self.off[row][:-1], dtype=torch.float64)
                matrix = torch.diag(torch.tensor(main, dtype=torch.float64)) + torch.diag(off, 1) + torch.diag(off, -1)
                value = min(max(float(torch.linalg.eigvalsh(matrix)[0]), 1e-9), 1.0)
                found[row] = value if before[row] == 0 or len(main) >= LONG else min(value, float(before[row]))
        return found


def _begin(start: Start, penalties: Tensor, columns: int) -> State:
    count = len(penalties)
    nothing = torch.full((count,), torch.nan, dtype=torch.float64, device=penalties.device)
    zeros = torch.zeros_like(start.weights)
    return State(number=torch.arange(count, device=penalties.device), penalty=penalties, weights=start.weights.clone(),
                 objective=nothing, gradient=zeros, curvature=zeros.new_zeros(count, columns), gap=nothing.clone(),
                 lowest=start.lowest.clone(), move=zeros.clone(), precise=start.lowest > 0,
                 exact=torch.zeros_like(start.lowest, dtype=torch.bool))  # fmt: skip


def _largest(values: Tensor) -> Tensor:
    return values.abs().amax((1, 2))


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((1, 2)).double()


def _wide(values: Tensor) -> Tensor:
    return values.float()[:, None, None]


def _gather(done: list[tuple[State, Tensor]], used: int) -> Minimum:
    order = torch.argsort(torch.cat([state.number for state, _ in done]))

    def column(name: str) -> Tensor:
        return torch.cat([getattr(state, name) for state, _ in done])[order]

    return Minimum(column("weights"), column("objective"), column("gradient"), column("curvature"), column("gap"),
                   column("lowest"), torch.cat([over for _, over in done])[order], used)  # fmt: skip
