"""Task: what a data set says about itself. Samples: its pictures, labels and attributes, loaded on demand.

A task is a value, made once in a family module of `tasks/`. Its reader returns `Records` with the label *keys* of the
data itself; `Task.samples` joins them to the class list **by key, never by position**, because class order belongs to
a copy of the data and not to the data set (five published benchmarks were scored with a shifted list).

Three protocols. `classification` asks which class a picture shows. The other two have captions instead of classes, as
a list of strings for each picture in the attribute `captions`; `classes` is empty and `Records.keys` is not read:
- `retrieval`: all captions of a picture are right; every caption of the split is a candidate (Flickr30k, COCO).
- `matching`: one of the picture's own captions is right, the one at attribute `correct` (the first, without it).
  Attribute `pair` joins the two pictures of a Winoground example (captions in the same order on both, `correct` 0 and
  1); attribute `picture` tells which rows show the same picture, so that intervals know.
Templates may wrap captions ("a photo of {}"); without any the caption is the prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from bench.errors import unknown
from bench.joining import check_counts, check_facts, right_captions, right_classes

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image


_side: ContextVar[int | None] = ContextVar("side", default=None)
"""The least side that JPEG files are decoded at while pictures of `Samples.reduced` are read; None: the whole."""


class Pictures(Sequence["Image"]):
    """Pictures that are decoded when asked for, and not kept. `read(i)` opens picture i.

    Several threads call it at a time, and processes that were forked, unless `forks` is False: for a file that is kept
    open its place is shared by all of them.
    """

    def __init__(self, count: int, read: Callable[[int], Image], *, forks: bool = True):
        self._count, self._read, self.forks = count, read, forks

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        if isinstance(index, slice):
            positions = range(self._count)[index]
            return Pictures(len(positions), lambda i: self._read(positions[i]), forks=self.forks)
        if not -self._count <= index < self._count:
            raise IndexError(index)
        return self._read(index % self._count)

    def take(self, positions: Sequence[int]) -> Pictures:
        """The pictures at these positions, in this order, still undecoded."""
        return Pictures(len(positions), lambda i: self._read(int(positions[i])), forks=self.forks)


class ClassName(NamedTuple):
    """One class: the key its label has in the data, and its names in prompts (the first is the usual one)."""

    key: str
    names: tuple[str, ...]


Labels = Sequence[str] | Sequence[tuple[str, ...]]

PROTOCOLS = ("classification", "retrieval", "matching")


@dataclass(frozen=True)
class Records:
    """What a reader returns for one split: raw, with the data's own label keys.

    `keys[i]` is a label key, or a tuple of them if a picture has several labels. `ids[i]` names picture i within the
    data set (a path, a row). `fingerprint` is a hash of the *content*: two copies of the same data share it.
    """

    images: Sequence[Image]
    keys: Labels
    ids: Sequence[str]
    fingerprint: str
    attributes: pd.DataFrame | None = None


@dataclass(frozen=True)
class Samples:
    """One split, joined to the class list.

    `labels` is int64 [image], or bool [image, class] if pictures carry several labels; in matching the index of the
    right caption, in retrieval 0. `attributes` has one row an image (group, skill, captions); it may have no column.
    """

    images: Sequence[Image]
    labels: np.ndarray
    ids: tuple[str, ...]
    fingerprint: str
    attributes: pd.DataFrame
    part_of: tuple[str, np.ndarray] | None = None
    """Of a subset: fingerprint of the whole, and the positions in it, int64 [image]."""

    def __len__(self) -> int:
        return len(self.images)

    def take(self, positions: Sequence[int]) -> Samples:
        """A subset, with a fingerprint of its own."""
        chosen = np.asarray(positions, dtype=np.int64)
        images = (
            self.images.take(chosen.tolist())
            if isinstance(self.images, Pictures)
            else [self.images[int(i)] for i in chosen]
        )
        return Samples(
            images=images,
            labels=self.labels[chosen],
            ids=tuple(self.ids[i] for i in chosen),
            fingerprint=digest(self.fingerprint, chosen.tobytes()),
            attributes=self.attributes.iloc[chosen].reset_index(drop=True),
            part_of=(self.fingerprint, chosen) if self.part_of is None else (self.part_of[0], self.part_of[1][chosen]),
        )

    def reduced(self, side: int) -> Samples:
        """The same with JPEG files decoded at a half, a quarter or an eighth, as long as that is at least `2 side`.

        Faster for large photographs, and not the same pixels: of 60 photographs of 256 pixels and more a picture came
        out 0.6 of 255 steps away on average at 64 pixels a side, 2.1 at most, and 0.3 and 0.7 at 96. It has another
        fingerprint, so nothing mixes with exact vectors.
        """
        images = self.images

        def read(index: int) -> Image:
            token = _side.set(2 * side)
            try:
                image = images[index]
                draft(image)
                return image
            finally:
                _side.reset(token)

        whole = self.part_of and (digest(self.part_of[0], "reduced by draft", str(side)), self.part_of[1])
        return replace(self, images=Pictures(len(self), read, forks=getattr(images, "forks", True)), part_of=whole,
                       fingerprint=digest(self.fingerprint, "reduced by draft", str(side)))  # fmt: skip

    def draw(self, limit: int | None, *, seed: int = 0) -> Samples:
        """At most `limit` pictures at random, in their order. Pictures of one pair are drawn together."""
        import pandas as pd

        if limit is None or len(self) <= limit:
            return self
        paired = "pair" in self.attributes
        units = pd.factorize(self.attributes["pair"])[0] if paired else np.arange(len(self))
        count = int(units.max()) + 1
        drawn = np.random.default_rng(seed).permutation(count)[: max(1, limit * count // len(self))]
        return self.take(np.flatnonzero(np.isin(units, drawn)).tolist())


@dataclass(frozen=True)
class Task:
    """A data set as a zero-shot benchmark. See `tasks/__init__.py` for how to add one."""

    name: str
    family: str
    """Where it belongs: general, fine_grained, specialised, structured, shifts, people, drawn ..."""
    load: Callable[[str], Records]
    """Reader: split name -> Records. Called only when the pictures are needed."""
    classes: tuple[ClassName, ...]
    templates: tuple[str, ...]
    """Prompt templates with one `{}` each."""
    splits: Mapping[str, int | None]
    """Expected number of pictures by split; None where the publisher states none."""
    licence: str
    reference: str
    """Paper or page that defines the data set."""
    metric: str = "top1"
    """Headline metric, a name of `bench.metrics.METRICS`."""
    test: str = "test"
    """The split that is scored."""
    chance: float | None = None
    """Headline value of a guess without looking; 1 / classes if not given."""
    notes: str = ""
    """Where this differs from the paper or from other harnesses."""
    tags: frozenset[str] = field(default_factory=frozenset)
    protocol: str = "classification"
    """classification, retrieval or matching: which evaluation `evaluation=zero_shot` means."""
    group: str = ""
    """Attribute column by which worst-group metrics slice; none if empty."""
    cluster: tuple[str, ...] = ()
    """Attribute columns that together name what pictures depend on each other (one drawing in six skin tones, patches
    of one slide): intervals then count clusters, not pictures."""

    def __post_init__(self) -> None:
        check_facts(self)
        if self.protocol not in PROTOCOLS:
            raise unknown(f"protocol of task {self.name!r}", self.protocol, PROTOCOLS)

    @property
    def chance_level(self) -> float:
        """Headline value of a guess; NaN where it depends on the pictures (the rows have it)."""
        blind = 1.0 / len(self.classes) if self.classes else float("nan")
        return blind if self.chance is None else self.chance

    @property
    def class_names(self) -> tuple[str, ...]:
        """The usual name of each class, in class order."""
        return tuple(one.names[0] for one in self.classes)

    def prompts(self, index: int) -> list[str]:
        """All prompts of one class: every template over every synonym."""
        return [template.replace("{}", name) for name in self.classes[index].names for template in self.templates]

    def samples(self, split: str | None = None) -> Samples:
        """Load a split and join its labels to the classes.

        Raises:
            BenchError: no such split, a count other than the published one, a label that is not a class, captions
                that are missing or not text.
        """
        split = self.test if split is None else split
        if split not in self.splits:
            raise unknown(f"split of task {self.name!r}", split, self.splits)
        records = self.load(split)
        check_counts(self, split, records)
        import pandas as pd

        given = records.attributes
        attributes = pd.DataFrame(index=range(len(records.images))) if given is None else given.reset_index(drop=True)
        captioned = self.protocol != "classification"
        return Samples(
            images=records.images,
            labels=right_captions(self, records.ids, attributes) if captioned else right_classes(self, records.keys),
            ids=tuple(records.ids),
            fingerprint=records.fingerprint,
            attributes=attributes,
        )

    def renamed(self, name: str, **changes: object) -> Task:
        """A variant under another name: `TASK.renamed("x", templates=...)`."""
        return replace(self, name=name, **changes)  # type: ignore[arg-type]


def draft(image: Image) -> None:
    """For readers, before they decode: at the scale that `Samples.reduced` asks for. Nothing to what is no JPEG."""
    if side := _side.get():
        image.draft(None, (side, side))


def digest(*parts: str | bytes) -> str:
    """A short content hash (BLAKE2b, 128 bits) over parts, with their bounds."""
    import hashlib

    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        state.update(len(data).to_bytes(8, "little"))
        state.update(data)
    return state.hexdigest()
