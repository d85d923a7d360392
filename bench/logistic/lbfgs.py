"""L-BFGS (Nocedal, Wright 2006, algorithm 7.4) on many problems in lockstep: one pass over the features serves all.

Each problem has its own step length, history and end; those that are done leave the batch. The first guess of the
inverse Hessian is diagonal and follows the curvature of the moment. A step is taken if it lowers the objective enough
or, where rounding hides that, if the slope along it says so (approximate Wolfe: Hager, Zhang 2005, SIAM J. Optim. 16).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from bench.logistic.objective import Value

CAUTION = 100.0
"""The L-BFGS model's own estimate of the gap may be too low by this: it has not seen all directions. On features of a
real model at a weak penalty it was, by a factor of 300."""

Evaluate = Callable[[Tensor, Tensor], Value]
"""(weights of some problems, their numbers) -> Value."""
Diagonal = Callable[[Tensor, Tensor], Tensor]
"""(curvature of some problems, their numbers) -> inverse Hessian's first guess, shaped as the weights."""


@dataclass
class State:
    """Everything has one row a problem; `steps`, `changes` [problem, memory, column, width] are the history."""

    number: Tensor
    penalty: Tensor
    """Of each column of width, [problem, 1, width]: 0 for the intercept."""
    weights: Tensor
    objective: Tensor
    gradient: Tensor
    diagonal: Tensor
    direction: Tensor
    slope: Tensor
    length: Tensor
    gap: Tensor
    steps: Tensor
    changes: Tensor
    inverse: Tensor
    """1 / (step . change) [problem, memory]; 0 where there is no pair."""

    def take(self, rows: Tensor) -> State:
        return State(*(getattr(self, one.name)[rows] for one in fields(self)))


@dataclass(frozen=True)
class Minimum:
    """One row a problem, in the order given. `gap` is the estimated distance to the optimum's objective."""

    weights: Tensor
    objective: Tensor
    gradient: Tensor
    gap: Tensor
    converged: Tensor
    steps: Tensor
    changes: Tensor
    passes: int


def minimise(
    evaluate: Evaluate, start: Tensor, diagonal: Diagonal, *, penalties: Tensor, tolerance: float, passes: int,
    noise: float, history: tuple[Tensor, Tensor],
) -> Minimum:  # fmt: skip
    """Lower every problem from `start` [problem, column, width] until its gap is below `tolerance` x objective.

    Args:
        penalties: of each column of width, [problem, 1, width]; 0 for the intercept.
        passes: evaluations at most.
        noise: relative rounding error of the objective.
        history: (steps, changes) from problems alike, [problem, memory, column, width]; zeros are no pair.
    """
    everything = torch.arange(len(start), device=start.device)
    value = evaluate(start, everything)
    unknown = value.objective  # overwritten by _aim
    state = State(everything, penalties, start.clone(), value.objective, value.gradient,
                  diagonal(value.curvature, everything), torch.zeros_like(start), unknown, unknown, unknown,
                  history[0].clone(), history[1].clone(), _inverse(*history))  # fmt: skip
    state = _aim(state, everything)
    done: list[tuple[State, Tensor]] = []
    used = 1
    while True:
        over = state.gap <= tolerance * state.objective
        stuck = (state.length < 1e-8) | (used >= passes)
        leaving = torch.nonzero(over | stuck).flatten()
        if len(leaving):
            done.append((state.take(leaving), over[leaving]))
            state = state.take(torch.nonzero(~(over | stuck)).flatten())
        if not len(state.number):
            break
        state = _advance(state, evaluate, diagonal, noise, slot=used % history[0].shape[1])
        used += 1
    return _gather(done, used)


