"""Paired statistics on per-picture credit: what two or more models got right of the very same pictures.

- McNemar's test, mid-p: only pictures on which two models differ say who is better. Under no difference each is won by
  either with probability 1/2 (Fagerland, Lydersen and Laake 2013 recommend mid-p over the exact test).
- Difference of a task: adjusted Wald (Bonett and Price 2012), one picture added to each side.
- Mean over tasks: paired bootstrap (Efron and Tibshirani 1993), pictures drawn anew within each task. Only the
  distinct patterns of credit are drawn, with multinomial counts: the same distribution, without an index a picture.
- Many tasks: Holm (1979) against any false claim, or Benjamini and Hochberg (1995) against a share of them.
- Rank intervals: rank 1 + number of models surely better to M - number surely worse, "surely" by a studentised maximum
  over all pairs (Mogstad, Romano, Shaikh and Wilhelm 2024), so that all ranks hold together with 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from reports.intervals import Z95, Interval


def mcnemar(wins: int, losses: int) -> float:
    """Mid-p of a two-sided sign test on the pictures where the two differ; 1 where they never do."""
    n, least = wins + losses, min(wins, losses)
    if n == 0:
        return 1.0
    k = np.arange(1, least + 1)
    log_choose = np.concatenate([[0.0], np.cumsum(np.log((n - k + 1) / k))]) - n * math.log(2)
    weights = np.exp(log_choose)
    return float(min(1.0, 2 * weights.sum() - weights[-1]))


def difference(credit: np.ndarray, other: np.ndarray, weights: np.ndarray) -> Interval:
    """Mean of `weights * (credit - other)`, all [picture], with adjusted Wald bounds; weights have mean 1."""
    gaps = weights * (credit - other)
    n = len(gaps) + 2
    centre = gaps.sum() / n
    spread = Z95 * math.sqrt(((gaps**2).sum() + 2) / n - centre**2) / math.sqrt(n)
    return Interval(float(gaps.mean()), float(centre - spread), float(centre + spread))


def clustered(gaps: np.ndarray, clusters: np.ndarray, *, count: int = 4000, seed: int = 0) -> tuple[Interval, float]:
    """Mean of paired gaps [unit] whose units of a cluster depend on each other, with 95 % bounds, and a two-sided p.

    Bounds: linearised variance over clusters and Student's t. p: the signs of whole clusters are turned at random, for
    under no difference either system could have been the other (`count` draws, the observed one among them).
    """
    names, position = np.unique(clusters, return_inverse=True)
    sums, sizes = np.bincount(position, weights=gaps), np.bincount(position)
    value, groups = float(gaps.mean()), len(names)
    if groups < 2:
        return Interval(value, math.nan, math.nan), math.nan
    from scipy.stats import t

    error = math.sqrt(float(((sums - value * sizes) ** 2).sum()) * groups / (groups - 1)) / len(gaps)
    half = float(t.ppf(0.975, groups - 1)) * error
    signs = np.random.default_rng(seed).choice((-1.0, 1.0), size=(count, groups))
    turned = np.abs(signs @ sums)
    p = (1 + int((turned >= abs(sums.sum()) - 1e-9).sum())) / (count + 1)
    return Interval(value, value - half, value + half), min(p, 1.0)


def draws(
    credits: Sequence[np.ndarray], weights: Sequence[np.ndarray], *, count: int = 2000, seed: int = 0
) -> np.ndarray:
    """Bootstrap means over tasks, [draw, model]. Each task gives credit [picture, model] and weights [picture]."""
    random = np.random.default_rng(seed)
    total = np.zeros((count, credits[0].shape[1]))
    for credit, weight in zip(credits, weights, strict=True):
        patterns, times = np.unique(credit * weight[:, None], axis=0, return_counts=True)
        drawn = random.multinomial(len(credit), times / times.sum(), size=count)
        total += drawn @ patterns / len(credit)
    return total / len(credits)


def overall(sample: np.ndarray, means: np.ndarray, a: int, b: int) -> tuple[Interval, float]:
    """Difference of two models' means with its percentile interval, and a two-sided p by its bootstrap error."""
    gaps = sample[:, a] - sample[:, b]
    value = float(means[a] - means[b])
    error = float(gaps.std(ddof=1))
    p = 1.0 if error == 0 else math.erfc(abs(value) / error / math.sqrt(2))
    low, high = (float(bound) for bound in np.percentile(gaps, [2.5, 97.5]))
    return Interval(value, min(low, value), max(high, value)), p


def ranks(sample: np.ndarray, means: np.ndarray) -> list[tuple[int, int]]:
    """95 % rank interval of each model, all together; rank 1 is the highest mean."""
    gaps = means[:, None] - means[None, :]
    drawn = sample[:, :, None] - sample[:, None, :]
    error = drawn.std(axis=0, ddof=1)
    known = error > 0
    scaled = np.divide(np.abs(drawn - gaps), error, out=np.zeros_like(drawn), where=known)
    limit = float(np.quantile(scaled.max(axis=(1, 2)), 0.95))
    surely = np.where(known, gaps > limit * error, gaps > 0)
    better, worse = surely.sum(axis=0), surely.sum(axis=1)
    return [(1 + int(above), len(means) - int(below)) for above, below in zip(better, worse, strict=True)]


def holm(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values: reject those below 0.05 and with 95 % no claim is false."""
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    return _unsort(np.minimum(raised, 1.0), order)


def fdr(p: np.ndarray) -> np.ndarray:
    """Adjusted p-values: reject those below 0.05 and about 5 % of the claims are false."""
    order = np.argsort(p, kind="stable")
    scaled = p[order] * len(p) / (1 + np.arange(len(p)))
    return _unsort(np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0), order)


CONTROLS = {"holm": holm, "fdr": fdr}


def class_weights(labels: np.ndarray, metric: str) -> np.ndarray:
    """Weights [picture] of mean 1 that make a mean of credits the task's metric: equal, or equal for each class."""
    if metric != "mean_per_class":
        return np.ones(len(labels))
    _, position, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(len(labels) / (len(counts) * counts[position]))


def _unsort(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    back = np.empty_like(values)
    back[order] = values
    return back
