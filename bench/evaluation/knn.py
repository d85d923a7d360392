"""k nearest neighbours by cosine, each vote weighted by exp(cosine / temperature).

The protocol of instance discrimination (Wu et al. 2018, arXiv 1805.01978, section 3.4), which DINO and others report:
temperature 0.07; k is 20 here as in DINO (200 in the first paper). Nothing is fitted and nothing chosen.
Scores are the logarithm of a class's share of the votes; equal shares earn their expected credit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.embeddings import Embedded, Needs
from bench.errors import BenchError
from bench.evaluation import Predictions, require
from bench.evaluation.probing import predictions, training_split
from bench.task import Samples, Task

CELLS = 1 << 24
"""Cosines held at once."""
FLOOR = 1e-12
"""Share of a class without a vote, so that its logarithm is a number."""


@dataclass(frozen=True)
class NearestNeighbours:
    """`k` neighbours (all, if there are fewer); `features`: projected or penultimate, brought to unit length."""

    k: int = 20
    temperature: float = 0.07
    features: str = "projected"
    name: str = "knn"

    def __post_init__(self) -> None:
        if self.k < 1 or self.temperature <= 0:
            raise BenchError(f"knn needs k of 1 or more and a temperature above 0, not {self.k}, {self.temperature}.")

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "classification", self.name)
        return Needs(splits=(training_split(task, self.name), task.test), features=self.features)

    def __call__(self, task: Task, embedded: Embedded) -> Predictions:
        train, samples = training_split(task, self.name), embedded.samples[task.test]
        known = embedded.samples[train].labels
        truth = known.astype(float) if known.ndim == 2 else np.eye(len(task.classes))[known]
        shares = votes(unit(embedded.images[task.test]), unit(embedded.images[train]), truth, k=self.k,
                       temperature=self.temperature)  # fmt: skip
        note = f"{self.features} features, k {min(self.k, len(known))} of {len(known)}, temperature {self.temperature}"
        return predictions(task, samples, np.log(np.maximum(shares, FLOOR)), split=task.test, protocol=note)


def votes(queries: np.ndarray, gallery: np.ndarray, truth: np.ndarray, *, k: int, temperature: float) -> np.ndarray:
    """Share of the votes: float64 [query, class] from unit vectors [.., dim] and labels [gallery, class] of 0 and 1."""
    k, step = min(k, len(gallery)), max(1, CELLS // len(gallery))
    shares = np.empty((len(queries), truth.shape[1]))
    for start in range(0, len(queries), step):
        cosine = queries[start : start + step] @ gallery.T
        near = np.argpartition(cosine, -k, axis=1)[:, -k:]
        close = np.take_along_axis(cosine, near, axis=1).astype(np.float64)
        weights = np.exp((close - close.max(axis=1, keepdims=True)) / temperature)
        weights /= weights.sum(axis=1, keepdims=True)
        for place in range(k):  # a neighbour at a time: [query, k, class] would be large
            votes_of = truth[near[:, place]] * weights[:, place, None]
            shares[start : start + step] = votes_of if place == 0 else shares[start : start + step] + votes_of
    return shares


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of unit length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-30))
