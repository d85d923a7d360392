"""A job of a sweep: one run folder, and the cells that it owes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import results
from bench.errors import FOREIGN, BenchError
from bench.journal import whole
from bench.run_folder import RunFolder, alone, note, versions
from bench.store import WAITING

if TYPE_CHECKING:
    import pandas as pd
    from hydra.types import HydraContext
    from omegaconf import DictConfig

ENDED = ("seconds", "refused")
"""What the provenance of a run says that came to its end: how long it took, or why it was not begun."""
LATER = "audit_or_report"
"""Stands as the evaluation in the row of a job that died after its cells."""
PASSING = ("resume", "hydra.sweep.subdir", "cluster.array_size")
"""Overrides that are not part of what a job computes."""


def _open(table: pd.DataFrame) -> pd.Series[bool]:
    """Rows of cells that a run given again may still compute; one that was skipped for good is none."""
    waits = table["reason"].str.contains(WAITING, regex=False)
    return (table["status"] == "failed") | ((table["status"] == "skipped") & waits)


def _changed(place: Path) -> float:
    """When a file, or one in a folder, was last written or put there; 0 if there is none."""
    facts = [file.stat() for file in (place, *place.glob("*")) if file.is_file()]
    return max((max(one.st_mtime, one.st_ctime) for one in facts), default=0.0)


@dataclass(frozen=True)
class Job:
    """Number `number` of a sweep, with its overrides; `sweep` is the configuration of the whole."""

    number: int
    overrides: tuple[str, ...]
    context: HydraContext
    sweep: DictConfig

    @cached_property
    def root(self) -> Path:
        return Path(str(self.sweep.hydra.sweep.dir))

    @property
    def folder(self) -> Path:
        return self.root / str(self.number)

    @property
    def words(self) -> list[str]:
        """Its overrides for the launcher, which may number jobs as it likes: the folder and going on are said."""
        place = str(self.root).replace("\\", "\\\\").replace('"', '\\"')
        own = [one for one in self.overrides if one.split("=")[0] not in PASSING]
        return [*own, f'resume="{place}"', f"hydra.sweep.subdir={self.number}"]

    def rows(self) -> pd.DataFrame | None:
        """What it has found so far."""
        try:
            return results.read(self.folder)
        except Exception:  # none, or a broken one
            return None

    def begun(self) -> bool:
        """Whether its process has come as far as writing its configuration."""
        return (self.folder / "config.yaml").exists()

    def check_free(self) -> None:
        """Raises BenchError if another process is at it."""
        if self.folder.exists():
            with alone(self.folder):
                pass

    def clear(self) -> None:
        """Forget that it was begun and how it ended; rows are found again, finished cells stay in its journal."""
        for name in ("config.yaml", "rows.csv", "rows.parquet"):
            (self.folder / name).unlink(missing_ok=True)
        if facts := self.facts():
            note(self.folder, {name: value for name, value in facts.items() if name not in ENDED})

    def facts(self) -> dict[str, Any]:
        """Its provenance so far."""
        try:
            found = json.loads((self.folder / "provenance.json").read_text())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def finished(self) -> bool:
        """All rows are there and good, of the same overrides and the same versions of the libraries; so are all files.

        Weights in a file or folder are looked at by time. Its data are not looked at: that would load them all where
        the sweep is submitted.
        """
        from omegaconf import OmegaConf

        table = self.rows()
        if table is None or not len(table) or _open(table).any() or not whole(self.folder):
            return False
        try:
            weights = OmegaConf.select(OmegaConf.load(self.folder / "config.yaml"), "model.path")
            if weights and _changed(Path(str(weights))) > _changed(self.folder / "rows.parquet"):
                return False
            before = OmegaConf.to_container(OmegaConf.load(self.folder / ".hydra" / "overrides.yaml"))
        except Exception:  # a parser may raise anything on a broken file
            return False
        same = [one for one in before or [] if str(one).split("=")[0] not in PASSING]
        mine = [one for one in self.overrides if one.split("=")[0] not in PASSING]
        facts = self.facts()
        return same == mine and facts.get("versions") == versions() and "seconds" in facts

    def failed(self) -> bool:
        """Whether a row says so, there is none, or the run did not come to its end."""
        table = self.rows()
        return table is None or bool((table["status"] == "failed").any()) or not self._ended()

    def _ended(self) -> bool:
        facts = self.facts()
        return any(name in facts for name in ENDED)

    def settle(self, reason: str) -> None:
        """A failed row for each cell that it owes, if its process ended before its time, and perhaps why.

        If all cells are there it died in its audit or its report: one row says so.
        """
        if self._ended():
            return
        said = reason or "its process ended without a word: killed, out of memory, or out of time"
        where = f" What it printed: {self.root / '.submitit'}." if (self.root / ".submitit").is_dir() else ""
        error = BenchError(f"{said}.{where} The same line with resume={self.root} computes what is missing.")
        table = self.rows()
        rows: list[Any] = [] if table is None else table.to_dict("records")
        known = {(row["task"], row["evaluation"]) for row in rows}
        try:
            planned = self._planned(error)
        except FOREIGN as trouble:  # whatever a task or a plugin raises; the sweep has other jobs
            note(self.folder, {**self.facts(), "refused": f"{said}; its cells cannot be listed: {trouble}"})
            return
        owed = [row for row in planned if (row["task"], row["evaluation"]) not in known]
        if not owed and not any(row["status"] == "failed" for row in rows):
            owed = [{**row, "evaluation": LATER} for row in planned[:1]]
        place = RunFolder(self.folder, {"run": f"{self.root.name}/{self.number}", **self.facts()}, resumed=True)
        place.save_rows(results.frame([*rows, *owed]))

    def _planned(self, error: BenchError) -> list[dict[str, Any]]:
        """A failed row for each of its cells."""
        from bench.assemble import planned

        config = self.context.config_loader.load_sweep_config(self.sweep, list(self.words))
        return planned(config, f"{self.root.name}/{self.number}", error)
