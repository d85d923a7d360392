"""The same things from all over the world: Dollar Street by income, GeoDE by region."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from bench.errors import reading, unknown
from bench.task import Records
from tasks.sources.layouts.files import listed
from tasks.sources.matching import numbered
from tasks.sources.table import read_table
from tasks.text import classes


def dollar_street(root: Path, split: str) -> Records:
    """`dollarstreet/images_v2_imagenet_test.csv` (Rojas et al. 2022): ImageNet numbers a picture; groups by income.

    `place` is the home: its pictures depend on each other.
    """
    import json

    import pandas as pd

    base = root / "dollarstreet"
    path = base / f"images_v2_imagenet_{split}.csv"
    order = sorted(one.key for one in classes("imagenet"))
    with reading(path, "the publisher's table"):
        table = read_table(path)
        numbers = [json.loads(cell) for cell in table["imagenet_sysnet_id"]]
        keys = [tuple(numbered(order, int(number)) for number in row) for row in numbers]
        income = pd.qcut(table["income"].astype(float), 4, labels=["lowest", "low", "high", "highest"])
        attributes = pd.DataFrame(
            {"group": income.astype(str), "country": table["country.name"], "income": table["income"],
             "place": table["place"]}
        )  # fmt: skip
        names = table["imageRelPath"].tolist()
    found = listed(base, names, [""] * len(names))
    return replace(found, keys=keys, attributes=attributes)


def geode(root: Path, split: str) -> Records:
    """`geode/index.csv` with object, region, ip_country, file_path; pictures in `geode/images` (Ramaswamy et al. 2023).

    The publisher gives no split.
    """
    base = root / "geode"
    table = read_table(base / "index.csv")
    for column in ("object", "region", "ip_country", "file_path"):
        if column not in table:
            raise unknown(f"column of {base / 'index.csv'}", column, map(str, table.columns))
    found = listed(base / "images", table["file_path"].tolist(), table["object"].tolist())
    return replace(found, attributes=table[["region", "ip_country"]].set_axis(["region", "country"], axis=1))
