"""Does a picture repeat another one, perhaps at another size or in another encoding?

Two answers. `pixel_digest`: the same pixels, to the bit. `Thumbnails`: a picture is reduced to a 16 x 16 RGB thumbnail
on white (so size no longer matters). Two pictures are called near when their thumbnails, each less its own mean,
differ by less than `TOLERANCE` grey levels (root mean square) and their means by less than twice that. Plain
thumbnails (nearly one colour) are never called near: they say nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from bench.task import digest

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 16
TOLERANCE = 6.0
PLAIN = 8.0
BLOCK = 1024
"""Pictures that are compared at a time with as many others: 4 MB of distances."""
Vectors = npt.NDArray[np.float32]


def pixel_digest(picture: Image) -> str:
    """A hash of size and colours; the same for a PNG and a BMP of one picture, another after any JPEG."""
    plain = picture.convert("RGBA")
    return digest(f"{plain.size}", plain.tobytes())


@dataclass(frozen=True)
class Thumbnails:
    """Thumbnails less their mean, float32 [picture, 768], and their mean grey levels [picture, 1]."""

    shapes: Vectors
    means: Vectors

    @classmethod
    def empty(cls) -> Self:
        """Of no picture."""
        return cls.from_pixels([])

    @classmethod
    def from_pixels(cls, pictures: Iterable[npt.NDArray[np.uint8]]) -> Self:
        """From uint8 arrays [3 or 4, height, width]."""
        return cls._from_rows([thumbnail(picture) for picture in pictures])

    @classmethod
    def from_images(cls, pictures: Iterable[Image]) -> Self:
        """From pictures of any mode, one at a time."""
        return cls._from_rows([_shrunk(picture.convert("RGBA")) for picture in pictures])

    @classmethod
    def _from_rows(cls, rows: list[Vectors]) -> Self:
        table = np.stack(rows) if rows else np.zeros((0, SIDE * SIDE * 3), np.float32)
        means = table.mean(axis=1, keepdims=True)
        return cls(shapes=table - means, means=means)

    def near(self, pixels: npt.NDArray[np.uint8]) -> bool:
        """Whether a picture [3 or 4, h, w] repeats one of these."""
        return bool(self.nearest(Thumbnails.from_pixels([pixels]))[0][0] >= 0)

    def nearest(self, others: Thumbnails) -> tuple[npt.NDArray[np.int64], Vectors]:
        """For each of the others, its nearest picture here: position (-1 if none is near) and distance, [other].

        Memory stays bounded by `BLOCK`, whatever the numbers of pictures.
        """
        found = np.full(len(others.means), -1, dtype=np.int64)
        least = np.full(len(others.means), np.inf, dtype=np.float32)
        telling = np.flatnonzero(np.sqrt(np.mean(others.shapes**2, axis=1)) >= PLAIN)
        own_squares = np.mean(self.shapes**2, axis=1)
        for rows in _blocks(telling):
            asked = others.shapes[rows]
            squares = np.mean(asked**2, axis=1)[:, None]
            for here in _blocks(np.arange(len(self.means))):
                product = asked @ self.shapes[here].T / np.float32(asked.shape[1])
                distance = np.sqrt(np.maximum(squares + own_squares[here] - 2 * product, 0))
                far = np.abs(others.means[rows] - self.means[here, 0]) >= 2 * TOLERANCE
                distance[far | (distance >= TOLERANCE)] = np.inf
                best = distance.argmin(axis=1)
                value = distance[np.arange(len(rows)), best]
                better = value < least[rows]
                found[rows[better]], least[rows[better]] = here[best[better]], value[better]
        return found, least


def thumbnail(pixels: npt.NDArray[np.uint8]) -> Vectors:
    """[3 or 4, h, w] -> float32 [768], box-averaged on white."""
    from PIL import Image

    return _shrunk(Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0))))


def _shrunk(picture: Image) -> Vectors:
    from PIL import Image

    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground.convert("RGB")
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel()


def _blocks(positions: npt.NDArray[np.int64]) -> Iterable[npt.NDArray[np.int64]]:
    return (positions[start : start + BLOCK] for start in range(0, len(positions), BLOCK))
