"""Spatter: drops of water (severities 1 to 3) or splashes of mud (4 and 5) on the lens."""

from __future__ import annotations

import cv2
import numpy as np

from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import smooth, whole

WATER = (175, 238, 238)
MUD = (63, 42, 20)
RELIEF = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]], dtype=np.float32)


def spatter(image: np.ndarray, settings: tuple[float, float, float, float, float, bool], draws: Draws) -> np.ndarray:
    """`settings`: mean, deviation, sigma, threshold, strength (water) or sigma of the edge (mud), mud or not."""
    mean, deviation, sigma, threshold, last, mud = settings
    noise = draws.normal(*image.shape[:2]) * np.float32(deviation) + np.float32(mean)
    liquid = smooth(noise, sigma)
    return _mud(image, liquid > threshold, last) if mud else _water(image, liquid * (liquid >= threshold), last)


def _water(image: np.ndarray, liquid: np.ndarray, strength: float) -> np.ndarray:
    """Drops shaded by the distance to their edges, lit from one corner."""
    drops = cv2.convertScaleAbs(liquid, alpha=255, beta=-0.5)
    distance = cv2.distanceTransform(255 - cv2.Canny(drops, 50, 150), cv2.DIST_L2, 5)
    distance = np.minimum(distance, 20)
    shade = cv2.equalizeHist(cv2.blur(distance, (3, 3)).astype(np.uint8))
    shade = cv2.blur(cv2.filter2D(shade, cv2.CV_8U, RELIEF), (3, 3))
    cover = drops.astype(np.float32) * shade
    highest = float(cover.max())
    if highest == 0:  # no drop fell on the picture
        return image.copy()
    cover *= np.float32(strength / highest)
    planes = zip(cv2.split(image), WATER, strict=True)
    return np.asarray(cv2.merge([whole(plane + cover * np.float32(colour)) for plane, colour in planes]))


def _mud(image: np.ndarray, wet: np.ndarray, sigma: float) -> np.ndarray:
    """Splashes that hide the picture, with soft edges of which only the dense part stays."""
    cover = smooth(wet.astype(np.float32), sigma)
    cover[cover < 0.8] = 0
    planes = zip(cv2.split(image), MUD, strict=True)
    return np.asarray(cv2.merge([whole(plane + cover * (np.float32(colour) - plane)) for plane, colour in planes]))
