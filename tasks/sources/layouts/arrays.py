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

from bench.errors import BenchError, reading
from bench.task import Records, digest
from bench.unpacking import check_unpacked
from tasks.sources.content import from_array
from tasks.sources.layouts.files import lines
from tasks.sources.layouts.pickles import load
from tasks.sources.matching import numbered

IDX = {"train": "train", "test": "t10k"}


def cifar10(root: Path, split: str) -> Records:
    """`cifar-10-batches-py`: five training batches and a test batch; names from `batches.meta`."""
    folder = root / "cifar-10-batches-py"
    files = [folder / f"data_batch_{i}" for i in range(1, 6)] if split == "train" else [folder / "test_batch"]
    return _cifar(files, _names(folder / "batches.meta", "label_names"), "labels", split)


def cifar100(root: Path, split: str) -> Records:
    """`cifar-100-python`: one file a split; fine names from `meta`."""
    folder = root / "cifar-100-python"
    return _cifar([folder / split], _names(folder / "meta", "fine_label_names"), "fine_labels", split)


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
    with reading(place, "an idx file of bytes"):
        with gzip.open(place) if place == packed else place.open("rb") as file:
            shape = _idx_shape(file)
            size = math.prod(shape)
            check_unpacked(place.stat().st_size, size)
            data = file.read(size + 1)
        if len(data) != size:
            held = "more" if len(data) > size else f"{len(data):,}"
            raise ValueError(f"its header says {size:,} bytes, and it holds {held}")
        return np.frombuffer(data, np.uint8).reshape(shape)


def _idx_shape(file: BufferedIOBase) -> list[int]:
    head = file.read(4)
    if head[:3] != b"\0\0\x08" or len(head) < 4:
        raise ValueError(f"it begins with {head!r}, not as an idx file of bytes does")
    sizes: list[int] = np.frombuffer(file.read(4 * head[3]), ">u4", head[3]).tolist()
    return sizes


def records_of_array(pictures: np.ndarray, keys: list[str], split: str) -> Records:
    """Records of uint8 [image, height, width] or [image, height, width, 3]. ValueError for any other, for `reading`."""
    if len(keys) != len(pictures):
        raise ValueError(f"{len(pictures)} pictures and {len(keys)} labels")
    pictures = np.ascontiguousarray(pictures)
    fingerprint = digest("array", str(pictures.shape), pictures.tobytes())
    return Records(from_array(pictures), keys, [f"{split}/{i:05d}" for i in range(len(pictures))], fingerprint)


def _names(path: Path, column: str) -> list[str]:
    with reading(path, "CIFAR's list of class names"):
        return [str(name) for name in load(path)[column]]


def _cifar(files: list[Path], names: list[str], column: str, split: str) -> Records:
    parts = [_batch(file, names, column) for file in files]
    keys = [key for _, part in parts for key in part]
    return records_of_array(np.concatenate([pictures for pictures, _ in parts]), keys, split)


def _batch(path: Path, names: list[str], column: str) -> tuple[np.ndarray, list[str]]:
    """uint8 [image, 32, 32, 3] and their keys."""
    with reading(path, "a batch of CIFAR"):
        content = load(path)
        pictures = content["data"].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        keys = [numbered(names, int(label)) for label in content[column]]
        if pictures.dtype != np.uint8 or len(keys) != len(pictures):
            raise ValueError(f"{len(pictures)} pictures of {pictures.dtype} and {len(keys)} labels")
        return pictures, keys


def stl10(root: Path, split: str) -> Records:
    """`stl10_binary`: pictures [3, width, height] of 96 x 96, labels from 1, names in `class_names.txt`.

    Coates, Ng, Lee 2011. The ten folds are folds of the training set; the test set is scored whole.
    """
    base = root / "stl10_binary"
    names = lines(base / "class_names.txt")
    with reading(base / f"{split}_y.bin", "labels of STL-10"):
        keys = [numbered(names, label - 1) for label in np.fromfile(base / f"{split}_y.bin", np.uint8).tolist()]
    with reading(base / f"{split}_X.bin", "pictures of STL-10"):
        flat = np.fromfile(base / f"{split}_X.bin", np.uint8).reshape(-1, 3, 96, 96)
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

    path, wanted = root / "fer2013" / "fer2013.csv", USAGES[split]
    with reading(path, "the table of the challenge"), path.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["Usage"] in wanted]
        pictures = np.stack([np.array(row["pixels"].split(), np.uint8).reshape(48, 48) for row in rows])
        return records_of_array(pictures, [row["emotion"] for row in rows], split)


def cifar10_1(root: Path, split: str) -> Records:
    """`cifar10.1/cifar10.1_v6_data.npy` (Recht et al. 2018); labels are CIFAR-10's numbers, in its order."""
    base = root / "cifar10.1"
    names = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    with reading(base / "cifar10.1_v6_labels.npy", "labels of CIFAR-10.1"):
        labels = np.load(base / "cifar10.1_v6_labels.npy", allow_pickle=False)
        keys = [numbered(names, int(label)) for label in labels]
    with reading(base / "cifar10.1_v6_data.npy", "pictures of CIFAR-10.1"):
        return records_of_array(np.load(base / "cifar10.1_v6_data.npy", allow_pickle=False), keys, split)
