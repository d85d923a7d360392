"""A wrong word on the picture: the typographic attack of Goh et al. 2021 (Multimodal Neurons), as a dose.

A white label with the name of a class that the picture does not show, in black letters. Which class and where it
sticks follow from the seed and the pixels. The dose is the height of the letters as a share of the shorter side; a
name that would be wider than the picture is set smaller, so that long names grow no further at high doses.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bench.audit.corruption.draws import Draws
from bench.errors import BenchError

DOSES = (0.05, 0.1, 0.15, 0.2, 0.3)
UNIT = "height of the letters as a share of the shorter side"
WIDEST = 0.96
REFERENCE = 64
"""Size at which a name is measured before it is set at its own."""


def wrong_class(labels: np.ndarray, index: int, classes: int, draws: Draws) -> int:
    """A class that picture `index` does not show. `labels`: int [image], or bool [image, class].

    Raises:
        BenchError: the picture shows every class there is.
    """
    shown = labels[index] if labels.ndim == 2 else np.arange(classes) == labels[index]
    others = np.flatnonzero(~np.asarray(shown, dtype=bool))
    if not others.size:
        raise BenchError("No wrong name can be written on a picture that shows every class of its task.")
    return int(others[draws.below(others.size)])


def write(image: np.ndarray, text: str, dose: float, draws: Draws) -> np.ndarray:
    """uint8 [h, w, 3] with a label that says `text`, letters `dose` of the shorter side high."""
    height, width = image.shape[:2]
    across, down = draws.between(0, 1), draws.between(0, 1)
    if dose <= 0:
        return image
    wide = _font(REFERENCE).getlength(text) / REFERENCE  # in units of the font size
    size = min(dose * min(height, width) / CAPITAL, WIDEST * width / (wide + 2 * MARGIN))
    font = _font(max(size, 1.0))
    label = _Box(font, text, size, width, height)
    picture = Image.fromarray(image)
    left, top = round(across * (width - label.width)), round(down * (height - label.height))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((left, top, left + label.width - 1, top + label.height - 1), fill="white")
    draw.text((left + label.width / 2, top + label.height / 2), text, fill="black", font=font, anchor="mm")
    return np.asarray(picture)


CAPITAL = 0.73
"""Height of a capital letter of DejaVu Sans, and MARGIN the white around the word, in units of the font size."""
MARGIN = 0.2


class _Box:
    """Size of the label in whole pixels, inside the picture."""

    def __init__(self, font: ImageFont.FreeTypeFont, text: str, size: float, width: int, height: int):
        self.width = max(1, min(width, round(font.getlength(text) + 2 * MARGIN * size)))
        self.height = max(1, min(height, round((1.15 + 2 * MARGIN * 0.5) * size)))


def check_drawable(names: Sequence[str]) -> None:
    """Raises BenchError if the font lacks a letter of one of the names (Chinese, Japanese)."""
    font = _font(REFERENCE)
    missing = _shape(font, "\ufffe")
    for name in names:
        lacking = [letter for letter in set(name) if not letter.isspace() and _shape(font, letter) == missing]
        if lacking:
            raise BenchError(
                f"The typographic sweep cannot write {name!r}: its font (DejaVu Sans) has no {lacking[0]!r}. "
                "Leave this sweep out for tasks in this script."
            )


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> tuple[Any, bytes]:
    mask = font.getmask(letter)
    return mask.size, bytes(mask)


@lru_cache(maxsize=256)
def _font(size: float) -> ImageFont.FreeTypeFont:
    """DejaVu Sans, which comes with matplotlib: the same letters on every machine."""
    import matplotlib

    path = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)
