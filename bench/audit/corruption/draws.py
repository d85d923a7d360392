"""Randomness that depends on the seed, the name of the corruption and the pixels, and on nothing else.

The same picture gets the same noise in any order, batch, worker and split. The five severities of one picture share
their draws (common random numbers), so that a curve over severities moves by the severity and not by luck.

Everything is made of the raw 64-bit output of SFC64, which numpy promises to keep; the streams of `Generator.normal`
and its kin may change from version to version. Normal values come from a table of quantiles: 65,536 equally likely
levels, largest 4.2 standard deviations, variance 0.9999. A picture has 256 shades, so that nobody sees the difference,
and it is five times faster than drawing them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

LEVELS = 1 << 16


class Draws:
    """A stream of random values for one picture and one corruption."""

    def __init__(self, seed: int, name: str, pixels: np.ndarray):
        import xxhash

        state = xxhash.xxh3_128(f"{seed} {name} {pixels.shape}".encode())
        state.update(np.ascontiguousarray(pixels).data)
        self._bits = np.random.SFC64(state.intdigest())

    def levels(self, *shape: int) -> np.ndarray:
        """uint16 [*shape], every value equally likely."""
        count = int(np.prod(shape))
        raw: np.ndarray = self._bits.random_raw((count + 3) // 4)
        return raw.view(np.uint16)[:count].reshape(shape)

    def normal(self, *shape: int) -> np.ndarray:
        """float32 [*shape], mean 0 and standard deviation 1."""
        return normal_quantiles().take(self.levels(*shape))

    def symmetric(self, *shape: int) -> np.ndarray:
        """float32 [*shape], even between -1 and 1."""
        return (self.levels(*shape) + np.float32(0.5)) * np.float32(2 / LEVELS) - np.float32(1)

    def between(self, low: float, high: float) -> float:
        """One value, even between low and high."""
        return low + (high - low) * int(self._bits.random_raw()) / 2.0**64

    def below(self, count: int) -> int:
        """One of 0, ..., count - 1."""
        return int(self._bits.random_raw()) * count >> 64


@lru_cache(maxsize=1)
def normal_quantiles() -> np.ndarray:
    """float32 [65536]: the median of each of as many equally likely slices of the normal distribution."""
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(LEVELS) + 0.5) / LEVELS), dtype=np.float32)
