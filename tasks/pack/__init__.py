"""The bundled pack: small real picture sets inside the package, so that every protocol has something to run on offline.

`from_pack` reads one of the Parquet files of this folder. `NOTICE.md` names every source with its licence;
`python -m tasks.pack.build --raw DIR` rebuilds the files. One row is one picture: `image` (encoded bytes), `id`,
`label`, `split`, `caption`, `source`, `licence`, and the attributes of that set (`style`, `gender`, `tone` ...).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import reading, unknown
from bench.picture_files import opened
from bench.task import Pictures, Records, digest

if TYPE_CHECKING:
    import pandas as pd
    from PIL.Image import Image

FOLDER = Path(__file__).parent
NOT_ATTRIBUTES = ("image", "id", "split")
MEND = "Install the package anew."


def from_pack(name: str, *, key: str = "label", where: Mapping[str, str] | None = None) -> Callable[[str], Records]:
    """A reader of the bundled set `name`: split -> Records.

    Args:
        name: A Parquet file of this folder, without its ending.
        key: The column that holds the class keys.
        where: Keep only rows whose columns have these values, such as `{"style": "noto"}`.
    """

    def read(split: str) -> Records:
        table = _table(name)
        wanted = table["split"] == split
        for column, value in (where or {}).items():
            wanted &= table[column] == value
        rows = table[wanted].reset_index(drop=True)
        images = rows["image"].tolist()
        return Records(
            images=Pictures(len(images), lambda i: _decode(images[i], f"{name}: {rows['id'][i]}")),
            keys=rows[key].tolist(),
            ids=rows["id"].tolist(),
            fingerprint=digest(*images, *rows[key]),
            attributes=rows.drop(columns=[*NOT_ATTRIBUTES]),
        )

    return read


def files() -> list[Path]:
    """The Parquet files of the pack."""
    return sorted(FOLDER.glob("*.parquet"))


@cache
def _table(name: str) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    path = FOLDER / f"{name}.parquet"
    if not path.is_file():
        raise unknown("set of the bundled pack", name, [file.stem for file in files()])
    with reading(path, "a set of the bundled pack", mend=MEND, also=(pa.ArrowException,)):
        return pd.read_parquet(path)


def _decode(data: bytes, what: str) -> Image:
    with reading(f"{what} of the bundled pack", "a picture", mend=MEND):
        return opened(io.BytesIO(data)).convert("RGB")
