"""Fits along a path of penalties: those asked for together are solved in lockstep, each from its solved neighbours.

A new penalty starts from the interpolation of the solutions around it (in the logarithm of the penalty) and inherits
its neighbour's L-BFGS history: the Hessians differ by the difference of the penalties only, and a multiple of the
identity survives the rotation, so the inherited pairs are exact where curvature is the same.

float32 does the work; every optimum is then looked at in float64, and polished there if it is not one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from bench.errors import BenchError
from bench.logistic.basis import basis_of
from bench.logistic.lbfgs import Minimum, minimise
from bench.logistic.objective import Problem, Value

MEMORY = 10
"""Pairs of the L-BFGS history."""
HELD = 1 << 28
"""Bytes of weights and history in one lockstep; more penalties go in several."""
ROUNDING = {torch.float32: 1e-7, torch.float64: 1e-14}


@dataclass(frozen=True)
class Fit:
    """One solved penalty. Logits of raw features are `features @ weights.T + intercept`, each [column, ...]."""

    penalty: float
    weights: np.ndarray
    intercept: np.ndarray
    objective: float
    """Sum of log-losses + penalty / 2 x |weights|^2, in float64."""
    gradient: float
    """Euclidean norm of the objective's gradient, in float64."""
    gap: float
    """Estimate of how far the objective is above its minimum."""
    converged: bool

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Raw features [row, dim] -> [row, column]."""
        return np.asarray(np.asarray(features) @ self.weights.T + self.intercept)


@dataclass
class Solved:
    """What a later neighbour may begin with."""

    weights: Tensor
    steps: Tensor
    changes: Tensor


@dataclass
class LogisticPath:
    """Logistic regression on features [row, dim], any penalty on request.

    `targets`: int64 [row] of classes below `classes`, or bool [row, class] of labels, each then a problem of its own
    under the same penalty. Two classes are one sigmoid column: the logit of class 1 against class 0. `offset`
    [row, column] is added to the logits and not fitted.
    """

    features: np.ndarray
    targets: np.ndarray
    classes: int
    offset: np.ndarray | None = None
    intercept: bool = True
    device: str = "cpu"
    tolerance: float = 1e-7
    """Gap that counts as solved, as a share of the objective."""
    passes: int = 2000
    """Evaluations at most in float64; a quarter of them before that in float32."""
    report: Callable[[str, int, int], None] = lambda stage, done, total: None
    used: int = 0
    """Passes over the features so far."""
    _solved: dict[float, Solved] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self.features, self.targets, self.classes)
        device = torch.device(self.device)
        self.basis = basis_of(self.features, device, intercept=self.intercept)
        rotated = self.basis.rotate(self.features)
        targets = torch.from_numpy(np.array(self.targets)).to(device)
        columns = self.classes
        if targets.ndim == 2 or self.classes == 2:
            targets = targets.float().reshape(len(targets), -1)
            columns = targets.shape[1]
        offset = None if self.offset is None else torch.from_numpy(np.array(self.offset, np.float32)).to(device)
        self.problem = Problem(rotated, self.basis.axes.shape[1], targets, columns, offset)
        free = torch.ones(rotated.shape[1], dtype=torch.float64, device=device)
        free[: self.problem.rank] = self.basis.variances
        self._variances = free

    def solve(self, penalties: Sequence[float], *, keep: bool = True) -> list[Fit]:
        """Fits in the order given. `keep=False`: later penalties do not begin from these."""
        shape = self.problem.columns * self.problem.rotated.shape[1]
        size = max(1, HELD // (shape * 4 * (2 * MEMORY + 6)))
        order = sorted(set(penalties))
        starts = {one: self._start(one) for one in order}
        found: dict[float, Fit] = {}
        for first in range(0, len(order), size):
            group = order[first : first + size]
            found |= self._together(group, [starts[one] for one in group], keep)
            self.report("probe: penalties", min(first + size, len(order)), len(order))
        return [found[one] for one in penalties]

    def _together(self, penalties: list[float], starts: list[Solved], keep: bool) -> dict[float, Fit]:
        values = torch.tensor(penalties, dtype=torch.float64, device=self._variances.device)
        weights, steps, changes = (torch.stack(part) for part in zip(*(
            (one.weights, one.steps, one.changes) for one in starts), strict=True))  # fmt: skip
        minimum = self._minimise(values, weights, (steps, changes), torch.float32)
        if keep:
            for i, one in enumerate(penalties):
                self._solved[one] = Solved(minimum.weights[i], minimum.steps[i], minimum.changes[i])
        return dict(zip(penalties, self._settled(values, minimum), strict=True))

    def _settled(self, penalties: Tensor, minimum: Minimum) -> list[Fit]:
        """The float64 check of each, and the polish of those that need it."""
        last = self._minimise(penalties, minimum.weights.double(), (minimum.steps.double(), minimum.changes.double()),
                              torch.float64)  # fmt: skip
        norms = last.gradient.square().sum((1, 2)).sqrt()
        fits = []
        for i, penalty in enumerate(penalties.tolist()):
            weights, intercept = self.basis.weights(last.weights[i])
            fits.append(Fit(penalty, weights, intercept, float(last.objective[i]), float(norms[i]),
                            float(last.gap[i]), bool(last.converged[i])))  # fmt: skip
        return fits

    def _minimise(
        self, penalties: Tensor, start: Tensor, history: tuple[Tensor, Tensor], dtype: torch.dtype
    ) -> Minimum:
        count = len(self.features)

        def evaluate(weights: Tensor, numbers: Tensor) -> Value:
            return self.problem.evaluate(weights, penalties[numbers])

        def diagonal(curvature: Tensor, numbers: Tensor) -> Tensor:
            data = count * curvature.clamp(min=1e-12)[:, :, None] * self._variances
            data[..., : self.problem.rank] += penalties[numbers][:, None, None]
            return (1 / data.clamp(min=1e-12)).to(dtype)

        limit = self.passes if dtype is torch.float64 else self.passes // 4
        columns = self.problem.penalised(penalties[:, None, None].expand(-1, 1, start.shape[2]))
        minimum = minimise(evaluate, start, diagonal, penalties=columns, tolerance=self.tolerance, passes=limit,
                           noise=ROUNDING[dtype], history=history)  # fmt: skip
        self.used += minimum.passes
        return minimum

    def _start(self, penalty: float) -> Solved:
        shape = (self.problem.columns, self.problem.rotated.shape[1])
        device = self._variances.device
        if not self._solved:
            history = torch.zeros(MEMORY, *shape, device=device)
            return Solved(torch.zeros(shape, device=device), history, history)
        nearest = sorted(self._solved, key=lambda one: abs(math.log(one / penalty)))
        known = self._solved[nearest[0]]
        change = known.changes + (penalty - nearest[0]) * self.problem.penalised(known.steps)
        return Solved(self._interpolated(penalty, nearest), known.steps, change)

    def _interpolated(self, penalty: float, nearest: list[float]) -> Tensor:
        """Lagrange through the four nearest solutions; through two where they lie over a decade apart."""
        at = math.log(penalty)
        points = [math.log(one) for one in nearest[:4]]
        inside = min(points[:2]) <= at <= max(points[:2])
        if not inside:
            return self._solved[nearest[0]].weights
        count = 4 if len(points) == 4 and max(points) - min(points) < 3.1 * math.log(10) else 2
        total = torch.zeros_like(self._solved[nearest[0]].weights)
        for i in range(count):
            share = math.prod((at - points[j]) / (points[i] - points[j]) for j in range(count) if j != i)
            total += share * self._solved[nearest[i]].weights
        return total


def _check(features: np.ndarray, targets: np.ndarray, classes: int) -> None:
    if features.ndim != 2 or not len(features) or len(features) != len(targets):
        raise BenchError(
            f"A probe needs features [row, dim] and a target a row; got {features.shape}, {targets.shape}."
        )
    if targets.ndim == 1 and len(np.unique(targets)) < 2:
        raise BenchError("A probe needs examples of at least two classes; these are of one. Raise or drop `limit`.")
    if classes < 2 and targets.ndim == 1:
        raise BenchError(f"A probe needs at least two classes, not {classes}.")
