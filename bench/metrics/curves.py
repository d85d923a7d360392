"""Metrics of a whole ranking of pictures: area under the ROC curve, average precision.

ROC AUC: Hateful Memes and the like; the class at index 1 is the positive one, a picture's score is its logit minus that
of class 0, ties count half. Variance by DeLong, DeLong and Clarke-Pearson (1988, Biometrics 44), widened (see
`estimate.py`).

Average precision ranks the *pictures* of each class, so scores must be comparable across pictures: the logits of a
picture are first turned into probabilities over the classes (openai/CLIP#153: about 4 points on VOC2007). Pictures
tied enter the curve together. (Not so where each class is a question of its own, `independent`: a probe of several
labels ranks by its logits as they are.) Classes without a picture are left out. The 11-point form is VOC2007's
(Everingham et al. 2010, IJCV 88): the mean over recall 0, 0.1 ... 1 of the best precision at that recall or more.
Variance from 200 seeded bootstrap samples of pictures, widened. A best precision of few pictures is too high, so the
interval reaches as much further as the bootstrap samples lie off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.metrics.credit import refuse_nan
from bench.metrics.estimate import Estimate, widened

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 200
SEED = 2007
BLOCK = 1 << 20
"""Weights held at once: 8 MiB."""
LEVELS = np.linspace(0, 1, 11)

Area = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""(recall, precision), each [resample, threshold], to the area below: [resample]."""


def roc_auc(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """Probability that a picture of class 1 scores above one of class 0."""
    if labels.ndim != 1 or scores.shape[1] != 2:
        raise BenchError(f"roc_auc needs two classes and one label a picture, not {scores.shape[1]} classes.")
    refuse_nan(scores)
    margin = scores[:, 1].astype(np.float64) - scores[:, 0]
    positive, negative = margin[labels == 1], margin[labels == 0]
    if not len(positive) or not len(negative):
        raise BenchError("roc_auc needs pictures of both classes; these are of one. Raise or drop `limit`.")
    ranks = _midranks(np.concatenate([positive, negative]))
    above = (ranks[: len(positive)] - _midranks(positive)) / len(negative)
    below = 1 - (ranks[len(positive) :] - _midranks(negative)) / len(positive)
    variance = _of_mean(above) + _of_mean(below)
    value, smaller = float(above.mean()), min(len(positive), len(negative))
    return Estimate(value, *widened(value, variance, smaller), len(labels), "DeLong, Wilson form", 0.5)


def mean_average_precision(
    scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None, *, independent: bool = False
) -> Estimate:
    """Average precision over all points of each class's curve, averaged over classes."""
    return _mean_area(scores, labels, _all_points, independent=independent)


def map_11_point(
    scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None, *, independent: bool = False
) -> Estimate:
    """VOC2007's 11-point average precision, averaged over classes."""
    return _mean_area(scores, labels, _eleven_points, independent=independent)


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float:
    """Mean over classes of the average precision, of scores whose columns are independent; no interval."""
    refuse_nan(scores)
    present = np.flatnonzero(labels.any(axis=0))
    if not len(present):
        raise BenchError("Average precision needs a picture with a label; there is none.")
    return float(_mean_areas(scores, labels, present, np.ones((1, len(scores))), _all_points)[0])


def _mean_area(scores: np.ndarray, labels: np.ndarray, area: Area, *, independent: bool) -> Estimate:
    truth = labels if labels.ndim == 2 else np.eye(scores.shape[1], dtype=bool)[labels]
    present = np.flatnonzero(truth.any(axis=0))
    if not len(present):
        raise BenchError("Average precision needs a picture with a label; there is none.")
    refuse_nan(scores)
    probabilities, n = scores if independent else _softmax(scores), len(scores)
    value = _mean_areas(probabilities, truth, present, np.ones((1, n)), area)[0]
    means = np.concatenate([_mean_areas(probabilities, truth, present, drawn, area) for drawn in _resamples(n)])
    interval = _reaching(value, means, int(truth.sum()))
    prevalence = float(truth[:, present].mean())
    return Estimate(float(value), *interval, n, "bootstrap over pictures, Wilson form", prevalence)


def _reaching(value: float, means: np.ndarray, n: int) -> tuple[float, float]:
    """The interval around the value, stretched to where it would lie without the bias that the bootstrap shows."""
    variance = float(means.var(ddof=1))
    unbiased = float(np.clip(2 * value - means.mean(), 0, 1))
    (low, high), (other_low, other_high) = (widened(float(at), variance, n) for at in (value, unbiased))
    return min(low, other_low), max(high, other_high)


def _resamples(n: int) -> Iterator[np.ndarray]:
    """How often each of n pictures is drawn: [resample, image], in blocks of bounded size."""
    random, block = np.random.default_rng(SEED), max(1, BLOCK // n)
    for start in range(0, RESAMPLES, block):
        yield random.multinomial(n, np.full(n, 1 / n), size=min(block, RESAMPLES - start))


def _mean_areas(
    probabilities: np.ndarray, truth: np.ndarray, present: np.ndarray, weights: np.ndarray, area: Area
) -> np.ndarray:
    """Mean over the present classes of the area under their curves: [resample]."""
    areas = np.stack([_areas(probabilities[:, c], truth[:, c], weights, area) for c in present])
    known = np.isfinite(areas)
    return np.asarray(np.where(known, areas, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1))


def _areas(score: np.ndarray, truth: np.ndarray, weights: np.ndarray, area: Area) -> np.ndarray:
    """Area under one class's curve for each weighting of the pictures: [resample]; NaN without a positive picture."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # the last of each run of ties
    weighted = weights[:, order]
    hits = np.cumsum(weighted * truth[order], axis=1)[:, ends]
    seen = np.cumsum(weighted, axis=1)[:, ends]
    total = hits[:, -1:]
    found = area(hits / np.maximum(total, 1), hits / np.maximum(seen, 1))
    return np.where(total[:, 0] > 0, found, np.nan)


def _all_points(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    return np.asarray((np.diff(recall, axis=1, prepend=0.0) * precision).sum(axis=1))


def _eleven_points(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    firsts = np.stack([(recall < level - 1e-12).sum(axis=1) for level in LEVELS], axis=1)
    reached = firsts < recall.shape[1]
    at = np.take_along_axis(best, np.minimum(firsts, recall.shape[1] - 1), axis=1)
    return np.asarray((at * reached).mean(axis=1))


def _softmax(scores: np.ndarray) -> np.ndarray:
    refuse_nan(scores)
    grown = np.exp(scores.astype(np.float64) - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))


def _midranks(values: np.ndarray) -> np.ndarray:
    """Ranks from 1; equal values share the mean of theirs."""
    _, position, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[position])


def _of_mean(values: np.ndarray) -> float:
    """Variance of the mean of independent values; 0 for a single one."""
    return float(values.var(ddof=1)) / len(values) if len(values) > 1 else 0.0
