"""Accuracies as they might have come out: draws behind the intervals of whatever is computed from accuracies.

The Bayesian bootstrap (Rubin 1981) over pictures, with half a success and half a failure added (Jeffreys' prior), so
that a faultless result on few pictures keeps its width. Only the distinct patterns of credit are drawn: for right and
wrong answers alone this is a Beta distribution, at any number of pictures. Where pictures come in clusters, clusters
are drawn.
"""

from __future__ import annotations

import numpy as np

from bench.errors import BenchError

DRAWS = 2000


def accuracy_draws(
    credit: np.ndarray, *, clusters: np.ndarray | None = None, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:
    """Draws of mean credits.

    Args:
        credit: [picture], or [picture, 2] for two results on the very same pictures; values in [0, 1].
        clusters: labels [picture] of what depends on each other; None where pictures are independent.

    Returns:
        [draw], or [draw, 2] with the dependence of the two results kept.

    Raises:
        BenchError: no picture, more than two results, or a credit outside [0, 1].
    """
    values = np.asarray(credit, dtype=np.float64)
    table = values.reshape(-1, values.shape[-1] if values.ndim == 2 else 1)
    if not len(table) or not 1 <= table.shape[1] <= 2:
        raise BenchError(f"Draws need one or two results on at least one picture; given {values.shape}.")
    if not np.isfinite(table).all() or table.min() < 0 or table.max() > 1:
        raise BenchError(
            "Credits lie between 0 and 1; these do not. A score is not a credit: use bench.metrics.credit."
        )
    sums, sizes = _units(table, clusters)
    patterns, counts = np.unique(np.column_stack([sums, sizes]), axis=0, return_counts=True)
    corners = np.array(np.meshgrid(*[[0.0, 1.0]] * table.shape[1])).reshape(table.shape[1], -1).T
    size = sizes.mean()
    patterns = np.concatenate([patterns, np.column_stack([corners * size, np.full(len(corners), size)])])
    weights = np.concatenate([counts, np.full(len(corners), 1 / len(corners))])
    drawn = np.random.default_rng(seed).gamma(weights, size=(draws, len(weights)))
    means = (drawn @ patterns[:, :-1]) / (drawn @ patterns[:, -1:])
    return np.asarray(means if values.ndim == 2 else means[:, 0])


def interval(draws: np.ndarray, value: float, *, level: float = 0.95) -> tuple[float, float]:
    """Equal-tailed interval of finite draws, stretched to hold the value; empty if a draw in forty is not finite."""
    finite = draws[np.isfinite(draws)]
    if not np.isfinite(value) or len(finite) < 0.975 * len(draws):
        return float("nan"), float("nan")
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(min(low, value)), float(max(high, value))


def _units(table: np.ndarray, clusters: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sums of credit [unit, result] and sizes [unit]; a unit is a picture, or a cluster of them."""
    if clusters is None:
        return table, np.ones(len(table))
    _, position = np.unique(clusters, return_inverse=True)
    sizes = np.bincount(position).astype(np.float64)
    return np.column_stack([np.bincount(position, weights=column) for column in table.T]), sizes
