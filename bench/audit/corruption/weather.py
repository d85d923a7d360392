"""Fog, frost and snow."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

import cv2
import numpy as np

from bench.audit.corruption.blur import trail
from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import SLACK, middle, nearest, whole, zoomed

LARGEST_MAP = 1024
"""Side of the fog's map; it repeats without a seam, so larger pictures are tiled with it."""
LUMINANCE = (0.299, 0.587, 0.114)
PHOTOGRAPHS = ("frost1", "frost2", "frost2", "frost4", "frost5")
"""What the originals draw from: their frost3 is frost2 once more, and their frost6 is never drawn."""


def fog(image: np.ndarray, settings: tuple[float, float], draws: Draws) -> np.ndarray:
    """`settings`: amount, decay. The picture is dimmed so that its brightest value stays what it was."""
    amount, decay = settings
    height, width = image.shape[:2]
    side = min(LARGEST_MAP, 1 << max(height - 1, width - 1, 1).bit_length())
    map_ = plasma(side, decay, draws)
    if max(height, width) > side:
        map_ = np.tile(map_, (-(-height // side), -(-width // side)))
    brightest = int(image.max()) / 255
    factor = brightest / (brightest + amount)
    veil = np.ascontiguousarray(map_[:height, :width])
    return np.asarray(cv2.merge([_mixed(plane, factor, veil, 255 * amount * factor) for plane in cv2.split(image)]))


def frost(image: np.ndarray, settings: tuple[float, float, float], draws: Draws) -> np.ndarray:
    """`settings`: weight of the picture, weight of the ice, scale of the photograph of ice.

    Differs: where the picture is larger than the photograph, the photograph is enlarged to cover it.
    """
    own, ice, scale = settings
    photograph = _ice(PHOTOGRAPHS[draws.below(len(PHOTOGRAPHS))], scale)
    height, width = image.shape[:2]
    lack = max((height + 1) / photograph.shape[0], (width + 1) / photograph.shape[1])
    if lack > 1:
        size = round(photograph.shape[1] * lack) + 1, round(photograph.shape[0] * lack) + 1
        photograph = cv2.resize(photograph, size, interpolation=cv2.INTER_CUBIC)
    top = draws.below(photograph.shape[0] - height)
    left = draws.below(photograph.shape[1] - width)
    return _mixed(image, own, photograph[top : top + height, left : left + width], ice)


def snow(image: np.ndarray, settings: tuple[float, ...], draws: Draws) -> np.ndarray:
    """`settings`: mean, deviation, zoom, threshold, radius, sigma, share of the picture that is kept as it is."""
    mean, deviation, zoom, threshold, radius, sigma, kept = settings
    height, width = image.shape[:2]
    rows, columns = (len(range(length)[middle(length, zoom)]) for length in (height, width))
    flakes = zoomed(draws.normal(rows, columns) * np.float32(deviation) + np.float32(mean), zoom, (height, width))
    flakes[flakes < threshold] = 0
    fallen = nearest(trail(whole(flakes * np.float32(255)), radius, sigma, angle=draws.between(-135, -45)))
    both = fallen.astype(np.float32) + fallen[::-1, ::-1]
    planes = [plane.astype(np.float32) for plane in cv2.split(image)]
    grey = sum(plane * np.float32(share) for plane, share in zip(planes, LUMINANCE, strict=True))
    bright = grey * np.float32(1.5) + np.float32(127.5)
    white = [cv2.addWeighted(plane, kept, np.maximum(plane, bright), 1 - kept, 0) for plane in planes]
    return np.asarray(cv2.merge([whole(plane + both) for plane in white]))


def plasma(side: int, decay: float, draws: Draws) -> np.ndarray:
    """float32 [side, side] between 0 and 1: clouds by the diamond-square algorithm on a torus; side is a power of 2.

    Each new point is the mean of its four neighbours plus noise, whose size falls by decay squared from scale to scale.
    """
    field, size = np.zeros((1, 1), dtype=np.float32), 1e4
    noise = draws.symmetric(side * side)
    while len(field) < side:
        part = noise[field.size : 4 * field.size]
        part *= np.float32(size)
        field, size = _finer(field, part.reshape(3, *field.shape)), size / decay**2
    field -= field.min()
    field /= max(float(field.max()), 1e-12)
    return field


def _finer(corners: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """One scale: [n, n] -> [2 n, 2 n]; first the centres of the squares, then the middles of their sides."""
    side = len(corners)
    around = cv2.copyMakeBorder(corners, 0, 1, 0, 1, cv2.BORDER_WRAP)
    below, right = around[1:, :-1], around[:-1, 1:]
    vertical, horizontal = corners + below, corners + right
    centres = (vertical + around[:-1, 1:] + around[1:, 1:]) * np.float32(0.25) + noise[0]
    around = cv2.copyMakeBorder(centres, 1, 0, 1, 0, cv2.BORDER_WRAP)
    finer = np.empty((2 * side, 2 * side), dtype=np.float32)
    finer[::2, ::2] = corners
    finer[1::2, 1::2] = centres
    finer[::2, 1::2] = (horizontal + centres + around[:-1, 1:]) * np.float32(0.25) + noise[1]
    finer[1::2, ::2] = (vertical + centres + around[1:, :-1]) * np.float32(0.25) + noise[2]
    return finer


def _mixed(image: np.ndarray, own: float, other: np.ndarray, weight: float) -> np.ndarray:
    """own x image + weight x other, rounded down -> uint8."""
    return np.asarray(cv2.addWeighted(image, own, other, weight, SLACK - 0.5, dtype=cv2.CV_8U)).reshape(image.shape)


@lru_cache(maxsize=16)
def _ice(name: str, scale: float) -> np.ndarray:
    """uint8 [h, w, 3]: a photograph of frost, read once."""
    data = files("bench.audit.corruption").joinpath("frost", f"{name}.jpg").read_bytes()
    photograph = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB))
    return photograph if scale == 1 else np.asarray(cv2.resize(photograph, (0, 0), fx=scale, fy=scale))
