"""The journal of a run: the rows of each finished cell, so that a command given again goes on where it was stopped.

A cell counts as finished when all that it leaves (predictions, tables, pictures) is on disk; its rows are written last,
in one move. They are taken again only for the same configuration, model, versions of the libraries and place in the
run, and for the same data: pictures, labels and attributes of each split that the cell read, and what its tasks say of
themselves (classes, templates ...). All but the times is then bit for bit what an undisturbed run gives. A cell that
failed or was skipped is tried again, and so is one whose note is damaged, or that read what is no split of the run's
own tasks.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DAMAGE
from bench.store import atomic
from bench.task import digest

NAME = "finished"
Row = dict[str, Any]
Fingerprints = dict[str, str]


@dataclass(frozen=True)
class Journal:
    """The finished cells of the run in `folder`; `identity` is all that decides its rows but the data."""

    folder: Path
    identity: str

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
        if noted is not None and all(noted["data"].values()) and noted["data"] == data(noted["data"]):
            return list(noted["rows"])
        rows = work()
        if all(row["status"] == "ok" for row in rows):
            place.parent.mkdir(parents=True, exist_ok=True)
            had = read()
            note = {"cell": cell, "data": had, "rows": rows, "seal": _seal(had, rows)}
            atomic(place, lambda path: path.write_text(json.dumps(note, default=_plain)))
        return rows

    def _path(self, cell: str) -> Path:
        return self.folder / NAME / f"{digest(self.identity, cell)}.json"


def _noted(place: Path) -> dict[str, Any] | None:
    """What is noted there, if it is whole."""
    try:
        found: dict[str, Any] = json.loads(place.read_text())
        return found if found["seal"] == _seal(found["data"], found["rows"]) else None
    except DAMAGE:
        return None


def _seal(data: Fingerprints, rows: list[Row]) -> str:
    """Of a note: the same before it is written and after it is read."""
    return digest(json.dumps([data, rows], default=_plain))


def forget(folder: Path) -> None:
    """A run that begins anew in an old folder."""
    shutil.rmtree(folder / NAME, ignore_errors=True)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's: the same bits."""
    return value.item()
