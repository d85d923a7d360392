"""Stratified, paired bootstrap of rates, and intervals of the largest among several.

A rate is a sum over pictures divided by another (right answers / pictures of a group; positives found / positives).
All rates of an audit are drawn with the *same* weights (paired), so that differences between groups, labels, templates
or models keep what they have in common. Units are clusters where pictures depend on each other (one drawing in six
skin tones); strata are kept at their size. A stratum of n units is drawn n - 1 times and weighted n / (n - 1), which
makes its variance unbiased (Rao, Wu 1988, JASA 83). To each rate one success and one failure are added with Poisson
weights (after Agresti, Caffo 2000, The American Statistician 54), so that a rate of 0 or 1 keeps a width.

Differences, worst groups and distances are *largest of several* unknowns. The largest observed is too large (seven
equal groups differ, and their bootstrap samples more so), and no percentile interval of it covers. `largest` gives up
what the choice costs: below, the bootstrap of the largest deviation among those that may be the largest; above, no
choice is made. Where one is clearly the largest, both are the plain interval (Andrews, Soares 2010, Econometrica 78,
for the selection of candidates).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.metrics import Estimate

DRAWS = 2_000
CLEARLY = 3.0
"""Standard errors by which one must lie below the largest to be no candidate."""
TAIL = 0.025
BLOCK = 1 << 22
"""Weights held at once: 32 MiB."""
METHOD = "stratified paired bootstrap"


@dataclass(frozen=True)
class Rates:
    """Rates with their joint bootstrap deviations, on one draw of weights."""

    values: np.ndarray
    """float [rate]; NaN where the denominator is 0."""
    deviations: np.ndarray
    """float [draw, rate]: what chance adds to a rate; 0 where the rate is NaN."""
    sizes: np.ndarray
    """float [rate]: the denominators."""

    def take(self, which: np.ndarray) -> Rates:
        """Some of the rates: positions or mask."""
        return Rates(self.values[which], self.deviations[:, which], self.sizes[which])


def rates(
    numerators: np.ndarray,
    denominators: np.ndarray,
    *,
    clusters: np.ndarray | None = None,
    strata: np.ndarray | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> Rates:
    """Rates of columns [image, rate] with `draws` bootstrap deviations.

    Args:
        numerators: what counts, 0 to 1 (parts of a tie).
        denominators: for what it can count, 0 or 1.
        clusters: label of what each picture depends on; each picture by itself if None.
        strata: label of the stratum of each picture; those that vary within a cluster cannot be kept.
    """
    units, layers = _units(len(numerators), clusters, strata)
    count = int(units.max(initial=-1)) + 1
    top, bottom = (_summed(np.asarray(part, float), units, count) for part in (numerators, denominators))
    total = bottom.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = top.sum(axis=0) / total
    random = np.random.default_rng(seed)
    block = max(1, BLOCK // max(count, 1))
    parts = []
    for start in range(0, draws, block):
        weights = multinomial_weights(layers, min(block, draws - start), random)
        added = random.poisson(1.0, size=(2, len(weights), len(values)))
        drawn = (weights @ top + added[0]) / np.maximum(weights @ bottom + added.sum(axis=0), 1e-12)
        parts.append(drawn - (total * np.nan_to_num(values) + 1) / (total + 2))
    deviations = np.concatenate(parts)
    return Rates(values, np.where(total > 0, deviations, 0.0), total)


def multinomial_weights(layers: np.ndarray, draws: int, random: np.random.Generator) -> np.ndarray:
    """Weights float [draw, unit]: multinomial within each stratum (`layers`: stratum number of each unit)."""
    order = np.argsort(layers, kind="stable")
    sizes = np.bincount(layers)
    scale = np.ones(len(layers))
    picks, start = [], 0
    for size in sizes:
        times = max(size - 1, 1)
        picks.append(order[start + random.integers(size, size=(draws, times))])
        scale[order[start : start + size]] = size / times
        start += size
    drawn = np.concatenate(picks, axis=1) + len(layers) * np.arange(draws)[:, None]
    counted = np.bincount(drawn.ravel(), minlength=draws * len(layers)).reshape(draws, len(layers))
    return np.asarray(counted * scale)


def largest(values: np.ndarray, deviations: np.ndarray) -> tuple[float, float, float]:
    """The largest of several unknowns with its 95 % interval: (value, low, high).

    `values` [candidate], `deviations` [draw, candidate] jointly. The interval covers at least 95 % whatever ties.
    """
    best = int(np.argmax(values))
    gap = np.std(deviations[:, [best]] - deviations, axis=0)
    near = values >= values[best] - CLEARLY * gap
    low = values[best] + np.quantile(deviations[:, near].min(axis=1), TAIL)
    high = values[best] + np.quantile(deviations[:, near], 1 - TAIL, axis=0).max()
    return float(values[best]), float(low), float(high)


def difference(found: Rates) -> Estimate:
    """Largest less smallest rate."""
    first, second = _pairs(len(found.values))
    apart = found.values[first] - found.values[second]
    value, low, high = largest(apart, found.deviations[:, first] - found.deviations[:, second])
    return Estimate(value, max(low, 0.0), min(high, 1.0), int(found.sizes.sum()), METHOD)


def ratio(found: Rates) -> Estimate:
    """Smallest rate over the largest: 1 is parity; NaN where all rates are 0."""
    if not found.values.max() > 0:
        return Estimate(float("nan"), float("nan"), float("nan"), int(found.sizes.sum()), METHOD)
    centre = (found.sizes * found.values + 1) / (found.sizes + 2)
    logs = np.log(np.maximum(centre + found.deviations, 1e-6)) - np.log(centre)
    first, second = _pairs(len(found.values))
    _, low, high = largest(np.log(centre)[first] - np.log(centre)[second], logs[:, first] - logs[:, second])
    value = float(found.values.min() / found.values.max())
    least, most = float(np.exp(-high)), min(float(np.exp(-low)), 1.0)
    return Estimate(value, min(least, value), max(most, value), int(found.sizes.sum()), METHOD)


def worst(found: Rates, *, highest: bool = False) -> Estimate:
    """The lowest rate (or the highest, where a high rate is the bad one)."""
    sign = 1 if highest else -1
    value, low, high = largest(sign * found.values, sign * found.deviations)
    ends = sorted((sign * low, sign * high))
    size = int(found.sizes[int(np.argmax(sign * found.values))])
    return Estimate(sign * value, max(ends[0], 0.0), min(ends[1], 1.0), size, METHOD)


def p_of_no_difference(found: Rates) -> float:
    """Probability of a studentised range as large as this if all rates were one.

    By the bootstrap; where no draw reaches it, Bonferroni's normal tail if that is smaller than the resolution.
    """
    from scipy.stats import norm

    first, second = _pairs(len(found.values))
    first, second = first[first < second], second[first < second]
    apart = found.deviations[:, first] - found.deviations[:, second]
    error = np.maximum(apart.std(axis=0), 1e-12)
    observed = float((np.abs(found.values[first] - found.values[second]) / error).max())
    reached = int(((np.abs(apart) / error).max(axis=1) >= observed - 1e-12).sum())
    resolved = (reached + 1) / (len(apart) + 1)
    return resolved if reached else float(min(resolved, len(first) * 2 * norm.sf(observed)))


def _pairs(count: int) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.nonzero(~np.eye(count, dtype=bool))
    return first, second


def _units(count: int, clusters: np.ndarray | None, strata: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Unit number of each picture, and stratum number of each unit; strata of one unit are joined."""
    units = np.arange(count) if clusters is None else np.unique(clusters, return_inverse=True)[1]
    firsts = np.unique(units, return_index=True)[1]
    layer = np.zeros(count, dtype=np.int64) if strata is None else np.unique(strata, return_inverse=True)[1]
    if (layer != layer[firsts][units]).any():
        layer = np.zeros(count, dtype=np.int64)  # strata that cut through clusters cannot be kept
    layer = layer[firsts]
    alone = np.bincount(layer)[layer] < 2
    layer = np.where(alone, layer.max(initial=0) + 1, layer)
    return units, np.unique(layer, return_inverse=True)[1]


def _summed(columns: np.ndarray, units: np.ndarray, count: int) -> np.ndarray:
    if len(columns) == count:
        return columns[np.argsort(units)]
    summed = np.zeros((count, columns.shape[1]))
    np.add.at(summed, units, columns)
    return summed
