"""Shares of pictures: top-1, top-5, their mean (Kinetics), the mean over classes, and the worst group.

Intervals. Top-1 and top-5 are shares: Wilson. Their mean takes three values a picture: its own variance, widened.
The mean over classes is a stratified mean: its variance is the sum of the classes' own variances / classes^2, with
each class's rate smoothed by the Jeffreys prior (half a success, half a failure), widened.

Where pictures come in clusters (`Task.cluster`), the variance is that of a mean over clusters.

The worst group is a minimum over groups that the same data chose, so the plain interval of the group found is too
high. Here the lower limit is the lowest of the groups' lower limits, which covers without correction (the truly worst
group is one of them); the upper limit is the lowest of the groups' upper limits, each at 97.5 % to the power 1 / groups
(Sidak), because any of them may be the one chosen. A bootstrap of a minimum does not cover where groups are close.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.metrics.credit import credit, hit_by_chance
from bench.metrics.estimate import Z95, Estimate, clustered, clusters_of, groups_of, mean_over_strata, widened, wilson

if TYPE_CHECKING:
    import pandas as pd


def top1(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of pictures whose label is the best choice."""
    return _share(scores, labels, attributes, k=1)


def top5(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Share of pictures whose label is among the five best choices."""
    return _share(scores, labels, attributes, k=5)


def mean_top1_top5(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Mean of top-1 and top-5, as the CLIP paper scores Kinetics700 (table 9)."""
    both = (credit(scores, labels) + credit(scores, labels, k=5)) / 2
    value, n = float(both.mean()), len(both)
    interval = widened(value, float(both.var()) / n, n)
    guess = (_chance(scores, labels, 1) + _chance(scores, labels, 5)) / 2
    return Estimate(value, *interval, n, "Wilson at the variance of the mean", guess)


def mean_per_class(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Top-1 within each class that occurs, averaged over classes (the paper's metric for Pets, Aircraft, ...)."""
    if labels.ndim == 2:
        raise BenchError("mean_per_class needs one label a picture; this task has several.")
    credits, clusters = credit(scores, labels), clusters_of(attributes)
    value, variance, _ = mean_over_strata(credits, labels)
    units, method = len(labels), "stratified Wilson"
    if clusters is not None:
        classes = [labels == label for label in np.unique(labels)]
        within = sum(clustered(credits[own], clusters[own])[1] for own in classes) / len(classes) ** 2
        variance, units, method = max(variance, within), len(np.unique(clusters)), "stratified Wilson over clusters"
    return Estimate(value, *widened(value, variance, units), len(labels), method, 1 / scores.shape[1])


def worst_group(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Top-1 in the group (column `group`, from `Task.group`) where it is lowest. Waterbirds, FMoW, GeoDE, ..."""
    return _worst(scores, labels, attributes, k=1)


def worst_group_top5(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Top-5 in the group where it is lowest, as DataComp scores Dollar Street."""
    return _worst(scores, labels, attributes, k=5)


def _share(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None, *, k: int) -> Estimate:
    credits, clusters = credit(scores, labels, k=k), clusters_of(attributes)
    value, n = float(credits.mean()), len(credits)
    if clusters is None:
        return Estimate(value, *wilson(value, n), n, "Wilson", _chance(scores, labels, k))
    _, variance, units = clustered(credits, clusters)
    return Estimate(
        value, *widened(value, variance, units), n, f"{units} clusters, Wilson form", _chance(scores, labels, k)
    )


def _chance(scores: np.ndarray, labels: np.ndarray, k: int) -> float:
    right = labels.sum(axis=1) if labels.ndim == 2 else np.ones(1, dtype=np.int64)
    return hit_by_chance(right, scores.shape[1], k=k)


def _worst(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None, *, k: int) -> Estimate:
    names, position, counts = np.unique(groups_of(attributes), return_inverse=True, return_counts=True)
    known = np.flatnonzero(names != "")
    if not len(known):
        raise BenchError("No picture has a group. Check the column that Task.group names.")
    credits, clusters = credit(scores, labels, k=k), clusters_of(attributes)
    rates = np.bincount(position, weights=credits) / counts
    upper = NormalDist().inv_cdf(0.975 ** (1 / len(known)))

    def bounds(group: int, z: float) -> tuple[float, float]:
        own = position == group
        if clusters is None:
            return wilson(rates[group], counts[group], z=z)
        _, variance, units = clustered(credits[own], clusters[own])
        return widened(float(rates[group]), variance, units, z=z)

    low = min(bounds(int(g), Z95)[0] for g in known)
    high = min(bounds(int(g), upper)[1] for g in known)
    worst = known[np.argmin(rates[known])]
    note = f"worst of {len(known)} groups: {names[worst]}"
    chance = _chance(scores, labels, k)
    method = "Wilson over groups (Sidak above)" + ("" if clusters is None else ", over clusters")
    return Estimate(float(rates[worst]), low, high, int(counts[worst]), method, chance, note)
