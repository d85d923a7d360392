"""A run folder as values: its rows, its provenance, and one `Cell` a file of predictions.

Nothing is read before it is asked for, except the rows and the few bytes of metadata of each file of predictions.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from bench import results
from bench.errors import BenchError, reading
from bench.unpacking import read_parquet

FACTS = ("model", "task", "evaluation", "condition", "metric", "choices")
"""What a file of predictions says of itself, at least."""
MEND = "Delete it, or run again."
PREDICTION_COLUMNS = ("id", "label", "prediction", "correct", "confidence", "top", "top_probabilities")


@dataclass(frozen=True)
class Cell:
    """The predictions of one model on one task under one evaluation and condition."""

    path: Path
    about: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.about[name]

    @property
    def key(self) -> tuple[str, str, str, str, str]:
        """Run, model, task, evaluation, condition: joins the cell to its rows."""
        return tuple(str(self.about[k]) for k in ("run", "model", "task", "evaluation", "condition"))  # type: ignore[return-value]

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """One row a picture, see `PREDICTION_COLUMNS`; attributes are columns `attribute.*`."""
        table = _parquet(self.path, "a file of predictions")
        missing = [name for name in PREDICTION_COLUMNS if name not in table]
        if missing:
            raise BenchError(
                f"{self.path} is not a file of predictions: column(s) {', '.join(missing)} missing. "
                "Run the evaluation again, or delete the file."
            )
        return table

    @cached_property
    def pictures(self) -> pd.DataFrame:
        """Kept pictures: columns id, label, jpeg (bytes), why. Empty if the run kept none."""
        path = self.path.parent.parent / "samples" / f"{self.about['task']}.parquet"
        if not path.exists():
            return pd.DataFrame({"id": [], "label": [], "jpeg": [], "why": []})
        return _parquet(path, "a file of pictures", ["id", "label", "jpeg", "why"])

    @property
    def several(self) -> bool:
        """Does a picture carry several labels?"""
        labels = self.predictions["label"]
        return len(labels) > 0 and not pd.api.types.is_numeric_dtype(labels)

    @property
    def protocol(self) -> str:
        """classification, retrieval or matching: what the choices of a picture are."""
        return str(self.about.get("protocol") or "classification")

    @property
    def by_class(self) -> bool:
        """Is there one label a picture, and a choice means the same for all pictures?"""
        return self.protocol == "classification" and not self.several

    @property
    def choices(self) -> list[str]:
        return [str(name) for name in self.about["choices"]]


TELLING = ("precision", "image_size", "family", "variant")
"""Fields of a model's card that may tell two models of one name apart."""
SHORT = 24
"""Characters of such a mark at most."""


@dataclass(frozen=True)
class Run:
    """One run folder."""

    path: Path
    rows: pd.DataFrame
    provenance: dict[str, Any]
    cells: tuple[Cell, ...]
    tables: Mapping[str, Path] = field(default_factory=dict)
    """Tables of audits: `<audit>--<table>` -> file."""

    @property
    def name(self) -> str:
        return str(self.provenance.get("run") or (self.rows["run"].iloc[0] if len(self.rows) else self.path.name))

    @property
    def audits(self) -> list[str]:
        """The audits that left tables, by name."""
        return list(dict.fromkeys(name.split("--")[0] for name in self.tables))

    def table(self, audit: str, name: str) -> pd.DataFrame:
        """A table of an audit; empty if it left none of this name. `frame.attrs` holds what is said about it."""
        path = self.tables.get(f"{audit}--{name}")
        return pd.DataFrame() if path is None else _table(path)

    def named(self, audit: str, beginning: str = "") -> list[str]:
        """Names of the tables of an audit that begin so."""
        names = [name.split("--", 1) for name in self.tables]
        return [name for own, name in names if own == audit and name.startswith(beginning)]

    @property
    def models(self) -> list[str]:
        return list(dict.fromkeys(self.rows["model"]))


def read(path: Path) -> Run:
    """A single run folder.

    Raises:
        BenchError: no run there, a damaged file, or a folder written by a newer version.
    """
    rows = results.read(path)
    provenance = _json(path / "provenance.json")
    if not isinstance(provenance.get("model", {}), dict):
        raise BenchError(
            f"{path / 'provenance.json'} says nothing of the model. Delete it to render without provenance."
        )
    _check_schema(path, provenance.get("schema", results.SCHEMA_VERSION))
    name = str(provenance.get("run") or (rows["run"].iloc[0] if len(rows) else path.name))
    found = [_cell(file, name) for file in sorted((path / "predictions").glob("[!.]*.parquet"))]
    scored = _scored(rows)
    cells = tuple(cell for cell in found if cell.key[1:] in scored)
    tables = {file.stem: file for file in sorted((path / "audits").glob("[!.]*--*.parquet"))}
    return Run(path, rows, provenance, cells, tables)


def _scored(rows: pd.DataFrame) -> set[tuple[str, ...]]:
    """Model, task, evaluation and condition of what has a value: predictions of an earlier run may lie beside."""
    good = rows.loc[rows["status"] == "ok", ["model", "task", "evaluation", "condition"]]
    return set(good.drop_duplicates().itertuples(index=False, name=None))


def read_all(folders: Sequence[Path]) -> list[Run]:
    """The runs at or below each folder, each once. The merged table in a sweep's own folder is not a run."""
    return told_apart(_found(folders))


