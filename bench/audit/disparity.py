"""Group performance: the rate of right answers overall, by group, in intersections; worst group, difference, ratio.

The four words and the values are fairlearn's `MetricFrame` (Bird et al. 2020); what it leaves out is added here: groups
too small to be shown, intervals that cover for the largest of many differences (`resampling.py`), one p-value a
grouping, and false-discovery control over the whole audit (Benjamini, Hochberg 1995, or Yekutieli 2001 under any
dependence).

Calibration by group is compared at *equal n*: expected calibration error grows as pictures per bin fall, so a rare
group looks worse calibrated than a common one under the very same model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.audit import resampling
from bench.audit.groups import Grouping
from bench.errors import BenchError
from bench.metrics import Estimate, wilson
from bench.metrics.estimate import clustered, widened

BINS = 15


@dataclass(frozen=True)
class Disparity:
    """One rate under one grouping. What cannot be given has a reason instead."""

    grouping: Grouping
    overall: Estimate
    by_group: dict[int, Estimate]
    """Of each group that is shown."""
    suppressed: dict[int, str]
    """Of each group that is not: why."""
    worst: Estimate | None = None
    difference: Estimate | None = None
    ratio: Estimate | None = None
    p: float = float("nan")
    """Of no difference between the groups that are shown."""
    reason: str = ""
    """Why there is no comparison."""
    which: tuple[int, int] = (-1, -1)
    """Groups with the lowest and the highest rate."""


def disparity(
    outcome: np.ndarray,
    grouping: Grouping,
    *,
    base: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
    highest: bool = False,
    draws: int = resampling.DRAWS,
    seed: int = 0,
) -> Disparity:
    """The rate of `outcome` (float [image], 0 to 1) by group, among the pictures of `base` (bool [image]; all if None).

    Args:
        clusters: label of what each picture depends on.
        highest: the worst group is the one with the highest rate (harm), not the lowest (accuracy).
    """
    outcome = _checked(outcome)
    counted = np.ones(len(outcome), dtype=bool) if base is None else base
    members = grouping.members & counted[:, None]
    sizes = members.sum(axis=0)
    shown = np.flatnonzero(grouping.shown & (sizes >= grouping.minimum))
    hidden = {g: _why(grouping, g, int(sizes[g])) for g in range(len(sizes)) if g not in shown}
    by_group = {int(g): share(outcome[members[:, g]], _of(clusters, members[:, g])) for g in shown}
    overall = share(outcome[counted], _of(clusters, counted))
    if len(shown) < 2:
        return Disparity(grouping, overall, by_group, hidden, reason=f"{len(shown)} group(s) large enough to compare")
    frame = metric_frame(outcome, members[:, shown])
    found = resampling.rates(
        outcome[:, None] * members[:, shown], members[:, shown],
        clusters=clusters, strata=grouping.codes, draws=draws, seed=seed,
    )  # fmt: skip
    difference, ratio = resampling.difference(found), resampling.ratio(found)
    assert np.isclose(frame.difference(), difference.value), "fairlearn and the bootstrap disagree"
    return Disparity(
        grouping, overall, by_group, hidden, resampling.worst(found, highest=highest), difference,
        ratio if np.isfinite(ratio.value) else None, resampling.p_of_no_difference(found),
        which=(int(shown[np.argmin(found.values)]), int(shown[np.argmax(found.values)])),
    )  # fmt: skip


def metric_frame(outcome: np.ndarray, members: np.ndarray):  # type: ignore[no-untyped-def]
    """fairlearn's MetricFrame of the mean outcome over disjoint groups, bool [image, group]."""
    from fairlearn.metrics import MetricFrame, mean_prediction

    inside = members.any(axis=1)
    group, values = members[inside].argmax(axis=1), outcome[inside]
    return MetricFrame(metrics=mean_prediction, y_true=values, y_pred=values, sensitive_features=group)


def share(outcome: np.ndarray, clusters: np.ndarray | None = None) -> Estimate:
    """A mean of outcomes in [0, 1]: Wilson's interval, at the clusters' variance where there are some."""
    n, value = len(outcome), float(outcome.mean())
    if clusters is None or len(np.unique(clusters)) == n:
        return Estimate(value, *wilson(value, n), n, "Wilson")
    _, variance, units = clustered(outcome, clusters)
    return Estimate(value, *widened(value, variance, units), n, f"{units} clusters, Wilson form")


