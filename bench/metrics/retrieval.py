"""Recall at k between pictures and their captions, as for Flickr30k and COCO (Karpathy, Fei-Fei 2015, arXiv 1412.2306).

Image to text: at least one of a picture's captions is among the k best of all captions. Text to image: a caption's
picture is among the k best of all pictures. Ties earn their expected credit (see `credit.py`). The headline of DataComp
is the mean of both at k = 1.

`rank` finds the places in blocks of at most `BLOCK` scores: neither the matrix of all scores nor a text x image x k
array is ever held. Scores closer than `TIE` are one value: two float32 products of equal vectors differ that much.

Intervals are clustered by picture: captions of a picture stand and fall together. They hold for the queries, the
gallery being as it is: recall falls as a gallery grows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bench.errors import BenchError
from bench.metrics.credit import Places, hit_by_chance
from bench.metrics.estimate import Estimate, widened

BLOCK = 1 << 24
"""Scores held at once: 64 MiB of float32."""
TIE = 1e-6
"""Cosines closer than this are equal."""
METHOD = "clustered by picture, Wilson form"


@dataclass(frozen=True)
class Ranking:
    """Places in both directions: `texts` has one entry a picture, `images` one a caption; `owner` int64 [text]."""

    texts: Places
    images: Places
    owner: np.ndarray

    def per_image(self, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Credit of each picture as a query, and its share of the mean credit of captions as queries: [image] each.

        Both have the recall as their mean over pictures.
        """
        count = len(self.texts.above)
        found = np.bincount(self.owner, weights=self.images.credit(k), minlength=count)
        return self.texts.credit(k), found * count / len(self.owner)

    def captions(self) -> np.ndarray:
        """Number of captions of each picture: int64 [image]."""
        return np.bincount(self.owner, minlength=len(self.texts.above))


def image_to_text_recall(ranking: Ranking, *, k: int) -> Estimate:
    """Share of pictures with one of their captions among the k best captions."""
    credits = ranking.per_image(k)[0]
    chance = hit_by_chance(ranking.captions(), len(ranking.owner), k=k)
    return _estimate(credits.mean(), credits - credits.mean(), chance)


def text_to_image_recall(ranking: Ranking, *, k: int) -> Estimate:
    """Share of captions with their picture among the k best pictures."""
    credits = ranking.per_image(k)[1]
    return _estimate(ranking.images.credit(k).mean(), _residual(ranking, credits), min(1.0, k / len(credits)))


def mean_recall(ranking: Ranking, *, k: int) -> Estimate:
    """Mean of the recall in both directions."""
    texts, images = ranking.per_image(k)
    residual = (texts - texts.mean() + _residual(ranking, images)) / 2
    parts = image_to_text_recall(ranking, k=k), text_to_image_recall(ranking, k=k)
    return _estimate((parts[0].value + parts[1].value) / 2, residual, (parts[0].chance + parts[1].chance) / 2)


def rank(images: np.ndarray, texts: np.ndarray, owner: np.ndarray, *, block: int = BLOCK) -> Ranking:
    """Places from vectors of unit length, [image, dim] and [text, dim]; text j describes image `owner[j]`."""
    if not (np.isfinite(images).all() and np.isfinite(texts).all()):
        raise BenchError("Vectors hold NaN or infinity: the model or its precision is damaged.")
    rows, columns = max(1, block // len(texts)), max(1, block // len(images))
    of_images = [_texts_block(images, texts, owner, i, i + rows) for i in range(0, len(images), rows)]
    of_texts = [_images_block(images, texts, owner, j, j + columns) for j in range(0, len(texts), columns)]
    return Ranking(_joined(of_images), _joined(of_texts), owner)


def _texts_block(images: np.ndarray, texts: np.ndarray, owner: np.ndarray, start: int, stop: int) -> Places:
    scores = images[start:stop] @ texts.T
    column = np.flatnonzero((owner >= start) & (owner < stop))
    row = owner[column] - start
    own = scores[row, column]
    best = np.full(len(scores), -np.inf, dtype=scores.dtype)
    np.maximum.at(best, row, own)
    right = np.bincount(row[own >= best[row] - TIE], minlength=len(scores))
    return _places(scores, best, right)


def _images_block(images: np.ndarray, texts: np.ndarray, owner: np.ndarray, start: int, stop: int) -> Places:
    scores = texts[start:stop] @ images.T
    own = scores[np.arange(len(scores)), owner[start:stop]]
    return _places(scores, own, np.ones(len(scores), dtype=np.int64))


def _places(scores: np.ndarray, best: np.ndarray, right: np.ndarray) -> Places:
    above = (scores > best[:, None] + TIE).sum(axis=1)
    return Places(above, (scores >= best[:, None] - TIE).sum(axis=1) - above, right)


def _joined(parts: list[Places]) -> Places:
    return Places(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _residual(ranking: Ranking, shares: np.ndarray) -> np.ndarray:
    """What a picture adds to the error of a ratio of sums over pictures; they may differ in number of captions."""
    sizes = ranking.captions()
    return np.asarray(shares - shares.mean() * sizes * len(sizes) / sizes.sum())


def _estimate(recall: float, residual: np.ndarray, chance: float) -> Estimate:
    value, n = float(recall), len(residual)
    variance = float((residual**2).sum()) / n / max(n - 1, 1)
    return Estimate(value, *widened(value, variance, n), n, METHOD, chance)
