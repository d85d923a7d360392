"""Pictures to arrays and back: any mode and size in, RGB out."""

from __future__ import annotations

import numpy as np
from PIL import Image

VIEWS = ("native", "imagenet")
LARGEST = 1 << 24
LONGEST = 1 << 14
"""Pixels in all, and of the longer side. A larger picture is reduced to these before it is corrupted: memory stays
bounded (about 1 GB), and OpenCV's maps reach no further than 32,766 pixels."""


def seen(picture: Image.Image, view: str) -> np.ndarray:
    """uint8 [h, w, 3] of what is corrupted: the picture, or ImageNet-C's Resize(256) and CenterCrop(224) of it."""
    if view == "native":
        return rgb_of(picture)
    image = Image.fromarray(rgb_of(picture))
    short, long = sorted(image.size)
    if long > 8 * short:  # what the crop cannot show is cut before it is enlarged
        left, top = ((side - min(side, 8 * short)) // 2 for side in image.size)
        image = image.crop((left, top, image.width - left, image.height - top))
    scale = 256 / min(image.size)
    size = (256, int(image.height * scale)) if image.width <= image.height else (int(image.width * scale), 256)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    return np.asarray(image.crop((left, top, left + 224, top + 224)))


def like(picture: Image.Image, image: np.ndarray) -> Image.Image:
    """The array as a picture, with the orientation that the original declares."""
    made = Image.fromarray(image)
    if "exif" in picture.info:
        made.info["exif"] = picture.info["exif"]
    return made


def rgb_of(picture: Image.Image) -> np.ndarray:
    """A picture of any mode -> uint8 [h, w, 3]. 16-bit grey is scaled to 8 bit, transparency dropped, as models do."""
    if picture.mode.startswith("I;16") or picture.mode == "I":
        values = np.asarray(picture).astype(np.int64)
        if picture.mode != "I" or values.max(initial=0) > 255:
            values = (values.clip(0, 65535) * 255 + 32767) // 65535
        picture = Image.fromarray(values.astype(np.uint8))
    picture = bounded(picture)
    return np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB"))


def bounded(picture: Image.Image) -> Image.Image:
    """The picture, reduced by averaging if it is larger than `LARGEST` or longer than `LONGEST`."""
    excess = max((picture.width * picture.height / LARGEST) ** 0.5, max(picture.size) / LONGEST)
    if excess <= 1:
        return picture
    size = max(1, int(picture.width / excess)), max(1, int(picture.height / excess))
    return picture.convert("RGB").resize(size, Image.Resampling.BOX)
