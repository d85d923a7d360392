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
    planes = cv2.split(image)
    largest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    value = np.arange(256) / 255
    factor = (np.minimum(value + added, 1) / np.maximum(value, 1e-9)).astype(np.float32).take(largest)
    bright = np.asarray(cv2.merge([whole(plane * factor) for plane in planes]))
    bright[largest == 0] = int(255 * added + SLACK)  # black has no hue: it becomes grey
    return bright


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
    planes = cv2.split(image)
    largest = np.maximum(np.maximum(planes[0], planes[1]), planes[2])
    gap = largest - np.minimum(np.minimum(planes[0], planes[1]), planes[2])
    level = largest.astype(np.float32)
    inverse = level / np.maximum(gap, 1)  # 1 / S; of no effect where the pixel is grey
    stretch = np.minimum(inverse * np.float32(added) + np.float32(factor), inverse)
    found = [level - (largest - plane) * stretch for plane in planes]
    if added:
        grey = gap == 0
        found[1][grey] = found[2][grey] = level[grey] * np.float32(1 - added)
    return np.asarray(cv2.merge([whole(plane) for plane in found]))
