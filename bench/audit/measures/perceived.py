"""Bias of a generator: who is in its pictures, as a classifier perceives them, corrected for that classifier's errors.

Pictures made for neutral prompts ("a photo of a nurse") are classified by perceived attribute. What the classifier
sees is not what is there: with confusion C[true, perceived], measured on a labelled task, the perceived shares are the
true shares times C. The true ones are found by maximum likelihood on the simplex (expectation-maximisation, as in
Saerens, Latinne, Decaestecker 2002, Neural Computation 14), which the matrix inverse leaves where it is noisy. Both
sources of error are in the interval: the bootstrap draws the confusion *and* the pictures anew.

The correction assumes that the classifier errs on generated pictures as on the labelled ones; nothing here can check
that. `perceived` is meant: these are attributes that a model reads from appearance, not anybody's identity.

Distance from a reference distribution is total variation, half the sum of absolute differences: the share of pictures
that would have to change. It is never 0 by chance; its null level is given beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from bench.audit.measures import resampling
from bench.errors import BenchError
from bench.metrics import Estimate

MOST = 10
"""Categories a distance is given for: its interval looks at every subset."""
ITERATIONS = 2_000
PRIOR = 0.5
"""Jeffreys: added to every cell of the confusion."""
LEAST = 20
"""Labelled pictures that each true category needs for its error rates."""


@dataclass(frozen=True)
class Composition:
    """Shares of the categories in a set of pictures: float [category] each."""

    perceived: np.ndarray
    """As the classifier says, uncorrected."""
    corrected: np.ndarray
    low: np.ndarray
    high: np.ndarray
    draws: np.ndarray
    """float [draw, category]: the corrected shares of each bootstrap draw."""
    confusion: np.ndarray
    """float [true, perceived]: the error rates that were corrected for."""
    counts: np.ndarray
    """float [true, perceived]: labelled pictures behind them."""
    n: int


@dataclass(frozen=True)
class Distance:
    """Total variation from a reference, with what chance alone gives."""

    estimate: Estimate
    null: float
    null_high: float
    p: float


def confusion_counts(labels: np.ndarray, decided: np.ndarray) -> np.ndarray:
    """float [true, perceived] from `labels` int [image] and `decided` [image, category] (parts of ties)."""
    return np.asarray(np.eye(decided.shape[1])[labels].T @ decided)


def composition(perceived: np.ndarray, confusion: np.ndarray, *, draws: int = 1_000, seed: int = 0) -> Composition:
    """Corrected shares from `perceived` counts [category] and `confusion` counts [true, perceived].

    Raises:
        BenchError: no picture, a category with too few labelled pictures, or a classifier that cannot tell the
            categories apart.
    """
    perceived, confusion = np.asarray(perceived, float), np.asarray(confusion, float)
    _check(perceived, confusion)
    random = np.random.default_rng(seed)
    known = _normalised(confusion)
    drawn_confusion = np.stack([random.dirichlet(row + PRIOR, size=draws) for row in confusion], axis=1)
    n = round(perceived.sum())
    drawn = random.multinomial(n, (perceived + PRIOR) / (perceived + PRIOR).sum(), size=draws)
    corrected = maximum_likelihood(perceived[None], known[None])[0]
    again = maximum_likelihood(drawn, drawn_confusion)
    low, high = np.quantile(again, [resampling.TAIL, 1 - resampling.TAIL], axis=0)
    return Composition(
        perceived / perceived.sum(),
        corrected,
        np.minimum(low, corrected),
        np.maximum(high, corrected),
        again,
        known,
        confusion,
        n,
    )


def maximum_likelihood(perceived: np.ndarray, confusion: np.ndarray) -> np.ndarray:
    """True shares float [draw, true] from counts [draw, perceived] under confusions [draw or 1, true, perceived]."""
    seen = perceived / perceived.sum(axis=1, keepdims=True)
    shares = np.full((len(seen), confusion.shape[1]), 1 / confusion.shape[1])
    for _ in range(ITERATIONS):
        expected = np.einsum("dt,dtp->dp", shares, np.broadcast_to(confusion, (len(seen), *confusion.shape[1:])))
        changed = shares * np.einsum("dp,dtp->dt", seen / np.maximum(expected, 1e-300), confusion * np.ones((1, 1, 1)))
        if np.abs(changed - shares).max() < 1e-7:
            return np.asarray(changed)
        shares = changed
    return shares


def distance(found: Composition, reference: np.ndarray, *, seed: int = 0) -> Distance:
    """Total variation of the corrected shares from `reference` shares [category], with interval, null level and p."""
    reference = np.asarray(reference, dtype=float)
    count = len(reference)
    if reference.shape != found.corrected.shape or (reference < 0).any() or not np.isclose(reference.sum(), 1):
        raise BenchError(f"The reference must be {len(found.corrected)} shares that sum to 1; it is {reference}.")
    if count > MOST:
        raise BenchError(f"A distance is given for at most {MOST} categories; these are {count}. Merge some.")
    subsets = np.array(list(product([0.0, 1.0], repeat=count)))[1:-1]
    centre = found.draws.mean(axis=0)
    value, low, high = resampling.largest(subsets @ (found.corrected - reference), (found.draws - centre) @ subsets.T)
    null = _null(found, reference, len(found.draws), seed)
    estimate = Estimate(value, max(low, 0.0), min(high, 1.0), found.n, "bootstrap of pictures and confusion")
    p = (1 + int((null >= value - 1e-12).sum())) / (len(null) + 1)
    return Distance(estimate, float(null.mean()), float(np.quantile(null, 0.95)), p)


def _null(found: Composition, reference: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Distances when the reference is the truth, and the confusion as uncertain as it is: float [draw]."""
    random = np.random.default_rng(seed)
    true = np.stack([random.dirichlet(row + PRIOR, size=draws) for row in found.counts], axis=1)
    seen = random.multinomial(found.n, np.einsum("t,dtp->dp", reference, true))
    again = maximum_likelihood(seen, found.confusion[None])
    return np.asarray(0.5 * np.abs(again - reference).sum(axis=1))


def _normalised(confusion: np.ndarray) -> np.ndarray:
    smoothed = confusion + PRIOR * 1e-6
    return np.asarray(smoothed / smoothed.sum(axis=1, keepdims=True))


def _check(perceived: np.ndarray, confusion: np.ndarray) -> None:
    if not perceived.sum() > 0:
        raise BenchError("There is no generated picture to classify.")
    few = np.flatnonzero(confusion.sum(axis=1) < LEAST)
    if len(few):
        raise BenchError(
            f"The labelled task has fewer than {LEAST} pictures for categor{'y' if len(few) == 1 else 'ies'} number "
            f"{', '.join(map(str, few))}: the classifier's errors on it are unknown. Label more, or leave it out."
        )
    if np.linalg.cond(_normalised(confusion)) > 1e3:
        raise BenchError(
            "The classifier cannot tell these categories apart (its confusion has no inverse): what it perceives says "
            "nothing of the pictures. Merge categories, or take another model to classify."
        )
