"""Group performance: the rate of right answers overall, by group, in intersections; worst group, difference, ratio.

The four words and the values are fairlearn's `MetricFrame` (Bird et al. 2020); what it leaves out is added here: groups
too small to be shown, intervals that cover for the largest of many differences (`resampling.py`), one p-value a
grouping, and false-discovery control over the whole audit (Benjamini, Hochberg 1995, or Yekutieli 2001 under any
dependence).

Calibration by group is compared at *equal n*: expected calibration error grows as pictures per bin fall, so a rare
group looks worse calibrated than a common one under the very same model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.audit.measures import resampling
from bench.audit.measures.binned import Binned, binned_error
from bench.audit.measures.calibration import bin_of
from bench.audit.measures.groups import Grouping
from bench.errors import BenchError
from bench.metrics import Estimate, wilson
from bench.metrics.estimate import clustered, widened


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
    confidence: np.ndarray, correct: np.ndarray, grouping: Grouping, *, clusters: np.ndarray | None = None,
    rounds: int = 10, seed: int = 0,
) -> dict[int, Estimate]:  # fmt: skip
    """Expected calibration error of each shown group at the n of the smallest: means over `rounds` draws of that many.

    `chance` is the null level: what true probabilities would show at this n, which is never 0.
    """
    random, shown = np.random.default_rng(seed), np.flatnonzero(grouping.shown)
    if not len(shown):
        return {}
    n, found = int(grouping.sizes[shown].min()), {}
    for g in shown:
        own = np.flatnonzero(grouping.members[:, g])
        times = 1 if len(own) == n else rounds
        several = [_calibration(confidence[drawn], correct[drawn], _of(clusters, drawn), seed)
                   for drawn in (random.permutation(own)[:n] for _ in range(times))]  # fmt: skip
        value, low, high, null = np.mean([(e.value, e.low, e.high, e.chance) for e in several], axis=0)
        how = f"inverted test at n = {n}" + (f", mean of {times} draws" if times > 1 else "")
        found[int(g)] = Estimate(float(value), float(low), float(high), n, how, float(null))
    return found


def _calibration(confidence: np.ndarray, correct: np.ndarray, clusters: np.ndarray | None, seed: int) -> Estimate:
    binned = Binned(bin_of(confidence), confidence - correct, confidence * (1 - confidence))
    return binned_error(binned, clusters, draws=400, seed=seed)


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
