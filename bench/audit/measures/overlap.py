"""Data overlap: is the test set in another set (a training set, a train split), and does that lift the score?

CLIP paper, section 5 and figure 17. Pictures are matched by three detectors: the same pixels, a thumbnail that is near
(`bench.duplicates`), and the most similar vector of an image encoder. Then accuracy is taken on All, on Clean (not
found in the other set) and on Overlap:

- **All - Clean** is the estimate of what contamination adds to the published number;
- a one-sided binomial test asks whether Overlap is better than Clean, and Overlap's rate has a 99.5 % Clopper-Pearson
  interval, both with Clean's rate taken as known, as in the paper;
- over several sets, Bonferroni.

A difference need not be contamination: found pictures may be easier or of other classes than the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from bench.audit.measures.bootstrap import accuracy_draws, interval
from bench.duplicates import Thumbnails, pixel_digest
from bench.errors import BenchError
from bench.metrics import Estimate, wilson

SIMILAR = 0.97
"""Cosine from which vectors are called near-duplicates. It depends on the encoder: look at the pairs it finds."""
LEVEL = 0.995
BLOCK = 4096
"""Vectors of the other set that are compared at a time."""
COLUMNS = ["position", "other", "detector", "score"]


class Overlap(NamedTuple):
    """Accuracy on the parts of a test set, and what the pictures that were found add to it."""

    everything: Estimate
    clean: Estimate
    overlap: Estimate
    """With the 99.5 % Clopper-Pearson interval."""
    added: Estimate
    """All - Clean, with a 95 % interval."""
    share: float
    """Share of pictures that were found in the other set."""
    p: float
    """One-sided binomial test of Overlap against Clean's rate; 1 where nothing was found."""


def contamination(credit: np.ndarray, found: np.ndarray, *, seed: int = 0) -> Overlap:
    """Accuracy on All, Clean and Overlap, and the paper's tests.

    Args:
        credit: [picture] in [0, 1]. For the tests, hits in Overlap are the sum of credits, rounded down.
        found: bool [picture], True where the picture is in the other set.

    Raises:
        BenchError: every picture was found, so that there is nothing to compare with.
    """
    from scipy.stats import binomtest

    credit, found = np.asarray(credit, dtype=np.float64), np.asarray(found, dtype=bool)
    if not len(credit) or credit.shape != found.shape:
        raise BenchError(f"Overlap needs one credit and one flag a picture; given {credit.shape} and {found.shape}.")
    if found.all():
        raise BenchError("Every picture of the test set is in the other set: no clean part is left to compare with.")
    everything, clean = _share(credit), _share(credit[~found])
    n = int(found.sum())
    nothing = Estimate(float("nan"), float("nan"), float("nan"), 0, "none: no overlap")
    if not n:
        return Overlap(everything, clean, nothing, Estimate(0.0, 0.0, 0.0, len(credit), "none: no overlap"), 0.0, 1.0)
    part, hits = float(credit[found].mean()), int(np.floor(credit[found].sum() + 1e-9))
    exact = binomtest(hits, n, clean.value, alternative="greater")
    bounds = binomtest(hits, n).proportion_ci(LEVEL, method="exact")
    drawn = found.mean() * (accuracy_draws(credit[found], seed=seed) - accuracy_draws(credit[~found], seed=seed + 1))
    value = everything.value - clean.value
    return Overlap(
        everything,
        clean,
        Estimate(part, min(float(bounds.low), part), max(float(bounds.high), part), n, "Clopper-Pearson, 99.5 %"),
        Estimate(value, *interval(drawn, value), len(credit), "Bayesian bootstrap"),
        float(found.mean()),
        float(exact.pvalue),
    )


def bonferroni(p: Sequence[float]) -> np.ndarray:
    """p-values of several sets, each times their number: below 0.05, none of the claims is false with 95 %."""
    return np.minimum(np.asarray(p, dtype=np.float64) * len(p), 1.0)


def same_pixels(pictures: Iterable[str], others: Iterable[str]) -> pd.DataFrame:
    """Matches of equal `pixel_digest`s: `COLUMNS`, one line a picture that was found (its first twin)."""
    first: dict[str, int] = {}
    for place, one in enumerate(others):
        first.setdefault(one, place)
    found = [(place, first[one]) for place, one in enumerate(pictures) if one in first]
    return _table([one for one, _ in found], [other for _, other in found], "pixels", np.zeros(len(found)))


def near_thumbnails(pictures: Thumbnails, others: Thumbnails) -> pd.DataFrame:
    """Matches of near thumbnails: `COLUMNS`; the score is the distance in grey levels."""
    nearest, distance = others.nearest(pictures)
    found = np.flatnonzero(nearest >= 0)
    return _table(found, nearest[found], "thumbnail", distance[found])


def similar_vectors(pictures: np.ndarray, others: np.ndarray, *, threshold: float = SIMILAR) -> pd.DataFrame:
    """Matches of similar vectors (both [picture, dim], unit length): `COLUMNS`; the score is the cosine."""
    nearest, cosine = most_similar(pictures, others)
    found = np.flatnonzero(cosine >= threshold)
    return _table(found, nearest[found], "vectors", cosine[found])


def most_similar(pictures: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Position and cosine [picture] of the most similar of the others, in bounded memory.

    `others` may be a memory map of a training set's index: it is read in blocks, once for each block of pictures.
    """
    if pictures.ndim != 2 or others.ndim != 2 or pictures.shape[1] != others.shape[1] or not len(others):
        raise BenchError(
            f"Two sets of vectors of one width are needed; given {pictures.shape} and {others.shape}. "
            "Both must come from the same encoder."
        )
    nearest, cosine = np.zeros(len(pictures), dtype=np.int64), np.full(len(pictures), -np.inf, dtype=np.float32)
    for start in range(0, len(pictures), BLOCK):
        asked = np.asarray(pictures[start : start + BLOCK], dtype=np.float32)
        rows = np.arange(start, start + len(asked))
        for first in range(0, len(others), BLOCK):
            likeness = asked @ np.asarray(others[first : first + BLOCK], dtype=np.float32).T
            best = likeness.argmax(axis=1)
            value = likeness[np.arange(len(asked)), best]
            better = value > cosine[rows]
            nearest[rows[better]], cosine[rows[better]] = first + best[better], value[better]
    return nearest, cosine


__all__ = ["Overlap", "Thumbnails", "bonferroni", "contamination", "most_similar", "near_thumbnails", "pixel_digest",
           "same_pixels", "similar_vectors"]  # fmt: skip


def _share(credit: np.ndarray) -> Estimate:
    value = float(credit.mean())
    return Estimate(value, *wilson(value, len(credit)), len(credit), "Wilson")


def _table(found: Sequence[int] | np.ndarray, others: Sequence[int] | np.ndarray, detector: str, score: np.ndarray) -> (
    pd.DataFrame
):  # fmt: skip
    table = pd.DataFrame({"position": np.asarray(found, np.int64), "other": np.asarray(others, np.int64)})
    return table.assign(detector=detector, score=np.asarray(score, np.float64))[COLUMNS]