def paired_shift(
    before: np.ndarray, after: np.ndarray, grouping: Grouping, *, clusters: np.ndarray | None = None,
    draws: int = resampling.DRAWS, seed: int = 0,
) -> dict[int, Estimate]:  # fmt: skip
    """Change of a rate on the same pictures, by group that is shown: after less before, with its interval."""
    change = _checked(after) - _checked(before)
    moved_up, moved_down = np.maximum(change, 0), np.maximum(-change, 0)
    shown = np.flatnonzero(grouping.shown)
    members = grouping.members[:, shown]
    found = resampling.rates(
        np.concatenate([moved_up[:, None] * members, moved_down[:, None] * members], axis=1),
        np.concatenate([members, members], axis=1),
        clusters=clusters, strata=grouping.codes, draws=draws, seed=seed,
    )  # fmt: skip
    count = len(shown)
    values = found.values[:count] - found.values[count:]
    apart = found.deviations[:, :count] - found.deviations[:, count:]
    low, high = np.quantile(apart, [resampling.TAIL, 1 - resampling.TAIL], axis=0)
    return {
        int(g): Estimate(float(v), float(v + min(lo, 0)), float(v + max(hi, 0)), int(size), resampling.METHOD)
        for g, v, lo, hi, size in zip(shown, values, low, high, found.sizes, strict=False)
    }


def false_discovery(p: np.ndarray, *, dependent: bool = False) -> np.ndarray:
    """q-values over the whole audit: the share of false findings if this one and all smaller p count as findings.

    `dependent` takes Benjamini-Yekutieli, which holds under any dependence and is stricter by about ln(tests). NaN
    (no test was made) stays NaN and counts for nothing.
    """
    from scipy.stats import false_discovery_control

    p = np.asarray(p, dtype=float)
    tested, q = np.isfinite(p), np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = false_discovery_control(p[tested], method="by" if dependent else "bh")
    return q


def calibration_by_group(
    confidence: np.ndarray, correct: np.ndarray, grouping: Grouping, *, rounds: int = 200, seed: int = 0,
    error: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None,
) -> dict[int, Estimate]:  # fmt: skip
    """Expected calibration error of each shown group at the n of the smallest, mean over `rounds` draws of that many.

    `error` takes confidence and correct, both [round, image], and gives [round]. The interval is the spread of
    resamples about the value: it holds for the error that n pictures show, which is never 0.
    """
    error, random = error or calibration_error, np.random.default_rng(seed)
    shown = np.flatnonzero(grouping.shown)
    if not len(shown):
        return {}
    n, found = int(grouping.sizes[shown].min()), {}
    for g in shown:
        own = np.flatnonzero(grouping.members[:, g])
        drawn = own[random.random((rounds, len(own))).argsort(axis=1)[:, :n]]
        again = own[random.integers(len(own), size=(rounds, n))]
        value = float(error(confidence[drawn], correct[drawn]).mean())
        errors = error(confidence[again], correct[again])
        ends = value + np.quantile(errors - errors.mean(), [resampling.TAIL, 1 - resampling.TAIL])
        low, high = max(float(ends[0]), 0.0), min(float(ends[1]), 1.0)
        found[int(g)] = Estimate(value, low, high, n, f"bootstrap at n = {n}")
    return found


def calibration_error(confidence: np.ndarray, correct: np.ndarray, *, bins: int = BINS) -> np.ndarray:
    """Expected calibration error over equal-width bins: [round] from [round, image]; confidence 1 is in the last."""
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = (correct - confidence)[:, None, :] * (place[:, None, :] == np.arange(bins)[None, :, None])
    return np.asarray(np.abs(gap.sum(axis=2)).sum(axis=1) / confidence.shape[1])


def _checked(outcome: np.ndarray) -> np.ndarray:
    outcome = np.asarray(outcome, dtype=float)
    if not np.isfinite(outcome).all() or (outcome < 0).any() or (outcome > 1).any():
        raise BenchError("Outcomes of an audit are shares from 0 to 1; there are others. Check the model's vectors.")
    return outcome


def _why(grouping: Grouping, group: int, size: int) -> str:
    if grouping.shown[group]:
        return f"{size} of its pictures count here; a group needs {grouping.minimum} to be shown"
    return grouping.suppressed(group)


def _of(clusters: np.ndarray | None, which: np.ndarray) -> np.ndarray | None:
    return None if clusters is None else clusters[which]
