"""A guard against leaks: does a training picture repeat a test picture, perhaps at another size?

`bench.duplicates` says when two pictures are near.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.duplicates import Thumbnails


class HeldOut(Thumbnails):
    """Thumbnails of all test pictures."""

    @classmethod
    def from_parquet(cls, folder: Path) -> Self:
        """From every `*.parquet` below a folder: rows of the split `test` (no split column: every row)."""
        return cls.from_pixels(_test_pictures(folder))


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
