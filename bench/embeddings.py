"""Needs -> Embedded: the only place that calls a model. Everything after it is numpy and pandas.

What was computed once is read from the store: the key holds what the model is (weights, preprocessing, precision),
what the data are (content fingerprint) and what was done to them (condition).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bench import clock
from bench.errors import FOREIGN, BenchError, unknown
from bench.model import Encoder, Layered, Lookup, ModelCard, Preparing
from bench.model.batches import Tell, telling, usual_batch
from bench.model.promised import checked, finite
from bench.pipeline import Reader, reader
from bench.store import Store
from bench.task import Samples, Task, digest

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[str, int, int], None]
"""Called as progress(stage, done, total), of what is made now: what was in the store is in neither number."""


@dataclass(frozen=True)
class Condition:
    """What is done to the scored pictures before they are embedded; the other splits stay as they are.

    `apply(picture, index)` must be a function of the picture alone: whatever is random in it is seeded by the pixels,
    so that the same picture becomes the same pixels in any batch, order or process. The index is for conditions bound
    to one split (a wrong class name written on the picture).
    """

    name: str = "clean"
    """As rows and files show it: `gaussian_noise@3`."""
    apply: Callable[[Image, int], Image] | None = None
    identity: str = ""
    """All that determines the result: algorithm and its version, parameters, seed. Part of the store's key."""

    def __post_init__(self) -> None:
        assert self.apply is None or self.identity, f"condition {self.name!r} needs an identity"


CLEAN = Condition()
HELD = 2**30
"""Bytes of vectors that are held at once while pictures go through many conditions."""
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
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Embedded:
    """Vectors for all that is needed, from the store where they are there already."""
    several = embed_under([CLEAN], task, needs, encoder, samples=samples, store=store, batch_size=batch_size,
                          progress=progress)  # fmt: skip
    return next(several)[1]


