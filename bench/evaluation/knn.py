"""k nearest neighbours by cosine, each vote weighted by exp(cosine / temperature).

The protocol of instance discrimination (Wu et al. 2018, arXiv 1805.01978, section 3.4), which DINO and others report:
temperature 0.07; k is 20 here as in DINO (200 in the first paper). Nothing is fitted and nothing chosen.
Scores are the logarithm of a class's share of the votes, and where pictures carry several labels that of the share's
odds: what a softmax, and a sigmoid, turn back into the share. Equal shares earn their expected credit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.embeddings import Embedded, Needs
from bench.errors import BenchError
from bench.evaluation import Predictions, require
from bench.evaluation.probing import named, predictions, training_split
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

    @property
    def name(self) -> str:
        return named("knn", self.features, "projected")

    def __post_init__(self) -> None:
        if self.k < 1 or self.temperature <= 0:
            raise BenchError(f"knn needs k of 1 or more and a temperature above 0, not {self.k}, {self.temperature}.")

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "classification", self.name)
        return Needs(splits=(training_split(task, self.name), task.test), features=self.features)

    def __call__(self, task: Task, embedded: Embedded) -> Predictions:
        train, samples = training_split(task, self.name), embedded.samples[task.test]
        known = embedded.samples[train].labels
        shares = votes(unit(embedded.images[task.test]), unit(embedded.images[train]), known, len(task.classes),
                       k=self.k, temperature=self.temperature)  # fmt: skip
        scores = np.log(np.maximum(shares, FLOOR))
        if known.ndim == 2:
            scores -= np.log(np.maximum(1 - shares, FLOOR))
        note = f"{self.features} features, k {min(self.k, len(known))} of {len(known)}, temperature {self.temperature}"
        return predictions(task, samples, scores, split=task.test, protocol=note)


def votes(
    queries: np.ndarray, gallery: np.ndarray, labels: np.ndarray, classes: int, *, k: int, temperature: float
) -> np.ndarray:
    """Share of the votes, float64 [query, class], from unit vectors [.., dim].

    `labels`: int [gallery] of one class each, or bool [gallery, class] of several.
    """
    k, step = min(k, len(gallery)), max(1, CELLS // len(gallery))
    shares = np.zeros((len(queries), classes))
    for start in range(0, len(queries), step):
        cosine = queries[start : start + step] @ gallery.T
        near = np.argpartition(cosine, -k, axis=1)[:, -k:]
        close = np.take_along_axis(cosine, near, axis=1).astype(np.float64)
        weights = np.exp((close - close.max(axis=1, keepdims=True)) / temperature)
        weights /= weights.sum(axis=1, keepdims=True)
        part = shares[start : start + step]
        for place in range(k):  # a neighbour at a time: [query, k, class] would be large
            voted, weight = labels[near[:, place]], weights[:, place]
            if labels.ndim == 1:
                part[np.arange(len(part)), voted] += weight
            else:
                part += voted * weight[:, None]
    return shares


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of unit length; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-30))
