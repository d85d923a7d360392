"""Reader of Hugging Face data sets and of local folders in their layouts (parquet, imagefolder, webdataset).

Only data files are read: `datasets` 5 runs no code from a repository. Labels are joined through the names of the
column's ClassLabel; a repository that only has numbers needs `names`.
"""

from __future__ import annotations

import logging
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, first_line, reading, unknown, unreadable
from bench.model.hub import quick_to_fail
from bench.task import ClassName, Pictures, Records, digest
from bench.unpacking import check_parquet, check_unpacked, entry_bytes
from tasks.sources.content import decode
from tasks.sources.matching import keys_of
from tasks.sources.places import NotAtHandError, not_at_hand, offline, resolve

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

NUMBERS = "npy"
"""The column of DataComp's copies that holds WILDS' metadata as numbers."""


@dataclass(frozen=True)
class HubReader:
    """See `from_huggingface`."""

    repo: str
    revision: str | None
    config: str | None
    image: str
    label: str | None
    splits: Mapping[str, str]
    names: tuple[str, ...] | None
    attributes: tuple[str, ...]
    classes: tuple[ClassName, ...] | None
    captions: tuple[str, ...] = ()
    where_equal: tuple[str, str] | None = None
    numbers: tuple[str, ...] = ()

    def __call__(self, split: str) -> Records:
        table = self._load(self.splits.get(split, split))
        chosen_by = "" if self.where_equal is None else self.where_equal[0]
        numbers = NUMBERS if self.numbers else ""
        for column in filter(None, (self.image, self.label, *self.attributes, *self.captions, chosen_by, numbers)):
            if column not in table.column_names:
                raise unknown(f"column of {self.repo}", column, table.column_names)
        from datasets import Image

        table, folder = self._chosen(table), resolve(self.repo)
        with reading(self.repo, f"a table with pictures in column {self.image!r}"):
            cells = table.cast_column(self.image, Image(decode=False)).select_columns([self.image])
        ids = [f"{split}/{i}" for i in range(len(table))]
        return Records(
            Pictures(len(table), lambda i: self._picture(cells[i][self.image], folder, ids[i])),
            self._keys(table),
            ids,
            self._fingerprint(cells, folder, split),
            self._attributes(table, cells, folder),
        )

    def at_hand(self) -> bool:
        return resolve(self.repo).is_dir() or _in_hub_cache(self.repo, self.revision)

    def where(self) -> list[str]:
        """Where the data is looked for, in order."""
        return [str(resolve(self.repo)), f"Hugging Face: {self.repo} at {self.revision or 'main'}"]

    def describe(self) -> tuple[Mapping[str, Any], dict[str, int]]:
        """Columns with their features, and pictures a split. A local copy is read; of a hub one only its card."""
        import datasets

        local = resolve(self.repo)
        if not local.is_dir() and offline():
            raise not_at_hand(f"the hub repository {self.repo}", [local], reason="Downloads are switched off.")
        try:
            if local.is_dir():
                _check(local)
                splits = datasets.load_dataset(str(local), name=self.config)
                return next(iter(splits.values())).features, {str(name): len(one) for name, one in splits.items()}
            with quick_to_fail():
                info = datasets.load_dataset_builder(self.repo, name=self.config).info
            return info.features or {}, {str(name): one.num_examples for name, one in (info.splits or {}).items()}
        except Exception as error:  # as in _load
            raise NotAtHandError(f"{self.repo} cannot be had: {type(error).__name__}: {first_line(error)}.") from error

    def _load(self, split: str) -> Any:
        import datasets

        local = resolve(self.repo)
        if not local.is_dir() and offline() and not _in_hub_cache(self.repo, self.revision):
            raise not_at_hand(f"the hub repository {self.repo}", [local], reason="Downloads are switched off.")
        try:
            if local.is_dir():
                _check(local)
                return datasets.load_dataset(str(local), name=self.config, split=split)
            with quick_to_fail():
                if not _in_hub_cache(self.repo, self.revision):
                    log.warning("Downloading %s from the Hugging Face hub", self.repo)
                return datasets.load_dataset(self.repo, name=self.config, split=split, revision=self.revision)
        except Exception as error:  # the library raises many kinds: connection, missing repository, bad split
            if isinstance(error, ValueError) and "split" in str(error).lower():
                raise BenchError(f"{self.repo}: no split {split!r} there ({first_line(error)}).") from error
            if local.is_dir() and not isinstance(error, FileNotFoundError):  # there, but damaged
                raise unreadable(local, f"a copy of {self.repo}", error.__cause__ or error) from error
            raise NotAtHandError(
                f"The data of {self.repo} (Hugging Face, revision {self.revision or 'main'}) cannot be "
                f"had: {type(error).__name__}: {first_line(error)}. Without network, put a copy of the "
                f"repository's files at {local}, or fetch it elsewhere and bring the cache."
            ) from error

    def _picture(self, cell: dict[str, Any], folder: Path, name: str) -> Any:
        with reading(f"{self.repo}, {name}", "a picture"):
            return decode(content_of(cell, folder), f"{self.repo}, {name}")

    def _fingerprint(self, cells: Any, folder: Path, split: str) -> str:
        # A commit names its content, so a pinned hub copy need not be read to be identified.
        if self.revision and len(self.revision) == 40 and not folder.is_dir():
            part = [self.splits.get(split, split), *(self.where_equal or ())]
            return digest("hub", self.repo, self.revision, self.config or "", self.image, *part)
        return digest(*self._hashes(cells, folder))

    def _hashes(self, cells: Any, folder: Path) -> list[str]:
        """A hash of each picture's bytes."""
        with reading(self.repo, f"a table with pictures in column {self.image!r}"):
            return [digest(content_of(row[self.image], folder)) for row in cells]

    def _keys(self, table: Any) -> list[str]:
        if self.label is None:
            return []
        names = self.names or getattr(table.features[self.label], "names", None)
        values = table[self.label]
        if names is not None:
            keys = self._match(list(names))
            outside = next(
                (value for value in values if not isinstance(value, int) or not 0 <= value < len(keys)), None
            )
            if outside is not None:
                raise BenchError(
                    f"{self.repo}: column {self.label!r} holds {outside!r}; numbers from 0 to {len(keys) - 1} were "
                    "expected. A split without labels (-1) cannot be scored."
                )
            return [keys[value] for value in values]
        found = sorted({str(value) for value in values})
        known = dict(zip(found, self._match(found), strict=True))
        return [known[str(value)] for value in values]

    def _match(self, found: list[str]) -> list[str]:
        return found if self.classes is None else keys_of(found, self.classes, where=self.repo)

    def _chosen(self, table: Any) -> Any:
        """The rows where a column holds a value."""
        if self.where_equal is None:
            return table
        column, value = self.where_equal
        chosen = [i for i, cell in enumerate(table[column]) if str(cell) == value]
        if not chosen:
            raise unknown(f"value in column {column!r} of {self.repo}", value, map(str, set(table[column])))
        return table.select(chosen)

    def _attributes(self, table: Any, cells: Any, folder: Path) -> pd.DataFrame | None:
        """The columns asked for; with captions also these, and which rows show the same picture."""
        import pandas as pd
        import pyarrow as pa

        columns = [*self.attributes, *self.captions, *([NUMBERS] if self.numbers else [])]
        if not columns:
            return None
        with reading(self.repo, f"a table with columns {', '.join(columns)}", also=(pa.ArrowException,)):
            found: pd.DataFrame = table.select_columns(columns).to_pandas()
            found.astype(object)  # texts are decoded now, where damage has a name
        kept = found[list(self.attributes)]
        for place, name in enumerate(self.numbers):
            with reading(self.repo, f"a table with numbers in column {NUMBERS!r}"):
                kept = kept.assign(**{name: [str(int(row[place])) for row in found[NUMBERS]]})
        if not self.captions:
            return kept
        captions = pd.Series(found[list(self.captions)].values.tolist())
        return kept.assign(captions=captions, picture=self._hashes(cells, folder))


