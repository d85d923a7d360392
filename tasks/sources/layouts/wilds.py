"""Three data sets as WILDS lays them out (Koh et al. 2021, arXiv 2012.07421): slides, satellites, camera traps.

Folder names carry WILDS' version. Pictures of one slide or one camera depend on each other: the attribute that says so
is what `Task.cluster` names.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.errors import reading, unknown
from bench.task import Records
from tasks.sources.layouts.files import listed
from tasks.sources.table import read_table

if TYPE_CHECKING:
    import pandas as pd


def camelyon17(root: Path, split: str) -> Records:
    """`camelyon17_v1.0/metadata.csv` (Bandi et al. 2018): test is the hospital with centre number 2."""
    base = root / "camelyon17_v1.0"
    path = base / "metadata.csv"
    table = rows_with(path, "center", "2") if split == "test" else read_table(path)
    with reading(path, "a table of Camelyon17"):
        places = [f"patient_{p}_node_{n}" for p, n in zip(table["patient"], table["node"], strict=True)]
        names = [
            f"patches/{place}/patch_{place}_x_{x}_y_{y}.png"
            for place, x, y in zip(places, table["x_coord"], table["y_coord"], strict=True)
        ]
        keys, attributes = table["tumor"].tolist(), table[["center", "slide"]].reset_index(drop=True)
    return replace(listed(base, names, keys), attributes=attributes)


def fmow(root: Path, split: str) -> Records:
    """`fmow_v1.1/rgb_metadata.csv` (Christie et al. 2018): test pictures from 2016 on.

    `region` is the part of the world; it is empty for countries without one (WILDS' "Other", which its metric ignores).
    """
    base = root / "fmow_v1.1"
    with reading(base / "country_code_mapping.csv", "a table with the region of each country"):
        regions = read_table(base / "country_code_mapping.csv").set_index("alpha-3")["region"].to_dict()
    with reading(base / "rgb_metadata.csv", "a table of FMoW"):
        table = read_table(base / "rgb_metadata.csv")
        table["number"] = range(len(table))
        table = table[(table["split"] == "test") & (table["timestamp"] >= "2016")].reset_index(drop=True)
        table["region"] = [regions.get(code) or "" for code in table["country_code"]]
        keys = table["category"].tolist()
    found = listed(base / "images", [f"rgb_img_{number}.png" for number in table["number"]], keys)
    return replace(found, attributes=table[["region", "country_code", "timestamp"]])


def iwildcam(root: Path, split: str) -> Records:
    """`iwildcam_v2.0/metadata.csv` (Beery et al. 2020): column `split` is train, val, test, id_val or id_test.

    All pictures lie in `train/`, those of the test split too. The key is WILDS' number `y`.
    """
    base = root / "iwildcam_v2.0"
    table = rows_with(base / "metadata.csv", "split", split)
    with reading(base / "metadata.csv", "a table of iWildCam"):
        names, keys = table["filename"].tolist(), table["y"].tolist()
        kept = table[["location_remapped", "sequence_remapped"]].set_axis(["location", "sequence"], axis=1)
    return replace(listed(base / "train", names, keys), attributes=kept)


def rows_with(path: Path, column: str, value: str) -> pd.DataFrame:
    """The rows of a table where `column` holds `value`."""
    table = read_table(path)
    if column not in table:
        raise unknown(f"column of {path}", column, map(str, table.columns))
    return table[table[column] == value].reset_index(drop=True)
