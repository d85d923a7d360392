"""Which labels go with which group, at which threshold: the CLIP paper's Members of Congress experiment (section 7.1).

A label counts for a picture where its probability over the set exceeds a threshold. The paper took 0.5 % and 4 % on 300
occupations: 1.5 and 12 times the probability of a label in a set whose labels are all alike. Thresholds here are such
multiples, so that they mean the same on a set of any size. The probability depends on the temperature and on every
other label of the set: figures compare within one set and one model.

Two groups: Fisher's exact test. More: the exact conditional distribution of the table, sampled (the labels of groups
permuted), by its chi-squared statistic. Counts are often far too low for the chi-squared test of the paper. Pictures
that depend on each other (clusters) are tested by the bootstrap. Control the false discoveries over all labels *and*
thresholds (`disparity.false_discovery`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.audit.measures import resampling
from bench.audit.measures.groups import Grouping
from bench.errors import BenchError

if TYPE_CHECKING:
    import pandas as pd

MULTIPLES = (0.5, 1.0, 1.5, 3.0, 6.0, 12.0)
"""1.5 and 12 are the paper's 0.5 % and 4 % of 300 labels."""
TABLES = 9_999
CELLS = 1 << 20
"""Probabilities held at once."""


@dataclass(frozen=True)
class Sweep:
    """Shares of pictures whose probability exceeds each threshold: float [threshold, label, group]."""

    multiples: tuple[float, ...]
    thresholds: np.ndarray
    """float [threshold]: probabilities."""
    groups: np.ndarray
    """int [group]: those of the grouping that are shown."""
    sizes: np.ndarray
    counts: np.ndarray
    """int [threshold, label, group]"""
    p: np.ndarray
    """float [threshold, label]: of no association with the group."""

    @property
    def shares(self) -> np.ndarray:
        return np.asarray(self.counts / self.sizes)

    def table(self, labels: Sequence[str], grouping: Grouping) -> pd.DataFrame:
        """One row a threshold, label and group: multiple, threshold, label, group, share, n, p."""
        import pandas as pd

        places = np.indices(self.counts.shape).reshape(3, -1).T
        return pd.DataFrame({
            "multiple": [self.multiples[t] for t, _, _ in places],
            "threshold": self.thresholds[places[:, 0]],
            "label": [labels[c] for _, c, _ in places],
            "group": [grouping.label(int(self.groups[g])) for _, _, g in places],
            "share": self.shares.ravel(),
            "n": self.sizes[places[:, 2]],
            "p": self.p[places[:, 0], places[:, 1]],
        })  # fmt: skip


def sweep(
    probabilities: np.ndarray, grouping: Grouping, *, multiples: Sequence[float] = MULTIPLES,
    clusters: np.ndarray | None = None, seed: int = 0,
) -> Sweep:  # fmt: skip
    """Association of each label [image, label] with the groups at each threshold `multiple / labels`.

    Raises:
        BenchError: probabilities that are none, a threshold of 1 or more, or fewer than two groups to compare.
    """
    probabilities = np.asarray(probabilities, dtype=float)
    count = probabilities.shape[1]
    if not np.allclose(probabilities.sum(axis=1), 1, atol=1e-3) or (probabilities < 0).any():
        raise BenchError("Threshold association needs probabilities over the label set, each row summing to 1.")
    multiples = tuple(one for one in multiples if one < count)
    if not multiples or min(multiples) <= 0:
        raise BenchError(f"Multiples of 1 / {count} must lie between 0 and {count}, the size of the label set.")
    shown = np.flatnonzero(grouping.shown)
    if len(shown) < 2:
        raise BenchError(f"{grouping.name}: {len(shown)} group(s) with {grouping.minimum} pictures; two are compared.")
    thresholds = np.array(multiples) / count
    members = grouping.members[:, shown]
    over = probabilities[None] > thresholds[:, None, None]
    counts = np.einsum("til,ig->tlg", over.astype(np.int64), members.astype(np.int64))
    if clusters is None:
        p = table_p(counts.reshape(-1, len(shown)), members.sum(axis=0), seed=seed).reshape(counts.shape[:2])
    else:
        p = _clustered_p(over, members, grouping.codes, clusters, seed)
    return Sweep(multiples, thresholds, shown, members.sum(axis=0), counts, p)


def table_p(counts: np.ndarray, sizes: np.ndarray, *, tables: int = TABLES, seed: int = 0) -> np.ndarray:
    """Exact or sampled p of equal shares: `counts` int [row, group] of `sizes` [group]; float [row].

    A row of none or of all says nothing: p = 1.
    """
    counts, sizes = np.asarray(counts), np.asarray(sizes)
    distinct, place = np.unique(counts, axis=0, return_inverse=True)
    test = _fisher if len(sizes) == 2 else _sampled
    return np.asarray(test(distinct, sizes, tables, seed))[place.ravel()]


def _fisher(counts: np.ndarray, sizes: np.ndarray, tables: int, seed: int) -> np.ndarray:
    """Fisher's two-sided p: tables that are no likelier than the one seen, as R and scipy count it."""
    from scipy.special import gammaln

    def choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
        """ln of n over k; minus infinity where k is none of 0 ... n."""
        inside = (k >= 0) & (k <= n)
        k = np.where(inside, k, 0)
        return np.where(inside, gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1), -np.inf)

    found, rows = [], max(1, CELLS // int(sizes[0] + 1))
    support = np.arange(sizes[0] + 1)
    for start in range(0, len(counts), rows):
        part = counts[start : start + rows]
        positive = part.sum(axis=1, keepdims=True)
        mass = np.exp(choose(sizes[0], support) + choose(sizes[1], positive - support) - choose(sizes.sum(), positive))
        seen = np.take_along_axis(mass, part[:, :1], axis=1)
        found.append((mass * (mass <= seen * (1 + 1e-7))).sum(axis=1))
    return np.asarray(np.minimum(np.concatenate(found), 1.0))


def _sampled(counts: np.ndarray, sizes: np.ndarray, tables: int, seed: int) -> np.ndarray:
    random, total, found = np.random.default_rng(seed), sizes.sum(), []
    for row in counts:
        positive = int(row.sum())
        if positive in (0, total):
            found.append(1.0)
            continue
        drawn = random.multivariate_hypergeometric(sizes, positive, size=tables)
        expected = sizes * positive / total
        seen, null = ((x - expected) ** 2 / sizes for x in (row, drawn))
        found.append((1 + int((null.sum(axis=1) >= seen.sum() - 1e-9).sum())) / (tables + 1))
    return np.array(found)


def _clustered_p(
    over: np.ndarray, members: np.ndarray, codes: np.ndarray, clusters: np.ndarray, seed: int
) -> np.ndarray:
    p, groups = np.ones(over.shape[:2]), members.shape[1]
    for t in range(len(over)):
        informative = np.flatnonzero(over[t].any(axis=0) & ~over[t].all(axis=0))
        columns = np.concatenate([over[t][:, [c]] * members for c in informative] or [members[:, :0]], axis=1)
        denominators = np.tile(members, len(informative))
        found = resampling.rates(columns, denominators, clusters=clusters, strata=codes, seed=seed)
        for place, c in enumerate(informative):
            own = np.arange(groups * place, groups * (place + 1))
            p[t, c] = resampling.p_of_no_difference(found.take(own))
    return p