def embed_under(
    conditions: Sequence[Condition],
    task: Task,
    needs: Needs,
    encoder: Encoder | Lookup,
    *,
    samples: Callable[[str], Samples],
    store: Store,
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[Condition, Embedded]]:
    """The same under each condition, in order. Conditions apply to the split that is scored, `task.test`.

    A picture is decoded once for as many conditions as fit into HELD bytes of vectors.
    """
    report = progress or (lambda stage, done, total: None)
    loaded = {split: samples(split) for split in needs.splits}

    def images(split: str, under: Sequence[Condition]) -> list[np.ndarray]:
        with clock.stage("reading pictures"):
            return _images(task, split, loaded[split], encoder, store, under, batch_size, report, needs.features)

    unique = list(dict.fromkeys(needs.texts))
    index = {text: i for i, text in enumerate(unique)}
    vectors = _texts(unique, encoder, store, report)
    others = {split: images(split, [CLEAN])[0] for split in loaded if split != task.test}
    largest = max((len(one) for one in loaded.values()), default=1)
    together = max(1, HELD // (largest * encoder.card.dim * 8))
    for start in range(0, len(conditions), together):
        chosen = conditions[start : start + together]
        scored = images(task.test, chosen) if task.test in loaded else [np.zeros(0)] * len(chosen)
        for condition, found in zip(chosen, scored, strict=True):
            yield (
                condition,
                Embedded(encoder.card, loaded, {split: others.get(split, found) for split in loaded}, vectors, index),
            )


def _images(
    task: Task, split: str, samples: Samples, encoder: Encoder | Lookup, store: Store, conditions: Sequence[Condition],
    batch_size: int | None, report: Progress, features: str,
) -> list[np.ndarray]:  # fmt: skip
    """[image, dim] under each condition."""

    def key(condition: Condition, kind: str, fingerprint: str = samples.fingerprint) -> str:
        before = ("penultimate",) if kind == "penultimate" else ()
        what = condition.identity or condition.name
        return digest("images", encoder.card.identity, fingerprint, what, *before)

    if features == "penultimate" and not isinstance(encoder, Layered):
        raise BenchError(
            f"Model {encoder.card.name!r} gives no features before the projection. "
            "evaluation.features=projected takes the vectors that zero-shot uses; the protocol column says so."
        )
    asked = {key(condition, features): condition for condition in conditions}
    check, what = {"projected": checked, "penultimate": finite}, f"pictures of {task.name}/{split}"

    def drawn(one: str) -> np.ndarray | None:
        """Vectors of a draw from pictures that were encoded whole."""
        if samples.part_of is None:
            return None
        fingerprint, places = samples.part_of
        whole = store.get(key(asked[one], features, fingerprint))
        return None if whole is None else whole[places]

    def encoded(pictures: Reader[Condition], tell: Tell, missing: list[str], rows: range) -> dict[str, np.ndarray]:
        assert not isinstance(encoder, Lookup)
        chosen = [asked[one] for one in missing]
        kinds, encode = _encoding(encoder, features, both=store.folder is not None)
        parts = {condition.name: [] if len(samples) else [encode([])] for condition in chosen}
        for places, condition, prepared in pictures(rows, chosen):
            with clock.stage("image tower"):
                parts[condition.name].append(encode(prepared))
            tell(len(places))
        return {
            key(condition, kind): check[kind](np.concatenate(arrays), len(rows), encoder.card, what)
            for condition in chosen
            for kind, arrays in zip(kinds, zip(*parts[condition.name], strict=True), strict=True)
        }

    def about(condition: Condition, kind: str) -> dict[str, str]:
        return {"model": encoder.card.name, "task": task.name, "split": split, "condition": condition.name,
                "kind": kind}  # fmt: skip

    found: dict[str, np.ndarray] = {}
    for one in asked:
        if isinstance(encoder, Lookup):
            found[one] = _looked_up(encoder, task, split, samples, asked[one])
        elif (part := drawn(one)) is not None:
            found[one] = part
    left = [one for one in asked if one not in found]
    said = {key(condition, kind): about(condition, kind) for condition in conditions for kind in FEATURES}
    if left:
        tell = _counted(report, f"{task.name}: pictures", store.missing(left, len(samples)))
        with _reader(task, samples, encoder, store.plan(len(samples)), batch_size) as pictures:
            found |= store.rows(left, len(samples), partial(encoded, pictures, tell), said)
    return [check[features](found[key(one, features)], len(samples), encoder.card, what) for one in conditions]


def _reader(
    task: Task, samples: Samples, encoder: Encoder | Lookup, plan: Sequence[range], batch_size: int | None
) -> AbstractContextManager[Reader[Condition]]:
    """Gives pictures as the encoder reads them: decoded, changed and, where it can be done apart, preprocessed."""
    prepare: Callable[[Image], Any] = encoder.prepare if isinstance(encoder, Preparing) else lambda image: image

    def ready(image: Image, i: int, condition: Condition) -> Any:
        return prepare(image if condition.apply is None else condition.apply(image, i))

    device = encoder.card.device
    forks = isinstance(encoder, Preparing) and getattr(samples.images, "forks", True)
    return reader(partial(_picture, task, samples), ready, plan=plan, size=batch_size or usual_batch(device),
                  device=device, forks=forks)  # fmt: skip


def _encoding(
    encoder: Encoder, features: str, *, both: bool
) -> tuple[tuple[str, ...], Callable[[Sequence[Any]], tuple[np.ndarray, ...]]]:
    """Which features are made, and how: where they are kept, one forward pass serves zero-shot and probe."""
    if isinstance(encoder, Layered) and (both or features == "penultimate"):
        return FEATURES, encoder.encode_both
    return ("projected",), lambda images: (encoder.encode_images(images),)


def _looked_up(encoder: Lookup, task: Task, split: str, samples: Samples, condition: Condition) -> np.ndarray:
    if condition.apply is not None:
        raise BenchError(
            f"Condition {condition.name!r} needs a model that can encode; {encoder.card.name!r} "
            "holds precomputed vectors only."
        )
    return encoder.find_images(task.name, split, samples.ids)


def _texts(texts: Sequence[str], encoder: Encoder | Lookup, store: Store, report: Progress) -> np.ndarray:
    if not texts:
        return np.zeros((0, encoder.card.dim), dtype=np.float32)

    def compute() -> np.ndarray:
        with clock.stage("text tower"), telling(_counted(report, "prompts", len(texts))):
            return checked(encoder.encode_texts(texts), len(texts), encoder.card, "texts")

    key = digest("texts", encoder.card.identity, *texts)
    about = {"model": encoder.card.name, "kind": "texts"}
    return checked(store.array(key, compute, about), len(texts), encoder.card, "texts")


def _counted(report: Progress, stage: str, total: int) -> Tell:
    """Takes how many more are done, and reports how many that makes."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        report(stage, done, total)

    if total:
        more(0)
    return more


def _picture(task: Task, samples: Samples, index: int) -> Image:
    try:
        picture = samples.images[index]
        picture.load()
    except BenchError:
        raise
    except FOREIGN as error:  # a decoder may raise anything on a broken file
        raise BenchError(
            f"Task {task.name!r}: picture {samples.ids[index]!r} cannot be decoded ({type(error).__name__}: {error}). "
            "Mend or remove the file, or fetch the data again."
        ) from error
    return picture