def _found(folders: Sequence[Path]) -> list[Run]:
    found: dict[Path, None] = {}
    for folder in folders:
        if not folder.exists():
            raise BenchError(f"No such folder: {folder}. Give a run folder, or a folder that holds runs.")
        found.update({path.resolve(): None for path in _runs_of(folder)})
    return [read(path) for path in found]


def groups(folders: Sequence[Path]) -> list[tuple[str, list[Run]]]:
    """The runs of each folder, under the shortest end of its path that no other has; models told apart over all."""
    each = [_found([folder]) for folder in folders]
    runs = iter(told_apart([run for part in each for run in part]))
    return list(zip(_ends(folders), ([next(runs) for _ in part] for part in each), strict=True))


def _ends(folders: Sequence[Path]) -> list[str]:
    whole = [folder.resolve() for folder in folders]
    for length in range(1, max(len(path.parts) for path in whole)):
        ends = ["/".join(path.parts[-length:]) for path in whole]
        if len(set(ends)) == len(set(whole)):
            return ends
    return [str(path) for path in whole]


def told_apart(runs: Sequence[Run]) -> list[Run]:
    """Different models of one name (other weights, preprocessing or precision) get a mark, lest they be averaged."""
    known: dict[str, dict[str, dict[str, Any]]] = {}
    for run in runs:
        card = run.provenance.get("model", {})
        known.setdefault(str(card.get("name")), {})[str(card.get("identity"))] = card
    marks = {name: _marks(cards) for name, cards in known.items()}
    cards = [run.provenance.get("model", {}) for run in runs]
    return [_marked(run, marks[str(card.get("name"))].get(str(card.get("identity")), ""))
            for run, card in zip(runs, cards, strict=True)]  # fmt: skip


def _marks(cards: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """What tells models of one name apart, by identity: a short field of the card if one does, else the identity."""
    if len(cards) < 2:
        return {}
    for field_ in TELLING:
        values = {identity: str(card.get(field_, "")) for identity, card in cards.items()}
        if len(set(values.values())) == len(cards) and all(0 < len(value) <= SHORT for value in values.values()):
            return values
    return {identity: identity[:6] for identity in cards}


def _marked(run: Run, mark: str) -> Run:
    if not mark:
        return run
    card = run.provenance["model"]
    name = f"{card.get('name')} ({mark})"
    cells = tuple(Cell(cell.path, {**cell.about, "model": name}) for cell in run.cells)
    provenance = {**run.provenance, "model": {**card, "name": name}}
    return replace(run, rows=run.rows.assign(model=name), provenance=provenance, cells=cells)


def _runs_of(folder: Path) -> list[Path]:
    """Run folders at or below; of a sweep its jobs, and of a merge that lies elsewhere those that it was made of, as
    far as they are there."""
    merged = [(folder / str(path)) for path in _json(folder / results.MERGED).get("runs", [])]
    there = [path for path in merged if (path / "rows.parquet").exists()]
    if there:
        return there
    paths = results.run_folders(folder)
    own = folder / "provenance.json"
    return paths if len(paths) == 1 else [path for path in paths if path != folder or own.exists()]


def note_merge(runs: Sequence[Run], out: Path) -> None:
    """Leave in `out` where its runs lie, so that the page can be rendered again from there."""
    inside = all(run.path.is_relative_to(out.resolve()) for run in runs)
    if not inside:
        paths = [os.path.relpath(run.path, out.resolve()) for run in runs]
        (out / results.MERGED).write_text(
            json.dumps({"schema": results.SCHEMA_VERSION, "runs": paths}, indent=1), encoding="utf-8"
        )


def merged_rows(runs: Sequence[Run]) -> pd.DataFrame:
    """The rows of all runs, checked; equal rows count once."""
    return results.check(pd.concat([run.rows for run in runs], ignore_index=True).drop_duplicates(ignore_index=True))


def _cell(path: Path, run: str) -> Cell:
    with reading(path, "a file of predictions", mend=MEND):
        about = _about(path)
        if missing := [name for name in FACTS if name not in about]:
            raise ValueError(f"it does not say its {', '.join(missing)}")
        if not isinstance(about["choices"], list):
            raise TypeError("its choices are no list")
    _check_schema(path, about.get("schema", results.SCHEMA_VERSION))
    return Cell(path, {**about, "run": about.get("run") or run})


def _table(path: Path) -> pd.DataFrame:
    """A table of an audit with what is said about it in `attrs`."""
    frame = _parquet(path, "a table of an audit")
    with reading(path, "a table of an audit", mend=MEND):
        about = _about(path)
    _check_schema(path, about.get("schema", results.SCHEMA_VERSION))
    frame.attrs.update(about)
    return frame


def _about(path: Path) -> dict[str, Any]:
    """What a file of a run says of itself."""
    import pyarrow.parquet as pq

    return {**json.loads(pq.read_schema(path).metadata[b"bench"])}


def _parquet(path: Path, what: str, columns: list[str] | None = None) -> pd.DataFrame:
    import pyarrow as pa

    with reading(path, what, mend=MEND, also=(pa.ArrowException,)):
        return read_parquet(path, columns)


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    with reading(path, "JSON", mend="Delete it to render without provenance."):
        found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, dict) else {}


def _check_schema(path: Path, version: Any) -> None:
    if version != results.SCHEMA_VERSION:
        raise BenchError(
            f"{path} has schema {version}; this version reads schema {results.SCHEMA_VERSION}. "
            "Render it with the version that wrote it, or run the evaluation again."
        )
