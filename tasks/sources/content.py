"""Pictures from files, bytes and arrays, and the hash of their content.

A fingerprint is made of the bytes of the pictures in order, and of nothing else, so that two copies of one data set,
or two tasks over the same pictures, share their embeddings. Hashes of large folders are remembered on disk under each
file's path, size, inode and times, so the second run does not read 50,000 files again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import DAMAGE, BenchError
from bench.picture_files import opened
from bench.task import Pictures, digest, draft
from tasks.sources.places import cache_root

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"})
REMEMBER_FROM = 1 << 26
"""Bytes in all (64 MiB) from which hashes are remembered on disk."""


def is_picture(path: Path) -> bool:
    """A file named like a picture and not hidden (macOS leaves a `._x.jpg` beside each `x.jpg`)."""
    return path.suffix.lower() in SUFFIXES and not is_hidden(path)


def is_hidden(path: Path) -> bool:
    """A hidden file or folder, or the folder that macOS adds to archives."""
    return path.name.startswith((".", "__MACOSX"))


def decode(data: bytes, where: str) -> Image:
    """A picture from its encoded bytes; a damaged one is a BenchError that names it."""
    from PIL import Image, UnidentifiedImageError

    try:
        picture = opened(io.BytesIO(data))
        draft(picture)
        picture.load()
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BenchError(
            f"{where} is not a readable picture ({len(data)} bytes: {error}). "
            "Fetch it again, or leave it out and say so."
        ) from error
    return picture


def from_files(paths: Sequence[Path]) -> Pictures:
    """Pictures read from files when asked for."""
    return Pictures(len(paths), lambda i: decode(_bytes(paths[i]), str(paths[i])))


def from_array(array: np.ndarray) -> Pictures:
    """Pictures of a uint8 array [image, height, width] or [image, height, width, 3]. ValueError for any other."""
    from PIL import Image

    shape = array.shape[1:]
    if array.dtype != "uint8" or len(shape) not in (2, 3) or 0 in shape or shape[2:] not in ((), (3,)):
        raise ValueError(f"{array.dtype} {array.shape} is no array of pictures")
    return Pictures(len(array), lambda i: Image.fromarray(array[i]))


def fingerprint_of_files(paths: Sequence[Path]) -> str:
    """Hash of the files' bytes, in order."""
    if _total_size(paths) < REMEMBER_FROM:
        return digest(*(_hash(path) for path in paths))
    memory = _Memory(Path(os.path.commonpath([str(path.absolute().parent) for path in paths])))
    hashes = [memory.hash(path.absolute()) for path in paths]
    memory.save()
    return digest(*hashes)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror}.") from error


def _total_size(paths: Sequence[Path]) -> int:
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError as error:
        raise BenchError(f"Cannot read {error.filename}: {error.strerror}.") from error


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:  # in pieces: a shard may be larger than memory
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror}.") from error


class _Memory:
    """Hashes of the files below one folder, kept under size, inode and times."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._file = cache_root() / "fingerprints" / f"{digest(str(folder))}.json"
        self._changed = False
        try:
            self._known: dict[str, list[int | str]] = {**json.loads(self._file.read_text())}
        except DAMAGE:
            self._known = {}

    def hash(self, path: Path) -> str:
        status = path.stat()
        name = os.path.relpath(path, self._folder)
        state = [status.st_size, status.st_mtime_ns, status.st_ino, status.st_ctime_ns]
        known = self._known.get(name)
        if not isinstance(known, list) or len(known) != 5 or known[:4] != state:
            known = [*state, _hash(path)]
            self._known[name], self._changed = known, True
        return str(known[4])

    def save(self) -> None:
        """Atomic; a folder that cannot be written only costs the time of hashing again."""
        if not self._changed:
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=self._file.parent, suffix=".tmp", delete=False) as out:
                json.dump(self._known, out)
            os.replace(out.name, self._file)
        except OSError:
            return
