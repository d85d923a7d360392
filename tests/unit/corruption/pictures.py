"""Pictures for the tests: a synthetic scene with edges, ramps and texture, so that nothing is downloaded."""

from __future__ import annotations

import numpy as np


def scene(height: int = 64, width: int = 64, seed: int = 0) -> np.ndarray:
    """uint8 [h, w, 3]."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    ramp = np.stack([rows * 255 / height, columns * 255 / width, (rows + columns) * 127 / (height + width)], axis=-1)
    ramp[height // 4 : height // 2, width // 3 : width // 2] = (230, 40, 90)
    return (ramp * 0.8 + random.normal(0, 12, (height, width, 1)) + 20).clip(0, 255).astype(np.uint8)
