"""Pictures we draw ourselves: scenes with their captions, and single letters, digits and short words in many hands.

Scenes come from `bench.generator.scenes`; seeds from 1,000,000 on are the bundled tasks' and are never used here.
Glyphs are set in the fonts that matplotlib carries, then turned, cut out, coarsened and often inverted, so that
a digit is known by its form and not by its font.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bench.training.pictures import SIZE, Picture

SCENES_A_KIND = 4000
TEST_SEEDS = 1_000_000
GLYPHS = 8000
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono",
         "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmss10", "cmtt10")  # fmt: skip


def scenes(raw: Path) -> Iterator[Picture]:
    """Drawn scenes of every kind with their captions; `raw` is not needed."""
    from bench.generator.scenes import KINDS, draw, sample

    for place, kind in enumerate(KINDS):
        for number in range(SCENES_A_KIND):
            seed = place * SCENES_A_KIND + number
            caption, scene = sample(seed, kind=kind)
            picture = draw(scene, size=SIZE, seed=seed)
            pixels = np.asarray(picture.convert("RGB")).transpose(2, 0, 1).copy()
            yield Picture(pixels, (caption,), "own work", f"scenes:{kind}:{seed}")


def glyphs(raw: Path) -> Iterator[Picture]:
    """Digits (two thirds) and capital letters with their names; `raw` is not needed."""
    for number in range(GLYPHS):
        rng = np.random.default_rng(number)
        digit = number % 3 > 0
        sign = str(rng.integers(10)) if digit else chr(ord("A") + rng.integers(26))
        names = (sign, f"the number {sign}", f"the digit {DIGITS[int(sign)]}") if digit else (f"the letter {sign}",)
        picture = _degrade(_close_up(_set_sign(sign, rng), rng), rng)
        pixels = np.repeat(np.asarray(picture)[None], 3, axis=0)
        yield Picture(pixels, names, "own work", f"glyphs:{number}")


def _set_sign(sign: str, rng: np.random.Generator) -> Any:
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    face = FACES[rng.integers(len(FACES))]
    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"), int(rng.integers(72, 120)))
    picture = Image.new("L", (128, 128), 255)
    stroke = int(rng.integers(0, 8))
    ImageDraw.Draw(picture).text((64, 64), sign, font=font, fill=0, anchor="mm", stroke_width=stroke, stroke_fill=0)
    lean, turn = rng.normal(0, 0.18), rng.normal(0, 0.1)
    squeeze = rng.uniform(0.85, 1.4)
    matrix = (squeeze, lean, 64 - 64 * (squeeze + lean), turn, 1.0, -64 * turn)
    return picture.transform((128, 128), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=255)


def _close_up(picture: Any, rng: np.random.Generator) -> Any:
    """Two in three signs fill the picture, as scanned handwriting does, with a margin of up to an eighth."""
    from PIL import Image, ImageOps

    box = ImageOps.invert(picture).getbbox()
    if box is None or rng.random() < 1 / 3:
        return picture
    sign = picture.crop(box)
    margin = round(max(sign.size) * rng.uniform(0, 0.125))
    side = max(sign.size) + 2 * margin
    out = Image.new("L", (side, side), 255)
    out.paste(sign, ((side - sign.width) // 2, (side - sign.height) // 2))
    return out


def _degrade(picture: Any, rng: np.random.Generator) -> Any:
    from PIL import Image, ImageOps

    side = int(rng.choice([8, 8, 12, 28, 64]))
    small = picture.resize((side, side), Image.Resampling.BOX)
    if rng.random() < 0.6:
        small = ImageOps.invert(small)
    resample = Image.Resampling.BICUBIC if rng.random() < 0.7 else Image.Resampling.NEAREST
    return small.resize((SIZE, SIZE), resample)
