"""Models of the transformers package that give one vector a picture and one a text: CLIP, SigLIP, SigLIP 2, AltCLIP,
Chinese-CLIP, MetaCLIP 2, ALIGN and whatever else has `get_image_features` and `get_text_features`.

Source: transformers (Wolf et al., 2020, arXiv:1910.03771), an optional dependency of the extra `models`. What is done
on top, because published scores depend on it:
- SigLIP and SigLIP 2 (arXiv:2303.15343, 2502.14786) pool the last place of a text padded to 64 on the right, without a
  mask, in lower case. Other padding is a well-known trap: MNIST falls from about 80% to chance.
- Pictures become RGB before the processor sees them, transparency dropped as in CLIP's own code (transformers 5 puts
  white under it, transformers 4 did not), and are resized by Pillow (the torchvision way differs by some levels).
- Only safetensors are read, and no Python code of a repository is ever run.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from bench.errors import BenchError
from bench.model import ModelCard
from bench.model.batches import Batches
from bench.model.clip.preprocess import eight_bit
from bench.model.encoding import (
    commit_of,
    each_once,
    files_hash,
    in_batches,
    prepared,
    vocabulary_hash,
)
from bench.model.hardware import Hardware, Precision
from bench.model.transformers_folder import (
    PADDED_AS_TRAINED,
    find_folder,
    read_config,
    read_model,
    read_processor,
    read_tokenizer,
    said,
    weight_files,
)
from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image

PASSING = ("transformers_version", "_name_or_path", "dtype", "torch_dtype", "architectures")
"""Fields of a configuration that change no vector."""


class Padding(NamedTuple):
    """How a text becomes ids. `length` is the most tokens that the model takes."""

    length: int
    always: bool
    """Pad every text to `length`; otherwise to the longest of the batch, with a mask."""
    lower: bool

    def __call__(self, tokenizer: Any, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        """Texts -> keyword arguments of `get_text_features`."""
        found = tokenizer(
            [text.lower() for text in texts] if self.lower else list(texts),
            return_tensors="pt",
            truncation=True,
            max_length=self.length,
            padding="max_length" if self.always else "longest",
        )
        return {"input_ids": found["input_ids"]} if self.always else dict(found)

    def describe(self) -> str:
        return f"{'lower-case ' if self.lower else ''}{'padded to' if self.always else 'at most'} {self.length}"


class TransformersEncoder:
    """A two-tower model of transformers behind the Encoder protocol."""

    def __init__(
        self, model: Any, card: ModelCard, *, processor: Any, tokenizer: Any, padding: Padding,
        batch_size: int | None = None,
    ):  # fmt: skip
        self.model, self.card, self.processor, self.tokenizer = model, card, processor, tokenizer
        self.padding, self.batches = padding, Batches(batch_size, card.device)

    def encode_images(self, images: Sequence[Image]) -> np.ndarray:
        """PIL pictures of any mode and size -> float32 [image, dim], unit length."""
        return in_batches(images, self._images, batches=self.batches, dim=self.card.dim)

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Strings -> float32 [text, dim], unit length. Texts beyond the context are cut as the tokenizer does."""
        return each_once(texts, self._texts, batches=self.batches, dim=self.card.dim)

    def _images(self, images: Sequence[Image]) -> torch.Tensor:
        ready = prepared(images, self.prepare)
        batch = {name: torch.cat([one[name] for one in ready]).to(self.card.device) for name in ready[0]}
        batch["pixel_values"] = batch["pixel_values"].to(getattr(torch, self.card.precision))
        return features(self.model.get_image_features(**batch), self.model.config.model_type)

    def prepare(self, image: Image) -> dict[str, torch.Tensor]:
        """A picture -> what the model is called with, which `encode_images` takes instead of it."""
        # The layout is said outright: of a picture 3 pixels high, the package would take the rows for channels.
        pixels = np.asarray(eight_bit(image).convert("RGB"))
        return dict(self.processor(pixels, return_tensors="pt", input_data_format="channels_last"))

    def _texts(self, texts: Sequence[str]) -> torch.Tensor:
        batch = {name: ids.to(self.card.device) for name, ids in self.padding(self.tokenizer, texts).items()}
        return features(self.model.get_text_features(**batch), self.model.config.model_type)


def features(answer: Any, kind: str) -> torch.Tensor:
    """The vectors [n, dim] in what `get_*_features` returns: a tensor in transformers 4, an output object since 5."""
    found: torch.Tensor = answer if isinstance(answer, torch.Tensor) else answer.pooler_output
    if found.ndim == 3 and kind == "flava":
        found = found[:, 0]  # FLAVA projects every token; its contrastive loss takes the first
    if found.ndim != 2:
        raise BenchError(
            f"A model of type {kind!r} gives {found.ndim}-dimensional features, not one vector each; it is "
            "not made for zero-shot comparison."
        )
    return found


