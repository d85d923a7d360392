"""Small JPEGs of pictures, as reports show them."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 128
"""Pixels of the longer side at most."""


def jpeg(picture: Image, *, side: int = SIDE) -> bytes:
    """JPEG of at most `side` pixels; transparency is shown on white, tiny pictures are enlarged in whole steps."""
    from PIL import Image

    rgba = picture.convert("RGBA")
    white = Image.new("RGBA", rgba.size, "white")
    shown = Image.alpha_composite(white, rgba).convert("RGB")
    if max(shown.size) * 2 <= side:
        factor = side // max(shown.size)
        shown = shown.resize((shown.width * factor, shown.height * factor), Image.Resampling.NEAREST)
    shown.thumbnail((side, side))
    buffer = io.BytesIO()
    shown.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
