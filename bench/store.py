"""The store: vectors on disk, keyed by content, so that nothing is computed twice.

One entry is a `.npy` file (read by memory map) beside a `.json` with its checksum, shape and type. Both are written to
a temporary name and moved into place, the checksum last: an entry without a matching checksum file does not exist.
A damaged entry is computed again. Keys are content hashes, so an entry is never out of date and may be deleted at will.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import BenchError

FORMAT = "v1"


def default_folder() -> Path:
    """`$BENCH_STORE`, else `bench/store` in the user's cache folder."""
    if folder := os.environ.get("BENCH_STORE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bench" / "store"


@dataclass(frozen=True)
class Store:
    """Arrays by key in a folder; without a folder nothing is kept."""

    folder: Path | None = None

    def array(self, key: str, compute: Callable[[], np.ndarray]) -> np.ndarray:
        """The array stored under `key`, else `compute()`, which is then stored.

        Raises:
            BenchError: the disk is full or the folder cannot be written to.
        """
        return self.arrays([key], lambda missing: {key: compute()})[key]

    def arrays(
        self, keys: Sequence[str], compute: Callable[[list[str]], Mapping[str, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """The arrays stored under `keys`; those that are missing are computed together.

        `compute(missing)` gives at least the missing ones by key; whatever else it gives is stored too.

        Raises:
            BenchError: the disk is full or the folder cannot be written to.
        """
        stored = {} if self.folder is None else {key: self._read(key) for key in keys}
        found = {key: array for key, array in stored.items() if array is not None}
        missing = [key for key in keys if key not in found]
        made = compute(missing) if missing else {}
        if self.folder is not None:
            for key, array in made.items():
                self._write(key, array)
        return {key: found[key] if key in found else made[key] for key in keys}

    def get(self, key: str) -> np.ndarray | None:
        """The array stored under `key`; None if there is none, or if it is damaged."""
        return None if self.folder is None else self._read(key)

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def _paths(self, key: str) -> tuple[Path, Path]:
        assert self.folder is not None
        base = self.folder / FORMAT / key[:2]
        return base / f"{key}.npy", base / f"{key}.json"

    def _read(self, key: str) -> np.ndarray | None:
        data, seal = self._paths(key)
        try:
            sealed = json.loads(seal.read_text())
            if checksum(data) != sealed["sha256"]:
                return None
            array: np.ndarray = np.load(data, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, KeyError, TypeError, EOFError):
            return None
        return array

    def _write(self, key: str, array: np.ndarray) -> None:
        data, seal = self._paths(key)
        try:
            data.parent.mkdir(parents=True, exist_ok=True)
            atomic(data, lambda path: _save(path, array))
            record = {"sha256": checksum(data), "shape": list(array.shape), "dtype": str(array.dtype)}
            atomic(seal, lambda path: path.write_text(json.dumps(record)))
        except OSError as error:
            raise BenchError(
                f"Cannot write to the store {self.folder}: {error.strerror or error}. Free some space there, choose "
                "another place with store.folder=DIR, or run without a store: store.folder=null."
            ) from error


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


def _save(path: Path, array: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())
