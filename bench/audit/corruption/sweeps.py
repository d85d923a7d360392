"""Dose-response sweeps: one simple change of the picture at rising strength, the dose in a unit that means something.

Unlike the severities of ImageNet-C, a dose is a quantity, it is relative to the picture's size where that is what
counts, and a stronger dose includes a weaker one: the same grey patch grows, the same word gets larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
from PIL import Image

from bench.audit.corruption.digital import jpeg_compression
from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import nearest, smooth
from bench.errors import BenchError, unknown


@dataclass(frozen=True)
class Sweep:
    """`function(uint8 [h, w, 3], dose, draws)` -> uint8 [h, w, 3]; at the dose `neutral` the picture stays as it is."""

    name: str
    unit: str
    neutral: float
    doses: tuple[float, ...]
    """From weak to strong; the usual ones, any other between `neutral` and `limit` may be asked for."""
    limit: float
    function: Callable[[np.ndarray, float, Draws], np.ndarray] = field(repr=False)
    random: bool = False

    def check(self, dose: float) -> float:
        low, high = sorted((self.neutral, self.limit))
        if not low <= dose <= high:
            raise BenchError(f"Dose {dose:g} of {self.name}: allowed are {low:g} to {high:g} ({self.unit}).")
        return dose


def resolution(image: np.ndarray, side: float, draws: Draws) -> np.ndarray:
    """Reduced to `side` pixels of the shorter side and enlarged again, both bicubic (reduction with antialiasing)."""
    height, width = image.shape[:2]
    factor = side / min(height, width)
    if factor >= 1:
        return image
    small = max(1, round(width * factor)), max(1, round(height * factor))
    reduced = Image.fromarray(image).resize(small, Image.Resampling.BICUBIC)
    return np.asarray(reduced.resize((width, height), Image.Resampling.BICUBIC))


def jpeg_quality(image: np.ndarray, quality: float, draws: Draws) -> np.ndarray:
    """Encoded and decoded once; above 100 not at all."""
    return image if quality > 100 else jpeg_compression(image, round(quality), draws)


def rotation(image: np.ndarray, degrees: float, draws: Draws) -> np.ndarray:
    """Turned counter-clockwise about its centre; what comes in from outside has the picture's mean colour."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    mean = cv2.mean(image)[:3]
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=mean))


def greyscale(image: np.ndarray, share: float, draws: Draws) -> np.ndarray:
    """Each pixel drawn towards its luminance (Rec. 601) by this share of the way."""
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(image, 1 - share, grey, share, 0))


def blur(image: np.ndarray, percent: float, draws: Draws) -> np.ndarray:
    """Gaussian blur; sigma in percent of the shorter side."""
    return nearest(smooth(image, percent / 100 * min(image.shape[:2])))


def occlusion(image: np.ndarray, share: float, draws: Draws) -> np.ndarray:
    """A grey patch of the picture's own shape at a random place that covers this share of its area."""
    height, width = image.shape[:2]
    rows, columns = round(height * math.sqrt(share)), round(width * math.sqrt(share))
    top = int(draws.between(0, 1) * (height - rows) + 0.5)
    left = int(draws.between(0, 1) * (width - columns) + 0.5)
    covered = image.copy()
    covered[top : top + rows, left : left + columns] = 128
    return covered


_ALL = (
    Sweep(
        "resolution",
        "pixels of the shorter side; smaller pictures stay",
        1 << 14,
        (128, 64, 48, 32, 24, 16, 8),
        1,
        resolution,
    ),
    Sweep("jpeg_quality", "quality of libjpeg, 100 to 1", 101, (80, 60, 40, 20, 10, 5), 1, jpeg_quality),
    Sweep("rotation", "degrees counter-clockwise", 0, (15, 30, 45, 60, 90, 120, 180), 180, rotation),
    Sweep("greyscale", "share of the colour taken away", 0, (0.25, 0.5, 0.75, 1), 1, greyscale),
    Sweep("blur", "sigma in percent of the shorter side", 0, (0.5, 1, 2, 4, 8), 50, blur),
    Sweep("occlusion", "share of the area covered", 0, (0.05, 0.1, 0.2, 0.3, 0.5, 0.7), 1, occlusion, random=True),
)
SWEEPS: Mapping[str, Sweep] = {one.name: one for one in _ALL}
"""Those that need nothing but the picture; `typographic` needs the task's class names as well."""


def find_sweep(name: str) -> Sweep:
    """The sweep of that name. Raises BenchError with the closest names."""
    if name not in SWEEPS:
        raise unknown("sweep", name, [*SWEEPS, "typographic"])
    return SWEEPS[name]
