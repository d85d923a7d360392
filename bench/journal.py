"""The journal of a run: the rows of each finished cell, so that a command given again goes on where it was stopped.

A cell counts as finished when all that it leaves (predictions, tables, pictures) is on disk; its rows are written last,
in one move. They are taken again only for the same configuration, model, data, versions of the libraries and place in
the run: all but the times is then bit for bit what an undisturbed run gives. A cell that failed or was skipped is tried
again.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.store import atomic
from bench.task import digest

NAME = "finished"
Row = dict[str, Any]


@dataclass(frozen=True)
class Journal:
    """The finished cells of the run in `folder`; `identity` is all that decides its rows but the data."""

    folder: Path
    identity: str

    def rows(self, cell: str, data: str) -> list[Row] | None:
        """What the cell of this name found on these data; None if it is not finished."""
        try:
            known = json.loads(self._path(cell).read_text())
            return list(known["rows"]) if known["data"] == data else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def finish(self, cell: str, data: str, rows: list[Row]) -> None:
        """Note the rows of a cell, unless some say that it is not finished."""
        if any(row["status"] != "ok" for row in rows):
            return
        place = self._path(cell)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"cell": cell, "data": data, "rows": rows}, default=_plain)
        atomic(place, lambda path: path.write_text(text))

    def _path(self, cell: str) -> Path:
        return self.folder / NAME / f"{digest(self.identity, cell)}.json"


def forget(folder: Path) -> None:
    """A run that begins anew in an old folder."""
    shutil.rmtree(folder / NAME, ignore_errors=True)


def _plain(value: Any) -> Any:
    """numpy's numbers as Python's: the same bits."""
    return value.item()
