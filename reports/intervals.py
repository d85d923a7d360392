"""Intervals for what a report derives from stored numbers. All are 95 %.

- A share of pictures: Wilson's score interval (1927).
- A mean of independent values that have intervals of their own: the squared distances to the bounds add (the "method
  of variance estimates recovery", Zou and Donner 2008). It speaks of these tasks, not of tasks in general.
- A reliability-weighted mean: random effects (DerSimonian and Laird 1986). A task weighs 1 / (own variance + variance
  between tasks), so that a task of a hundred pictures counts less than one of ten thousand, and none rules alone.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Z95 = 1.959963984540054


class Interval(NamedTuple):
    """A value with its 95 % bounds (NaN where none can be given)."""

    value: float
    low: float
    high: float


def wilson(hits: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bounds of the shares `hits / n`, elementwise; NaN where n is 0. Hits may be fractional (ties)."""
    n = np.asarray(n, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.asarray(hits, dtype=np.float64) / n
        centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
        half = Z95 / (1 + Z95**2 / n) * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return np.clip(np.minimum(centre - half, share), 0, 1), np.clip(np.maximum(centre + half, share), 0, 1)


def mean(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> Interval:
    """Plain mean of independent values. Without an interval for each there is none for the mean."""
    if len(values) == 0:
        return Interval(np.nan, np.nan, np.nan)
    value = float(np.mean(values))
    down, up = np.sqrt(np.sum((values - low) ** 2)), np.sqrt(np.sum((high - values) ** 2))
    return Interval(value, float(value - down / len(values)), float(value + up / len(values)))


def adjusted(values: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """0 at chance, 1 at perfect, negative below chance: (value - chance) / (1 - chance)."""
    return np.asarray((values - chance) / np.where(chance < 1, 1 - chance, np.nan))


def weighted_mean(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> Interval:
    """Random-effects mean; empty if any value lacks an interval."""
    errors = (np.asarray(high) - np.asarray(low)) / (2 * Z95)
    if len(values) == 0 or not np.isfinite(errors).all() or (errors <= 0).any():
        return Interval(np.nan, np.nan, np.nan)
    variance = errors**2 + _between(np.asarray(values), errors**2)
    weights = 1 / variance
    value = float(np.sum(weights * values) / weights.sum())
    half = Z95 / np.sqrt(weights.sum())
    return Interval(value, float(value - half), float(value + half))


def _between(values: np.ndarray, variance: np.ndarray) -> float:
    """DerSimonian and Laird's estimate of the variance between tasks."""
    weights = 1 / variance
    centre = np.sum(weights * values) / weights.sum()
    excess = np.sum(weights * (values - centre) ** 2) - (len(values) - 1)
    scale = weights.sum() - np.sum(weights**2) / weights.sum()
    return float(max(0.0, excess / scale)) if scale > 0 else 0.0
