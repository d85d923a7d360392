"""Any model of the open_clip package: its architectures, its published weights, and checkpoints trained with it.

Source: open_clip (Ilharco et al., 2021, doi 10.5281/zenodo.5143773), an optional dependency of the extra `models`.
Transform and tokenizer are the package's own. What is done on top: 16-bit grey pictures are scaled to 8 bit (the
package shows them white), QuickGELU is switched on where the published tag was trained with it (the package only
warns), and prompts are encoded once each and, where that is exact, without padding.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from bench.errors import BenchError, first_line
from bench.model import ModelCard
from bench.model.batches import Batches, no_room, short_of_memory
from bench.model.causal_text import shortest_exact
from bench.model.clip.preprocess import eight_bit
from bench.model.encoding import (
    check_finite,
    each_once,
    files_hash,
    in_batches,
    prepared,
    state_hash,
    vocabulary_hash,
)
from bench.model.fields import Fields
from bench.model.hardware import Hardware, Precision
from bench.model.hub import quick_to_fail
from bench.model.open_clip_weights import Weights, find_weights
from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import nn

SHORT = {"float32": "fp32", "float16": "fp16", "bfloat16": "bf16"}
TAG_SETTINGS = ("mean", "std", "interpolation", "resize_mode")
PROBE = ["a photo of a cat.", "red", ""]


class OpenClipEncoder:
    """An open_clip model behind the Encoder protocol."""

    def __init__(
        self,
        model: nn.Module,
        card: ModelCard,
        *,
        transform: Callable[[Image], torch.Tensor],
        tokenizer: Callable[[list[str]], torch.Tensor],
        batch_size: int | None = None,
    ):
        self.model, self.card, self.transform, self.tokenizer = model, card, transform, tokenizer
        self.batches = Batches(batch_size, card.device)
        self._dtype = getattr(torch, card.precision)
        self._encode_ids, self.cuts_texts = shortest_exact(model, tokenizer(PROBE).to(card.device))

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        """PIL pictures of any mode and size -> float32 [image, dim], unit length."""
        return in_batches(images, self._images, batches=self.batches, dim=self.card.dim)

    def prepare(self, image: Image) -> torch.Tensor:
        """A picture -> float32 [3, side, side], which `encode_images` takes instead of it."""
        return self.transform(eight_bit(image))

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Strings -> float32 [text, dim], unit length. Texts beyond the context are cut as the package does."""
        return each_once(texts, self._texts, batches=self.batches, dim=self.card.dim)

    def _images(self, images: Sequence[Image]) -> torch.Tensor:
        pixels = torch.stack(list(prepared(images, self.prepare)))
        return self.model.encode_image(pixels.to(self.card.device, self._dtype))  # type: ignore[operator,no-any-return]

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        return self._encode_ids(self.tokenizer(list(texts)).to(self.card.device))


def load_open_clip(
    name: str,
    *,
    pretrained: str | None = None,
    path: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    batch_size: int | None = None,
) -> OpenClipEncoder:
    """An encoder from the open_clip package.

    Args:
        name: An architecture (`ViT-B-32`), or `hf-hub:org/repo`, or `local-dir:FOLDER` with open_clip_config.json.
        pretrained: A tag of published weights, for a plain architecture.
        path: A checkpoint on disk (`.safetensors`, `.bin`, `.pt`), for a plain architecture; with `pretrained`,
            activation and preprocessing are those of the tag.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: float32, bfloat16, float16, or fast: the quickest of them on this device.
        batch_size: Pictures or texts at a time, fewer where memory ends; as suits the device unless given.

    Raises:
        BenchError: package absent, unknown name or tag, no weights, no network, or a file that does not fit.
    """
    package = _package()
    hardware = Hardware(device, precision, batch_size)
    where, number = hardware.resolve(), hardware.number()
    with quick_to_fail():
        weights = find_weights(package, name, pretrained, None if path is None else Path(path))
        model, transform, notes = _build(package, weights, where, number)
        tokenizer = _tokenizer(package, weights)
    check_finite(model, weights.label)
    card = _card(package, weights, model, tokenizer, where=where, precision=number, notes=notes)
    encoder = OpenClipEncoder(model, card, transform=transform, tokenizer=tokenizer, batch_size=batch_size)
    encoder.card = replace(card, dim=_dim(encoder))
    return encoder


def _package() -> Any:
    try:
        return import_module("open_clip")
    except ImportError as error:
        raise BenchError(
            "model=open_clip needs the package open_clip_torch, which is not installed. "
            "Install it with: pip install 'zeroshot-bench[models]'"
        ) from error


