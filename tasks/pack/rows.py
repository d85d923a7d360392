"""One row of the pack, and how pictures are brought to their size and encoding."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Row:
    """One picture of the pack; `image` is PNG, JPEG or lossless WebP."""

    image: bytes
    id: str
    label: str
    source: str
    licence: str
    split: str = "test"
    caption: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def md5(self) -> str:
        return hashlib.md5(self.image, usedforsecurity=False).hexdigest()


def frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a table: attributes become columns."""
    import pandas as pd

    records = []
    for row in rows:
        record = asdict(row)
        records.append({**{k: v for k, v in record.items() if k != "attributes"}, **row.attributes})
    return pd.DataFrame(records)


def without_repeats(rows: Iterable[Row]) -> list[Row]:
    """The first of equal pictures (same bytes), whatever its split: give the test rows first."""
    return list({row.md5: row for row in reversed(list(rows))}.values())[::-1]


def on_white(picture: Image.Image) -> Image.Image:
    """RGB, transparency laid on white."""
    if picture.mode in ("P", "PA", "LA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(ground, picture)
    return picture.convert("RGB")


def fit(picture: Image.Image, side: int) -> Image.Image:
    """Shrunk (never enlarged) so that the shorter side is at most `side`."""
    scale = side / min(picture.size)
    if scale >= 1:
        return picture
    return picture.resize([max(1, round(length * scale)) for length in picture.size], Image.Resampling.LANCZOS)


def squared(picture: Image.Image, side: int) -> Image.Image:
    """Shrunk to fit into `side` x `side`, centred on white: nothing is cropped away by a model's centre crop."""
    picture = picture.copy()
    picture.thumbnail((side, side), Image.Resampling.LANCZOS)
    ground = Image.new("RGB", (side, side), "white")
    ground.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return ground


def png(picture: Image.Image) -> bytes:
    """Losslessly compressed PNG."""
    target = io.BytesIO()
    picture.save(target, "PNG", optimize=True)
    return target.getvalue()


def webp(picture: Image.Image) -> bytes:
    """Lossless WebP: about half of PNG for drawings."""
    target = io.BytesIO()
    picture.save(target, "WEBP", lossless=True, quality=100, method=6, exact=True)
    return target.getvalue()


def jpeg(picture: Image.Image, *, quality: int) -> bytes:
    """JPEG, for photographs."""
    target = io.BytesIO()
    picture.save(target, "JPEG", quality=quality, optimize=True)
    return target.getvalue()
