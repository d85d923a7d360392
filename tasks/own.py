"""A table of your own as a task, without writing one: `bench task=people.csv` (short for `task=table task.file=...`).

Columns of the usual names are found by themselves (`bench-tasks new` infers in the same way); every further column is
an attribute that audits may group by.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.errors import BenchError, unknown
from bench.task import ClassName, Task
from tasks.scaffold import IMAGE_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS, column, spoken
from tasks.sources.table import from_table, read_table

TEMPLATES = ("a photo of a {}.", "a picture of a {}.")


def from_file(
    file: str, *, image: str | None = None, label: str | None = None, split: str | None = None, test: str | None = None,
    images: str | None = None, names: Mapping[str, str] | None = None, templates: Sequence[str] = TEMPLATES,
    path: str | None = None,
) -> list[Task]:  # fmt: skip
    """The task that a table holds, as a list of one.

    Args:
        file: CSV, TSV, JSON lines or Parquet; a row a picture.
        image, label, split: columns; found by their usual names if not given.
        test: what stands in the split column for the pictures to score; the usual names are tried.
        images: folder that picture paths are relative to; else that of the table.
        names: words for labels, {"0": "cat"}; else the labels themselves, without underscores.
        path: not used; a folder of tasks has no part in this.

    Raises:
        BenchError: no such table or column, no row, or one label only.
    """
    place = Path(file).expanduser().absolute()
    if not place.is_file():
        raise BenchError(f"No table at {file}. task=FILE reads a .csv, .tsv, .jsonl or .parquet with a row a picture.")
    table = read_table(place)
    image, label = (_given(place, list(table.columns), name, usual)
                    for name, usual in ((image, IMAGE_COLUMNS), (label, LABEL_COLUMNS)))  # fmt: skip
    split = split or next((str(one) for one in table.columns if str(one).lower() in SPLIT_COLUMNS), None)
    keys = sorted({str(one) for one in table[label]})
    if len(keys) < 2:
        raise BenchError(f"{file}: column {label!r} holds {len(keys)} label(s); a task needs two or more.")
    said = names or {}
    strange = [key for key in said if str(key) not in keys]
    if strange:
        raise unknown(f"label in task.names of {place.name}", str(strange[0]), keys)
    known = {str(key): name for key, name in said.items()}
    classes = tuple(ClassName(key, (known.get(key, word),)) for key, word in zip(keys, spoken(keys), strict=True))
    parts = sorted({str(one) for one in table[split]}) if split else ["test"]
    scored = test or next((one for one in ("test", "val", "validation", "valid") if one in parts), parts[0])
    return [
        Task(
            name=re.sub(r"[^a-z0-9]+", "_", place.stem.lower()).strip("_") or "table", family="own", classes=classes,
            load=from_table(place, image=image, label=label, split=split, images=images), templates=tuple(templates),
            splits=dict.fromkeys([scored, *parts]), test=scored, licence="unknown", reference=place.name,
        )
    ]  # fmt: skip


def _given(place: Path, columns: Sequence[object], name: str | None, usual: tuple[str, ...]) -> str:
    if name is None:
        return column(place, columns, usual)
    if name not in columns:
        raise unknown(f"column of {place.name}", name, map(str, columns))
    return name
