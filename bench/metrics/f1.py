"""Macro F1: iWildCam's metric (Koh et al. 2021, WILDS, appendix E.1), over the classes that occur among the labels.

A picture whose best choices tie counts as an equal part of each. Variance by linearisation: the F1 of a class is a
ratio of sums over pictures, so each picture has an influence on it; classes are strata. Each class adds what the
Jeffreys prior (half a success, half a failure) adds to the variance of its recall. Then widened, see `estimate.py`.
Where pictures come in clusters (the camera traps of one place), the influences of a cluster are summed first, and the
larger of both variances is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.metrics.credit import refuse_nan
from bench.metrics.estimate import Estimate, clusters_of, widened

if TYPE_CHECKING:
    import pandas as pd


def macro_f1(scores: np.ndarray, labels: np.ndarray, attributes: pd.DataFrame | None = None) -> Estimate:
    """F1 of each class that occurs among the labels, averaged over classes."""
    if labels.ndim == 2:
        raise BenchError("macro_f1 needs one label a picture; this task has several.")
    refuse_nan(scores)
    best = scores == scores.max(axis=1, keepdims=True)
    guess = best / best.sum(axis=1, keepdims=True)
    present, position, counts = np.unique(labels, return_inverse=True, return_counts=True)
    value = _f1(guess[:, present], position, counts).mean()
    clusters, units, method = clusters_of(attributes), len(labels), "linearised, Wilson form"
    variance = _variance(guess[:, present], position, counts, clusters)
    if clusters is not None:
        units = len(np.unique(clusters))
        method = f"{units} clusters, linearised, Wilson form"
    blind = _f1(np.full((len(labels), len(present)), 1 / scores.shape[1]), position, counts).mean()
    interval = widened(float(value), variance, units)
    return Estimate(float(value), *interval, len(labels), method, float(blind))


def _f1(guess: np.ndarray, position: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """[class] from guesses [image, class] that sum to at most 1 a picture."""
    hits = np.bincount(position, weights=guess[np.arange(len(guess)), position])
    return np.asarray(2 * hits / (guess.sum(axis=0) + counts))


def _variance(guess: np.ndarray, position: np.ndarray, counts: np.ndarray, clusters: np.ndarray | None) -> float:
    rows = np.arange(len(guess))
    size = guess.sum(axis=0) + counts
    influence = -(guess * (_f1(guess, position, counts) / size)).sum(axis=1)
    influence += 2 * guess[rows, position] / size[position]
    means = np.bincount(position, weights=influence) / counts
    spread = float(((influence - means[position]) ** 2).sum())
    if clusters is not None:
        totals = np.bincount(np.unique(clusters, return_inverse=True)[1], weights=influence)
        spread = max(spread, float((totals**2).sum()) * len(totals) / max(len(totals) - 1, 1))
    recall = np.bincount(position, weights=guess[rows, position]) / counts
    smoothed = (recall * counts + 0.5) / (counts + 1)
    prior = np.maximum(smoothed * (1 - smoothed) - recall * (1 - recall), 0) / counts
    return (spread + float(prior.sum())) / len(counts) ** 2
