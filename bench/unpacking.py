"""Decompression bombs, refused before they fill the memory: data that would unpack to far more than real data does.

Deflate can reach a factor of 1,030, and Parquet stores any number of equal rows in a few bytes. The pictures of MNIST
unpack to 5 times their size, its labels to 2, vectors to hardly more than 1; only dSprites, white shapes on black,
reaches 117, and is streamed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zipfile import ZipFile

    import pandas as pd

FACTOR, HARMLESS = 100, 1 << 28
"""Data may unpack to so many times its size; and to a quarter of a GiB in any case."""
CELL = 8
"""Bytes of a number or of a reference to a text, whatever its column was packed to."""


def check_unpacked(packed: int, unpacked: int) -> None:
    """ValueError if `packed` bytes claim to hold `unpacked` ones and that cannot be meant."""
    if unpacked > max(HARMLESS, FACTOR * packed):
        many = f"{unpacked:,}" if unpacked < 1 << 60 else "more than there is room for"
        raise ValueError(
            f"its {packed:,} bytes would unpack to {many}, more than {FACTOR} times as many: a decompression bomb"
        )


def entry_bytes(archive: ZipFile, name: str) -> bytes:
    """A zip's entry, of which no more is unpacked than the archive says of it; `ZipFile.read` looks afterwards only.

    Raises:
        BadZipFile: it holds more.
    """
    entry = archive.getinfo(name)
    with archive.open(entry) as file:
        return file.read(entry.file_size)


def check_parquet(path: Path) -> None:
    """ValueError if a Parquet file says of itself that it would not fit. Reads its end only."""
    import pyarrow.parquet as pq

    said = pq.read_metadata(path)
    pages = sum(said.row_group(i).total_byte_size for i in range(said.num_row_groups))
    check_unpacked(path.stat().st_size, max(pages, said.num_rows * said.num_columns * CELL))


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """The table in a Parquet file that is none of those bombs. Raises what its parser raises, or ValueError."""
    import pandas as pd

    check_parquet(path)
    table = pd.read_parquet(path, columns=None if columns is None else list(columns))
    for _, column in table.items():
        if isinstance(column.dtype, pd.StringDtype):
            column.astype(object)  # else texts are decoded later, where damage has no name
    return table
