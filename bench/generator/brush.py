"""How things and words get onto the canvas: outlines and letters, each with the jitter that leaves the truth alone."""

from __future__ import annotations

import colorsys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.generator.outlines import HOLES, OUTLINES
from bench.generator.vocabulary import COLOURS, FONTS

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.generator.scenes import Thing


def draw_thing(canvas: Image, thing: Thing, rng: np.random.Generator) -> None:
    """Paint the thing, with jitter of place, size, turn and colour."""
    from PIL import Image, ImageDraw

    side = canvas.width
    x, y = np.array([thing.x, thing.y]) + rng.uniform(-0.02, 0.02, 2)
    radius, turn = thing.size * rng.uniform(0.92, 1.08), np.deg2rad(rng.uniform(-8, 8))
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])

    def place(outline: np.ndarray) -> list[tuple[float, float]]:
        points = (outline @ rotation * radius + (x, y)) * side
        return [(float(px), float(py)) for px, py in points]

    mask = Image.new("1", canvas.size)
    brush = ImageDraw.Draw(mask)
    brush.polygon(place(OUTLINES[thing.shape]), fill=1)
    if thing.shape in HOLES:
        brush.polygon(place(HOLES[thing.shape]), fill=0)
    canvas.paste(_hue_jitter(thing.colour, rng), mask=mask)


def draw_word(canvas: Image, word: str, colour: str, rng: np.random.Generator) -> None:
    """Write the word across the middle, in a font chosen by `rng`."""
    from PIL import ImageDraw, ImageFont

    font_file, width = _font_file(str(rng.choice(FONTS))), rng.uniform(0.6, 0.9) * canvas.width
    at_100 = ImageFont.truetype(str(font_file), 100).getlength(word)
    points = min(100 * width / at_100, 0.3 * canvas.width)
    place = tuple((0.5 + rng.uniform(-0.03, 0.03, 2)) * canvas.width)
    font = ImageFont.truetype(str(font_file), points)
    ImageDraw.Draw(canvas).text(place, word, fill=_hue_jitter(colour, rng), font=font, anchor="mm")


def _hue_jitter(colour: str, rng: np.random.Generator) -> tuple[int, int, int]:
    """A colour near the named one: hue +-1%, value and saturation +-6%."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(c / 255 for c in COLOURS[colour]))
    d_hue, d_saturation, d_value = rng.uniform(-1, 1, 3) * (0.01, 0.06, 0.06)
    clip = (float(np.clip(v, 0, 1)) for v in (saturation * (1 + d_saturation), value + d_value * value))
    red, green, blue = colorsys.hsv_to_rgb((hue + d_hue) % 1, *clip)
    return round(red * 255), round(green * 255), round(blue * 255)


@cache
def _font_file(name: str) -> Path:
    """A DejaVu font as matplotlib ships it (free licence); the package itself is not imported."""
    from importlib.util import find_spec

    spec = find_spec("matplotlib")
    assert spec is not None, "matplotlib is a dependency of the project"
    assert spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf" / f"{name}.ttf"
