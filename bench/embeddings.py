"""Needs -> Embedded: the only place that calls a model. Everything after it is numpy and pandas.

What was computed once is read from the store: the key holds what the model is (weights, preprocessing, precision),
what the data are (content fingerprint) and what was done to them (condition).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import BenchError, unknown
from bench.model import Encoder, Layered, Lookup, ModelCard
from bench.store import Store
from bench.task import Samples, Task, digest

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, done, total)."""


@dataclass(frozen=True)
class Condition:
    """What is done to a picture before it is embedded. `apply(picture, index)` is seeded by the index."""

    name: str = "clean"
    apply: Callable[[Image, int], Image] | None = None


CLEAN = Condition()


FEATURES = ("projected", "penultimate")


@dataclass(frozen=True)
class Needs:
    """What an evaluation needs embedded: pictures of these splits, and these texts (doubles are encoded once)."""

    splits: tuple[str, ...]
    texts: tuple[str, ...] = ()
    features: str = "projected"
    """Of pictures: `projected` into the space of the texts, or `penultimate`, as they are before that projection."""

    def __post_init__(self) -> None:
        if self.features not in FEATURES:
            raise unknown("features", self.features, FEATURES)


@dataclass(frozen=True)
class Embedded:
    """Vectors: `images[split]` is [image, dim] in the order of `samples[split]`.

    Of unit length; features before the projection are as the model gives them, and of another width.
    """

    card: ModelCard
    samples: Mapping[str, Samples]
    images: Mapping[str, np.ndarray]
    text_vectors: np.ndarray
    text_index: Mapping[str, int] = field(repr=False)

    def texts(self, texts: Sequence[str]) -> np.ndarray:
        """[text, dim] for these strings, which must have been declared in the needs."""
        return self.text_vectors[[self.text_index[text] for text in texts]]


def embed(
    task: Task,
    needs: Needs,
    encoder: Encoder | Lookup,
    *,
    samples: Callable[[str], Samples],
    store: Store,
    condition: Condition = CLEAN,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Embedded:
    """Vectors for all that is needed, from the store where they are there already."""
    report = progress or (lambda stage, done, total: None)
    loaded = {split: samples(split) for split in needs.splits}
    images = {
        split: _images(task, split, loaded[split], encoder, store, condition, batch_size, report, needs.features)
        for split in loaded
    }
    unique = list(dict.fromkeys(needs.texts))
    vectors = _texts(unique, encoder, store, report)
    return Embedded(encoder.card, loaded, images, vectors, {text: i for i, text in enumerate(unique)})


def _images(
    task: Task, split: str, samples: Samples, encoder: Encoder | Lookup, store: Store, condition: Condition,
    batch_size: int, report: Progress, features: str,
) -> np.ndarray:  # fmt: skip
    what = f"pictures of {task.name}/{split}"

    def key(kind: str) -> str:
        before = ("penultimate",) if kind == "penultimate" else ()
        return digest("images", encoder.card.identity, samples.fingerprint, condition.name, *before)

    def encoded(encode: Callable[[list[Image]], tuple[np.ndarray, ...]]) -> list[np.ndarray]:
        parts = []
        for start in range(0, len(samples), batch_size):
            stop = min(start + batch_size, len(samples))
            parts.append(encode([_picture(task, samples, i, condition) for i in range(start, stop)]))
            report(f"{task.name}: pictures", stop, len(samples))
        return [np.concatenate(one) for one in zip(*parts, strict=True)]

    def compute() -> np.ndarray:
        if isinstance(encoder, Lookup):
            if condition.apply is not None:
                raise BenchError(
                    f"Condition {condition.name!r} needs a model that can encode; {encoder.card.name!r} "
                    "holds precomputed vectors only."
                )
            return encoder.find_images(task.name, split, samples.ids)
        if not isinstance(encoder, Layered) or (store.folder is None and features == "projected"):
            return encoded(lambda images: (encoder.encode_images(images),))[0]
        both = dict(zip(FEATURES, encoded(encoder.encode_both), strict=True))
        other = next(kind for kind in FEATURES if kind != features)
        store.array(key(other), lambda: both[other])  # one forward pass serves zero-shot and probe
        return both[features]

    if features == "projected":
        return _checked(store.array(key(features), compute), len(samples), encoder.card, what)
    if not isinstance(encoder, Layered):
        raise BenchError(
            f"Model {encoder.card.name!r} gives no features before the projection. "
            "evaluation.features=projected takes the vectors that zero-shot uses; the protocol column says so."
        )
    return _finite(store.array(key(features), compute), len(samples), encoder.card, what)


def _texts(texts: Sequence[str], encoder: Encoder | Lookup, store: Store, report: Progress) -> np.ndarray:
    if not texts:
        return np.zeros((0, encoder.card.dim), dtype=np.float32)

    def compute() -> np.ndarray:
        report("prompts", 0, len(texts))
        return encoder.encode_texts(texts)

    key = digest("texts", encoder.card.identity, *texts)
    return _checked(store.array(key, compute), len(texts), encoder.card, "texts")


def _picture(task: Task, samples: Samples, index: int, condition: Condition) -> Image:
    try:
        picture = samples.images[index]
        picture.load()
    except BenchError:
        raise
    except Exception as error:  # a decoder may raise anything on a broken file
        raise BenchError(
            f"Task {task.name!r}: picture {samples.ids[index]!r} cannot be decoded ({type(error).__name__}: {error}). "
            "Mend or remove the file, or fetch the data again."
        ) from error
    return picture if condition.apply is None else condition.apply(picture, index)


def _checked(vectors: np.ndarray, count: int, card: ModelCard, what: str) -> np.ndarray:
    """Vectors as promised: right shape, finite, unit length."""
    if vectors.shape != (count, card.dim):
        raise BenchError(f"Model {card.name!r} gave {vectors.shape} for {count} {what}; expected {(count, card.dim)}.")
    norms = np.linalg.norm(vectors, axis=1)
    if not np.all(np.isfinite(norms)) or np.any(np.abs(norms - 1) > 1e-3):
        raise BenchError(
            f"Model {card.name!r} gave vectors for {what} that are not finite or not of unit length; "
            "its weights may be damaged, or its precision too low."
        )
    return vectors


def _finite(features: np.ndarray, count: int, card: ModelCard, what: str) -> np.ndarray:
    """Features before the projection: one row each, finite; they have no length to keep."""
    if features.ndim != 2 or len(features) != count or not np.isfinite(features).all():
        raise BenchError(
            f"Model {card.name!r} gave features {features.shape} for {count} {what} that are not one finite row each; "
            "its weights may be damaged, or its precision too low."
        )
    return features
