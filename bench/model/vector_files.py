"""Files of vectors, read as they were written. The layouts are described in `bench.model.precomputed`."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bench.errors import BenchError
from bench.unpacking import check_unpacked, read_parquet

if TYPE_CHECKING:
    import pandas as pd

KINDS = (".npz", ".parquet", ".csv")
Split = tuple[str, str]
"""(task, split)."""


@dataclass(frozen=True)
class Rows:
    """The vectors of one split: `vectors()` reads [image, dim]; `ids` is None if row i is picture i."""

    vectors: Callable[[], np.ndarray]
    ids: tuple[str, ...] | None


@dataclass(frozen=True)
class Vectors:
    """What a file holds."""

    texts: tuple[str, ...]
    text_vectors: np.ndarray
    images: Mapping[Split, Rows]

    @property
    def dim(self) -> int:
        """Length of a vector: of the texts, else of the first split."""
        held = self.text_vectors if self.texts else next(iter(self.images.values())).vectors()
        return int(held.shape[-1])


def read_vectors(path: Path) -> Vectors:
    """What a file of vectors holds. Raises BenchError for a missing file, another kind or another layout."""
    if path.suffix not in KINDS or not path.is_file():
        problem = "is of another kind" if path.is_file() else "does not exist"
        raise BenchError(f"Vectors file {path} {problem}. Allowed: an existing {', '.join(KINDS)}.")
    vectors = _read_npz(path) if path.suffix == ".npz" else _read_table(path)
    if not vectors.texts and not vectors.images:
        raise BenchError(f"{path} holds neither texts nor pictures. See bench/model/precomputed.py for the layout.")
    return vectors


def _read_npz(path: Path) -> Vectors:
    """Texts now, pictures when asked for: an archive may be larger than memory."""
    try:
        with _opened(path) as archive:
            names = set(archive.files)
            texts = archive["texts"] if "texts" in names else np.zeros(0, str)
            vectors = archive["text_vectors"] if "text_vectors" in names else np.zeros((0, 0), np.float32)
            ids = {name.removeprefix("ids/"): archive[name] for name in names if name.startswith("ids/")}
    except Exception as error:  # a parser may raise anything on a broken file
        raise _unreadable(path, error) from error
    if vectors.ndim != 2 or len(texts) != len(vectors):
        raise BenchError(f"{path}: {len(texts)} texts and text_vectors of shape {vectors.shape}; expected [text, dim].")
    splits = sorted(name.removeprefix("images/") for name in names if name.startswith("images/"))
    images = {_split_of(name, path): _npz_rows(path, name, ids.get(name)) for name in splits}
    return Vectors(tuple(map(str, texts)), vectors, images)


def _opened(path: Path) -> Any:
    """The archive, unless it would unpack to far more than vectors do."""
    with zipfile.ZipFile(path) as archive:
        check_unpacked(path.stat().st_size, sum(entry.file_size for entry in archive.infolist()))
    return np.load(path, allow_pickle=False)


def _npz_rows(path: Path, name: str, ids: np.ndarray | None) -> Rows:
    def read() -> np.ndarray:
        try:
            with _opened(path) as archive:
                found: np.ndarray = archive[f"images/{name}"]
        except Exception as error:  # a parser may raise anything on a broken file
            raise _unreadable(path, error) from error
        if ids is not None and len(found) != len(ids):
            raise BenchError(f"{path}: images/{name} has {len(found)} rows and ids/{name} has {len(ids)}.")
        return found

    return Rows(read, None if ids is None else tuple(map(str, ids)))


def _split_of(name: str, path: Path) -> Split:
    task, slash, split = name.rpartition("/")
    if not slash or not task or not split:
        raise BenchError(f"{path}: array 'images/{name}' does not name its split; expected images/TASK/SPLIT.")
    return task, split


def _unreadable(path: Path, error: Exception) -> BenchError:
    return BenchError(
        f"{path} cannot be read ({error}). Expected arrays of numbers and of strings, written by "
        "numpy.savez with dtype=str for strings; objects are not read, because they can carry code."
    )


def _read_table(path: Path) -> Vectors:
    table = _frame(path)
    if absent := {"kind", "text"} - set(table.columns):
        raise BenchError(
            f"{path} has no column {', '.join(sorted(absent))}; it has {', '.join(table.columns[:8])}. "
            "Expected: kind, task, split, id, text, and vector or v0, v1, ..."
        )
    vectors = _vector_columns(table, path)
    kinds = table["kind"].astype(str)
    if strange := sorted(set(kinds) - {"image", "text"}):
        raise BenchError(f"{path}: kind {strange[0]!r} is not known; allowed: image, text.")
    texts = (kinds == "text").to_numpy()
    return Vectors(
        tuple(table.loc[texts, "text"].astype(str)), vectors[texts], _table_images(table, vectors, ~texts, path)
    )


def _frame(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        if path.suffix == ".parquet":
            return read_parquet(path)
        # "NA", "null" and "" are words here: a class may be called so.
        words = dict.fromkeys(("kind", "task", "split", "id", "text", "vector"), str)
        return pd.read_csv(path, dtype=words, keep_default_na=False)
    except Exception as error:  # a parser may raise anything on a broken file
        raise BenchError(f"{path} cannot be read as {path.suffix[1:]} ({error}).") from error


def _vector_columns(table: pd.DataFrame, path: Path) -> np.ndarray:
    """[row, dim] from a list column, or from v0 to vN."""
    import pandas as pd

    if "vector" in table.columns:
        rows = [_numbers(one, number, path) for number, one in enumerate(table["vector"])]
        lengths = {len(one) for one in rows}
        if len(lengths) > 1:
            raise BenchError(f"{path}: vectors of {len(lengths)} different lengths: {sorted(lengths)[:5]}.")
        return np.stack(rows) if rows else np.zeros((0, 0), np.float32)
    names = [f"v{i}" for i in range(sum(str(one)[:1] == "v" and str(one)[1:].isdigit() for one in table.columns))]
    if not names or set(names) - set(table.columns):
        raise BenchError(f"{path} has neither a column 'vector' nor columns v0, v1, ... without a gap.")
    return np.asarray(table[names].apply(pd.to_numeric, errors="coerce").to_numpy(np.float32))


def _numbers(value: Any, row: int, path: Path) -> np.ndarray:
    try:
        return np.asarray(json.loads(value) if isinstance(value, str) else value, dtype=np.float32).reshape(-1)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise BenchError(f"{path}: the vector of row {row} is not a list of numbers: {str(value)[:60]!r}.") from error


def _table_images(table: pd.DataFrame, vectors: np.ndarray, chosen: np.ndarray, path: Path) -> dict[Split, Rows]:
    if not chosen.any():
        return {}
    if absent := {"task", "split"} - set(table.columns):
        raise BenchError(f"{path}: pictures need the column {' and '.join(sorted(absent))}.")
    images: dict[Split, Rows] = {}
    groups = table[chosen].assign(row=np.flatnonzero(chosen)).groupby(["task", "split"], sort=True)
    for (task, split), part in groups:
        rows = vectors[part["row"].to_numpy()]
        ids = tuple(part["id"].astype(str)) if "id" in part and (part["id"].fillna("") != "").any() else None
        images[str(task), str(split)] = Rows(lambda rows=rows: rows, ids)  # type: ignore[misc]
    return images
