"""Picture to tensor, pixel for pixel as the reference does it, by Pillow and PyTorch's arithmetic.

Reference: the evaluation transform of open_clip 3.3 (torchvision `Resize`, `CenterCrop`, RGB, `ToTensor`,
`Normalize` on Pillow pictures). The order matters and is kept: the picture is resized in its own mode and becomes
RGB afterwards. So palette and 1-bit pictures are resized by nearest neighbour, transparent ones with premultiplied
alpha, and transparency then shows whatever colour lies under it.

Where this departs from the reference, on purpose:
- 16-bit grey (`I;16`, and `I` with values above 255) is scaled to 8 bit; the reference clips at 255, all white.
- Extremely long pictures (more than 256 crops long) are resized only where the crop falls, to spare memory. Values are
  the same but for rounding (one level of 255), and a little more where Pillow changes the order of its two passes.
- `longest` pads with black whatever the mode; the reference pads with zeros before RGB, which is green for YCbCr.
As in the reference, the EXIF orientation is ignored; `exif=True` applies it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from bench.errors import BenchError

if TYPE_CHECKING:
    from torch import Tensor

OPENAI_MEAN = (0.48145466, 0.4578275, 0.40821073)
OPENAI_STD = (0.26862954, 0.26130258, 0.27577711)
LONGEST_FULL_RESIZE = 256  # in crops

Pixels = npt.NDArray[np.float32]
Triple = tuple[float, float, float]
Interpolation = Literal["bicubic", "bilinear"]
Resize = Literal["shortest", "squash", "longest"]
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@dataclass(frozen=True)
class Preprocess:
    """How a model wants its pictures: part of its card, so model and transform cannot disagree."""

    size: int
    """Side of the square that the model sees, in pixels."""
    mean: Triple = OPENAI_MEAN
    std: Triple = OPENAI_STD
    interpolation: Interpolation = "bicubic"
    resize: Resize = "shortest"
    """`shortest` side to `size`, then centre crop (CLIP); `squash` to a square (SigLIP); `longest`, then pad black."""
    exif: bool = False
    """Rotate as the camera's EXIF orientation says. The reference does not."""

    def __post_init__(self) -> None:
        for field, allowed in (("interpolation", get_args(Interpolation)), ("resize", get_args(Resize))):
            if getattr(self, field) not in allowed:
                raise BenchError(f"{field}={getattr(self, field)!r} is not known; allowed: {', '.join(allowed)}.")
        whole = type(self.size) is int and self.size >= 1
        finite = all(math.isfinite(one) for one in (*self.mean, *self.std))
        if not whole or len(self.mean) != 3 or len(self.std) != 3 or not finite or min(self.std) <= 0:
            raise BenchError(f"{self} is not usable: it needs a size, three means and three positive deviations.")

    def describe(self) -> str:
        """One line that names every choice; equal lines mean equal tensors."""
        mean, std = (" ".join(f"{value:.8g}" for value in triple) for triple in (self.mean, self.std))
        crop = {"shortest": f"; crop {self.size}", "longest": f"; pad {self.size}", "squash": ""}[self.resize]
        turn = "exif; " if self.exif else ""
        return f"{turn}resize {self.size} {self.resize} {self.interpolation}{crop}; mean {mean}; std {std}"

    def __call__(self, image: Image.Image) -> Pixels:
        """A picture of any mode and size -> float32 [3, size, size]. A broken picture is a BenchError."""
        import torch

        return np.asarray(self.normalised(torch.from_numpy(self.pixels(image)[None]))[0].numpy())

    def pixels(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """A picture of any mode and size -> what the model sees, uint8 [3, size, size]."""
        return np.ascontiguousarray(np.asarray(self.square(image)).transpose(2, 0, 1))

    def normalised(self, pixels: Tensor) -> Tensor:
        """uint8 [n, 3, size, size] -> float32, on the same device and in the reference's order: the same numbers."""
        import torch

        level, mean, std = (torch.tensor(one, device=pixels.device) for one in (255.0, self.mean, self.std))
        return (pixels / level - mean[:, None, None]) / std[:, None, None]

    def batch(self, images: Iterable[Image.Image]) -> Pixels:
        """Pictures -> float32 [n, 3, size, size]."""
        rows = [self(image) for image in images]
        return np.stack(rows) if rows else np.zeros((0, 3, self.size, self.size), np.float32)

    def square(self, image: Image.Image) -> Image.Image:
        """What the model sees, as an RGB picture of `size` x `size`."""
        try:
            turned = ImageOps.exif_transpose(image) if self.exif else image
            turned = eight_bit(turned)
            fit = {"shortest": self._crop, "squash": self._squash, "longest": self._pad}[self.resize]
            return fit(turned).convert("RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise BenchError(f"a picture cannot be read ({error}). Replace the file or leave it out.") from error

    def _squash(self, image: Image.Image) -> Image.Image:
        return image.resize((self.size, self.size), FILTERS[self.interpolation])

    def _crop(self, image: Image.Image) -> Image.Image:
        short, long = sorted(image.size)
        length = int(self.size * long / short)  # rounded down, as torchvision
        start = round((length - self.size) / 2)  # half to even, as torchvision
        wide = image.width > image.height
        if length > LONGEST_FULL_RESIZE * self.size:
            return self._crop_long(image, start * long / length, wide)
        image = image.resize((length, self.size) if wide else (self.size, length), FILTERS[self.interpolation])
        left, top = (start, 0) if wide else (0, start)
        return image.crop((left, top, left + self.size, top + self.size))

    def _crop_long(self, image: Image.Image, start: float, wide: bool) -> Image.Image:
        side = min(image.size)
        margin = 2 * math.ceil(max(side / self.size, 1)) + 1  # what the filter sees beyond the crop
        first, last = math.floor(start) - margin, math.ceil(start + side) + margin
        first, last = max(first, 0), min(last, max(image.size))
        part = image.crop((first, 0, last, side) if wide else (0, first, side, last))
        near, far = start - first, start - first + side
        box = (near, 0, far, side) if wide else (0, near, side, far)
        return part.resize((self.size, self.size), FILTERS[self.interpolation], box=box)

    def _pad(self, image: Image.Image) -> Image.Image:
        ratio = max(image.size) / self.size
        width, height = (max(1, round(side / ratio)) for side in image.size)
        image = image.resize((width, height), FILTERS[self.interpolation]).convert("RGB")
        canvas = Image.new("RGB", (self.size, self.size))
        canvas.paste(image, ((self.size - width) // 2, (self.size - height) // 2))
        return canvas


def eight_bit(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bit (65535 becomes 255); every other picture unchanged."""
    if not (image.mode.startswith("I;16") or image.mode == "I"):
        return image
    values = np.asarray(image).astype(np.int64)
    if image.mode == "I" and values.max(initial=0) <= 255:
        return image
    scaled = (values.clip(0, 65535) * 255 + 32767) // 65535
    return Image.fromarray(scaled.astype(np.uint8))
