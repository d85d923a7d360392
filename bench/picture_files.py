"""Pictures on disk: opened, looked at, and saved whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from bench.errors import BenchError
from bench.store import atomic

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
"""Of pictures that are read. Pillow knows more, and hands PostScript, which is a program, to an interpreter."""
BLANK = 8
"""A picture whose channels vary by less than so many of 255 steps shows nothing."""


def opened(file: Path | IO[bytes]) -> Image:
    """A picture of one of FORMATS, not yet decoded. Raises what Pillow does."""
    from PIL import Image

    return Image.open(file, formats=FORMATS)


def open_picture(path: Path) -> Image:
    """A picture on disk, decoded."""
    with opened(path) as picture:
        return picture.convert("RGB")


def looked_at(path: Path) -> tuple[str, str]:
    """(status, reason) of a picture on disk."""
    try:
        picture = open_picture(path)
    except Exception as error:  # a decoder may raise anything on a broken file
        return "failed", f"cannot be read ({type(error).__name__})"
    pixels = np.asarray(picture.convert("RGB"), dtype=np.int64)
    flat = int(np.ptp(pixels, axis=(0, 1)).max())
    return ("blank", "one flat colour") if flat < BLANK else ("ok", "")


def save_picture(picture: Image, path: Path) -> None:
    """As PNG, moved into place when it is whole.

    Raises:
        BenchError: the disk is full or the folder cannot be written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        atomic(path, lambda temporary: picture.save(temporary, "PNG"))
    except OSError as error:
        raise BenchError(
            f"Cannot keep pictures in {path.parent}: {error.strerror or error}. Free some space there, or "
            "choose another place with store.folder=DIR."
        ) from error
