"""The rows: one tidy table with one schema for every result, checked on write.

A leaderboard is a pivot of it, a bias table a filter on `group`, a robustness curve a filter on `condition`.
`low, high` is a 95 % interval (empty where none can be given). A cell that could not be computed is a row too, with
`status` other than `ok`, a `reason`, and no value.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from bench.errors import BenchError, reading
from bench.store import atomic
from bench.unpacking import read_parquet

SCHEMA_VERSION = 1

COLUMNS: dict[str, str] = {
    "run": "str",  # identifier of the run that made the row
    "model": "str",
    "task": "str",
    "family": "str",
    "split": "str",
    "evaluation": "str",
    "condition": "str",  # what was done to the pictures before embedding; "clean"
    "group": "str",  # how rows were sliced after scoring; "all"
    "metric": "str",
    "headline": "bool",  # is this the metric of the paper for this task?
    "value": "float",
    "low": "float",
    "high": "float",
    "n": "int",  # pictures (or pairs) behind the value
    "chance": "float",  # value of a guess without looking
    "protocol": "str",  # interval method, deviations from the paper
    "status": "str",  # ok | failed | skipped
    "reason": "str",  # empty where ok
}
KEY = ["run", "model", "task", "split", "evaluation", "condition", "group", "metric"]
MERGED = "runs.json"
"""Names the runs that belong together: the jobs of a sweep, or of a merge that was written outside their folder."""
STATUSES = ("ok", "failed", "skipped")


def frame(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a checked table; missing text is empty, missing numbers NaN, a missing count 0."""
    empty = {"float": float("nan"), "int": 0, "bool": False, "str": ""}
    complete = [
        {name: empty[kind] if row.get(name) is None else row[name] for name, kind in COLUMNS.items()} for row in rows
    ]
    table = pd.DataFrame(complete, columns=pd.Index(list(COLUMNS)))
    types = {name: {"float": "float64", "int": "int64"}.get(kind, kind) for name, kind in COLUMNS.items()}
    table = table.astype(types)
    return check(table)


def check(table: pd.DataFrame) -> pd.DataFrame:
    """The table itself if it keeps the schema.

    Raises:
        BenchError: names the column or the first offending row.
    """
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise BenchError(f"Not a results table: column(s) {', '.join(missing)} missing. Expected {', '.join(COLUMNS)}.")
    ok = table["status"] == "ok"
    problems = {
        "an unknown status": ~table["status"].isin(STATUSES),
        "status ok without a value": ok & ~np.isfinite(table["value"]),
        "a value without status ok": ~ok & table["value"].notna(),
        "a failure without a reason": ~ok & (table["reason"] == ""),
        "an interval that does not hold its value": ok
        & ((table["low"] > table["value"] + 1e-12) | (table["high"] < table["value"] - 1e-12)),
        "a doubled key": table.duplicated(KEY),
    }
    for what, wrong in problems.items():
        if wrong.any():
            row = table.loc[wrong].iloc[0]
            raise BenchError(f"Results table: {what} at {', '.join(f'{k}={row[k]}' for k in KEY)}.")
    return table[list(COLUMNS)]


def save(table: pd.DataFrame, folder: Path) -> None:
    """Write `rows.csv` and `rows.parquet`, each atomically. Text in the CSV cannot become a spreadsheet's formula."""
    table = check(table)
    folder.mkdir(parents=True, exist_ok=True)
    text = [name for name, kind in COLUMNS.items() if kind == "str"]
    plain = table.assign(**{name: table[name].map(_no_formula) for name in text})
    atomic(folder / "rows.csv", lambda temporary: plain.to_csv(temporary, index=False))
    atomic(folder / "rows.parquet", lambda temporary: table.to_parquet(temporary, index=False))


def _no_formula(text: str) -> str:
    """A name or reason from outside that begins like a formula gets an apostrophe (CSV injection)."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def read(folder: Path) -> pd.DataFrame:
    """The rows of one run folder."""
    import pyarrow as pa

    path = folder / "rows.parquet"
    if not path.exists():
        raise BenchError(f"{folder} is not a run folder: it holds no rows.parquet.")
    with reading(path, "a table of results", mend="Run the evaluation again.", also=(pa.ArrowException,)):
        return check(read_parquet(path))


def run_folders(folder: Path) -> list[Path]:
    """The run folders at or below `folder` (a single run, or a sweep), in order of name."""
    found = sorted(path.parent for path in folder.rglob("rows.parquet"))
    if not found:
        raise BenchError(f"No run found in {folder}: no rows.parquet at or below it.")
    return found


def merge(folders: Iterable[Path]) -> pd.DataFrame:
    """The rows of several run folders, one under the other; a run that appears twice counts once."""
    tables = [read(folder) for folder in folders]
    together = pd.concat(tables, ignore_index=True)
    return check(together.drop_duplicates(ignore_index=True))
