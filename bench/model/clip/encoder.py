"""The bundled CLIP behind the Encoder contract: pictures and texts in, unit vectors out.

Texts are embedded once each, those of like length together, trimmed to the longest of their batch. The text tower is
causal, so the trimmed columns could not have changed anything (measured: 1e-7); prompts need a third of the arithmetic.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from torch import Tensor

from bench.errors import BenchError
from bench.model import ModelCard
from bench.model.clip.load import Loaded
from bench.model.clip.shape import ResNetShape
from bench.model.clip.tokenizer import Tokenizer
from bench.model.encoding import each_once, unit

Precision = Literal["float32", "bfloat16", "float16"]
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Hardware:
    """Where and how to compute. `auto` takes CUDA, then Apple's MPS, then the CPU."""

    device: str = "auto"
    precision: Precision = "float32"
    batch_size: int = 64
    """Pictures at a time; texts go in batches four times as large."""
    workers: int | None = None
    """Threads that prepare pictures while the model computes; as many as there are cores, up to 8, unless given."""

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise BenchError(f"precision={self.precision!r} is not known; allowed: {', '.join(get_args(Precision))}.")
        for field, value in (("batch_size", self.batch_size), ("workers", self.workers)):
            if value is not None and value < 1:
                raise BenchError(f"{field}={value} is not possible; give 1 or more.")

    def resolve(self) -> torch.device:
        """The device, or a BenchError that says what there is."""
        if self.device == "auto":
            mps = torch.backends.mps.is_available()
            return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
        try:
            device = torch.device(self.device)
            torch.empty(1, device=device)
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise BenchError(f"device={self.device!r} cannot be used here ({reason}). Try auto or cpu.") from error
        return device


class ClipEncoder:
    """A loaded CLIP as an Encoder."""

    def __init__(self, loaded: Loaded, *, hardware: Hardware | None = None) -> None:
        self.hardware = hardware = hardware or Hardware()
        self.device = hardware.resolve()
        self.dtype: torch.dtype = getattr(torch, hardware.precision)
        self.card = card_of(loaded, precision=hardware.precision, device=str(self.device))
        self.preprocess = loaded.preprocess
        shape = loaded.model.shape
        layout = torch.channels_last if isinstance(shape.vision, ResNetShape) else torch.contiguous_format
        self.model = loaded.model.to(self.device, self.dtype).to(memory_format=layout)
        self.tokenizer = Tokenizer(shape.text.context)

    def encode_images(self, images: Sequence[Image]) -> Vectors:
        """Pictures of any mode and size -> float32 [image, dim], unit length."""
        features = self._features(images, project=True)
        return unit(torch.from_numpy(features))

    def prepare(self, image: Image) -> npt.NDArray[np.float32]:
        """A picture -> float32 [3, side, side], which the `encode_...` methods take instead of it."""
        return self.preprocess(image)

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        """Strings -> float32 [text, dim], unit length. Texts beyond the context are cut, as in the original."""
        return each_once(texts, self._tokens, size=self.hardware.batch_size * 4, dim=self.card.dim)

    def penultimate(self, images: Sequence[Image]) -> Vectors:
        """Pictures -> float32 [image, width]: the features before the projection, as they are (for linear probes)."""
        return self._features(images, project=False)

    def encode_both(self, images: Sequence[Image]) -> tuple[Vectors, Vectors]:
        """What `encode_images` and `penultimate` give, from one pass through the tower."""
        features = self._features(images, project=False)
        with torch.inference_mode():
            projected = self.model.project_image(torch.from_numpy(features).to(self.device, self.dtype))
        return unit(projected), features

    @torch.inference_mode()
    def _features(self, images: Sequence[Image], *, project: bool) -> Vectors:
        shape = self.model.shape
        out = np.empty((len(images), shape.embed_dim if project else shape.vision.features), np.float32)
        with exact_convolutions():
            for start, pixels in self._batches(images):
                batch = torch.from_numpy(pixels).to(self.device, self.dtype, non_blocking=True)
                features = self.model.encode_image(batch, project=project)
                out[start : start + len(pixels)] = features.float().cpu().numpy()
        return out

    def _batches(self, images: Sequence[Image]) -> Iterator[tuple[int, npt.NDArray[np.float32]]]:
        # One batch is prepared ahead by threads (Pillow releases the interpreter lock) while the model computes.
        size = self.hardware.batch_size
        starts = range(0, len(images), size)
        made: Sequence[Any] = images
        if made and isinstance(made[0], np.ndarray):  # prepared already
            yield from ((start, np.stack(made[start : start + size])) for start in starts)
            return
        with ThreadPoolExecutor(self.hardware.workers or min(8, os.cpu_count() or 1)) as pool:
            pending: list[Any] = []
            for start in starts:
                pending.append([pool.submit(self.preprocess, image) for image in images[start : start + size]])
                if len(pending) > 1:
                    yield start - size, np.stack([job.result() for job in pending.pop(0)])
            for jobs in pending:
                yield starts[-1], np.stack([job.result() for job in jobs])

    def _tokens(self, texts: Sequence[str]) -> Tensor:
        return self.model.encode_text(torch.from_numpy(self.tokenizer.trimmed(texts)).to(self.device))


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
