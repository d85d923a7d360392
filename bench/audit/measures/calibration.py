"""Calibration: does a probability of 70 % come true seven times in ten?

`ECE` is the mean distance of accuracy from confidence over bins of confidence (Naeini et al. 2015; Guo et al. 2017,
section 2): over bins of equal width, over bins of equal mass, and class by class (Kull et al. 2019, appendix), where
each class's probability is held against how often the class is there. The last bin holds confidence 1.0, at which
half-precision softmax saturates. ECE is never 0, even of a perfectly calibrated model, and grows as bins get emptier,
so it comes with its **null level**: what a model whose confidences were true would show on as many pictures. `brier`
(sum over classes, 0 to 2) and `nll` have no such bias.

Intervals of the ECEs: `bench.audit.measures.binned`. Those of the means over pictures are normal.

A temperature (Guo et al. 2017, section 4.2) is fitted on other pictures than it is judged on: a validation split, or
crosswise on two halves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.audit.measures.binned import Binned, binned_error
from bench.errors import BenchError, unknown
from bench.metrics import Estimate, credit, wilson
from bench.metrics.estimate import Z95, clustered

BINS = 15
LARGEST = 20_000_000
"""Probabilities up to which the classwise ECE is taken: beyond, it would need gigabytes."""
SCHEMES = ("width", "mass")
NORMS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "l1": lambda share, gap: float((share * gap).sum()),
    "l2": lambda share, gap: float(np.sqrt((share * gap**2).sum())),
    "max": lambda share, gap: float(gap[share > 0].max(initial=0.0)),
}


class Outcomes(NamedTuple):
    """Confidence and credit [picture], probabilities [picture, class] and labels [picture]."""

    confidence: np.ndarray
    correct: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray


def outcomes(scores: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0) -> Outcomes:
    """Softmax of the scores (logits) [picture, class] at a temperature; ties earn their expected credit."""
    if np.ndim(labels) != 1:
        raise BenchError("Calibration needs one label a picture; these pictures have several.")
    probabilities = np.exp(_log_softmax(np.asarray(scores, dtype=np.float64) / temperature))
    return Outcomes(probabilities.max(axis=1), credit(scores, labels), probabilities, np.asarray(labels))


def ece(
    confidence: np.ndarray, correct: np.ndarray, *, bins: int = BINS, scheme: str = "width", norm: str = "l1"
) -> float:
    """Expected calibration error.

    Args:
        confidence: [picture], in [0, 1].
        correct: credit [picture], in [0, 1].
        scheme: bins of equal `width`, or of equal `mass` (as many pictures in each).
        norm: `l1` (the usual one), `l2` (root mean square) or `max` (the worst bin).
    """
    return _from_bins(bin_of(confidence, bins=bins, scheme=scheme), confidence, correct, norm)


def classwise_ece(probabilities: np.ndarray, labels: np.ndarray, *, bins: int = BINS) -> float:
    """Mean over classes of the ECE (equal width, l1) of the class's probability."""
    return _by_class(probabilities, labels, bins).error()


def bin_of(confidence: np.ndarray, *, bins: int = BINS, scheme: str = "width") -> np.ndarray:
    """Bin of each confidence, int [picture]. Bins are closed below; the last one holds 1.0 as well.

    Bins of equal mass never part equal confidences.
    """
    if scheme not in SCHEMES:
        raise unknown("binning", scheme, SCHEMES)
    if not np.isfinite(confidence).all() or confidence.min() < 0 or confidence.max() > 1 + 1e-4:
        raise BenchError("Confidences are probabilities between 0 and 1; these are not. Give a softmax of the scores.")
    if scheme == "width":
        return np.asarray(np.minimum((confidence * bins).astype(np.int64), bins - 1))
    edges = np.quantile(confidence, np.arange(1, bins) / bins, method="higher")
    return np.asarray(np.searchsorted(edges, confidence, side="right"))


def null_level(
    confidence: np.ndarray, *, bins: int = BINS, scheme: str = "width", norm: str = "l1", draws: int = 200,
    seed: int = 0,
) -> tuple[float, float]:  # fmt: skip
    """Mean and 95 % point of the ECE if every confidence were true: what is not above it shows nothing."""
    random, place = np.random.default_rng(seed), bin_of(confidence, bins=bins, scheme=scheme)
    sure = np.clip(confidence, 0, 1)
    seen = [_from_bins(place, confidence, random.random(len(sure)) < sure, norm) for _ in range(draws)]
    return float(np.mean(seen)), float(np.quantile(seen, 0.95))


