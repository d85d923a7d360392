"""Gaussian, shot, impulse and speckle noise: each value of each channel on its own."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from bench.audit.corruption.draws import LEVELS, Draws, normal_quantiles

SLICES = 1 << 12
"""Equally likely slices of each Poisson distribution: probabilities are off by 0.0001 at most."""


def gaussian_noise(image: np.ndarray, deviation: float, draws: Draws) -> np.ndarray:
    """Adds the same noise to every value."""
    steps = _gaussian_steps(deviation).take(draws.levels(*image.shape))
    return np.asarray(cv2.add(image, steps, dtype=cv2.CV_8U))


def speckle_noise(image: np.ndarray, deviation: float, draws: Draws) -> np.ndarray:
    """Noise in proportion to the value."""
    noise = draws.normal(*image.shape)
    noise *= np.float32(deviation)
    noise += np.float32(1)
    noise *= image
    return np.clip(noise, 0, 255, out=noise).astype(np.uint8)


def impulse_noise(image: np.ndarray, amount: float, draws: Draws) -> np.ndarray:
    """Half of `amount` of the values become black, half white; channels on their own, as in the originals."""
    levels = draws.levels(*image.shape)
    half = round(amount / 2 * LEVELS)
    noisy: np.ndarray = image * (levels >= half)
    noisy[levels >= LEVELS - half] = 255
    return noisy


def shot_noise(image: np.ndarray, photons: float, draws: Draws) -> np.ndarray:
    """Counts of photons: Poisson with as many for white as given."""
    cells = np.left_shift(image, 12, dtype=np.intp)
    cells |= draws.levels(*image.shape) >> 4
    return np.asarray(_shot_table(photons).take(cells))


@lru_cache(maxsize=32)
def _gaussian_steps(deviation: float) -> np.ndarray:
    """int16 [65536]: noise in whole levels. Values are whole, so rounding the noise down rounds the sum down."""
    return np.floor(normal_quantiles() * (255 * deviation)).astype(np.int16)


@lru_cache(maxsize=32)
def _shot_table(photons: float) -> np.ndarray:
    """uint8 [256 x 4096]: for each value, what becomes of it at each of 4,096 equally likely levels."""
    from scipy.stats import poisson

    counts = np.arange(int(np.ceil(photons)) + 1)
    shades = np.minimum(counts / photons * 255, 255).astype(np.uint8)
    chances = (np.arange(SLICES) + 0.5) / SLICES
    table = np.empty((256, SLICES), dtype=np.uint8)
    for value in range(256):
        reached = poisson.cdf(counts[:-1], value / 255 * photons)  # all above white is white
        table[value] = shades[np.searchsorted(reached, chances)]
    return table.reshape(-1)
