"""Models: anything that turns pictures and texts into vectors of one space.

An `Encoder` has `encode_images`, `encode_texts` and a `card`; a `Layered` one also `encode_both`, for linear probes, a
`Preparing` one `prepare`, so that preprocessing and computing overlap.
The card is the whole truth about what was run: hash of the weights, preprocessing, precision; the store is keyed by it,
so model and stored vectors cannot disagree.

How to add a family: one module here with a class that has the three members below and a constructor function, and one
YAML in `conf/model/` that names it by `_target_`. `tests/contract/test_models.py` picks it up.

| module         | family                                                                          |
|----------------|---------------------------------------------------------------------------------|
| clip/          | the bundled CLIP: OpenAI, OpenCLIP and Hugging Face weights                     |
| open_clip      | any model of the open_clip package                                              |
| transformers   | CLIP, SigLIP, SigLIP 2 and the like from the transformers package               |
| precomputed    | vectors that somebody already computed, in a table or npz                       |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class ModelCard:
    """What was run. Every field that changes a vector is part of `identity`."""

    name: str
    family: str
    """clip, open_clip, transformers, precomputed."""
    weights: str
    """SHA-256 of the weights file (or of the table of vectors)."""
    dim: int
    """Length of a vector."""
    preprocess: str
    """Canonical description of picture -> tensor, e.g. `resize 224 shortest bicubic; crop 224; mean ...; std ...`."""
    tokenizer: str
    """Canonical description of text -> ids, e.g. `clip-bpe context 77 lower-case`."""
    variant: str = ""
    """Whatever else changes a vector and is in neither weights nor preprocessing, e.g. `quickgelu; heads 12, 8`."""
    precision: str = "float32"
    logit_scale: float = 100.0
    """Factor on cosines (already exponentiated)."""
    logit_bias: float = 0.0
    device: str = "cpu"
    parameters: int | None = None
    image_size: int | None = None
    source: str = ""
    """Where the weights came from, with revision."""
    licence: str = ""
    notes: tuple[str, ...] = ()
    """Things a reader of results should know, e.g. that the activation was assumed."""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def identity(self) -> str:
        """Hash of all that determines the vectors; device and name are not part of it."""
        parts = (
            self.family,
            self.weights,
            str(self.dim),
            self.preprocess,
            self.tokenizer,
            self.variant,
            self.precision,
        )
        return digest(*parts)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "identity": self.identity}


@runtime_checkable
class Encoder(Protocol):
    """The contract. Vectors are float32 and of unit length; inputs of any length, also empty, are accepted."""

    card: ModelCard

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        """PIL pictures of any mode and size -> [image, dim]."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Strings -> [text, dim]."""
        ...


@runtime_checkable
class Layered(Encoder, Protocol):
    """An encoder that can also say what a picture looks like before the projection, as linear probes want it."""

    def encode_both(self, images: Sequence[Image]) -> tuple[np.ndarray, np.ndarray]:
        """PIL pictures -> vectors as `encode_images`, and float32 [image, width] before projection, as they are."""
        ...


@runtime_checkable
class Preparing(Encoder, Protocol):
    """An encoder whose preprocessing can be done apart, by several threads, while it computes."""

    def prepare(self, image: Image) -> Any:
        """A picture as the model reads it; `encode_images` and `encode_both` take such instead of pictures."""
        ...


@runtime_checkable
class Lookup(Protocol):
    """An encoder that cannot encode but looks vectors up: it is asked by task, split and picture id."""

    card: ModelCard

    def find_images(self, task: str, split: str, ids: Sequence[str]) -> np.ndarray:
        """[image, dim] for the named pictures, in order. Raises BenchError naming the missing ones."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray: ...
