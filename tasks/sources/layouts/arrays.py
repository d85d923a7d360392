"""Published layouts that keep pictures in arrays: CIFAR's batches and the idx files of MNIST and its kin.

CIFAR: Krizhevsky 2009, "python version". idx: LeCun et al., `magic, sizes, bytes`, big-endian; also gzipped.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path

import numpy as np

from bench.errors import BenchError
from bench.task import Records, digest
from bench.unpacking import check_unpacked
from tasks.sources.content import from_array
from tasks.sources.layouts.pickles import load

IDX = {"train": "train", "test": "t10k"}


def cifar10(root: Path, split: str) -> Records:
    """`cifar-10-batches-py`: five training batches and a test batch; names from `batches.meta`."""
    folder = root / "cifar-10-batches-py"
    files = [folder / f"data_batch_{i}" for i in range(1, 6)] if split == "train" else [folder / "test_batch"]
    return _cifar(files, load(folder / "batches.meta")["label_names"], "labels", split)


def cifar100(root: Path, split: str) -> Records:
    """`cifar-100-python`: one file a split; fine names from `meta`."""
    folder = root / "cifar-100-python"
    return _cifar([folder / split], load(folder / "meta")["fine_label_names"], "fine_labels", split)


def idx(folder: str) -> Callable[[Path, str], Records]:
    """`<folder>/raw/t10k-images-idx3-ubyte` and its kin; the key of a label is its number."""

    def read(root: Path, split: str) -> Records:
        stem = root / folder / "raw" / IDX[split]
        pictures = read_idx(Path(f"{stem}-images-idx3-ubyte"))
        labels = read_idx(Path(f"{stem}-labels-idx1-ubyte"))
        if pictures.ndim != 3 or labels.shape != (len(pictures),):
            raise BenchError(f"{stem}-*: pictures {pictures.shape} and labels {labels.shape} do not belong together.")
        return records_of_array(pictures, [str(label) for label in labels], split)

    return read


def read_idx(path: Path) -> np.ndarray:
    """A uint8 array from an idx file, or from the `.gz` beside it. No more is unpacked than its header says."""
    packed = path.with_name(path.name + ".gz")
    place = path if path.is_file() or not packed.is_file() else packed
    try:
        with gzip.open(place) if place == packed else place.open("rb") as file:
            shape = _idx_shape(file)
            size = math.prod(shape)
            check_unpacked(place.stat().st_size, size)
            data = file.read(size + 1)
        if len(data) != size:
            held = "more" if len(data) > size else f"{len(data):,}"
            raise ValueError(f"its header says {size:,} bytes, and it holds {held}")
        return np.frombuffer(data, np.uint8).reshape(shape)
    except Exception as error:  # a parser may raise anything on a broken file
        raise BenchError(f"{place} cannot be read: {error}. Fetch it again.") from error


def _idx_shape(file: BufferedIOBase) -> list[int]:
    head = file.read(4)
    if head[:3] != b"\0\0\x08" or len(head) < 4:
        raise ValueError(f"it begins with {head!r}, not as an idx file of bytes does")
    sizes: list[int] = np.frombuffer(file.read(4 * head[3]), ">u4", head[3]).tolist()
    return sizes


def records_of_array(pictures: np.ndarray, keys: list[str], split: str) -> Records:
    """Records of uint8 [image, height, width] or [image, height, width, 3]."""
    pictures = np.ascontiguousarray(pictures)
    fingerprint = digest("array", str(pictures.shape), pictures.tobytes())
    return Records(from_array(pictures), keys, [f"{split}/{i:05d}" for i in range(len(pictures))], fingerprint)


def _cifar(files: list[Path], names: list[str], column: str, split: str) -> Records:
    batches = [load(file) for file in files]
    try:
        flat = np.concatenate([batch["data"] for batch in batches])
        labels = [int(label) for batch in batches for label in batch[column]]
        pictures = flat.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        keys = [names[label] for label in labels]
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise BenchError(f"{files[0].parent} is not in CIFAR's layout ({error!r}).") from error
    if len(keys) != len(pictures):
        raise BenchError(f"{files[0].parent}: {len(pictures)} pictures and {len(keys)} labels.")
    return records_of_array(pictures, keys, split)


def stl10(root: Path, split: str) -> Records:
    """`stl10_binary`: pictures [3, width, height] of 96 x 96, labels from 1, names in `class_names.txt`.

    Coates, Ng, Lee 2011. The ten folds are folds of the training set; the test set is scored whole.
    """
    base = root / "stl10_binary"
    try:
        names = (base / "class_names.txt").read_text().split()
        flat = np.fromfile(base / f"{split}_X.bin", np.uint8).reshape(-1, 3, 96, 96)
        keys = [names[label - 1] for label in np.fromfile(base / f"{split}_y.bin", np.uint8)]
    except (OSError, ValueError, IndexError) as error:
        raise BenchError(f"{base} is not in STL-10's layout: {error}.") from error
    return records_of_array(flat.transpose(0, 3, 2, 1), keys, split)


USAGES = {
    "train": ("Training",),
    "val": ("PublicTest",),
    "test": ("PrivateTest",),
    "both": ("PublicTest", "PrivateTest"),
}


def fer2013(root: Path, split: str) -> Records:
    """`fer2013/fer2013.csv`: emotion, 48 x 48 grey values as text, Usage (Goodfellow et al. 2013)."""
    import csv

    path = root / "fer2013" / "fer2013.csv"
    with path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row.get("Usage") in USAGES[split]]
    try:
        pictures = np.stack([np.array(row["pixels"].split(), np.uint8).reshape(48, 48) for row in rows])
        return records_of_array(pictures, [row["emotion"] for row in rows], split)
    except (KeyError, ValueError) as error:
        raise BenchError(f"{path} is not in the layout of the challenge: {error}.") from error


def cifar10_1(root: Path, split: str) -> Records:
    """`cifar10.1/cifar10.1_v6_data.npy` (Recht et al. 2018); labels are CIFAR-10's numbers, in its order."""
    base = root / "cifar10.1"
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    pictures, labels = (np.load(base / f"cifar10.1_v6_{part}.npy", allow_pickle=False) for part in ("data", "labels"))
    return records_of_array(pictures, [names[label] for label in labels], split)
