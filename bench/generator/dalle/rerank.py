"""The best of N samples by a contrastive model, and what that gains (arXiv 2102.12092, sections 2.6 and 3.1).

The judge is never the reranker: the gain is measured by something else (here a table of right and wrong, from the exact
reader or any scorer). Beside it stand the mean of all samples (no reranking) and the oracle that always picks a right
one where there is one. The curve is exact: for each prompt, every choice of N of its samples counts alike, so no sample
order and no random draw enters. Intervals resample prompts, since the samples of a prompt are no independent evidence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Protocol

import numpy as np

from bench.errors import BenchError

if TYPE_CHECKING:
    from PIL.Image import Image

COUNTS = (1, 2, 4, 8, 16, 32)


class Scorer(Protocol):
    """What reranking needs of a `bench.model.Encoder`: vectors of unit length."""

    def encode_images(self, images: Sequence[Image]) -> np.ndarray: ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray: ...


@dataclass(frozen=True)
class Gain:
    """Mean rightness of the sample that is kept, with a 95 % interval over prompts."""

    count: int
    value: float
    low: float
    high: float
    gain: float
    """Over one sample, with its own interval, since both are of the same prompts."""
    gain_low: float
    gain_high: float
    oracle: float


def scores(encoder: Scorer, prompt: str, pictures: Sequence[Image]) -> np.ndarray:
    """Cosine of each picture with the prompt, float [picture]."""
    found: np.ndarray = encoder.encode_images(pictures) @ encoder.encode_texts([prompt])[0]
    return found


def best(encoder: Scorer, prompt: str, pictures: Sequence[Image], keep: int = 1) -> list[int]:
    """Places of the `keep` pictures that fit best, best first; ties in the given order."""
    if not 1 <= keep <= len(pictures):
        raise BenchError(f"keep={keep} of {len(pictures)} pictures; give 1 to {len(pictures)}.")
    return [int(place) for place in np.argsort(-scores(encoder, prompt, pictures), kind="stable")[:keep]]


def gain_curve(
    scored: np.ndarray, right: np.ndarray, counts: Sequence[int] = COUNTS, *, draws: int = 2000, seed: int = 0
) -> list[Gain]:
    """What keeping the best of N gives.

    Args:
        scored: the reranker's scores [prompt, sample].
        right: the judge's [prompt, sample], bool or 0..1.
        counts: the Ns, none above the number of samples.
        draws: bootstrap samples of prompts.
        seed: of the bootstrap.
    """
    if scored.shape != right.shape or scored.ndim != 2:
        raise BenchError(f"scores {scored.shape} and judgements {right.shape} must both be [prompt, sample].")
    if max(counts) > scored.shape[1]:
        raise BenchError(f"N={max(counts)} needs as many samples a prompt; there are {scored.shape[1]}.")
    right = right.astype(np.float64)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(len(scored), size=(draws, len(scored)))
    alone, found = right.mean(1), []
    for count in counts:
        each, ideal = kept(scored, right, count), kept(right, right, count)
        ends = np.quantile(each[chosen].mean(1), (0.025, 0.975))
        more = np.quantile((each - alone)[chosen].mean(1), (0.025, 0.975))
        found.append(
            Gain(count, float(each.mean()), float(ends[0]), float(ends[1]), float((each - alone).mean()),
                 float(more[0]), float(more[1]), float(ideal.mean()))
        )  # fmt: skip
    return found


def kept(scored: np.ndarray, right: np.ndarray, count: int) -> np.ndarray:
    """Expected rightness of the best-scored of `count` samples drawn without return [prompt]; tied samples share."""
    samples = scored.shape[1]
    shares = np.array([comb(rank, count - 1) / comb(samples, count) for rank in range(samples)])
    found = np.empty(len(scored))
    for row, (score, value) in enumerate(zip(scored, right, strict=True)):
        _, group, size = np.unique(score, return_inverse=True, return_counts=True)
        within = np.bincount(group, weights=value) / size  # mean rightness of each group of ties
        found[row] = (shares * np.repeat(within, size)).sum()
    return found
