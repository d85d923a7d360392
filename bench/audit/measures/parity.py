"""Demographic parity, equal opportunity and equalised odds, one class against the rest.

They are defined for yes-no decisions (Hardt, Price, Srebro 2016): each class of a task is such a decision, `is it put
into this class?`. On labels of three classes fairlearn's difference silently takes class 1 for `yes`, which is why the
class is never left to it here.

- demographic parity: the share of pictures put into the class is the same in every group. Where groups differ in what
  they show, this is not a fault of the model.
- equal opportunity: of the pictures that are of the class, the same share is put into it.
- equalised odds: that, and the same share of those that are not; the worse of the two gaps.

A group without a picture of the class has no rate there: it is left out and named.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.audit.measures import resampling
from bench.audit.measures.groups import Grouping
from bench.metrics import Estimate
from bench.metrics.credit import refuse_nan

KINDS = ("demographic_parity", "equal_opportunity", "equalised_odds")


@dataclass(frozen=True)
class Gap:
    """One difference between groups for one class; a reason where there is none."""

    kind: str
    label: int
    estimate: Estimate | None
    p: float = float("nan")
    reason: str = ""
    left_out: tuple[int, ...] = ()
    """Groups too small for it, or without a picture of the class."""


def decisions(scores: np.ndarray) -> np.ndarray:
    """float [image, class]: 1 for the best class, equal parts of it where several tie."""
    refuse_nan(scores)
    best = scores == scores.max(axis=1, keepdims=True)
    return np.asarray(best / best.sum(axis=1, keepdims=True))


def parity(
    decided: np.ndarray, labels: np.ndarray, grouping: Grouping, *, clusters: np.ndarray | None = None,
    draws: int = resampling.DRAWS, seed: int = 0,
) -> list[Gap]:  # fmt: skip
    """The three gaps of each class: `decided` [image, class] from `decisions`, `labels` int [image]."""
    found = []
    for label in range(decided.shape[1]):
        is_it = labels == label
        bases = {"selection": np.ones(len(labels), dtype=bool), "true": is_it, "false": ~is_it}
        gaps = {kind: _gap(decided[:, label], base, grouping, clusters, draws, seed) for kind, base in bases.items()}
        odds = _worse(gaps["true"], gaps["false"])
        for kind, gap in zip(KINDS, (gaps["selection"], gaps["true"], odds), strict=True):
            found.append(Gap(kind, label, *gap))
    return found


_Part = tuple[Estimate | None, float, str, tuple[int, ...]]


def _gap(
    decided: np.ndarray, base: np.ndarray, grouping: Grouping, clusters: np.ndarray | None, draws: int, seed: int
) -> _Part:
    members = grouping.members & base[:, None]
    sizes = members.sum(axis=0)
    kept = np.flatnonzero(sizes >= grouping.minimum)
    left_out = tuple(int(g) for g in range(len(sizes)) if g not in kept)
    if len(kept) < 2:
        return None, float("nan"), f"{len(kept)} group(s) with {grouping.minimum} pictures for it", left_out
    found = resampling.rates(
        decided[:, None] * members[:, kept], members[:, kept],
        clusters=clusters, strata=grouping.codes, draws=draws, seed=seed,
    )  # fmt: skip
    return resampling.difference(found), resampling.p_of_no_difference(found), "", left_out


def _worse(true: _Part, false: _Part) -> _Part:
    """Equalised odds from the gaps of both rates; both must be there. p is Bonferroni's over the two."""
    first, second = true[0], false[0]
    if first is None or second is None:
        missing = true if first is None else false
        return None, float("nan"), missing[2], missing[3]
    estimate = Estimate(
        max(first.value, second.value), max(first.low, second.low), max(first.high, second.high),
        second.n + first.n, first.interval,
    )  # fmt: skip
    return estimate, min(1.0, 2 * min(true[1], false[1])), "", tuple(sorted({*true[3], *false[3]}))
