"""Reference models: those of the ImageNet testbed, or what a user brings: other runs of this audit, or a CSV file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from bench.audit.measures import baselines
from bench.errors import BenchError, reading
from bench.unpacking import read_parquet

TESTBED = "testbed"
COLUMNS = ["model", "shift", "in_distribution", "shifted"]
MEND = "Mend it, make it again, or leave it out."


def collect(places: Sequence[str]) -> pd.DataFrame:
    """`COLUMNS`, one line a model and shift; accuracies are shares.

    Args:
        places: `testbed`, CSV files with these columns, or run folders (also of a sweep) whose audit looked at shifts.

    Raises:
        BenchError: nothing at a place, or a file without these columns.
    """
    tables = [one for place in places for one in (
        [baselines.models()] if place == TESTBED else _read(Path(place).expanduser()))]  # fmt: skip
    if not tables:
        return pd.DataFrame(columns=pd.Index(COLUMNS))
    return pd.concat(tables, ignore_index=True).drop_duplicates(["model", "shift"], keep="last", ignore_index=True)


def _read(place: Path) -> list[pd.DataFrame]:
    if place.is_file():
        with reading(place, "a table of reference models", mend=MEND):
            return [_checked(pd.read_csv(place), place)]
    files = sorted(place.rglob("audits/robustness--shift-*.parquet")) if place.is_dir() else []
    if not files:
        raise BenchError(
            f"No reference models at {place}. Give {TESTBED}, a CSV file with the columns {', '.join(COLUMNS)}, or the "
            "folder of a run with audit=robustness over the same shifts."
        )
    return [_of_run(file) for file in files]


def _of_run(file: Path) -> pd.DataFrame:
    import pyarrow as pa

    with reading(file, "a table of reference models", mend=MEND, also=(pa.ArrowException,)):
        return _checked(read_parquet(file), file)


def _checked(table: pd.DataFrame, place: Path) -> pd.DataFrame:
    missing = [one for one in COLUMNS if one not in table]
    if missing:
        raise BenchError(f"Reference models in {place}: column(s) {', '.join(missing)} missing; {COLUMNS} are needed.")
    return table[COLUMNS]
