"""The numbers of ImageNet-C: five severities a corruption, in three published sets.

Source: the scripts `ImageNet-C/create_c/make_imagenet_c.py`, `make_tinyimagenet_c.py` and `make_cifar_c.py` of
github.com/hendrycks/robustness (Apache-2.0), the code behind Hendrycks and Dietterich 2019 (arXiv 1903.12261).
`imagenet` is meant for pictures of 224 pixels, `tiny_imagenet` for 64, `cifar` for 32. Lengths (radius, sigma, shift)
are pixels and are not scaled with the picture: at another size a constant destroys another share of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

SETS = ("imagenet", "tiny_imagenet", "cifar")

Five = tuple[Any, Any, Any, Any, Any]


def _zooms(*ranges: tuple[float, float]) -> Five:
    """Zoom factors from 1 on, by the originals' own `np.arange(1, end, step)`.

    Rounding lets some ends in: severity 1 of ImageNet-C goes to 1.11, not to 1.10 as the code seems to say.
    """
    a, b, c, d, e = (tuple(np.arange(1, end, step).tolist()) for end, step in ranges)
    return a, b, c, d, e


def _times(size: int, *rows: tuple[float, float, float]) -> Five:
    a, b, c, d, e = (tuple(size * value for value in row) for row in rows)
    return a, b, c, d, e


GAUSSIAN_NOISE: Mapping[str, Five] = {  # standard deviation, as a share of white
    "imagenet": (0.08, 0.12, 0.18, 0.26, 0.38),
    "tiny_imagenet": (0.04, 0.08, 0.12, 0.15, 0.18),
    "cifar": (0.04, 0.06, 0.08, 0.09, 0.10),
}
SHOT_NOISE: Mapping[str, Five] = {  # photons that make white
    "imagenet": (60, 25, 12, 5, 3),
    "tiny_imagenet": (250, 100, 50, 30, 15),
    "cifar": (500, 250, 100, 75, 50),
}
IMPULSE_NOISE: Mapping[str, Five] = {  # share of values that become black or white
    "imagenet": (0.03, 0.06, 0.09, 0.17, 0.27),
    "tiny_imagenet": (0.01, 0.02, 0.05, 0.08, 0.14),
    "cifar": (0.01, 0.02, 0.03, 0.05, 0.07),
}
SPECKLE_NOISE: Mapping[str, Five] = {  # standard deviation, as a share of the value itself
    "imagenet": (0.15, 0.2, 0.35, 0.45, 0.6),
    "tiny_imagenet": (0.15, 0.2, 0.25, 0.3, 0.35),
    "cifar": (0.06, 0.1, 0.12, 0.16, 0.2),
}
GAUSSIAN_BLUR: Mapping[str, Five] = {  # sigma
    "imagenet": (1, 2, 3, 4, 6),
    "tiny_imagenet": (0.5, 0.75, 1, 1.25, 1.5),
    "cifar": (0.4, 0.6, 0.7, 0.8, 1),
}
DEFOCUS_BLUR: Mapping[str, Five] = {  # radius of the disk, sigma that softens its edge
    "imagenet": ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
    "tiny_imagenet": ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
    "cifar": ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
}
GLASS_BLUR: Mapping[str, Five] = {  # sigma, largest shift, passes
    "imagenet": ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
    "tiny_imagenet": ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
    "cifar": ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
}
MOTION_BLUR: Mapping[str, Five] = {  # radius (the trail has 2 radius + 1 steps), sigma
    "imagenet": ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
    "tiny_imagenet": ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
    "cifar": ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
}
_SLOW_ZOOM = _zooms((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))
ZOOM_BLUR: Mapping[str, Five] = {  # the zoom factors that are averaged
    "imagenet": _zooms((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
    "tiny_imagenet": _SLOW_ZOOM,
    "cifar": _SLOW_ZOOM,
}
SNOW: Mapping[str, Five] = {  # mean, deviation, zoom, threshold, radius, sigma, share of the picture kept as it is
    "imagenet": (
        (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
        (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
        (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
        (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
        (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
    ),
    "tiny_imagenet": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.8),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.8),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
    ),
    "cifar": (
        (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
        (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
        (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
        (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
        (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
    ),
}
FROST: Mapping[str, Five] = {  # weight of the picture, weight of the ice, scale of the photograph of ice
    "imagenet": ((1, 0.4, 1), (0.8, 0.6, 1), (0.7, 0.7, 1), (0.65, 0.7, 1), (0.6, 0.75, 1)),
    "tiny_imagenet": ((1, 0.3, 0.3), (0.9, 0.4, 0.3), (0.8, 0.45, 0.3), (0.75, 0.5, 0.3), (0.7, 0.55, 0.3)),
    "cifar": ((1, 0.2, 0.2), (1, 0.3, 0.2), (0.9, 0.4, 0.2), (0.85, 0.4, 0.2), (0.75, 0.45, 0.2)),
}
FOG: Mapping[str, Five] = {  # amount, decay of the roughness from scale to scale
    "imagenet": ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
    "tiny_imagenet": ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
    "cifar": ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
}
BRIGHTNESS: Mapping[str, Five] = {  # added to V of HSV
    "imagenet": (0.1, 0.2, 0.3, 0.4, 0.5),
    "tiny_imagenet": (0.1, 0.2, 0.3, 0.4, 0.5),
    "cifar": (0.05, 0.1, 0.15, 0.2, 0.3),
}
CONTRAST: Mapping[str, Five] = {  # factor on the distance from the mean colour
    "imagenet": (0.4, 0.3, 0.2, 0.1, 0.05),
    "tiny_imagenet": (0.4, 0.3, 0.2, 0.1, 0.05),
    "cifar": (0.75, 0.5, 0.4, 0.3, 0.15),
}
ELASTIC: Mapping[str, Five] = {  # amplitude, sigma of the field, largest shift of the affine map's three points
    "imagenet": _times(244, (2, 0.7, 0.1), (2, 0.08, 0.2), (0.05, 0.01, 0.02), (0.07, 0.01, 0.02), (0.12, 0.01, 0.02)),
    "tiny_imagenet": _times(
        64, (0, 0, 0.08), (0.05, 0.3, 0.06), (0.1, 0.08, 0.06), (0.1, 0.03, 0.03), (0.16, 0.03, 0.02)
    ),
    "cifar": _times(32, (0, 0, 0.08), (0.05, 0.2, 0.07), (0.08, 0.06, 0.06), (0.1, 0.04, 0.05), (0.1, 0.03, 0.03)),
}
"""244 is the originals' slip for 224, kept because the published data were made with it."""
PIXELATE: Mapping[str, Five] = {  # side of the reduced picture, as a share
    "imagenet": (0.6, 0.5, 0.4, 0.3, 0.25),
    "tiny_imagenet": (0.9, 0.8, 0.7, 0.6, 0.5),
    "cifar": (0.95, 0.9, 0.85, 0.75, 0.65),
}
JPEG: Mapping[str, Five] = {  # quality
    "imagenet": (25, 18, 15, 10, 7),
    "tiny_imagenet": (65, 58, 50, 40, 25),
    "cifar": (80, 65, 58, 50, 40),
}
SPATTER: Mapping[str, Five] = {  # mean, deviation, sigma, threshold, strength (water) or sigma of the edge (mud), mud?
    "imagenet": (
        (0.65, 0.3, 4, 0.69, 0.6, False),
        (0.65, 0.3, 3, 0.68, 0.6, False),
        (0.65, 0.3, 2, 0.68, 0.5, False),
        (0.65, 0.3, 1, 0.65, 1.5, True),
        (0.67, 0.4, 1, 0.65, 1.5, True),
    ),
    "tiny_imagenet": (
        (0.62, 0.1, 0.7, 0.7, 0.6, False),
        (0.65, 0.1, 0.8, 0.7, 0.6, False),
        (0.65, 0.3, 1, 0.69, 0.6, False),
        (0.65, 0.1, 0.7, 0.68, 0.6, True),
        (0.65, 0.1, 0.5, 0.67, 0.6, True),
    ),
    "cifar": (
        (0.62, 0.1, 0.7, 0.7, 0.5, False),
        (0.65, 0.1, 0.8, 0.7, 0.5, False),
        (0.65, 0.3, 1, 0.69, 0.5, False),
        (0.65, 0.1, 0.7, 0.69, 0.6, True),
        (0.65, 0.1, 0.5, 0.68, 0.6, True),
    ),
}
SATURATE: Mapping[str, Five] = {  # factor on S of HSV, added to it
    "imagenet": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
    "tiny_imagenet": ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
    "cifar": ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
}
