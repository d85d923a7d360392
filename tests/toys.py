"""A toy world whose right answers are known: pictures are flat colours, and the toy encoder reads the colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from bench.model import ModelCard
from bench.task import ClassName, Pictures, Records, Task, digest

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}


def toy_card(**changes: object) -> ModelCard:
    facts: dict[str, object] = {"name": "toy", "family": "toy", "weights": "0" * 64, "dim": 3}
    facts |= {"preprocess": "mean colour", "tokenizer": "colour words"}
    return ModelCard(**{**facts, **changes})  # type: ignore[arg-type]


@dataclass
class ToyEncoder:
    """A picture's vector is its mean colour; a text's vector is the colour that it names (grey if none)."""

    card: ModelCard = field(default_factory=toy_card)
    images_seen: int = 0
    texts_seen: int = 0

    def encode_images(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.images_seen += len(images)
        means = [np.asarray(image.convert("RGB"), dtype=np.float32).mean(axis=(0, 1)) + 1e-3 for image in images]
        return _unit(np.array(means, dtype=np.float32).reshape(-1, 3))

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.texts_seen += len(texts)
        vectors = [next((rgb for name, rgb in COLOURS.items() if name in text), (1, 1, 1)) for text in texts]
        return _unit(np.array(vectors, dtype=np.float32).reshape(-1, 3))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def toy_task(
    name: str = "toys",
    *,
    keys: Sequence[str] = ("red", "green", "blue") * 4,
    shown: Sequence[str] | None = None,
    **changes: object,
) -> Task:
    """Flat pictures of the colours `shown` (the labels, if not given), labelled `keys`."""
    shown = keys if shown is None else shown

    def load(split: str) -> Records:
        images = Pictures(len(keys), lambda i: Image.new("RGB", (8, 8), COLOURS[shown[i]]))
        return Records(images, list(keys), [str(i) for i in range(len(keys))], digest(name, split, *keys, *shown))

    facts: dict[str, object] = {
        "name": name, "family": "toys", "load": load, "templates": ("a photo of a {} thing.", "a {} square."),
        "classes": tuple(ClassName(colour, (colour,)) for colour in COLOURS), "splits": {"test": len(keys)},
        "licence": "none", "reference": "none",
    }  # fmt: skip
    return Task(**{**facts, **changes})  # type: ignore[arg-type]


def save_small_clip(path, *, poison: float | None = None, seed: int = 0):  # type: ignore[no-untyped-def]
    """A tiny CLIP with random weights in OpenAI's layout as safetensors; `poison` spoils one weight."""
    import torch
    from safetensors.torch import save_file

    from bench.model.clip.architecture import Clip, ClipShape, TextShape, VitShape

    torch.manual_seed(seed)
    vision = VitShape(width=64, layers=2, patch=8, heads=1, hidden=256)
    text = TextShape(context=77, vocab=49408, width=64, heads=1, layers=2, hidden=256)
    shape = ClipShape(embed_dim=32, image_size=32, vision=vision, text=text)
    weights = {name: value.clone().contiguous() for name, value in Clip(shape).state_dict().items()}
    if poison is not None:
        weights["visual.proj"][0, 0] = poison
    save_file(weights, str(path))
    return path
