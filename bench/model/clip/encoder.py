"""The bundled CLIP behind the Encoder contract: pictures and texts in, unit vectors out.

Texts are embedded once each, without padding, and what many begin with is computed once (`tree`). The text tower is
causal, so nothing of that changes a vector but by rounding (measured: 3e-7). Pictures go to the device as bytes and
become numbers there.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from torch import Tensor

from bench.model import ModelCard
from bench.model.batches import Batches
from bench.model.clip.load import Loaded
from bench.model.clip.shape import ResNetShape
from bench.model.clip.tokenizer import Tokenizer
from bench.model.clip.tree import Row, cut, grown, reach
from bench.model.encoding import on_cpu, prepared, unit
from bench.model.hardware import Hardware

KNOTS = 6
"""Times as many tokens of texts as pictures go through the model at once."""
Vectors = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]


class ClipEncoder:
    """A loaded CLIP as an Encoder."""

    def __init__(self, loaded: Loaded, *, hardware: Hardware | None = None) -> None:
        self.hardware = hardware = hardware or Hardware()
        self.device, precision = hardware.resolve(), hardware.number()
        self.dtype: torch.dtype = getattr(torch, precision)
        self.card = card_of(loaded, precision=precision, device=str(self.device))
        self.preprocess = loaded.preprocess
        self.batches = Batches(hardware.batch_size, self.device)
        shape = loaded.model.shape
        layout = torch.channels_last if isinstance(shape.vision, ResNetShape) else torch.contiguous_format
        self.model = loaded.model.to(self.device, self.dtype).to(memory_format=layout)
        self.tokenizer = Tokenizer(shape.text.context)
        self._see = torch.compile(self.model.encode_image) if hardware.compile else self.model.encode_image

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Pictures of any mode and size -> float32 [image, dim], unit length."""
        return self._features(images, project=True)

    def prepare(self, image: Image) -> Pixels:
        """A picture -> uint8 [3, side, side], which the `encode_...` methods take instead of it."""
        return self.preprocess.pixels(image)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Strings -> float32 [text, dim], unit length. Texts beyond the context are cut, as in the original."""
        rows = [cut(row) for row in self.tokenizer.rows(texts)]
        once = sorted(set(rows))
        parts = [np.zeros((0, self.card.dim), np.float32)]
        with torch.inference_mode():
            made = self.batches.over(once, self._texts, reach=lambda start, size: reach(once, start, size * KNOTS))
            parts += map(unit, made)
        position = {row: i for i, row in enumerate(once)}
        return np.concatenate(parts)[[position[row] for row in rows]]

    def penultimate(self, images: Sequence[Image]) -> Vectors:
        """Pictures -> float32 [image, width]: the features before the projection, as they are (for linear probes)."""
        return self._features(images, project=False)

    def encode_both(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        """What `encode_images` and `penultimate` give, from one pass through the tower."""
        features = self._features(images, project=False)
        with torch.inference_mode():
            projected = self.model.project_image(torch.from_numpy(features).to(self.device).to(self.dtype))
        return unit(projected), features

    @torch.inference_mode()
    def _features(self, images: Sequence[Image], *, project: bool) -> Vectors:
        width = self.card.dim if project else self.model.shape.vision.features
        with exact_convolutions():
            parts = self.batches.over(images, partial(self._pictures, project=project))
            return np.concatenate([np.zeros((0, width), np.float32), *map(unit if project else on_cpu, parts)])

    def _pictures(self, images: Sequence[Image], *, project: bool) -> Tensor:
        ready = prepared(images, self.prepare, workers=self.hardware.workers)
        made = np.asarray(ready)
        pixels = self.preprocess.normalised(torch.from_numpy(made).to(self.device)).to(self.dtype)
        if self.hardware.compile and len(pixels) < self.batches.size:  # another shape would be compiled anew
            filling = pixels.new_zeros(self.batches.size - len(pixels), *pixels.shape[1:])
            return self._see(torch.cat([pixels, filling]), project=project)[: len(images)]
        return self._see(pixels, project=project)

    def _texts(self, rows: Sequence[Row]) -> Tensor:
        return self.model.encode_tree(*(torch.from_numpy(part).to(self.device) for part in grown(rows)))


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """float32 convolutions in float32: on CUDA, PyTorch would round their inputs to 10 bits (TF32)."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


def card_of(loaded: Loaded, *, precision: str, device: str) -> ModelCard:
    """The card of a loaded CLIP."""
    model, shape = loaded.model, loaded.model.shape
    return ModelCard(
        name=loaded.name,
        family="clip",
        weights=loaded.sha256,
        dim=shape.embed_dim,
        preprocess=loaded.preprocess.describe(),
        tokenizer=f"clip-bpe context {shape.text.context} lower-case",
        variant=f"{shape.activation}; heads {shape.vision.heads}, {shape.text.heads}",
        precision=precision,
        logit_scale=float(model.logit_scale.exp()),
        logit_bias=0.0 if model.logit_bias is None else float(model.logit_bias),
        device=device,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        image_size=shape.image_size,
        source=loaded.source,
        licence=loaded.licence,
        notes=loaded.notes,
        extra={"shape": shape.to_dict()},
    )