def _advance(state: State, evaluate: Evaluate, diagonal: Diagonal, noise: float, *, slot: int) -> State:
    trial = state.weights + _wide(state.length, state.weights) * state.direction
    value = evaluate(trial, state.number)
    slope = _dot(value.gradient, state.direction)
    lower = value.objective <= state.objective + 1e-4 * state.length * state.slope
    flat = (value.objective <= state.objective * (1 + noise)) & (slope <= 0.8 * state.slope.abs())
    good = (lower | flat) & value.objective.isfinite()
    shrink = state.slope / (state.slope - slope)
    state.length = torch.where(good, 1.0, state.length * shrink.nan_to_num(0.1).clamp(0.1, 0.5))
    taken = torch.nonzero(good).flatten()
    state.steps[:, slot], state.changes[:, slot], state.inverse[:, slot] = 0, 0, 0
    state.steps[taken, slot] = trial[taken] - state.weights[taken]
    state.changes[taken, slot] = value.gradient[taken] - state.gradient[taken]
    state.inverse[:, slot] = _inverse(state.steps[:, slot, None], state.changes[:, slot, None])[:, 0]
    state.weights[taken], state.gradient[taken] = trial[taken], value.gradient[taken]
    state.objective[taken] = value.objective[taken]
    state.diagonal[taken] = diagonal(value.curvature, state.number)[taken]
    return _aim(state, taken, newest=slot)


def _aim(state: State, rows: Tensor, *, newest: int = -1) -> State:
    """New directions for these rows, with their slopes and gaps; newest pair last."""
    memory = state.steps.shape[1]
    order = [(newest + 1 + i) % memory for i in range(memory)]
    q = -state.gradient
    weight = {}
    for i in reversed(order):
        weight[i] = state.inverse[:, i] * _dot(state.steps[:, i], q)
        q = q - _wide(weight[i], q) * state.changes[:, i]
    r = state.diagonal * q * _wide(_scale(state, newest), q)
    for i in order:
        back = state.inverse[:, i] * _dot(state.changes[:, i], r)
        r = r + _wide(weight[i] - back, r) * state.steps[:, i]
    slope = _dot(state.gradient, r)
    bad = slope >= 0
    if bad.any():
        r = torch.where(_wide(bad, r).bool(), -state.gradient * state.diagonal, r)
        slope = _dot(state.gradient, r)
    state.direction, state.slope, state.gap = state.direction.clone(), state.slope.clone(), state.gap.clone()
    state.direction[rows], state.slope[rows], state.gap[rows] = r[rows], slope[rows], _gap(state, slope)[rows]
    if newest < 0:
        state.length = torch.ones_like(slope)
    return state


def _gap(state: State, slope: Tensor) -> Tensor:
    """How far the objective is above its minimum: by the penalty's curvature, or by the model with caution.

    The intercept, without a penalty and all but independent of centred features, goes by its diagonal.
    """
    reach = torch.where(state.penalty > 0, 1 / state.penalty, 10 * state.diagonal.double())
    certain = (state.gradient.double().square() * reach).sum((1, 2)) / 2
    return torch.minimum(-slope / 2 * CAUTION, certain)


def _scale(state: State, newest: int) -> Tensor:
    """Step . change / change . diagonal . change of the newest pair; 1 without one."""
    change = state.changes[:, newest]
    below = _dot(change, state.diagonal * change)
    known = (state.inverse[:, newest] > 0) & (below > 0)
    return torch.where(known, 1 / (state.inverse[:, newest] * below).clamp(min=1e-300), 1.0)


def _inverse(steps: Tensor, changes: Tensor) -> Tensor:
    """1 / (step . change) of pairs [..., column, width]; 0 for pairs that are not clearly convex."""
    product = (steps.double() * changes).sum((-1, -2))
    sizes = steps.double().square().sum((-1, -2)).sqrt() * changes.double().square().sum((-1, -2)).sqrt()
    return torch.where(product > 1e-10 * sizes, 1 / product.clamp(min=1e-300), 0.0)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum((-1, -2)).double()


def _wide(values: Tensor, like: Tensor) -> Tensor:
    return values.to(like.dtype)[:, None, None]


def _gather(done: list[tuple[State, Tensor]], used: int) -> Minimum:
    order = torch.argsort(torch.cat([state.number for state, _ in done]))

    def column(name: str) -> Tensor:
        return torch.cat([getattr(state, name) for state, _ in done])[order]

    converged = torch.cat([over for _, over in done])[order]
    return Minimum(column("weights"), column("objective"), column("gradient"), column("gap"), converged,
                   column("steps"), column("changes"), used)  # fmt: skip
