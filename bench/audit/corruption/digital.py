"""Elastic transform, pixelation and JPEG compression."""

from __future__ import annotations

import math
from functools import lru_cache

import cv2
import numpy as np

from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import SLACK, gaussian_kernel, smooth, whole

COSINES_FROM = 8.0
"""Sigma from which a smooth field is summed from its few cosines rather than filtered."""


def elastic_transform(image: np.ndarray, settings: tuple[float, float, float], draws: Draws) -> np.ndarray:
    """`settings`: amplitude and sigma of the field of shifts, largest shift of the affine map's points, in pixels.

    First a random affine map, then every pixel is fetched from a place shifted by a smooth random field. (The port
    `imagecorruptions` leaves out the affine map and has amplitudes of its own.) Pictures under 3 pixels are not mapped.
    """
    amplitude, sigma, jitter = settings
    height, width = image.shape[:2]
    levels = _affine(image.astype(np.float32), jitter, draws)
    if amplitude:
        columns = smooth_field(height, width, sigma, draws) * np.float32(amplitude)
        rows = smooth_field(height, width, sigma, draws) * np.float32(amplitude)
        columns += np.arange(width, dtype=np.float32)
        rows += np.arange(height, dtype=np.float32)[:, None]
        levels = np.asarray(cv2.remap(levels, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))
    return whole(levels)


def pixelate(image: np.ndarray, scale: float, draws: Draws) -> np.ndarray:
    """Reduced and enlarged again as by Pillow's box filter, to the bit: columns first, each step rounded.

    Whole rows are gathered, which is fast; for columns the picture is turned.
    """
    height, width = image.shape[:2]
    small = max(1, int(width * scale)), max(1, int(height * scale))
    columns = _box(np.asarray(cv2.transpose(image)), small[0])
    reduced = _box(np.asarray(cv2.transpose(columns)), small[1])
    wide = _blocks(np.asarray(cv2.transpose(reduced)), width)
    return _blocks(np.asarray(cv2.transpose(wide)), height)


def jpeg_compression(image: np.ndarray, quality: int, draws: Draws | None = None) -> np.ndarray:
    """Encoded and decoded, with libjpeg's usual halving of the colour channels."""
    _, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR_RGB))


def _box(rows: np.ndarray, count: int) -> np.ndarray:
    """uint8 [n, m, 3] -> [count, m, 3]: means of neighbouring rows, each row in one of them."""
    found = np.empty((count, *rows.shape[1:]), dtype=np.uint8)
    for places, sources in _groups(len(rows), count):
        total = rows.take(sources[0], axis=0)
        for source in sources[1:]:
            total = cv2.add(total, rows.take(source, axis=0), dtype=cv2.CV_16U).reshape(total.shape)
        mean = cv2.convertScaleAbs(total, alpha=1 / len(sources), beta=SLACK)  # halves are rounded up
        found[places] = mean.reshape(total.shape)
    return found


@lru_cache(maxsize=16)
def _groups(length: int, count: int) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Places in the result whose means have equally many rows, and the first, second, ... row of each."""
    scale = length / count
    centres = (np.arange(count) + 0.5) * scale
    begin = np.maximum(centres - scale / 2 + 0.5, 0).astype(int)
    near = begin[:, None] + np.arange(int(scale) + 2)
    away = (near - centres[:, None] + 0.5) * (1 / scale)
    inside = (away > -0.5) & (away <= 0.5) & (near < length)  # a row on the border belongs to the mean before it
    first, sizes = begin + inside.argmax(axis=1), inside.sum(axis=1)
    chosen = [np.flatnonzero(sizes == size) for size in np.unique(sizes)]
    return [(places, [first[places] + i for i in range(sizes[places[0]])]) for places in chosen]


def _blocks(rows: np.ndarray, count: int) -> np.ndarray:
    """[n, m, 3] -> [count, m, 3]: each row several times, as often as its share."""
    return rows.take(((np.arange(count) + 0.5) * (len(rows) / count)).astype(int), axis=0)


def smooth_field(height: int, width: int, sigma: float, draws: Draws) -> np.ndarray:
    """float32 [h, w]: Gaussian blur (cut at 3 sigma, edges reflected) of noise that is even between -1 and 1.

    Reflection makes the blur diagonal in the cosine transform, and the transform of such noise is normal noise. A wide
    blur leaves only a few waves, which are drawn and summed: the same distribution without a filter of 1,025 taps.
    """
    if sigma < COSINES_FROM:
        return smooth(draws.symmetric(height, width), sigma, truncate=3.0, border=cv2.BORDER_REFLECT)
    across, down = _waves(width, sigma), _waves(height, sigma)
    sizes = draws.normal(down.shape[1], across.shape[1]) * np.float32(math.sqrt(1 / 3))
    return np.asarray(down @ sizes @ across.T, dtype=np.float32)


@lru_cache(maxsize=32)
def _waves(length: int, sigma: float) -> np.ndarray:
    """float32 [length, wave]: orthonormal cosines, each times what the blur leaves of it."""
    count = min(length, int(4 * length / (math.pi * sigma)) + 2)
    waves, places = np.arange(count), np.arange(length)
    basis = np.cos(np.pi / length * np.outer(places + 0.5, waves)) * math.sqrt(2 / length)
    basis[:, 0] /= math.sqrt(2)
    kernel = gaussian_kernel(sigma, 3.0)[:, 0].astype(np.float64)
    reach = np.arange(len(kernel)) - len(kernel) // 2
    kept = np.cos(np.pi / length * np.outer(waves, reach)) @ kernel
    return np.asarray(basis * kept, dtype=np.float32)


def _affine(levels: np.ndarray, jitter: float, draws: Draws) -> np.ndarray:
    """The map that moves three points around the centre, each by up to `jitter` in both directions."""
    height, width = levels.shape[:2]
    centre, reach = np.array([width // 2, height // 2], dtype=np.float32), min(height, width) // 3
    if reach == 0:
        return levels
    corners = np.array([[reach, reach], [reach, -reach], [-reach, -reach]])
    points = (centre + corners).astype(np.float32)
    moved = points + draws.symmetric(3, 2) * np.float32(jitter)
    matrix = cv2.getAffineTransform(points, moved)
    return np.asarray(cv2.warpAffine(levels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101))
