"""The nineteen corruptions of ImageNet-C by name, and `corrupt`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from bench.audit.corruption import blur, colour, constants, digital, glass, noise, spatter, weather
from bench.audit.corruption.constants import SETS, Five
from bench.audit.corruption.draws import Draws
from bench.errors import BenchError, unknown

KINDS = ("noise", "blur", "weather", "digital", "held_out")
SEVERITIES = (1, 2, 3, 4, 5)
BY_SIZE = "by_size"
"""Constants by the picture: cifar up to 48 pixels of the shorter side, tiny_imagenet up to 96, imagenet above."""


@dataclass(frozen=True)
class Corruption:
    """One way to damage a picture. `function(uint8 [h, w, 3], settings, draws)` -> uint8 [h, w, 3]."""

    name: str
    kind: str
    function: Callable[[np.ndarray, Any, Draws], np.ndarray] = field(repr=False)
    constants: Mapping[str, Five] = field(repr=False)
    random: bool = True

    def settings(self, severity: int, which: str = "imagenet") -> Any:
        """The numbers of one severity (1 to 5)."""
        if which not in SETS:
            raise unknown("set of constants", which, SETS)
        return self.constants[which][severity - 1]


_ALL = (
    Corruption("gaussian_noise", "noise", noise.gaussian_noise, constants.GAUSSIAN_NOISE),
    Corruption("shot_noise", "noise", noise.shot_noise, constants.SHOT_NOISE),
    Corruption("impulse_noise", "noise", noise.impulse_noise, constants.IMPULSE_NOISE),
    Corruption("defocus_blur", "blur", blur.defocus_blur, constants.DEFOCUS_BLUR, random=False),
    Corruption("glass_blur", "blur", glass.glass_blur, constants.GLASS_BLUR),
    Corruption("motion_blur", "blur", blur.motion_blur, constants.MOTION_BLUR),
    Corruption("zoom_blur", "blur", blur.zoom_blur, constants.ZOOM_BLUR, random=False),
    Corruption("snow", "weather", weather.snow, constants.SNOW),
    Corruption("frost", "weather", weather.frost, constants.FROST),
    Corruption("fog", "weather", weather.fog, constants.FOG),
    Corruption("brightness", "weather", colour.brightness, constants.BRIGHTNESS, random=False),
    Corruption("contrast", "digital", colour.contrast, constants.CONTRAST, random=False),
    Corruption("elastic_transform", "digital", digital.elastic_transform, constants.ELASTIC),
    Corruption("pixelate", "digital", digital.pixelate, constants.PIXELATE, random=False),
    Corruption("jpeg_compression", "digital", digital.jpeg_compression, constants.JPEG, random=False),
    Corruption("speckle_noise", "held_out", noise.speckle_noise, constants.SPECKLE_NOISE),
    Corruption("gaussian_blur", "held_out", blur.gaussian_blur, constants.GAUSSIAN_BLUR, random=False),
    Corruption("spatter", "held_out", spatter.spatter, constants.SPATTER),
    Corruption("saturate", "held_out", colour.saturate, constants.SATURATE, random=False),
)
CORRUPTIONS: Mapping[str, Corruption] = {one.name: one for one in _ALL}
"""In the order of the paper. The fifteen that count for mCE come first; the four held out are for tuning."""
IN_MCE = tuple(one.name for one in _ALL if one.kind != "held_out")


def find(name: str) -> Corruption:
    """The corruption of that name. Raises BenchError with the closest names."""
    if name not in CORRUPTIONS:
        raise unknown("corruption", name, CORRUPTIONS)
    return CORRUPTIONS[name]


def corrupt(
    image: np.ndarray, name: str, severity: int, *, seed: int = 0, which: str = "imagenet", draws: Draws | None = None
) -> np.ndarray:
    """uint8 [h, w, 3] of any size -> the same shape, damaged. Severity 0 gives the picture back.

    Same pixels, seed and name: same result. `which` names the constants, or `by_size`; `draws` replaces the stream
    that is seeded by the pixels.

    Raises:
        BenchError: an unknown name or set, a severity that is not 0 to 5, or an array that is no such picture.
    """
    corruption = find(name)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise BenchError(
            f"corrupt() takes a uint8 array [height, width, 3]; given {image.dtype} {image.shape}. "
            "For a Pillow picture: np.asarray(picture.convert('RGB'))."
        )
    check_severity(name, severity)
    if severity == 0:
        return image
    settings = corruption.settings(severity, set_for(image.shape, which))
    return corruption.function(np.ascontiguousarray(image), settings, draws or Draws(seed, name, image))


def check_severity(name: str, severity: int) -> None:
    """Raises BenchError if there is no such severity."""
    if severity not in (0, *SEVERITIES):
        raise BenchError(f"Severity {severity!r} of {name}: allowed are 1 to 5, and 0 for the picture itself.")


def set_for(shape: tuple[int, ...], which: str) -> str:
    """The set of constants for a picture of this shape [h, w, ...]."""
    if which != BY_SIZE:
        return which
    side = min(shape[:2])
    return "cifar" if side <= 48 else "tiny_imagenet" if side <= 96 else "imagenet"
