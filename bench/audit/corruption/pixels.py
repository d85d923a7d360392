"""Pictures to arrays and back, and the arithmetic that the corruptions share."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image

LARGEST = 1 << 24
LONGEST = 1 << 14
"""Pixels in all, and of the longer side. A larger picture is reduced to these before it is corrupted: memory stays
bounded (about 1 GB), and OpenCV's maps reach no further than 32,766 pixels."""
SLACK = 1e-3
"""Of a grey level: what float arithmetic may lack of a whole level and still get it."""
DIRECT = 121
"""Taps of a kernel that OpenCV applies directly; larger ones take its slower way through the Fourier transform."""


def rgb_of(picture: Image.Image) -> np.ndarray:
    """A picture of any mode -> uint8 [h, w, 3]. 16-bit grey is scaled to 8 bit, transparency dropped, as models do."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.asarray(picture).astype(np.int64)
        if picture.mode != "I" or values.max(initial=0) > 255:
            values = (values.clip(0, 65535) * 255 + 32767) // 65535
        picture = Image.fromarray(values.astype(np.uint8))
    picture = bounded(picture)
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def bounded(picture: Image.Image) -> Image.Image:
    """The picture, reduced by averaging if it is larger than `LARGEST` or longer than `LONGEST`."""
    excess = max((picture.width * picture.height / LARGEST) ** 0.5, max(picture.size) / LONGEST)
    if excess <= 1:
        return picture
    size = max(1, int(picture.width / excess)), max(1, int(picture.height / excess))
    return picture.convert("RGB").resize(size, Image.Resampling.BOX)


def whole(levels: np.ndarray) -> np.ndarray:
    """float32 levels 0..255 -> uint8, rounded down and clipped as the originals' `np.uint8(np.clip(...))`."""
    return np.clip(levels + np.float32(SLACK), 0, 255).astype(np.uint8)


def nearest(levels: np.ndarray) -> np.ndarray:
    """float32 levels 0..255 -> uint8, rounded to the nearest and clipped."""
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)


def padded(image: np.ndarray, top: int, bottom: int, left: int, right: int, border: int) -> np.ndarray:
    """The picture with a border of any width, also wider than itself."""
    return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, border))


@lru_cache(maxsize=64)
def gaussian_kernel(sigma: float, truncate: float = 4.0) -> np.ndarray:
    """float32 [2 r + 1, 1] with r = truncate x sigma rounded, as scipy's `gaussian_filter`."""
    radius = int(truncate * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-9)) ** 2)
    return (weights / weights.sum()).astype(np.float32)[:, None]


def smooth(image: np.ndarray, sigma: float, *, truncate: float = 4.0, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Gaussian blur -> float32 of the same shape; `image` is uint8 or float32."""
    kernel = gaussian_kernel(sigma, truncate)
    if len(kernel) == 1:
        return image.astype(np.float32)
    return np.asarray(cv2.sepFilter2D(image, cv2.CV_32F, kernel, kernel, borderType=border)).reshape(image.shape)


def correlate(image: np.ndarray, kernel: np.ndarray, anchor: tuple[int, int], border: int) -> np.ndarray:
    """Sum of kernel[i, j] x image[y + i - anchor_y, x + j - anchor_x] -> float32 of the same shape.

    A sparse kernel is cut into blocks that OpenCV applies tap by tap, which costs its taps and not its area.
    """
    (height, width), (rows, columns), (up, left) = image.shape[:2], kernel.shape, anchor
    around = padded(image, up, rows - 1 - up, left, columns - 1 - left, border).astype(np.float32)
    total = np.zeros(image.shape, dtype=np.float32)
    step = int(DIRECT**0.5)
    for top in range(0, rows, step):
        for start in range(0, columns, step):
            block = kernel[top : top + step, start : start + step]
            if block.any():
                part = around[top : top + height + block.shape[0] - 1, start : start + width + block.shape[1] - 1]
                found = cv2.filter2D(part, -1, block, anchor=(0, 0), borderType=cv2.BORDER_CONSTANT)
                cv2.add(total, found[:height, :width], dst=total)
    return total


def zoomed(image: np.ndarray, factor: float, shape: tuple[int, int]) -> np.ndarray:
    """`image` enlarged as scipy's `zoom` of order 1 (corners on corners), and the middle `shape` of that.

    float32 [h, w] or [h, w, c] -> float32 [*shape] or [*shape, c].
    """
    matrix = np.zeros((2, 3))
    for row, axis in ((0, 1), (1, 0)):
        inside, size = image.shape[axis], round(image.shape[axis] * factor)
        matrix[row, row] = (inside - 1) / max(size - 1, 1)
        matrix[row, 2] = ((size - shape[axis]) // 2) * matrix[row, row]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE))


def middle(length: int, factor: float) -> slice:
    """The middle part of an axis that, enlarged by `factor`, fills it."""
    part = int(np.ceil(length / factor))
    start = (length - part) // 2
    return slice(start, start + part)
