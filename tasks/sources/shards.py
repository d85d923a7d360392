"""Reader of webdataset folders in the layout of CLIP_benchmark (the `wds_*` collections).

    FOLDER/classnames.txt                            one name a line: what the numbers in .cls files mean
    FOLDER/zeroshot_classification_templates.txt     not used: templates belong to the task
    FOLDER/test/0.tar, 1.tar ...                     members 000.jpg (.jpeg, .png, .webp) and 000.cls, a number
                                                     DataComp adds 000.npy: numbers that WILDS calls metadata

DataComp's downloads have the same layout in folders called `wds_*_test`; these are found too.
Shards are read with `tarfile` and nothing is unpacked or run: members must be plain files with plain names. Only the
places of the pictures are kept; each is read from its shard when asked for.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from bench.errors import BenchError, reading
from bench.task import ClassName, Pictures, Records, digest
from tasks.sources.content import decode, fingerprint_of_files
from tasks.sources.matching import keys_of
from tasks.sources.places import not_at_hand, resolve

if TYPE_CHECKING:
    import pandas as pd

PICTURES = ("jpg", "jpeg", "png", "webp")


class Place(NamedTuple):
    """Where a member's bytes lie."""

    shard: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.shard.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class Sample(NamedTuple):
    """One sample of a shard: its id, its picture, the text of its label, its numbers (if it has any)."""

    name: str
    picture: Place
    label: str
    numbers: Place | None


@dataclass(frozen=True)
class ShardReader:
    """See `from_webdataset`."""

    path: str | Path
    classes: tuple[ClassName, ...]
    splits: Mapping[str, str]
    called: Mapping[str, str]
    numbers: tuple[str, ...] = ()

    def __call__(self, split: str) -> Records:
        root = self._root()
        shards = _shards(root / self.splits.get(split, split))
        if not shards:
            raise not_at_hand(f"{self.path} ({split})", [root / self.splits.get(split, split) / "0.tar"])
        found = [sample for shard in shards for sample in read_shard(shard)]
        keys = self._keys(root, [int(one.label) for one in found])
        places, ids = [one.picture for one in found], [one.name for one in found]
        pictures = Pictures(len(places), lambda i: decode(places[i].read(), f"{places[i].shard.name}:{ids[i]}"))
        return Records(pictures, keys, ids, digest("shards", fingerprint_of_files(shards)), self._numbers(found))

    def where(self) -> list[str]:
        """Where the data is looked for."""
        return [str(resolve(self.path))]

    def at_hand(self) -> bool:
        return self._root().is_dir()

    def _root(self) -> Path:
        """The folder, or DataComp's folder of the same data."""
        root, other = resolve(self.path), resolve(f"{self.path}_test")
        return other if other.is_dir() and not root.is_dir() else root

    def _numbers(self, found: Sequence[Sample]) -> pd.DataFrame | None:
        """The first numbers of each sample's .npy, under the names given, as text."""
        import pandas as pd

        if not self.numbers:
            return None
        rows = [read_numbers(one) for one in found]
        short = next((one for one, row in zip(found, rows, strict=True) if len(row) < len(self.numbers)), None)
        if short is not None:
            raise BenchError(
                f"{short.picture.shard}: sample {short.name!r} needs a .npy with at least {len(self.numbers)} numbers "
                f"({', '.join(self.numbers)}), as DataComp's copy has."
            )
        return pd.DataFrame([list(map(str, row[: len(self.numbers)])) for row in rows], columns=pd.Index(self.numbers))

    def _keys(self, root: Path, labels: list[int]) -> list[str]:
        listing = root / "classnames.txt"
        if not listing.is_file():
            raise BenchError(
                f"{root} has no classnames.txt, so its numbers cannot be joined to classes by name. "
                "Put the collection's list of class names there, one a line."
            )
        with reading(listing, "a list of class names, one a line"):
            names = listing.read_text(encoding="utf-8").rstrip("\n").split("\n")
        known = [self.called.get(name.strip(), name.strip()) for name in names]
        keys = keys_of(known, self.classes, where=str(listing))
        outside = sorted({label for label in labels if not 0 <= label < len(keys)})
        if outside:
            raise BenchError(f"{root}: label {outside[0]} is beyond the {len(keys)} names of classnames.txt.")
        return [keys[label] for label in labels]


def from_webdataset(
    path: str | Path,
    classes: Sequence[ClassName],
    *,
    splits: Mapping[str, str] | None = None,
    called: Mapping[str, str] | None = None,
    numbers: Sequence[str] = (),
) -> ShardReader:
    """Reader of `path` (absolute, from here, or in the data root).

    `splits` maps split names to folder names; `called` maps names of classnames.txt that are not ours to
    class keys; `numbers` names the first entries of the .npy files, which become attributes.
    """
    return ShardReader(path, tuple(classes), dict(splits or {}), dict(called or {}), tuple(numbers))


def read_numbers(sample: Sample) -> list[int]:
    """The whole numbers in a sample's .npy; none if it has no such file. No pickle is ever run."""
    import numpy as np

    if sample.numbers is None:
        return []
    with reading(f"{sample.picture.shard}: the .npy of sample {sample.name!r}", "an array of numbers"):
        found = np.load(io.BytesIO(sample.numbers.read()), allow_pickle=False)
        return [int(number) for number in found.reshape(-1)]


def read_shard(shard: Path) -> list[Sample]:
    """Every sample in a shard, in the order of the archive.

    Raises:
        BenchError: not a tar file, a link or odd name in it, or a sample without picture or label.
    """
    samples: dict[str, dict[str, Place]] = {}
    with reading(shard, "a complete tar file", also=(tarfile.TarError,)):
        with tarfile.open(shard, "r:") as archive:
            for member in archive:
                if member.isdir():
                    continue
                stem, ending = _split_name(member, shard)
                samples.setdefault(stem, {})[ending] = Place(shard, member.offset_data, member.size)
        return [_sample(stem, parts, shard) for stem, parts in samples.items()]


def _split_name(member: tarfile.TarInfo, shard: Path) -> tuple[str, str]:
    path = PurePosixPath(member.name)
    if not member.isfile() or path.is_absolute() or ".." in path.parts:
        raise BenchError(
            f"{shard}: the member {member.name!r} is a link, a device or leaves its folder. "
            "A data set has no need of these; do not trust this file."
        )
    stem, _, ending = path.name.partition(".")
    return str(path.parent / stem), ending.lower()


def _sample(stem: str, parts: dict[str, Place], shard: Path) -> Sample:
    picture = next((parts[ending] for ending in PICTURES if ending in parts), None)
    if picture is None or "cls" not in parts:
        raise BenchError(
            f"{shard}: sample {stem!r} has {', '.join(sorted(parts))}; it needs a picture "
            f"({', '.join(PICTURES)}) and a label (cls)."
        )
    label = parts["cls"].read().decode("utf-8", "replace").strip()
    if not re.fullmatch(r"\d{1,9}", label):
        raise BenchError(f"{shard}: the label of sample {stem!r} is {label!r}; a whole number was expected.")
    return Sample(f"{shard.parent.name}/{shard.stem}/{stem}", picture, label, parts.get("npy"))


def _shards(folder: Path) -> list[Path]:
    found = folder.glob("*.tar") if folder.is_dir() else ()
    return sorted(found, key=lambda path: (len(path.stem), path.stem))
