"""The journal of a run: the rows of each finished cell, so that a command given again goes on where it was stopped.

A cell counts as finished when all that it leaves (predictions, tables, pictures) is on disk; its rows are written last,
in one move. They are taken again only for the same configuration, content of the files that it names, model, versions
of the libraries and place in the run, while all that the cell left is there, and for the same data: pictures, labels
and attributes of each split that it read, and what its tasks say of themselves (classes, templates ...). All but the
times is then bit for bit what an undisturbed run gives. A cell that failed or was skipped is tried again, and so is one
whose note is damaged, or that read what is no split of the run's own tasks.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.errors import DAMAGE
from bench.store import atomic, checksum
from bench.task import digest

NAME = "finished"
LARGE = 2**28
"""Bytes from which on a file that the configuration names is not read to see whether it changed."""
Row = dict[str, Any]
Fingerprints = dict[str, str]


@dataclass(frozen=True)
class Journal:
    """The finished cells of the run in `folder`; `identity` is all that decides its rows but the data."""

    folder: Path
    identity: str
    left: list[str] = field(default_factory=list)
    """Files, by their place in the folder, that the cell at work has written."""

    def once(
        self,
        cell: str,
        data: Callable[[Iterable[str]], Fingerprints],
        work: Callable[[], list[Row]],
        read: Callable[[], Fingerprints],
    ) -> list[Row]:
        """The rows of the cell of this name: those noted for the same data, else of `work()`, which are then noted.

        Not noted are rows of which one says that the cell is not finished.

        Args:
            data: fingerprints, by name, of what a noted cell has read, as it is now; empty where it cannot be told.
            read: what `work` has read.
        """
        place = self._path(cell)
        noted = _noted(place)
        if (noted is not None and all(noted["data"].values()) and noted["data"] == data(noted["data"])
                and all(_there(self.folder / name) for name in noted["files"])):  # fmt: skip
            return list(noted["rows"])
        self.left.clear()
        rows = work()
        if all(row["status"] == "ok" for row in rows):
            place.parent.mkdir(parents=True, exist_ok=True)
            kept = {"cell": cell, "data": read(), "files": list(self.left), "rows": rows}
            note = {**kept, "seal": _seal(kept)}
            atomic(place, lambda path: path.write_text(json.dumps(note, default=_plain)))
        return rows

    def _path(self, cell: str) -> Path:
        return self.folder / NAME / f"{digest(self.identity, cell)}.json"


def _noted(place: Path) -> dict[str, Any] | None:
    """What is noted there, if it is whole."""
    try:
        found: dict[str, Any] = json.loads(place.read_text())
        return found if found["seal"] == _seal(found) else None
    except DAMAGE:
        return None


def _seal(note: dict[str, Any]) -> str:
    """Of a note: the same before it is written and after it is read."""
    return digest(json.dumps([note[name] for name in ("data", "files", "rows")], default=_plain))


def _there(file: Path) -> bool:
    return file.is_file() and file.stat().st_size > 0


def whole(folder: Path) -> bool:
    """Whether all files that noted cells left are there."""
    noted = [_noted(place) for place in (folder / NAME).glob("*.json")]
    return all(_there(folder / name) for note in noted if note is not None for name in note["files"])


def content(value: Any) -> dict[str, str]:
    """Of each file that a configuration names, at any depth, what is in it; of a run folder or sweep its rows."""
    if isinstance(value, dict | list):
        parts = value.values() if isinstance(value, dict) else value
        return {name: found for part in parts for name, found in content(part).items()}
    if not isinstance(value, str) or not value:
        return {}
    with suppress(OSError, ValueError):  # a name that no system takes, or a file that may not be read
        rows = [file for pattern in ("rows.parquet", "*/rows.parquet") for file in Path(value).glob(pattern)]
        return {str(file): _content(file) for file in (Path(value), *sorted(rows)) if file.is_file()}
    return {}


def _content(file: Path) -> str:
    """Its hash; of a large one only what changes when it is written or replaced."""
    facts = file.stat()
    if facts.st_size < LARGE:
        return checksum(file)
    return f"{facts.st_size} {facts.st_mtime_ns} {facts.st_ctime_ns} {facts.st_ino}"


def forget(folder: Path) -> None:
    """A run that begins anew in an old folder."""
    shutil.rmtree(folder / NAME, ignore_errors=True)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's: the same bits."""
    return value.item()
