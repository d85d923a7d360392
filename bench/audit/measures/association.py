"""Association of concepts with attributes in a model's vectors: WEAT and iEAT, image-text and image-image.

Caliskan, Bryson, Narayanan 2017 (Science 356) for words; Steed, Caliskan 2021 (arXiv 2010.15052) for pictures. With
s(w) = mean cosine of w with A less its mean cosine with B, the effect size is d = (mean of s over X - mean of s over
Y) / standard deviation of s over X and Y together (ddof 1). p is the share of partitions of X and Y into parts of
these sizes that differ as much: exact up to 10,000 partitions, else 10,000 sampled ones and the one seen.

Beyond both: X and Y may differ in size (means instead of sums), p is also given two-sided (a negative d has a one-sided
p near 1), and d has an interval. d is bounded by sqrt(N (N - 1) / (n_X n_Y)), about 2: it cannot be compared between
sets of very different size, and p cannot fall below 1 / partitions (1/70 with four pictures each).

The interval takes s as normal with one variance: d is then a function of Student's t, whose noncentral distribution
gives exact limits (Hedges, Olkin 1985, chapter 5). It is over stimuli, A and B being as they are.
"""

from __future__ import annotations

from itertools import combinations
from math import comb, inf, sqrt
from typing import NamedTuple

import numpy as np

from bench.errors import BenchError

EXACT = 10_000
"""Partitions up to which all are counted; beyond, so many are sampled."""
NODES = 1_000
"""Points of the chi-squared distribution that the noncentral t is summed over."""


class Association(NamedTuple):
    """Effect size with its interval, and the permutation p of the stated direction and of any."""

    d: float
    low: float
    high: float
    p: float
    """One-sided: X goes with A (and Y with B)."""
    p_two_sided: float
    partitions: int
    """Partitions that p counts."""
    exact: bool
    n: int
    """Stimuli in X and Y."""


def weat(x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray, *, seed: int = 0) -> Association:
    """X with A and Y with B, each [item, dim]; vectors need not have unit length.

    Raises:
        BenchError: a set with nothing in it, X or Y with one item, vectors that have no direction.
    """
    for name, part, least in (("X", x, 2), ("Y", y, 2), ("A", a, 1), ("B", b, 1)):
        if len(part) < least:
            raise BenchError(f"Association: set {name} has {len(part)} item(s) and needs {least}.")
    x, y, a, b = (unit(part) for part in (x, y, a, b))
    return of_scores(differential(x, a, b), differential(y, a, b), seed=seed)


def differential(items: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """s(w) of each item, float [item]; vectors of unit length."""
    return np.asarray((items @ a.T).mean(axis=1) - (items @ b.T).mean(axis=1), dtype=np.float64)


def of_scores(x: np.ndarray, y: np.ndarray, *, seed: int = 0) -> Association:
    """The test on the scores s of the items of X and Y."""
    both = np.concatenate([x, y]).astype(np.float64)
    spread = float(both.std(ddof=1))
    if not spread > 1e-12:
        raise BenchError("Association: all items score alike, so there is no effect size.")
    apart = float(np.mean(x) - np.mean(y))
    d = apart / spread
    means, exact = _partitions(both, len(x), seed)
    slack = 1e-9 * spread
    extra = 0 if exact else 1
    count = len(means) + extra
    above = int((means >= apart - slack).sum()) + extra
    beyond = int((np.abs(means) >= abs(apart) - slack).sum()) + extra
    return Association(d, *_interval(d, len(x), len(y)), above / count, beyond / count, count, exact, len(both))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows brought to unit length."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.isfinite(norms).all() or (norms == 0).any():
        raise BenchError("A vector is zero or not finite: the model or its texts are damaged.")
    return np.asarray(vectors / norms)


def _partitions(scores: np.ndarray, first: int, seed: int) -> tuple[np.ndarray, bool]:
    """Differences of means of every partition, or of a sample: float [partition]."""
    total = len(scores)
    second = total - first
    if comb(total, first) <= EXACT:
        chosen = np.array(list(combinations(range(total), first)))
    else:
        random = np.random.default_rng(seed)
        chosen = random.random((EXACT, total)).argsort(axis=1)[:, :first]
    inside = scores[chosen].sum(axis=1)
    return inside / first - (scores.sum() - inside) / second, comb(total, first) <= EXACT


def _interval(d: float, first: int, second: int) -> tuple[float, float]:
    """Limits of d from those of the noncentral t that it is a function of."""
    from scipy.optimize import brentq
    from scipy.special import ndtr
    from scipy.stats import chi2

    total = first + second
    bound, scale = sqrt(total * (total - 1) / (first * second)), sqrt(first * second / total)
    share = (d / bound) ** 2
    if total < 4 or share >= 1 - 1e-9:
        return -bound, bound
    t, freedom = d / bound * sqrt((total - 2) / (1 - share)), total - 2
    roots = np.sqrt(chi2.ppf((np.arange(NODES) + 0.5) / NODES, freedom) / freedom)

    def limit(probability: float) -> float:
        """Where the noncentral t, a normal mixed over chi-squared, has this much below t (scipy's own gives NaN)."""
        reach = 10 + 2 * abs(t)
        centre = brentq(lambda shift: float(ndtr(t * roots - shift).mean()) - probability, t - reach, t + reach)
        return _bounded(centre / scale, first, second)

    low, high = limit(0.975), limit(0.025)
    return min(low, d), max(high, d)


def _bounded(g: float, first: int, second: int) -> float:
    """d of a population whose means differ by g standard deviations *within* the sets."""
    total = first + second
    share = first * second / (total * (total - 1))
    if abs(g) == inf:
        return float(np.sign(g) / sqrt(share))
    return g / sqrt((total - 2) / (total - 1) + share * g**2)
