"""Published layouts whose labels or pictures are in MATLAB files: Stanford Cars, Flowers 102, SVHN."""

from __future__ import annotations

import os
import zlib
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_all_start_methods, get_context
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bench.errors import BenchError, reading
from bench.task import Records
from bench.unpacking import check_unpacked
from tasks.sources.layouts.arrays import records_of_array
from tasks.sources.layouts.files import listed
from tasks.sources.matching import numbered

HEADER, COMPRESSED = 128, 15
"""Of a MATLAB 5 file: bytes before the first variable, and what a variable that is packed calls itself."""
ORDERS: dict[bytes, Literal["little", "big"]] = {b"IM": "little", b"MI": "big"}
PIECE = 1 << 20
SET_IDS = {"train": "trnid", "val": "valid", "test": "tstid"}


def cars(root: Path, split: str) -> Records:
    """`stanford_cars`: annotations with a class number; names in `devkit/cars_meta.mat`."""
    base = root / "stanford_cars"
    meta = base / "devkit" / "cars_meta.mat"
    with reading(meta, "class names of Stanford Cars"):
        names = [str(name) for name in np.atleast_1d(_load(meta)["class_names"])]
    table = base / ("devkit/cars_train_annos.mat" if split == "train" else "cars_test_annos_withlabels.mat")
    with reading(table, "annotations of Stanford Cars"):
        rows = np.atleast_1d(_load(table)["annotations"])
        files = [str(row["fname"]) for row in rows]
        keys = [numbered(names, int(row["class"]) - 1) for row in rows]
    return listed(base / f"cars_{split}", files, keys)


def flowers102(root: Path, split: str) -> Records:
    """`flowers-102`: `setid.mat` lists the picture numbers of a split, `imagelabels.mat` the class of each."""
    base = root / "flowers-102"
    with reading(base / "imagelabels.mat", "labels of Flowers 102"):
        labels = [str(int(label)) for label in np.atleast_1d(_load(base / "imagelabels.mat")["labels"])]
    with reading(base / "setid.mat", "splits of Flowers 102"):
        numbers = [int(number) for number in np.atleast_1d(_load(base / "setid.mat")[SET_IDS[split]])]
        keys = [numbered(labels, number - 1) for number in numbers]
    return listed(base / "jpg", [f"image_{number:05d}.jpg" for number in numbers], keys)


def svhn(root: Path, split: str) -> Records:
    """`test_32x32.mat`: pictures [32, 32, 3, image], labels 1 to 10 where 10 stands for the digit 0."""
    with reading(root / f"{split}_32x32.mat", "pictures of SVHN"):
        content = _load(root / f"{split}_32x32.mat")
        keys = [numbered("1234567890", int(label) - 1) for label in np.atleast_1d(content["y"])]
        return records_of_array(content["X"].transpose(3, 0, 1, 2), keys, split)


def _load(path: Path) -> dict[str, Any]:
    """The variables of a file, read by a process of its own: a damaged file can take scipy's reader, and with it all
    that runs in its process, down (found by fuzzing scipy 1.17)."""
    if not path.is_file():
        raise BenchError(f"{path} is not there.")
    try:
        with ProcessPoolExecutor(1, mp_context=_context()) as apart:
            return apart.submit(_read, str(path)).result()
    except Exception as error:  # a parser may raise anything on a broken file, or die of it
        raise BenchError(f"{path} cannot be read as a MATLAB file: {error}. Fetch it again.") from error


def _context() -> Any:
    """Processes that are forked from one which has all imported, where the system can."""
    context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload([__name__, "scipy.io"])
    return context


def _read(path: str) -> dict[str, Any]:
    from scipy.io import loadmat

    _check(Path(path))
    found: dict[str, Any] = loadmat(path, squeeze_me=True)
    return found


def _check(path: Path) -> None:
    """ValueError if a MATLAB 5 file has bombs among its variables. They are unpacked in pieces, and not kept."""
    size, unpacked = path.stat().st_size, 0
    with path.open("rb") as file:
        order = ORDERS.get(file.read(HEADER)[-2:])
        while order and len(tag := file.read(8)) == 8:
            kind, length = (int.from_bytes(part, order) for part in (tag[:4], tag[4:]))
            if kind != COMPRESSED:
                file.seek(length, os.SEEK_CUR)
                continue
            packed, inflate = file.read(length), zlib.decompressobj()
            while packed and not inflate.eof:
                unpacked += len(inflate.decompress(packed, PIECE))
                check_unpacked(size, unpacked)
                packed = inflate.unconsumed_tail