def load_transformers(
    name: str,
    *,
    revision: str | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    batch_size: int | None = None,
) -> TransformersEncoder:
    """An encoder from the transformers package.

    Args:
        name: A repository of the hub (`google/siglip2-base-patch16-224`), or a folder with config.json,
            model.safetensors, preprocessor_config.json and the tokenizer's files.
        revision: A commit, tag or branch of the repository; the commit that was loaded is on the card.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: float32, bfloat16, float16, or fast: the quickest of them on this device.
        batch_size: Pictures or texts at a time, fewer where memory ends; as suits the device unless given.

    Raises:
        BenchError: package absent, no such repository or folder, no network, no safetensors, a model that needs code
            of its own, or one without both towers.
    """
    package = _package()
    hardware = Hardware(device, precision, batch_size)
    where, number = hardware.resolve(), hardware.number()
    folder = find_folder(name, revision)
    weights = weight_files(folder, name)
    config = read_config(package, folder, name)
    model = read_model(package, folder, name).float()
    processor, tokenizer = read_processor(package, folder, name), read_tokenizer(package, folder, name, config)
    padding = said(lambda: padding_of(config, tokenizer), name, "configuration")
    card = _card(package, name, folder, model, processor, tokenizer, padding)
    card = replace(card, weights=files_hash(weights), precision=number, device=str(where))
    model.to(where, getattr(torch, number))
    encoder = TransformersEncoder(
        model, card, processor=processor, tokenizer=tokenizer, padding=padding, batch_size=batch_size
    )
    encoder.card = replace(card, dim=_tried(encoder, name))
    return encoder


def _tried(encoder: TransformersEncoder, name: str) -> int:
    """The length of a vector. Values that the package takes unread show as wrong in the first picture and text."""
    from PIL import Image

    said(lambda: encoder.prepare(Image.new("RGB", (8, 8))), name, "preprocessor_config.json")
    with torch.inference_mode():
        return int(said(lambda: encoder._texts(["a"]), name, "configuration").shape[-1])


def _package() -> Any:
    try:
        return import_module("transformers")
    except ImportError as error:
        raise BenchError(
            "model=transformers needs the package transformers, which is not installed. "
            "Install it with: pip install 'zeroshot-bench[models]'"
        ) from error


def padding_of(config: Any, tokenizer: Any) -> Padding:
    """Padding as the model was trained: to the full length where the tower takes no mask."""
    text = config.text_config
    places = int(getattr(text, "max_position_embeddings", 0) or tokenizer.model_max_length)
    if "roberta" in text.model_type or text.model_type.startswith("altclip"):
        places -= int(text.pad_token_id) + 1  # these number places from behind the padding id
    if config.model_type in PADDED_AS_TRAINED:
        return Padding(places, always=True, lower=True)
    masked = "attention_mask" in tokenizer.model_input_names
    return Padding(min(places, int(tokenizer.model_max_length)), always=not masked, lower=False)


def _card(
    package: Any, name: str, folder: Path, model: Any, processor: Any, tokenizer: Any, padding: Padding
) -> ModelCard:
    label = folder.resolve().name if Path(name).is_dir() else name
    facts = {key: value for key, value in model.config.to_dict().items() if key not in PASSING}
    scale, bias = logits_of(model)
    words = vocabulary_hash(tokenizer.get_vocab())
    return ModelCard(
        name=f"transformers/{label}",
        family="transformers",
        weights="",
        dim=0,
        preprocess=_preprocess(processor),
        tokenizer=f"{type(tokenizer).__name__} {padding.describe()} vocabulary {words}",
        variant=f"{type(model).__name__}; config {digest(json.dumps(facts, sort_keys=True, default=str))[:12]}",
        logit_scale=scale,
        logit_bias=bias,
        source=f"{label} {commit_of(folder / 'config.json')}".strip(),
        parameters=sum(one.numel() for one in model.parameters()),
        image_size=getattr(model.config.vision_config, "image_size", None),
        notes=_end_notes(tokenizer) if padding.lower else (),
        extra={"transformers": package.__version__},
    )


def logits_of(model: Any) -> tuple[float, float]:
    """(factor on cosines, bias). ALIGN and its like keep a temperature, the others the logarithm of the factor."""
    bias = getattr(model, "logit_bias", None)
    offset = 0.0 if bias is None else float(bias.detach().float())
    if getattr(model, "logit_scale", None) is not None:
        return float(model.logit_scale.detach().float().exp()), offset
    if getattr(model, "temperature", None) is not None:
        return 1 / float(model.temperature.detach().float()), offset
    return 100.0, offset


def _end_notes(tokenizer: Any) -> tuple[str, ...]:
    # Versions of tokenizers differ in whether Gemma's, which SigLIP 2 uses, ends a text.
    if tokenizer("a")["input_ids"][-1] == tokenizer.eos_token_id:
        return ()
    return ("the tokenizer adds no end of text, and this family was trained with one: scores will be too low",)


def _preprocess(processor: Any) -> str:
    # Everything but names: two settings that are written differently count as different, which is safe.
    facts = {
        key: value for key, value in sorted(processor.to_dict().items()) if value is not None and "processor" not in key
    }
    return f"{type(processor).__name__} on RGB, 16-bit scaled; " + json.dumps(facts, sort_keys=True, default=str)
