"""Fits along a path of penalties: coarse ones first, then those between, each level in lockstep.

A new penalty starts from the interpolation of the solutions around it in the logarithm of the penalty, or from the two
next to it if it is weaker than all. At the finest of 8 steps a decade that start is an optimum already, nearly always:
one look in float64 says so. So the work of 97 penalties is that of the 13 that are a decade apart, and a little more.

Chosen by measurement (2026). Truncated Newton (`bench.logistic.newton`) keeps no pairs of steps, so it needs a
fraction of the memory of L-BFGS in lockstep, and its gap is a bound where L-BFGS has an estimate. What lockstep has
not solved after EASY passes is solved alone, from strong to weak, with the blocks of the classes as preconditioner:
on features of the bundled CLIP, Fashion-MNIST 10,000 x 768 and seven decades of penalty from 1e6 to 1e-6, 1,723
passes and 135 processor seconds bring every gap below 1e-7 of the objective; with the diagonal alone 1,500 passes
left four of the seven unsolved, one of them at nearly three times its optimum. On 20,000 x 512 x 100, skew as
embeddings are, 97 penalties take 733 passes and 45 to 51 s on two cores; on clouds, which weak penalties separate,
about 1,200 passes and 66 to 75 s. What is not solved then either, and is small, gets the whole Hessian in float64: rare
classes with labels at random (300 x 40 x 30, penalty 1e-6) ended 4 % above their optimum before, and said otherwise.

Limits: narrow matrix products (a pass for one penalty costs a third of a pass for ten), the look in float64, and where
classes separate, one Newton step lowers the loss by e at most.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from bench.errors import BenchError
from bench.logistic.basis import BLOCK, basis_of, design_of
from bench.logistic.newton import UNMET, Minimum, Newton, Start
from bench.logistic.objective import Problem
from bench.logistic.precondition import Blocks, Whole

POINTS = 6
"""Solutions that an interpolation goes through."""
EASY = 60
"""Passes after which what is not solved in lockstep is solved alone."""
HARD = 200
"""Passes alone after which a small problem gets the whole Hessian."""
WIDE = 320
"""Columns in one lockstep, penalties times classes: wider matrix products are hardly faster, and hold more."""
CERTAIN = 100.0
"""Logits of the classes that rows were seen of have a mean of 0, so the best is at least that."""
FAR = 1.001
"""Decades from the nearest solution beyond which a penalty begins with nothing."""


@dataclass(frozen=True)
class Fit:
    """One solved penalty. Logits of raw features are `features @ weights.T + intercept`, each [column, ...].

    Weights are float32 where float32 meets the features as they are (it moves the objective by 1e-11), else float64.
    """

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
        """Raw features [row, dim] -> float64 [row, column]; they are read in blocks."""
        found = np.empty((len(features), len(self.intercept)))
        for start in range(0, len(features), BLOCK):
            block = np.asarray(features[start : start + BLOCK], np.float64)
            found[start : start + BLOCK] = block @ self.weights.T + self.intercept
        return found


@dataclass
class Solved:
    """What a later neighbour may begin with in lockstep. `curvature` [column], `lowest`: see `Value`, `Start`."""

    fit: Fit
    curvature: Tensor
    lowest: Tensor


@dataclass
class LogisticPath:
    """Logistic regression on features [row, dim], any penalty on request.

    `targets`: int64 [row] of classes below `classes`, or bool [row, class] of labels, each then a problem of its own
    under the same penalty. Two classes are one sigmoid column: the logit of class 1 against class 0. `offset`
    [row, column] is added to the logits and not fitted. Features are not copied where they need not be: leave them as
    they are until all is solved.

    A class without a row, or a label that all rows have or none, has no finite intercept at the optimum. It is left out
    of the problem; its weights are 0 and its intercept is beyond the others' by CERTAIN, so that nothing is taken for
    it, or everything.
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
    """Passes over the features at most, of one lockstep."""
    report: Callable[[str, int, int], None] = lambda stage, done, total: None
    used: int = 0
    """Passes over the features so far."""
    _solved: dict[float, Solved] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check(self.features, self.targets, self.classes)
        device = torch.device(self.device)
        self.basis = basis_of(self.features, device, intercept=self.intercept)
        design = design_of(self.features, self.basis, intercept=self.intercept)
        self._met = _met(self.targets, self.classes)
        if self.targets.ndim == 1 and self.classes > 2:
            place = np.zeros(self.classes, np.int64)
            place[self._met] = np.arange(len(self._met))
            targets = torch.from_numpy(place[self.targets]).to(device)
        else:
            several = np.reshape(self.targets, (len(self.targets), -1))[:, self._met]
            targets = torch.from_numpy(np.ascontiguousarray(several.T, np.float32)).to(device)
        offset = None
        if self.offset is not None:
            offset = torch.from_numpy(np.ascontiguousarray(self.offset.T[self._met], np.float32)).to(device)
        self.problem = Problem(design, targets, len(self._met), offset)
        one = torch.ones(1, dtype=torch.float64, device=device)
        self._variances = torch.cat([self.basis.variances, one])
        self._free = torch.cat([torch.ones_like(self.basis.variances), 0 * one])

    def solve(self, penalties: Sequence[float], *, keep: bool = True) -> list[Fit]:
        """Fits in the order given. `keep=False`: later penalties do not begin from these."""
        found: dict[float, Fit] = {}
        stages = self._stages(sorted(set(penalties)))
        for number, stage in enumerate(stages):
            for group in self._groups(stage):
                found |= self._together(group, keep or number < len(stages) - 1)
                self.report("probe: penalties", len(found), len(set(penalties)))
        return [found[one] for one in penalties]

    def _stages(self, order: list[float]) -> list[list[float]]:
        """Coarse ones first, then those halfway between."""
        if len(order) == 1:
            return [order]
        decades = math.log10(order[-1] / order[0]) / (len(order) - 1)
        stride = 1
        while 2 * stride * decades <= 1.001 and 2 * stride < len(order):
            stride *= 2
        stages = [order[::stride]]
        while stride > 1:
            stages.append(order[stride // 2 :: stride])
            stride //= 2
        return stages

    def _groups(self, stage: list[float]) -> list[list[float]]:
        """From strong to weak, as many together as are wide enough."""
        size = max(1, WIDE // self.problem.columns)
        return [stage[::-1][first : first + size] for first in range(0, len(stage), size)]

    def _together(self, penalties: list[float], keep: bool) -> dict[float, Fit]:
        before = dict(self._solved)
        easy = self._newton(penalties, min(self.passes, EASY)).minimise(
            self._starts(penalties), self._values(penalties)
        )
        self.used += easy.passes
        found: dict[float, Fit] = {}
        for row in sorted(range(len(penalties)), key=lambda i: (not easy.converged[i], -penalties[i])):
            penalty, reached = penalties[row], easy.take(row)
            minimum = reached if bool(reached.converged[0]) else self._alone(penalty, reached)
            found[penalty] = self._fit(penalty, minimum)
            self._solved[penalty] = Solved(found[penalty], minimum.curvature[0], reached.lowest[0])
        if not keep:
            self._solved = before
        return found

    def _alone(self, penalty: float, reached: Minimum) -> Minimum:
        """A problem that lockstep did not solve: from there, or from its neighbours if that is lower, with blocks."""
        start = self._start(penalty)
        both = torch.stack([reached.weights[0], start.weights])
        lower = int(self.problem.evaluate(both, self._values([penalty, penalty])).objective.argmin())
        begin = both[lower : lower + 1]
        if Whole.fit(self.problem):
            minimum = self._from(begin, penalty, min(self.passes, HARD))
            return minimum if bool(minimum.converged[0]) else self._from(minimum.weights, penalty, self.passes, Whole)
        return self._from(begin, penalty, self.passes)

    def _from(self, weights: Tensor, penalty: float, limit: int, kind: type[Blocks | Whole] = Blocks) -> Minimum:
        """One problem from these weights on, by what fits of this kind."""
        known = kind(self.problem) if kind.fit(self.problem) else None
        begin = Start(weights, weights.new_full((1,), UNMET))
        minimum = self._newton([penalty], limit, known).minimise(begin, self._values([penalty]))
        self.used += minimum.passes
        return minimum

    def _newton(self, penalties: list[float], limit: int, blocks: Blocks | Whole | None = None) -> Newton:
        def report(done: int, total: int) -> None:
            self.report(f"{len(penalties)} penalties, pass", done, total)

        return Newton(self.problem, self._diagonal, self.tolerance, limit, self._null(), blocks, report)

    def _starts(self, penalties: list[float]) -> Start:
        return Start(*(torch.stack(part) for part in zip(*map(self._start, penalties), strict=True)))

    def _fit(self, penalty: float, minimum: Minimum) -> Fit:
        raw, constant = self.basis.weights(minimum.weights[0].double())
        kind = np.float64 if self.problem.design.basis is None else np.float32
        several = self.targets.ndim == 2
        columns = self.targets.shape[1] if several else 1 if self.classes == 2 else self.classes
        always = self.targets[0] if several else np.zeros(columns, bool)
        weights, intercept = np.zeros((columns, raw.shape[1]), kind), np.where(always, CERTAIN, -CERTAIN)
        weights[self._met], intercept[self._met] = raw.cpu().numpy(), constant.cpu().numpy()
        return Fit(penalty, weights, intercept, float(minimum.objective[0]), float(minimum.gradient[0].norm()),
                   float(minimum.gap[0]), bool(minimum.converged[0]))  # fmt: skip

    def _null(self) -> float:
        """The objective without weights: of the classes' shares alone, or of the offset."""
        targets, count = self.problem.targets, len(self.features)
        if self.offset is not None or not self.intercept:
            nothing = torch.zeros(1, self.problem.columns, self.problem.design.width, device=targets.device)
            return float(self.problem.evaluate(nothing, self._values([1.0])).objective)
        if targets.ndim == 1:
            shares = torch.bincount(targets).double() / count
        else:
            shares = torch.stack([targets.double().mean(1), 1 - targets.double().mean(1)])
        return float(-count * torch.xlogy(shares, shares).sum())

    def _diagonal(self, curvature: Tensor, penalties: Tensor) -> Tensor:
        """Of the Hessian, as if every direction had the mean curvature: [penalty, column, width]."""
        data = len(self.features) * curvature.clamp(min=1e-12)[..., None] * self._variances
        return (data + penalties[:, None, None] * self._free).clamp(min=1e-12)

    def _start(self, penalty: float) -> Start:
        nearest = sorted(self._solved, key=lambda one: abs(math.log10(one / penalty)))
        if not nearest or abs(math.log10(nearest[0] / penalty)) > FAR:
            nothing = self._variances.new_zeros(self.problem.columns, self.problem.design.width)
            return Start(nothing, nothing.sum())
        return Start(self._interpolated(penalty, nearest), self._solved[nearest[0]].lowest)

    def _interpolated(self, penalty: float, nearest: list[float]) -> Tensor:
        """Lagrange through the nearest solutions, in log penalty, of weight x diagonal of the Hessian.

        That product varies less than the weight does: for a quadratic loss it would not vary at all. Where classes
        separate it falls as the penalty does; so the size of each column goes by its logarithm.
        """
        at, points = math.log(penalty), [math.log(one) for one in nearest[:POINTS]]
        inside = min(points[:2]) <= at <= max(points[:2])
        near = max(points) - min(points) < POINTS * math.log(10)
        count = len(points) if inside and near else min(2, len(points))
        shares = [math.prod((at - points[j]) / (points[i] - points[j]) for j in range(count) if j != i)
                  for i in range(count)]  # fmt: skip
        known = [self._solved[one] for one in nearest[:count]]
        met = self._met
        weights = torch.stack([self.basis.solution(one.fit.weights[met], one.fit.intercept[met]) for one in known])
        curvature = torch.stack([one.curvature for one in known]).clamp(min=1e-12)
        pulled = self._diagonal(curvature, self._values(nearest[:count])) * weights
        size = pulled.norm(dim=2, keepdim=True).clamp(min=1e-300)
        weight = self._values(shares)[:, None, None]
        pulled = (weight * pulled / size).sum(0) * (weight * size.log()).sum(0).exp()
        curvature = (weight[..., 0] * curvature.log()).sum(0).exp()
        start: Tensor = pulled / self._diagonal(curvature[None], self._values([penalty]))[0]
        return start

    def _values(self, penalties: Sequence[float]) -> Tensor:
        return torch.tensor(penalties, dtype=torch.float64, device=self._variances.device)


def _met(targets: np.ndarray, classes: int) -> np.ndarray:
    """The columns that there is something to learn of."""
    if targets.ndim == 2:
        return np.flatnonzero(targets.any(0) & ~targets.all(0))
    return np.arange(1) if classes == 2 else np.unique(targets)


def _check(features: np.ndarray, targets: np.ndarray, classes: int) -> None:
    if features.ndim != 2 or not len(features) or len(features) != len(targets):
        raise BenchError(
            f"A probe needs features [row, dim] and a target a row; got {features.shape}, {targets.shape}."
        )
    if targets.ndim == 1 and classes < 2:
        raise BenchError(f"A probe needs at least two classes, not {classes}.")
    if targets.ndim == 1 and not 0 <= targets.min() <= targets.max() < classes:
        raise BenchError(
            f"A probe's targets are numbers of classes, 0 to {classes - 1}; got {targets.min()} to {targets.max()}."
        )
    if len(_met(targets, classes)) < (2 if targets.ndim == 1 and classes > 2 else 1) or len(np.unique(targets)) < 2:
        raise BenchError("A probe needs examples of at least two classes; these are of one. Raise or drop `limit`.")
