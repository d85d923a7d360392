"""The arithmetic that the corruptions share: rounding, blur, sparse kernels, zoom."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

SLACK = 1e-3
"""Of a grey level: what float arithmetic may lack of a whole level and still get it."""
DIRECT = 121
"""Taps of a kernel that OpenCV applies directly; larger ones take its slower way through the Fourier transform."""


def whole(levels: np.ndarray) -> np.ndarray:
    """float32 levels from 0 on -> uint8, rounded down and cut at 255 as the originals' `np.uint8(np.clip(...))`."""
    return np.asarray(cv2.convertScaleAbs(levels, beta=SLACK - 0.5)).reshape(levels.shape)


def nearest(levels: np.ndarray) -> np.ndarray:
    """float32 levels from 0 on -> uint8, rounded to the nearest and cut at 255."""
    return np.asarray(cv2.convertScaleAbs(levels)).reshape(levels.shape)


def padded(image: np.ndarray, top: int, bottom: int, left: int, right: int, border: int) -> np.ndarray:
    """The picture with a border of any width, also wider than itself."""
    return np.asarray(cv2.copyMakeBorder(image, top, bottom, left, right, border))


@lru_cache(maxsize=64)
def gaussian_kernel(sigma: float, truncate: float = 4.0) -> np.ndarray:
    """float32 [2 r + 1, 1] with r = truncate x sigma rounded, as scipy's `gaussian_filter`."""
    radius = int(truncate * sigma + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / max(sigma, 1e-9)) ** 2)
    return np.asarray(weights / weights.sum(), dtype=np.float32)[:, None]


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


def zoomed(image: np.ndarray, factor: float, shape: tuple[int, int], room: np.ndarray | None = None) -> np.ndarray:
    """`image` enlarged as scipy's `zoom` of order 1 (corners on corners), and the middle `shape` of that.

    float32 [h, w] or [h, w, c] -> float32 [*shape] or [*shape, c], written into `room` if given.
    """
    matrix = np.zeros((2, 3))
    for row, axis in ((0, 1), (1, 0)):
        inside, size = image.shape[axis], round(image.shape[axis] * factor)
        matrix[row, row] = (inside - 1) / max(size - 1, 1)
        matrix[row, 2] = ((size - shape[axis]) // 2) * matrix[row, row]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, shape[::-1], room, flags, cv2.BORDER_REPLICATE))


def middle(length: int, factor: float) -> slice:
    """The middle part of an axis that, enlarged by `factor`, fills it."""
    part = int(np.ceil(length / factor))
    start = (length - part) // 2
    return slice(start, start + part)