def _build(package: Any, weights: Weights, where: torch.device, precision: str) -> tuple[Any, Any, tuple[str, ...]]:
    """(model in evaluation mode, transform, notes). The package's warnings become notes of the card."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model, _, transform = package.create_model_and_transforms(
                weights.architecture,
                pretrained=str(weights.file) if weights.from_file else None,
                precision=SHORT[precision],
                device=where,
                force_quick_gelu=bool(weights.facts.get("quick_gelu")),
                pretrained_text=False,
                **{f"image_{name}": weights.facts.get(name) for name in TAG_SETTINGS},
            )
        except Exception as error:  # unpickling, missing keys, shapes, truncated files: one message for all
            if short_of_memory(error):
                raise no_room(f"{weights.label} does not fit into memory", error) from error
            raise BenchError(_misfit(weights, error)) from error
    notes = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    return model.eval(), transform, (*weights.notes, *notes)


def _misfit(weights: Weights, error: Exception) -> str:
    what = weights.file.name if weights.file else weights.architecture
    text = f"Weights {what} cannot be loaded as {weights.architecture} ({type(error).__name__}: {first_line(error)}). "
    if "internet" in str(error) or "offline" in str(error):
        return text + "This architecture takes files of its towers from the hub; put them into the hub's cache first."
    if "TorchScript" in str(error):
        return text + "This is an archive of OpenAI's kind: use model=clip model.path=FILE."
    return text + (
        "Is the architecture right and the file whole? Only tensors are read, never other pickled objects. "
        "A CLIP of unknown shape can be read by model=clip model.path=FILE."
    )


def _tokenizer(package: Any, weights: Weights) -> Any:
    try:
        return package.get_tokenizer(weights.architecture)
    except Exception as error:
        raise BenchError(
            f"The tokenizer of {weights.architecture} could not be had ({type(error).__name__}: "
            f"{first_line(error)}). Without network, use name=local-dir:FOLDER with its files in FOLDER."
        ) from error


def _card(
    package: Any,
    weights: Weights,
    model: Any,
    tokenizer: Any,
    *,
    where: torch.device,
    precision: str,
    notes: tuple[str, ...],
) -> ModelCard:
    facts = package.get_model_preprocess_cfg(model)
    bias = getattr(model, "logit_bias", None)
    height, width = _sides(facts["size"])
    return ModelCard(
        name=weights.label,
        family="open_clip",
        dim=0,
        precision=precision,
        device=str(where),
        notes=notes,
        weights=files_hash([weights.file]) if weights.file else state_hash(model),
        preprocess=_preprocess(facts, weights.label),
        tokenizer=_tokenizing(tokenizer),
        source=weights.source,
        variant=_variant(package, weights),
        logit_scale=float(model.logit_scale.detach().float().exp()),
        logit_bias=0.0 if bias is None else float(bias.detach().float()),
        parameters=sum(one.numel() for one in model.parameters()),
        image_size=max(height, width),
        extra={"open_clip": package.__version__},
    )


def _variant(package: Any, weights: Weights) -> str:
    """The architecture with its settings: the same tensors give other vectors with another activation or head count."""
    config = package.get_model_config(weights.architecture)
    gelu = "quickgelu" if weights.facts.get("quick_gelu") or config.get("quick_gelu") else "activation as configured"
    return f"{weights.architecture}; {gelu}; config {digest(json.dumps(config, sort_keys=True))[:12]}"


def _preprocess(facts: dict[str, Any], label: str) -> str:
    fields = Fields(f"{label}: preprocess_cfg.", facts)
    colours = fields.triple("mean"), fields.triple("std", positive=True)
    mean, std = (" ".join(f"{value:.8g}" for value in one or ()) for one in colours)
    height, width = _sides(facts["size"])
    size = str(width) if height == width else f"{height}x{width}"
    fill = f" fill {facts.get('fill_color', 0)}" if facts["resize_mode"] == "longest" else ""
    return f"resize {size} {facts['resize_mode']} {facts['interpolation']}{fill}; mean {mean}; std {std}; 16-bit scaled"


def _sides(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[-1])


def _tokenizing(tokenizer: Any) -> str:
    clean = getattr(getattr(tokenizer, "clean_fn", None), "__name__", "canonicalize").removeprefix("_clean_")
    inner = getattr(tokenizer, "tokenizer", tokenizer)
    vocabulary = vocabulary_hash(inner.get_vocab() if hasattr(inner, "get_vocab") else inner.encoder)
    return f"{type(tokenizer).__name__} {clean} context {tokenizer.context_length} vocabulary {vocabulary}"


def _dim(encoder: OpenClipEncoder) -> int:
    with torch.inference_mode():
        return int(encoder._texts(PROBE[:1]).shape[-1])
