"""A calibration error over bins with an interval that covers.

The error is a mean of absolute gaps, so it is biased upwards, and a bootstrap has the bias twice: measured on models
that are well calibrated, its interval misses the truth in half of the cases. Here a test is inverted. The gaps of all
bins, as seen and freed of their noise, are shrunk or stretched by a common factor, and noise of their own size is
added; the interval holds the errors of those factors under which the error that was seen is not unusual (2.5 % on
either side). It reaches down to 0 where the error is no greater than its null level, what a model whose probabilities
are true would show.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from bench.metrics import Estimate

FACTORS = np.linspace(0, 2, 81)
NOISE = 4_000_000
"""Numbers drawn at most; with many bins fewer draws are made, but not fewer than a hundred."""


class Binned(NamedTuple):
    """Bin, gap (probability - outcome) and binomial variance: [picture], or [picture, class] with bins of its own."""

    place: np.ndarray
    gap: np.ndarray
    binomial: np.ndarray

    def error(self) -> float:
        """Mean absolute gap over bins, weighted by their size."""
        return float(np.abs(np.bincount(self.place.ravel(), self.gap.ravel())).sum() / self.gap.size)


def binned_error(binned: Binned, clusters: np.ndarray | None = None, *, draws: int = 1000, seed: int = 0) -> Estimate:
    """The error with its 95 % interval; `chance` is its null level."""
    place, size, value = binned.place.ravel(), binned.gap.size, binned.error()
    noise = np.maximum(_empirical(binned, clusters), np.bincount(place, binned.binomial.ravel()))
    used = np.bincount(place) > 0
    spread = np.sqrt(noise[used]) / size
    gaps = np.abs(np.bincount(place, binned.gap.ravel())[used]) / size
    draws = int(np.clip(NOISE // len(gaps), 100, draws))
    errors = np.random.default_rng(seed).standard_normal((draws, len(gaps))) * spread
    freed = np.sqrt(np.maximum(gaps**2 - spread**2, 0))
    kept = [value, *(one for signal in (gaps, freed) for one in _usual(value, signal, errors))]
    how = "inverted test" if clusters is None else f"inverted test over {len(np.unique(clusters))} clusters"
    null = float(np.abs(errors).sum(axis=1).mean())
    return Estimate(value, min(kept), max(kept), len(binned.gap), how, null)


def _usual(value: float, signal: np.ndarray, errors: np.ndarray) -> list[float]:
    """Least and greatest true error under which the error that was seen is not unusually large, or small."""
    seen = np.array([np.abs(factor * signal + errors).sum(axis=1) for factor in FACTORS])
    true = FACTORS * signal.sum()
    not_large, not_small = true[(seen >= value).mean(axis=1) > 0.025], true[(seen <= value).mean(axis=1) > 0.025]
    return [float(not_large.min(initial=value)), float(not_small.max(initial=value))]


def _empirical(binned: Binned, clusters: np.ndarray | None) -> np.ndarray:
    """Variance of each bin's sum of gaps about its mean; members of a cluster move together."""
    place, gap = binned.place.ravel(), binned.gap.ravel()
    means = np.bincount(place, gap) / np.maximum(np.bincount(place), 1)
    rest = gap - means[place]
    if clusters is None:
        return np.bincount(place, rest**2)
    _, unit = np.unique(clusters, return_inverse=True)
    owner = np.broadcast_to(unit.reshape(-1, *[1] * (binned.place.ndim - 1)), binned.place.shape).ravel()
    cells, cell = np.unique(np.stack([place, owner]), axis=1, return_inverse=True)
    return np.bincount(cells[0], np.bincount(cell, rest) ** 2, minlength=len(means))
