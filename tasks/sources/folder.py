"""Reader of plain folders: one folder a class, in one folder a split."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.errors import BenchError
from bench.task import ClassName, Records
from tasks.sources.content import fingerprint_of_files, from_files, is_hidden, is_picture
from tasks.sources.matching import keys_of
from tasks.sources.places import not_at_hand, resolve

USUAL_SPLITS = ("train", "val", "valid", "validation", "test")


@dataclass(frozen=True)
class FolderReader:
    """See `from_folder`."""

    path: str | Path
    splits: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[ClassName, ...] | None = None

    def __call__(self, split: str) -> Records:
        folder = self._folder(split)
        files = pictures_by_class(folder)
        keys = [file.relative_to(folder).parts[0] for file in files]
        if self.classes is not None:
            found = sorted(set(keys))
            known = dict(zip(found, keys_of(found, self.classes, where=str(folder)), strict=True))
            keys = [known[key] for key in keys]
        return records_of_files(files, keys, root=folder)

    def where(self) -> list[str]:
        """Where the data is looked for."""
        return [str(resolve(self.path))]

    def at_hand(self) -> bool:
        return resolve(self.path).is_dir()

    def _folder(self, split: str) -> Path:
        root = resolve(self.path)
        if not root.is_dir():
            raise not_at_hand(f"the folder {self.path}", [root])
        if split in self.splits:
            folder = root / self.splits[split]
        elif (root / split).is_dir():
            folder = root / split
        elif any((root / usual).is_dir() for usual in USUAL_SPLITS):
            there = sorted(one.name for one in root.iterdir() if one.is_dir())
            raise BenchError(
                f"{root} has no folder for split {split!r}. It has {', '.join(there)}; "
                "name the one to use: from_folder(..., splits={'" + split + "': '...'})."
            )
        else:
            folder = root
        if not folder.is_dir():
            raise not_at_hand(f"split {split!r} of {self.path}", [folder])
        return folder


def from_folder(
    path: str | Path, *, splits: Mapping[str, str] | None = None, classes: Sequence[ClassName] | None = None
) -> FolderReader:
    """Reader of `path/<split>/<class>/**/*.jpg`; a folder without split folders serves every split.

    `path` is absolute, relative to here, or within the data root. `splits` maps split names to folder names
    ('' for the folder itself). With `classes`, folder names are matched to class keys or names; without,
    they are the keys. Hidden files and files that are no pictures are passed over.
    """
    return FolderReader(path, dict(splits or {}), None if classes is None else tuple(classes))


def pictures_by_class(folder: Path) -> list[Path]:
    """Picture files one or more levels below `folder`, sorted by path.

    Raises:
        BenchError: no class folder, a class folder without pictures, or a file name that is not valid UTF-8.
    """
    classes = sorted(one for one in folder.iterdir() if one.is_dir() and not is_hidden(one))
    if not classes:
        loose = sum(is_picture(one) for one in folder.iterdir())
        raise BenchError(
            f"{folder} has no class folders"
            + (f", only {loose} loose pictures" if loose else "")
            + ". Expected one folder a class with the pictures in it."
        )
    files: list[Path] = []
    for one in classes:
        inside = _pictures(one)
        if not inside:
            raise BenchError(f"The class folder {one} holds no picture. Remove it, or put pictures (jpg, png, ...) in.")
        files += inside
    return files


def records_of_files(files: Sequence[Path], keys: Sequence[str], *, root: Path) -> Records:
    """Records of picture files; ids are paths relative to `root`."""
    ids = [file.relative_to(root).as_posix() for file in files]
    return Records(from_files(files), list(keys), ids, fingerprint_of_files(files))


def _pictures(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not is_hidden(Path(name)))
        for name in sorted(names):
            path = Path(place, name)
            if is_picture(path):
                _check_name(path)
                found.append(path)
    return found


def _check_name(path: Path) -> None:
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        raise BenchError(f"The file name {os.fsencode(path)!r} is not valid UTF-8. Rename the file.") from None
