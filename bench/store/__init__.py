"""The store: vectors on disk, keyed by content, so that nothing is computed twice.

    <folder>/v2/ab/abcd....npy + .json            an array with its seal (`files`)
    <folder>/v2/ab/abcd....part-3.npy + .json     a shard of an array of which others are missing still
    <folder>/locks/                               who is computing what

Rows of pictures are computed, written and hashed by shards of 2,048. A process that is killed leaves the shards that it
finished; a damaged shard is computed again, the others are kept. When all are there they are joined to one array.

Processes that want the same share the work: each takes a shard that nobody computes (a lock that the system releases
when its holder dies), and waits for the others' at the end. Locks (`locks`) are the system's `flock`: on a network file
system that does not have it (`nolock`), shards may be computed twice, never wrongly. Keys are content hashes, so an
entry is never out of date and may be deleted at will: `bench-store` shows and prunes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.store import files
from bench.store.files import SHARD, atomic, checksum, shards
from bench.store.locks import held
from bench.task import digest

__all__ = ["FORMAT", "SHARD", "WAITING", "ShareDoneError", "Store", "atomic", "checksum", "default_folder"]

FORMAT = "v2"
WAITING = "is stored, others are missing still"
"""What the reason of a cell says that waits for the shares of other processes."""
ATTEMPTS = 2
"""Times that vectors are made which somebody deletes before they are read."""
Compute = Callable[[list[str], range], Mapping[str, np.ndarray]]
"""compute(keys, rows) -> for each key (and perhaps others) its array of these rows."""


class ShareDoneError(BenchError):
    """This process has stored its share of the vectors, and others are missing still."""


def default_folder() -> Path:
    """`$BENCH_STORE`, else `bench/store` in the user's cache folder."""
    if folder := os.environ.get("BENCH_STORE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bench" / "store"


@dataclass(frozen=True)
class Store:
    """Arrays by key in a folder; without a folder nothing is kept."""

    folder: Path | None = None
    share: tuple[int, int] | None = None
    """(i, n): of pictures compute only every n-th shard, from the i-th on, and leave the others to other processes."""
    _verified: dict[tuple[str, int, int], list[bool]] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        if self.share is not None and self.folder is None:
            raise BenchError("A share of the vectors (shard=I/N) is of no use without a store; set store.folder.")

    def array(self, key: str, compute: Callable[[], np.ndarray], about: Mapping[str, Any] | None = None) -> np.ndarray:
        """The array stored under `key`, else `compute()`, which is then stored. `about` says what it is.

        Raises:
            BenchError: the disk is full or the folder cannot be written to.
        """
        found = self.get(key)
        if found is not None:
            return found
        if self.folder is None:
            return compute()
        with self._lock(key):
            found = self.get(key)  # another process may have made it while we waited
            return self.put(key, compute(), about) if found is None else found

    def rows(
        self, keys: Sequence[str], count: int, compute: Compute, about: Mapping[str, Mapping[str, Any]] | None = None
    ) -> dict[str, np.ndarray]:
        """The arrays of `count` rows stored under `keys`; what is missing is computed by shards, for all together.

        Whatever else `compute` gives is stored too. `about` says by key what is stored.

        Raises:
            BenchError: the disk is full, the folder cannot be written to, or what is stored there is deleted at once.
            ShareDoneError: not all is there yet, and what is not is others' share.
        """
        if self.folder is None:
            parts = [compute(list(keys), rows) for rows in shards(count)]
            return {key: np.concatenate([part[key] for part in parts]) for key in keys}
        found = {key: self.get(key) for key in keys}
        for _ in range(ATTEMPTS):
            if missing := [key for key, array in found.items() if array is None]:
                self._make(missing, count, compute, about or {})
                found |= {key: self.get(key) for key in missing}
        lost = [key for key, array in found.items() if array is None]
        if lost and self.share is not None:
            raise ShareDoneError(
                f"Share {self.share[0]} of {self.share[1]} of the vectors {WAITING}. When all shares are done, the "
                "same command without shard=... finds them in the store."
            )
        if lost:
            raise BenchError(
                f"Vectors that were just stored in {self.folder} are gone: somebody deletes them. Run again when "
                "that is done (`bench-store prune`?), or take another place with store.folder=DIR."
            )
        return {key: array for key, array in found.items() if array is not None}

    def plan(self, count: int) -> list[range]:
        """The shards of `count` rows that `rows` will ask for, in order, unless they are there already."""
        share, others = self.share or (0, 1)
        return shards(count)[share::others]

    def missing(self, keys: Sequence[str], count: int) -> int:
        """How many rows `rows` would compute now, over all keys; fewer where other processes share the work."""
        if self.folder is None:
            return len(keys) * count
        absent = [key for key in keys if self.get(key) is None]
        return sum(len(rows) * len(self._absent(absent, rows.start // SHARD)) for rows in self.plan(count))

    def get(self, key: str) -> np.ndarray | None:
        """The array stored under `key`; None if there is none. Sound shards of a damaged one are kept apart."""
        if self.folder is None:
            return None
        sealed = files.read(self._base(key), self._verified)
        if sealed is None:
            return None
        if all(sealed.sound):
            return sealed.array
        kept = {i: sealed.array[rows.start : rows.stop].copy() for i, rows in enumerate(shards(len(sealed.array)))
                if sealed.sound[i]}  # fmt: skip
        self._guarded(lambda: files.remove(self._base(key)))
        for i, rows in kept.items():
            self._write(self._part(key, i), [rows], {"key": key})
        return None

    def put(self, key: str, array: np.ndarray, about: Mapping[str, Any] | None = None) -> np.ndarray:
        """Store an array; the array as it is read back. Raises BenchError if it cannot be written."""
        if self.folder is None:
            return array
        self._write(self._base(key), [array], {"key": key, **(about or {})})
        found = self.get(key)
        return array if found is None else found

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def _make(self, keys: list[str], count: int, compute: Compute, about: Mapping[str, Mapping[str, Any]]) -> None:
        """All shards of these keys, first those that nobody else is computing."""
        number = len(shards(count))
        mine = [rows.start // SHARD for rows in self.plan(count)]
        made = dict.fromkeys(keys)
        taken = [i for i in mine if not self._shard(i, keys, count, compute, about, made, wait=False)]
        for i in taken:
            self._shard(i, keys, count, compute, about, made, wait=True)
        for key in made if number > 1 else ():
            self._join(key, number, about.get(key, {}))

    def _shard(
        self, i: int, keys: list[str], count: int, compute: Compute, about: Mapping[str, Mapping[str, Any]],
        made: dict[str, None], *, wait: bool,
    ) -> bool:  # fmt: skip
        """Compute a shard where it is missing; False if another process is at it and we do not wait."""
        from filelock import Timeout

        if not self._absent(keys, i):
            return True
        try:
            with self._lock(f"{digest(*sorted(keys))}-{i}", wait=wait):
                absent = self._absent(keys, i)
                parts = compute(absent, shards(count)[i]) if absent else {}
                for key, rows in parts.items():
                    made[key] = None
                    if self._absent([key], i):
                        base = self._part(key, i) if count > SHARD else self._base(key)
                        self._write(base, [rows], {"key": key, **about.get(key, {})})
        except Timeout:
            return False
        return True

    def _absent(self, keys: Iterable[str], i: int) -> list[str]:
        """Those of which neither the whole nor this shard is there."""
        return [key for key in keys if not self._sound(self._part(key, i)) and not self._sound(self._base(key))]

    def _sound(self, base: Path) -> bool:
        sealed = files.read(base, self._verified)
        return sealed is not None and all(sealed.sound)

    def _join(self, key: str, number: int, about: Mapping[str, Any]) -> None:
        """One array of all shards, if they are there; the shards go."""
        with self._lock(key):
            bases = [self._part(key, i) for i in range(number)]
            if not self._sound(self._base(key)):
                sealed = [files.read(base, self._verified) for base in bases]
                parts = [one.array for one in sealed if one is not None and all(one.sound)]
                if len(parts) < number:
                    return
                self._write(self._base(key), parts, {"key": key, **about})
            self._guarded(lambda: [files.remove(base) for base in bases])

    def _write(self, base: Path, parts: Sequence[np.ndarray], about: Mapping[str, Any]) -> None:
        self._guarded(lambda: files.write(base, parts, about))

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except OSError as error:
            raise BenchError(
                f"Cannot write to the store {self.folder}: {error.strerror or error}. Free some space there "
                "(`bench-store prune`), choose another place with store.folder=DIR, or run without a store: "
                "store.folder=null."
            ) from error

    def _lock(self, name: str, *, wait: bool = True) -> AbstractContextManager[Any]:
        assert self.folder is not None
        place = self.folder / "locks"
        self._guarded(lambda: place.mkdir(parents=True, exist_ok=True))
        # Of few names: their files stay, since to delete one that another process waits for would be a race.
        return held(place / f"{digest(name)[:3]}.lock", wait=wait)

    def _base(self, key: str) -> Path:
        assert self.folder is not None
        return self.folder / FORMAT / key[:2] / key

    def _part(self, key: str, i: int) -> Path:
        return self._base(f"{key}.part-{i}")
