"""Brightness, contrast and saturation: deterministic.

HSV is never computed in full. V is the largest of the three values and m the smallest; a change of V scales all three,
and a change of S stretches each value's distance from V, while the hue stays.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import SLACK, whole


def brightness(image: np.ndarray, added: float, draws: Draws) -> np.ndarray:
    """Adds to V of HSV, clipped at 1."""
    value = np.arange(256) / 255
    factors = np.minimum(value + added, 1) / np.maximum(value, 1e-9)
    largest, _ = _extremes(image)
    factor = factors.astype(np.float32).take(largest)
    bright = cv2.merge([factor] * 3) * image
    bright[largest == 0] = 255 * added  # black has no hue: it becomes grey
    return whole(bright)


def contrast(image: np.ndarray, factor: float, draws: Draws) -> np.ndarray:
    """Draws every value towards the mean of its channel."""
    means = np.asarray(cv2.mean(image)[:3])
    table = (np.arange(256)[:, None] - means) * factor + means
    rounded = np.floor(table + SLACK).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, rounded[:, None]))


def saturate(image: np.ndarray, settings: tuple[float, float], draws: Draws) -> np.ndarray:
    """`settings`: factor on S of HSV, and what is added; clipped at 1.

    Grey has no hue; as in the originals it counts as red, so that an added saturation makes it reddish.
    """
    factor, added = settings
    largest, smallest = _extremes(image)
    gap = cv2.subtract(largest, smallest)
    level = largest.astype(np.float32)
    inverse = level / np.maximum(gap, 1)  # 1 / S; of no effect where the pixel is grey
    stretch = np.minimum(inverse * np.float32(added) + np.float32(factor), inverse)
    away = (cv2.merge([largest] * 3) - image).astype(np.float32)
    found = cv2.merge([level] * 3) - away * cv2.merge([stretch] * 3)
    if added:
        grey = gap == 0
        found[..., 1][grey] = found[..., 2][grey] = level[grey] * np.float32(1 - added)
    return whole(found)


def _extremes(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest and the smallest of each pixel's three values -> uint8 [h, w] each."""
    red, green, blue = cv2.split(image)
    return np.asarray(cv2.max(cv2.max(red, green), blue)), np.asarray(cv2.min(cv2.min(red, green), blue))
