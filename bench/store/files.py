"""Files of the store: arrays as `.npy`, each with a seal, a JSON that says what it is and hashes every shard of it.

Both are written to a temporary name and moved into place, the seal last: an array without a seal that fits does not
exist. Arrays are read by memory map; their hashes are checked once a process.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.errors import DAMAGE

SHARD = 2048
"""Rows that are computed, hashed and kept together."""


class Sealed(NamedTuple):
    """An array on disk: as far as its shards are sound."""

    array: np.ndarray
    sound: list[bool]
    """Of each shard: does it have its hash?"""


def atomic(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside `path`, then move it into place; nothing is left behind on failure."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".tmp-", suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def shards(count: int) -> list[range]:
    """The rows of each shard of `count` rows; an empty array has one empty shard."""
    return [range(start, min(start + SHARD, count)) for start in range(0, max(count, 1), SHARD)]


def write(base: Path, parts: Sequence[np.ndarray], about: Mapping[str, Any]) -> None:
    """The parts one under the other as `base.npy`, with its seal `base.json`; `about` says what it is."""
    first = parts[0]
    shape = (sum(map(len, parts)), *first.shape[1:])
    base.parent.mkdir(parents=True, exist_ok=True)
    data, seal = of(base)
    hashes: list[str] = []
    atomic(data, lambda path: hashes.extend(_fill(path, parts, shape, first.dtype)))
    record = {"shape": list(shape), "dtype": str(first.dtype), "shards": hashes, "written": int(time.time()), **about}
    atomic(seal, lambda path: path.write_text(json.dumps(record)))


def read(base: Path, verified: dict[tuple[str, int, int], list[bool]]) -> Sealed | None:
    """The array, if it has a seal of its shape; `verified` remembers files whose hashes were checked."""
    data, seal = of(base)
    try:
        record = json.loads(seal.read_text())
        array: np.ndarray = np.load(data, mmap_mode="r", allow_pickle=False)
        hashes = record["shards"]
        fits = list(array.shape) == record["shape"] and str(array.dtype) == record["dtype"]
        if not fits or len(hashes) != len(shards(len(array))):
            return None
        state = data.stat()
        key = (str(data), state.st_size, state.st_mtime_ns)
        if key not in verified:
            verified[key] = [_hash(part) == one for part, one in zip(_split(array), hashes, strict=True)]
        return Sealed(array, verified[key])
    except DAMAGE:
        return None


def of(base: Path) -> tuple[Path, Path]:
    """Array and seal."""
    return base.with_name(f"{base.name}.npy"), base.with_name(f"{base.name}.json")


def remove(base: Path) -> int:
    """Delete array and seal, the seal first; bytes that were freed."""
    data, seal = of(base)
    freed = 0
    for path in (seal, data):
        if path.exists():
            freed += path.stat().st_size
            path.unlink(missing_ok=True)
    return freed


def _fill(path: Path, parts: Sequence[np.ndarray], shape: tuple[int, ...], dtype: np.dtype) -> Iterator[str]:
    """Write an array file; the hash of each shard."""
    with path.open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            for rows in _split(part):
                block = np.ascontiguousarray(rows)
                file.write(block.tobytes())
                yield _hash(block)
        file.flush()
        os.fsync(file.fileno())


def _split(array: np.ndarray) -> Iterator[np.ndarray]:
    return (array[rows.start : rows.stop] for rows in shards(len(array)))


def _hash(block: np.ndarray) -> str:
    import xxhash

    return xxhash.xxh3_128_hexdigest(np.ascontiguousarray(block).tobytes())