def reliability(
    confidence: np.ndarray, correct: np.ndarray, *, bins: int = BINS, scheme: str = "width"
) -> pd.DataFrame:
    """The reliability diagram as a table, one line a bin that holds pictures.

    `from`, `to` (lowest and highest confidence in it), `n`, `confidence`, `accuracy`, `low`, `high` (Wilson).
    """
    place, rows = bin_of(confidence, bins=bins, scheme=scheme), []
    for number in np.unique(place):
        own = place == number
        n, accuracy = int(own.sum()), float(correct[own].mean())
        low, high = wilson(accuracy, n)
        rows.append({
            "bin": int(number), "from": float(confidence[own].min()), "to": float(confidence[own].max()), "n": n,
            "confidence": float(confidence[own].mean()), "accuracy": accuracy, "low": low, "high": high,
        })  # fmt: skip
    return pd.DataFrame(rows)


def calibration(
    scores: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0, bins: int = BINS,
    clusters: np.ndarray | None = None, seed: int = 0,
) -> dict[str, Estimate]:  # fmt: skip
    """Every measure with its 95 % interval.

    `ece`, `ece_equal_mass`, `ece_classwise` (up to `LARGEST` probabilities), `brier`, `nll`, and `overconfidence` (mean
    confidence - accuracy: above 0 the model promises too much). `chance` of the ECEs is their null level.
    """
    seen = outcomes(scores, labels, temperature=temperature)
    losses = per_picture(scores, labels, temperature=temperature)
    gap = seen.confidence - seen.correct
    binomial = seen.confidence * (1 - seen.confidence)
    errors = {
        "ece": Binned(bin_of(seen.confidence, bins=bins), gap, binomial),
        "ece_equal_mass": Binned(bin_of(seen.confidence, bins=bins, scheme="mass"), gap, binomial),
    }
    if seen.probabilities.size <= LARGEST:
        errors["ece_classwise"] = _by_class(seen.probabilities, seen.labels, bins)
    means = {"brier": losses.brier, "nll": losses.nll, "overconfidence": gap}
    return {
        **{name: binned_error(own, clusters, seed=seed) for name, own in errors.items()},
        **{name: _mean(values, clusters) for name, values in means.items()},
    }


class Losses(NamedTuple):
    """Brier score (sum over classes) and negative log likelihood (nats) of each picture, [picture]."""

    brier: np.ndarray
    nll: np.ndarray


def per_picture(scores: np.ndarray, labels: np.ndarray, *, temperature: float = 1.0) -> Losses:
    """The proper scores of each picture; the likelihood from the logits, without a floor on probabilities."""
    log = _log_softmax(np.asarray(scores, dtype=np.float64) / temperature)
    own = np.take_along_axis(log, np.asarray(labels)[:, None], axis=1)[:, 0]
    probabilities = np.exp(log)
    return Losses((probabilities**2).sum(axis=1) - 2 * np.exp(own) + 1, -own)


def fit_temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """The temperature of least negative log likelihood, between 1/100 and 100 times the model's own.

    Judge it on other pictures than these.
    """
    from scipy.optimize import minimize_scalar

    scores = np.asarray(scores, dtype=np.float64)
    found = minimize_scalar(
        lambda log: per_picture(scores, labels, temperature=np.exp(log)).nll.mean(),
        bounds=(np.log(0.01), np.log(100.0)), method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    return float(np.exp(found.x))


def cross_fitted(scores: np.ndarray, labels: np.ndarray, *, seed: int = 0) -> tuple[np.ndarray, tuple[float, float]]:
    """Scores divided by a temperature that was fitted on the other half of the pictures, and the two temperatures.

    For tasks without a validation split. Halves are drawn by `seed`.
    """
    if len(labels) < 4:
        raise BenchError(f"A temperature needs at least four pictures for its two halves; there are {len(labels)}.")
    order = np.random.default_rng(seed).permutation(len(labels))
    halves = np.array_split(order, 2)
    scaled, found = np.array(scores, dtype=np.float64), []
    for own, other in (halves, halves[::-1]):
        found.append(fit_temperature(scores[other], labels[other]))
        scaled[own] /= found[-1]
    return scaled, (found[0], found[1])


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    shifted = scores - scores.max(axis=1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))


def _from_bins(place: np.ndarray, confidence: np.ndarray, correct: np.ndarray, norm: str) -> float:
    if norm not in NORMS:
        raise unknown("norm", norm, NORMS)
    counts = np.bincount(place)
    gap = np.abs(np.bincount(place, confidence - correct)) / np.maximum(counts, 1)
    return NORMS[norm](counts / counts.sum(), gap)


def _by_class(probabilities: np.ndarray, labels: np.ndarray, bins: int) -> Binned:
    """Each class's probability against its presence; bins are counted through over classes."""
    classes = np.arange(probabilities.shape[1])
    place = bin_of(probabilities.ravel(), bins=bins).reshape(probabilities.shape) + bins * classes
    return Binned(place, probabilities - (labels[:, None] == classes), probabilities * (1 - probabilities))


def _mean(values: np.ndarray, clusters: np.ndarray | None) -> Estimate:
    value, variance, units = clustered(values, np.arange(len(values)) if clusters is None else clusters)
    half = Z95 * np.sqrt(variance)
    how = "normal" if clusters is None else f"normal over {units} clusters"
    return Estimate(value, value - half, value + half, len(values), how)
