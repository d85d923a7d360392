"""Does a training picture repeat a test picture, perhaps at another size? A guard against leaks.

A picture is reduced to a 16 x 16 RGB thumbnail on white (so size no longer matters). Two pictures are called near
when their thumbnails, each less its own mean, differ by less than `TOLERANCE` grey levels (root mean square) and
their means by less than twice that. Plain thumbnails (nearly one colour) are never called near: they say nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt

SIDE = 16
TOLERANCE = 6.0
PLAIN = 8.0
Vectors = npt.NDArray[np.float32]


@dataclass(frozen=True)
class HeldOut:
    """Thumbnails of all test pictures, float32 [n, 768], and their mean grey levels [n, 1]."""

    shapes: Vectors
    means: Vectors

    @classmethod
    def empty(cls) -> "HeldOut":
        """Nothing is held out."""
        return cls.from_pixels([])

    @classmethod
    def from_pixels(cls, pictures: Iterable[npt.NDArray[np.uint8]]) -> "HeldOut":
        """From uint8 arrays [3 or 4, height, width]."""
        rows = [thumbnail(picture) for picture in pictures]
        table = np.stack(rows) if rows else np.zeros((0, SIDE * SIDE * 3), np.float32)
        means = table.mean(axis=1, keepdims=True)
        return cls(shapes=table - means, means=means)

    @classmethod
    def from_parquet(cls, folder: Path) -> "HeldOut":
        """From every `*.parquet` below a folder: rows of the split `test` (no split column: every row)."""
        return cls.from_pixels(_test_pictures(folder))

    def near(self, pixels: npt.NDArray[np.uint8]) -> bool:
        """Whether a picture [3 or 4, h, w] repeats one of these."""
        row = thumbnail(pixels)
        mean, shape = row.mean(), row - row.mean()
        if not len(self.means) or np.sqrt(np.mean(shape**2)) < PLAIN:
            return False
        likely = np.flatnonzero(np.abs(self.means[:, 0] - mean) < 2 * TOLERANCE)
        distance = np.sqrt(np.mean((self.shapes[likely] - shape) ** 2, axis=1))
        return bool(len(likely)) and bool(distance.min() < TOLERANCE)


def thumbnail(pixels: npt.NDArray[np.uint8]) -> Vectors:
    """[3 or 4, h, w] -> float32 [768], box-averaged on white."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    if picture.mode == "RGBA":
        ground = Image.new("RGBA", picture.size, "white")
        ground.alpha_composite(picture)
        picture = ground.convert("RGB")
    small = picture.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32).ravel()


def _test_pictures(folder: Path) -> Iterable[npt.NDArray[np.uint8]]:
    import pyarrow.parquet as pq
    from PIL import Image

    for path in sorted(folder.rglob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches():
            for row in batch.to_pylist():
                if row.get("split", "test") == "test":
                    data = row["image"]["bytes"] if isinstance(row["image"], dict) else row["image"]
                    picture = Image.open(BytesIO(data)).convert("RGBA")
                    yield np.asarray(picture).transpose(2, 0, 1)