def from_huggingface(
    repo: str,
    *,
    revision: str | None = None,
    config: str | None = None,
    image: str = "image",
    label: str | None = "label",
    splits: Mapping[str, str] | None = None,
    names: Sequence[str] | None = None,
    attributes: Sequence[str] = (),
    classes: Sequence[ClassName] | None = None,
    captions: Sequence[str] = (),
    where_equal: tuple[str, str] | None = None,
    numbers: Sequence[str] = (),
) -> HubReader:
    """Reader of a hub repository at a pinned `revision`, or of a folder of that name here or in the data
    root.

    `image`, `label` and `attributes` name columns; `splits` maps split names to the repository's; `names`
    says what numbers mean *in this copy* where the column does not (write them out: the order of a class file
    is another matter). With `classes`, names are matched to class keys or names. For matching, `captions`
    names the caption columns, the right one first, and `label` is None. `where_equal=(column, value)` keeps
    the rows that have the value. `numbers` names the first entries of column `npy` (DataComp's copies).
    """
    return HubReader(
        repo,
        revision,
        config,
        image,
        label,
        dict(splits or {}),
        None if names is None else tuple(names),
        tuple(attributes),
        None if classes is None else tuple(classes),
        tuple(captions),
        where_equal,
        tuple(numbers),
    )


def content_of(cell: Mapping[str, Any], folder: Path) -> bytes:
    """The bytes of a picture cell: in the cell, in a file, or inside an archive (`zip://a.jpg::b.zip`).

    Raises:
        ValueError: a file that is neither named as below the `folder` of the copy (where links are the user's own)
            nor in the library's caches, or a decompression bomb.
    """
    if cell.get("bytes") is not None:
        return bytes(cell["bytes"])
    inner, _, outer = cell["path"].rpartition("::")
    place = Path(os.path.abspath(outer))
    if not any(place.is_relative_to(one) for one in _places(folder)):
        raise ValueError(f"it names {outer}, which is not a part of the data")
    if not inner:
        return place.read_bytes()
    if not inner.startswith("zip://") or "::" in inner:
        raise ValueError(f"it names {cell['path']}; pictures lie in files or in zip archives")
    with zipfile.ZipFile(place) as archive:
        entry = archive.getinfo(inner.removeprefix("zip://"))
        check_unpacked(entry.compress_size, entry.file_size)
        return entry_bytes(archive, entry.filename)


@lru_cache
def _places(folder: Path) -> tuple[Path, ...]:
    """Where pictures of a copy may lie, by either name: in its folder, and where the library keeps what it fetched and
    what it unpacked."""
    from datasets import config
    from huggingface_hub.constants import HF_HUB_CACHE

    places = (folder, HF_HUB_CACHE, config.HF_DATASETS_CACHE, config.DOWNLOADED_DATASETS_PATH)
    return tuple({Path(path(one)) for one in places for path in (os.path.abspath, os.path.realpath)})


def _check(folder: Path) -> None:
    """ValueError if a file of a local copy is a decompression bomb."""
    for file in sorted(folder.rglob("*.parquet")):
        check_parquet(file)


def _in_hub_cache(repo: str, revision: str | None) -> bool:
    from huggingface_hub.constants import HF_HUB_CACHE

    folder = Path(HF_HUB_CACHE) / f"datasets--{repo.replace('/', '--')}" / "snapshots"
    return (folder / revision).is_dir() if revision else folder.is_dir()
