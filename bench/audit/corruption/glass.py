"""Glass blur: pixels take the place of near ones, between two light Gaussian blurs.

The published code walks from the last pixel to the first and means to swap each with a random neighbour. Its line
`x[h, w], x[h2, w2] = x[h2, w2], x[h, w]` works on numpy views, so the second half reads what the first half has just
written: pixel (h, w) becomes a copy of its neighbour, which keeps its own value. All published numbers, and those of
the ports, were made so, and so do we.

Each pixel therefore copies from a neighbour, either as it was (if its turn comes later) or as it has become (if it
came before). That is a forest of pointers, and following pointers to pointers resolves all of it in a few gathers.
"""

from __future__ import annotations

import numpy as np

from bench.audit.corruption.draws import Draws
from bench.audit.corruption.pixels import smooth, whole


def glass_blur(image: np.ndarray, settings: tuple[float, int, int], draws: Draws) -> np.ndarray:
    """`settings`: sigma, largest shift, passes. A rim of the width of the shift stays in place, as in the originals."""
    sigma, shift, passes = settings
    height, width = image.shape[:2]
    source = np.arange(height * width)
    for _ in range(passes):
        source = source[_one_pass(height, width, shift, draws)]
    shuffled = whole(smooth(image, sigma)).reshape(-1, 3).take(source, axis=0).reshape(image.shape)
    return whole(smooth(shuffled, sigma))


def _one_pass(height: int, width: int, shift: int, draws: Draws) -> np.ndarray:
    """intp [pixel]: where each pixel's content comes from, after all took their turns."""
    count = height * width
    pixels = np.arange(count).reshape(height, width)
    moved = (slice(shift + 1, height - shift + 1), slice(shift + 1, width - shift + 1))
    before = np.arange(count, 2 * count)  # entry p: p as it has become; entry p + count: p as it was
    if pixels[moved].size == 0:
        return before - count
    steps = np.arange(-shift, shift)  # the upper end is open, as in `randint(-shift, shift)`
    offsets = (steps[:, None] * width + steps).reshape(-1)
    drawn = draws.levels(*pixels[moved].shape)
    neighbours = pixels[moved] + offsets.take(drawn.astype(np.uint32) * len(offsets) >> 16)
    has_moved = np.zeros((height, width), dtype=bool)
    has_moved[moved] = True
    earlier = (neighbours > pixels[moved]) & has_moved.reshape(-1).take(neighbours)
    before.reshape(height, width)[moved] = np.where(earlier, neighbours, neighbours + count)
    return _follow(before, count)


def _follow(pointers: np.ndarray, count: int) -> np.ndarray:
    """Follows entries below `count` to their ends; those from `count` on are ends."""
    waiting = np.flatnonzero(pointers < count)
    while waiting.size:
        pointers[waiting] = pointers.take(pointers.take(waiting))
        waiting = waiting[pointers.take(waiting) < count]
    return pointers - count
