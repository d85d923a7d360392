"""Checkpoints of our own training: a folder with `model.safetensors` and `card.json`.

The card holds what tensors cannot say: the whole shape (with heads and activation), preprocessing, licence and notes.
The bundled checkpoint is such a folder inside the package; the training recipe writes them with `save_checkpoint`.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from bench.errors import BenchError
from bench.model.clip.architecture import Clip
from bench.model.clip.preprocess import Preprocess
from bench.model.clip.shape import ClipShape
from bench.model.clip.weights import fill, read_weights
from bench.model.fields import read_fields

BUNDLED = Path(__file__).with_name("checkpoints")
WEIGHTS, CARD = "model.safetensors", "card.json"


@dataclass(frozen=True)
class Card:
    """The content of a `card.json`."""

    name: str
    shape: ClipShape
    preprocess: Preprocess
    licence: str = ""
    notes: tuple[str, ...] = ()
    more: Mapping[str, Any] | None = None
    """Anything else that the recipe wants to record, e.g. seed, steps and measured figures."""

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        pixels = {field.name: getattr(self.preprocess, field.name) for field in fields(Preprocess)}
        known = {"name": self.name, "shape": self.shape.to_dict(), "preprocess": pixels}
        return {**known, "licence": self.licence, "notes": list(self.notes), **(self.more or {})}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Card":
        """The inverse of `to_dict`. BenchError names what is missing or unknown."""
        try:
            pixels: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data["preprocess"].items()}
            shape, preprocess = ClipShape.from_dict(data["shape"]), Preprocess(**pixels)
            if not isinstance(data["name"], str):
                raise TypeError(f"name is {data['name']!r}, no text")
            known = {field.name for field in fields(cls)}
            more = {key: value for key, value in data.items() if key not in known}
            return cls(data["name"], shape, preprocess, data.get("licence", ""), tuple(data.get("notes", ())), more)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise BenchError(
                f"{CARD} is not a model card of this program ({type(error).__name__}: {error})."
            ) from error


def save_checkpoint(folder: Path, model: Clip, card: Card, *, dtype: torch.dtype = torch.float16) -> None:
    """Write weights and card, each atomically. The folder is made if it is not there."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    state = {
        name: (tensor.to(dtype) if tensor.is_floating_point() else tensor).detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    save_file(state, folder / f"{WEIGHTS}.part", metadata={"format": "pt"})
    os.replace(folder / f"{WEIGHTS}.part", folder / WEIGHTS)
    part = folder / f"{CARD}.part"
    part.write_text(json.dumps(card.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(part, folder / CARD)


def load_checkpoint(folder: Path) -> tuple[Clip, Card]:
    """The model (float32, evaluation mode) and its card. BenchError if a file is missing or does not fit."""
    for name in (WEIGHTS, CARD):
        if not (folder / name).is_file():
            what = "the bundled checkpoint is not in this installation" if folder == BUNDLED else "no checkpoint"
            raise BenchError(
                f"{what}: {folder / name} is missing. A checkpoint is a folder with {WEIGHTS} and {CARD}; "
                "name another model, e.g. model=openai/ViT-B-32, or train one with the recipe in bench/training."
            )
    card = Card.from_dict(read_fields(folder / CARD).values)
    return fill(card.shape, read_weights(folder / WEIGHTS)), card
