"""Caption matching: which of a picture's own captions fits it best (SugarCrepe, ARO, Winoground).

What is counted: `bench.metrics.matching`. Scores are logits [image, caption]; where pictures have captions of
different number, the missing ones are -inf. Cosines of one example closer than `TIE` are made equal: a model that is
blind to word order gives such captions the same vector but for rounding, and rounding must not answer for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from bench.embeddings import Embedded, Needs
from bench.evaluation import Predictions, require
from bench.evaluation.captions import caption_vectors, flat, protocol_note, texts_of
from bench.metrics.retrieval import TIE
from bench.task import Samples, Task

BLOCK = 1024
"""Pictures whose captions are compared at once."""


@dataclass(frozen=True)
class Matching:
    """`ensemble=False` uses the first template only, if the task has several."""

    ensemble: bool = True
    name: str = "matching"

    def needs(self, task: Task, samples: Callable[[str], Samples]) -> Needs:
        require(task, "matching", self.name)
        captions, _ = flat(samples(task.test))
        return Needs(splits=(task.test,), texts=texts_of(task, captions, ensemble=self.ensemble))

    def __call__(self, task: Task, embedded: Embedded) -> Predictions:
        samples = embedded.samples[task.test]
        captions, owner = flat(samples)
        texts = caption_vectors(task, captions, embedded, ensemble=self.ensemble)
        cosine = own_captions(np.asarray(embedded.images[task.test]), texts, owner)
        return Predictions(
            scores=embedded.card.logit_scale * _settled(cosine, samples) + embedded.card.logit_bias,
            labels=samples.labels,
            choices=tuple(f"caption {i + 1}" for i in range(cosine.shape[1])),
            ids=samples.ids,
            attributes=samples.attributes,
            split=task.test,
            protocol=protocol_note(task, ensemble=self.ensemble),
        )


def own_captions(images: np.ndarray, texts: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Cosine of each picture with its own captions: float64 [image, caption], -inf where it has fewer."""
    counts = np.bincount(owner, minlength=len(images))
    column = np.arange(len(owner)) - (np.cumsum(counts) - counts)[owner]
    cosine = np.full((len(images), int(counts.max())), -np.inf)
    for start in range(0, len(owner), BLOCK):
        part = slice(start, start + BLOCK)
        products = images[owner[part]].astype(np.float64) * texts[part]
        cosine[owner[part], column[part]] = products.sum(axis=1)
    return cosine


def _settled(cosine: np.ndarray, samples: Samples) -> np.ndarray:
    """Near ties made exact within each picture, or within each pair of pictures."""
    pairs = samples.attributes.get("pair")
    if pairs is None:
        return settle(cosine)
    together = np.argsort(pairs.astype(str).to_numpy(dtype=str), kind="stable")
    if len(together) % 2:
        return settle(cosine)  # no Winoground layout; its metrics will say so
    settled = np.empty_like(cosine)
    settled[together] = settle(cosine[together].reshape(len(together) // 2, -1)).reshape(cosine.shape)
    return settled


def settle(values: np.ndarray, *, tie: float = TIE) -> np.ndarray:
    """Within each row, values that lie closer than `tie` to their neighbour become the lowest of their run."""
    order = np.argsort(values, axis=1, kind="stable")
    rising = np.take_along_axis(values, order, axis=1)
    known = np.isfinite(rising)
    gap = np.diff(np.where(known, rising, -1e9), axis=1, prepend=-2e9) > tie
    first = np.maximum.accumulate(np.where(gap, np.arange(values.shape[1]), 0), axis=1)
    settled = np.empty_like(values)
    np.put_along_axis(settled, order, np.take_along_axis(rising, first, axis=1), axis=1)
    return settled
