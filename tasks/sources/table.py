"""Reader of tables: CSV, TSV, JSON lines or Parquet with a picture column, a label column and any attributes.

The picture column holds paths, or encoded pictures (bytes, or the `{bytes, path}` of Hugging Face files).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, unknown
from bench.task import ClassName, Pictures, Records, digest
from bench.unpacking import read_parquet
from tasks.sources.content import decode, fingerprint_of_files, from_files
from tasks.sources.matching import keys_of
from tasks.sources.places import not_at_hand, resolve

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableReader:
    """See `from_table`."""

    path: str | Path
    image: str
    label: str | None
    split: str | None
    splits: Mapping[str, str]
    images: str | Path | None
    attributes: tuple[str, ...] | None
    separator: str | None
    classes: tuple[ClassName, ...] | None

    def __call__(self, split: str) -> Records:
        path = resolve(self.path)
        if not path.is_file():
            raise not_at_hand(f"the table {self.path}", [path])
        table = self._rows(read_table(path), split, path)
        images, ids, fingerprint = self._pictures(table[self.image].tolist(), path)
        return Records(images, self._keys(table), ids, fingerprint, self._attributes(table))

    def where(self) -> list[str]:
        """Where the data is looked for."""
        return [str(resolve(self.path))]

    def at_hand(self) -> bool:
        return resolve(self.path).is_file()

    def _rows(self, table: pd.DataFrame, split: str, path: Path) -> pd.DataFrame:
        for column in filter(None, (self.image, self.label, self.split, *(self.attributes or ()))):
            if column not in table.columns:
                raise unknown(f"column of {path.name}", column, map(str, table.columns))
        if self.split is None:
            return table
        wanted = self.splits.get(split, split)
        given = table[self.split].map(str)
        rows = table[given == wanted]
        if rows.empty:
            raise unknown(f"split in column {self.split!r} of {path.name}", wanted, set(given.tolist()))
        return rows

    def _pictures(self, cells: list[Any], path: Path) -> tuple[Pictures, list[str], str]:
        encoded: list[Any] = [cell.get("bytes") if isinstance(cell, dict) else cell for cell in cells]
        if encoded and all(isinstance(one, bytes) for one in encoded):
            ids = [str(cell.get("path") or i) if isinstance(cell, dict) else str(i) for i, cell in enumerate(cells)]
            pictures = Pictures(len(cells), lambda i: decode(encoded[i], f"{path}, row {i}"))
            return pictures, ids, digest(*map(digest, encoded))
        names: list[Any] = [cell.get("path") if isinstance(cell, dict) else cell for cell in cells]
        if not all(isinstance(name, str) and name for name in names):
            raise BenchError(
                f"{path}: column {self.image!r} should hold picture paths or encoded pictures; "
                f"the first other cell is in row {_first_other(names)}."
            )
        folder = resolve(self.images) if self.images is not None else path.parent
        files = [folder / name for name in names]
        missing = [file for file in files if not file.is_file()]
        if missing:
            raise BenchError(
                f"{path}: {len(missing)} of {len(files)} pictures are not there, first {missing[0]}. "
                "Paths are taken relative to the table, or to images=FOLDER."
            )
        return from_files(files), list(map(str, names)), fingerprint_of_files(files)

    def _keys(self, table: pd.DataFrame) -> list[str] | list[tuple[str, ...]]:
        if self.label is None:
            return []
        cells = table[self.label].tolist()
        if self.separator is not None:
            split = [tuple(part.strip() for part in str(cell).split(self.separator) if part.strip()) for cell in cells]
            return [tuple(self._match(row)) for row in split]
        if cells and not isinstance(cells[0], str) and hasattr(cells[0], "__iter__"):
            return [tuple(self._match([str(one) for one in cell])) for cell in cells]
        return self._match([_text(cell) for cell in cells])

    def _match(self, found: Sequence[str]) -> list[str]:
        if self.classes is None:
            return list(found)
        distinct = sorted(set(found))
        known = dict(zip(distinct, keys_of(distinct, self.classes, where=str(self.path)), strict=True))
        return [known[name] for name in found]

    def _attributes(self, table: pd.DataFrame) -> pd.DataFrame:
        others = [column for column in table.columns if column not in (self.image, self.label, self.split)]
        return table[list(others if self.attributes is None else self.attributes)].reset_index(drop=True)


def from_table(
    path: str | Path,
    *,
    image: str = "path",
    label: str | None = "label",
    split: str | None = None,
    splits: Mapping[str, str] | None = None,
    images: str | Path | None = None,
    attributes: Sequence[str] | None = None,
    separator: str | None = None,
    classes: Sequence[ClassName] | None = None,
) -> TableReader:
    """Reader of a table.

    `image` and `label` name columns; `split` names the column that holds the split (none: the table serves
    every split) and `splits` maps split names to what stands there. Picture paths are relative to `images`,
    else to the table. `attributes` are the columns to keep (default: all others).
    With `separator`, a label cell holds several labels.
    """
    return TableReader(
        path,
        image,
        label,
        split,
        dict(splits or {}),
        images,
        None if attributes is None else tuple(attributes),
        separator,
        None if classes is None else tuple(classes),
    )


def read_table(path: Path) -> pd.DataFrame:
    """A table by its file ending; text columns stay text (`007`, `NA` are labels, not numbers or gaps)."""
    import pandas as pd

    try:
        if path.suffix in (".parquet", ".pq"):
            return read_parquet(path)
        if path.suffix in (".jsonl", ".ndjson"):
            return pd.read_json(path, lines=True, dtype=False)
        if path.suffix in (".csv", ".tsv", ".txt"):
            return pd.read_csv(path, sep="\t" if path.suffix == ".tsv" else ",", dtype=str, keep_default_na=False)
    except Exception as error:  # a parser may raise anything on a broken file
        raise BenchError(f"{path} cannot be read as a table: {error}") from error
    raise BenchError(f"{path}: a table ends in .csv, .tsv, .jsonl or .parquet.")


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _first_other(names: list[Any]) -> int:
    return next(i for i, name in enumerate(names) if not (isinstance(name, str) and name))
