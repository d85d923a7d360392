"""How things and words get onto the canvas: outlines and letters, each with the jitter that leaves the truth alone."""

from __future__ import annotations

import colorsys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bench.generator.outlines import HOLES, OUTLINES, PARTS
from bench.generator.vocabulary import COLOURS, FONTS

if TYPE_CHECKING:
    from PIL.Image import Image

    from bench.generator.scenes import Thing


STRIPE = 1 / 8
"""Period of stripes and dots, as a fraction of the picture's side."""


def draw_thing(canvas: Image, thing: Thing, rng: np.random.Generator) -> None:
    """Paint the thing, with jitter of place, size, turn and colour."""
    from PIL import Image

    x, y = np.array([thing.x, thing.y]) + rng.uniform(-0.02, 0.02, 2)
    radius, turn = thing.size * rng.uniform(0.92, 1.08), rng.uniform(-8, 8)
    mask = silhouette(thing.shape, canvas.width, (x, y), radius, turn)
    paint = _hue_jitter(thing.colour, rng)
    canvas.paste(paint, mask=mask)
    if thing.texture != "plain":
        lighter = Image.blend(Image.new("RGB", (1, 1), paint), Image.new("RGB", (1, 1), (255, 255, 255)), 0.6)
        marks = Image.composite(_marks(thing.texture, canvas.width, (x, y)), Image.new("1", mask.size), mask)
        canvas.paste(lighter.resize(canvas.size), mask=marks)


def silhouette(shape: str, side: int, centre: tuple[float, float], radius: float, turn: float = 0.0) -> Image:
    """What a shape covers on a canvas: mode 1, `side` x `side`; the turn in degrees, the rest as fractions of the side.

    `circle+star` is a hybrid: the left half of the one joined to the right half of the other.
    """
    from PIL import Image, ImageDraw

    if "+" in shape:
        left, right = (silhouette(half, side, centre, radius, turn) for half in shape.split("+"))
        middle = round(centre[0] * side)
        left.paste(right.crop((middle, 0, side, side)), (middle, 0))
        return left
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])

    def place(outline: np.ndarray) -> list[tuple[float, float]]:
        points = (outline @ rotation * radius + centre) * side
        return [(float(px), float(py)) for px, py in points]

    mask = Image.new("1", (side, side))
    brush = ImageDraw.Draw(mask)
    brush.polygon(place((OUTLINES | PARTS)[shape]), fill=1)
    if shape in HOLES:
        brush.polygon(place(HOLES[shape]), fill=0)
    return mask


def _marks(texture: str, side: int, centre: tuple[float, float]) -> Image:
    """Where a texture is lighter: level stripes, or dots, in step with the middle of the thing."""
    from PIL import Image

    at = (np.arange(side) + 0.5) / side
    down, across = np.meshgrid((at - centre[1]) / STRIPE, (at - centre[0]) / STRIPE, indexing="ij")
    if texture == "striped":
        found = (down + 0.25) % 1 < 0.5
    else:
        found = np.hypot((down + 0.5) % 1 - 0.5, (across + 0.5) % 1 - 0.5) < 0.32
    return Image.fromarray(found)


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
