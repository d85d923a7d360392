"""Gaussian, defocus, motion and zoom blur."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import DIRECT, SLACK, correlate, middle, nearest, smooth, whole, zoomed


def gaussian_blur(image: np.ndarray, sigma: float, draws: Draws) -> np.ndarray:
    return whole(smooth(image, sigma))


def defocus_blur(image: np.ndarray, settings: tuple[float, float], draws: Draws) -> np.ndarray:
    """`settings`: radius of the disk, sigma that softens its edge."""
    kernel = disk(*settings)
    if kernel.size <= DIRECT:
        reach = len(kernel) // 2
        return whole(correlate(image, kernel, (reach, reach), cv2.BORDER_REFLECT_101))
    return np.asarray(cv2.filter2D(image, -1, kernel, delta=SLACK - 0.5, borderType=cv2.BORDER_REFLECT_101))


def motion_blur(image: np.ndarray, settings: tuple[float, float], draws: Draws) -> np.ndarray:
    """`settings`: radius, sigma. The direction is even between -45 and 45 degrees."""
    return nearest(trail(image, *settings, angle=draws.between(-45, 45)))


def zoom_blur(image: np.ndarray, factors: tuple[float, ...], draws: Draws) -> np.ndarray:
    """The mean of the picture and of all its enlargements (one of them by 1, as in the originals)."""
    layer = image.astype(np.float32)
    total, room = layer.copy(), np.empty_like(layer)
    for factor in factors:
        part = layer[middle(image.shape[0], factor), middle(image.shape[1], factor)]
        cv2.add(total, zoomed(part, factor, image.shape[:2], room) if factor > 1 else layer, dst=total)
    total /= np.float32(len(factors) + 1)
    return whole(total)


@lru_cache(maxsize=32)
def disk(radius: float, sigma: float) -> np.ndarray:
    """float32 [k, k]: an even disk whose edge is softened over 3 (beyond radius 8: 5) pixels. Zero rims are cut off."""
    reach = 8 if radius <= 8 else int(radius)
    steps = np.arange(-reach, reach + 1)
    inside = (steps[:, None] ** 2 + steps**2 <= radius**2).astype(np.float32)
    size = 3 if radius <= 8 else 5
    softened = np.asarray(cv2.GaussianBlur(inside / inside.sum(), (size, size), sigma))
    softened[softened < 1e-9] = 0  # 2e-22 where sigma is 0.1
    rim = int(np.flatnonzero(softened.any(axis=1))[0])
    return softened[rim : len(steps) - rim, rim : len(steps) - rim].copy()


def trail(image: np.ndarray, radius: float, sigma: float, *, angle: float) -> np.ndarray:
    """Motion blur as ImageMagick's `MotionBlurImage`, which made the published data -> float32, same shape.

    The picture drags a trail to one side of 2 radius + 1 steps, each on a whole pixel, with the weights of half a
    Gaussian; beyond the edge the edge pixel counts. `angle` in degrees.
    """
    steps = np.arange(2 * math.ceil(radius) + 1)
    weights = np.exp(-(steps**2) / (2 * sigma**2))
    weights /= weights.sum()
    turn = math.radians(angle)
    columns = np.ceil(steps * math.cos(turn) - 0.5).astype(int)
    rows = np.ceil(steps * math.sin(turn) - 0.5).astype(int)
    up, left = -int(rows.min()), -int(columns.min())
    kernel = np.zeros((int(rows.max()) + up + 1, int(columns.max()) + left + 1), dtype=np.float32)
    np.add.at(kernel, (rows + up, columns + left), weights)
    return correlate(image, kernel, (up, left), cv2.BORDER_REPLICATE)
