"""Published layouts of faces, and of birds on backgrounds: one row of attributes a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bench.errors import reading
from bench.task import Records
from tasks.sources.content import is_picture
from tasks.sources.layouts.files import lines, listed
from tasks.sources.layouts.wilds import rows_with
from tasks.sources.matching import numbered
from tasks.sources.table import read_table

RACES = ("White", "Black", "Asian", "Indian", "Other")
AGES = (
    (2, "0-2"),
    (9, "3-9"),
    (19, "10-19"),
    (29, "20-29"),
    (39, "30-39"),
    (49, "40-49"),
    (59, "50-59"),
    (69, "60-69"),
)


def fairface(label: str) -> Callable[[Path, str], Records]:
    """`fairface/fairface_label_val.csv` (Karkkainen, Joo 2021): file, age, gender, race."""

    def read(root: Path, split: str) -> Records:
        base, part = root / "fairface", "val" if split == "test" else split
        path = base / f"fairface_label_{part}.csv"
        with reading(path, "a table of FairFace"):
            table = read_table(path)[["file", "age", "gender", "race"]]
        found = listed(base, table["file"].tolist(), table[label].tolist())
        return replace(found, attributes=table[["age", "gender", "race"]])

    return read


def utkface(label: str) -> Callable[[Path, str], Records]:
    """`UTKFace/26_0_3_2017.jpg.chip.jpg` (Zhang, Song, Qi 2017): age, gender, race."""

    def read(root: Path, split: str) -> Records:
        import pandas as pd

        names = sorted(one.name for one in (root / "UTKFace").iterdir() if is_picture(one))
        rows = {name: row for name in names if (row := utkface_row(name)) is not None}
        table = pd.DataFrame(list(rows.values()), columns=["years", "gender", "race"])
        table["age"] = [bracket(years) for years in table["years"]]
        found = listed(root / "UTKFace", list(rows), table[label].tolist())
        return replace(found, attributes=table[["age", "gender", "race"]])

    return read


def utkface_row(name: str) -> tuple[int, str, str] | None:
    """Age in years, gender and race from a file name; None if it does not have all three."""
    parts = name.split("_")
    if len(parts) < 4 or not all(part.isdigit() for part in parts[:3]):
        return None
    years, gender, race = map(int, parts[:3])
    return (years, ("Male", "Female")[gender], RACES[race]) if gender < 2 and race < len(RACES) else None


def bracket(years: int) -> str:
    """FairFace's age bracket of an age in years."""
    return next((name for last, name in AGES if years <= last), "more than 70")


def celeba(label: str, spurious: str) -> Callable[[Path, str], Records]:
    """`celeba/list_attr_celeba.txt` (Liu et al. 2015): key '1' or '-1' of attribute `label`; groups with `spurious`."""

    def read(root: Path, split: str) -> Records:
        import pandas as pd

        base = root / "celeba"
        part = {"train": "0", "val": "1", "test": "2"}[split]
        with reading(base / "list_eval_partition.txt", "a list of pictures with their part"):
            chosen = {name for name, mark in map(str.split, lines(base / "list_eval_partition.txt")) if mark == part}
        with reading(base / "list_attr_celeba.txt", "a table of CelebA"):
            head, *rows = (line.split() for line in lines(base / "list_attr_celeba.txt")[1:])
            table = [dict(zip(["file", *head], row, strict=True)) for row in rows if row[0] in chosen]
            names, keys, others = ([row[column] for row in table] for column in ("file", label, spurious))
        found = listed(base / "img_align_celeba", names, keys)
        group = [f"{label} {a}, {spurious} {b}" for a, b in zip(keys, others, strict=True)]
        return replace(found, attributes=pd.DataFrame({label: keys, spurious: others, "group": group}))

    return read


def waterbirds(root: Path, split: str) -> Records:
    """`waterbird_complete95_forest2water2/metadata.csv` (Sagawa et al. 2020): y, split, place."""
    base = root / "waterbird_complete95_forest2water2"
    table = rows_with(base / "metadata.csv", "split", {"train": "0", "val": "1", "test": "2"}[split])
    with reading(base / "metadata.csv", "a table of Waterbirds"):
        table = table[["img_filename", "y", "place"]]
        bird, place = ([numbered(("land", "water"), int(one)) for one in table[name]] for name in ("y", "place"))
    group = [f"{b}bird on {p}" for b, p in zip(bird, place, strict=True)]
    found = listed(base, table["img_filename"].tolist(), table["y"].tolist())
    return replace(found, attributes=table[["place"]].assign(group=group))
