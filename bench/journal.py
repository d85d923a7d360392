"""The journal of a run: the rows of each finished cell, so that a command given again goes on where it was stopped.

A cell counts as finished when all that it leaves (predictions, tables, pictures) is on disk; its rows are written last,
in one move. They are taken again only for the same configuration, model, data, versions of the libraries and place in
the run: all but the times is then bit for bit what an undisturbed run gives. A cell that failed or was skipped is tried
again, as is one whose note is damaged.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import DAMAGE
from bench.store import atomic
from bench.task import digest

NAME = "finished"
Row = dict[str, Any]


@dataclass(frozen=True)
class Journal:
    """The finished cells of the run in `folder`; `identity` is all that decides its rows but the data."""

    folder: Path
    identity: str

    def once(self, cell: str, data: Callable[[], str], work: Callable[[], list[Row]]) -> list[Row]:
        """The rows of the cell of this name: those noted for the same data, else of `work()`, which are then noted.

        Not noted are rows of which one says that the cell is not finished.

        Args:
            data: fingerprint of what the cell reads; asked for only where it decides something.
        """
        place = self._path(cell)
        noted = _noted(place)
        if noted is not None and noted["data"] == data():
            return list(noted["rows"])
        rows = work()
        if all(row["status"] == "ok" for row in rows):
            place.parent.mkdir(parents=True, exist_ok=True)
            note = {"cell": cell, "data": data(), "rows": rows, "seal": _seal(data(), rows)}
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


def _seal(data: str, rows: list[Row]) -> str:
    """Of a note: the same before it is written and after it is read."""
    return digest(data, json.dumps(rows, default=_plain))


def forget(folder: Path) -> None:
    """A run that begins anew in an old folder."""
    shutil.rmtree(folder / NAME, ignore_errors=True)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's: the same bits."""
    return value.item()
