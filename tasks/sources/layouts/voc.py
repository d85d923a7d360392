"""Pascal VOC 2007 (Everingham et al. 2010): whole pictures with several labels, and crops of single objects."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from bench.errors import reading
from bench.task import Pictures, Records, digest
from tasks.sources.layouts.boxes import Box, box
from tasks.sources.layouts.files import lines, listed

if TYPE_CHECKING:
    from PIL.Image import Image

OBJECT = re.compile(r"<object>(.*?)</object>", re.DOTALL)
FIELD = "<{0}>\\s*([^<]+?)\\s*</{0}>"


class Thing(NamedTuple):
    """An object in a picture: its class and its box."""

    key: str
    box: Box


def voc2007(root: Path, split: str) -> Records:
    """Labels are the classes present. The attribute `difficult` lists those present only as difficult
    objects.

    `ImageSets/Main/<class>_test.txt` has 1, 0 (difficult) or -1 a picture.
    """
    import pandas as pd

    base = root / "VOCdevkit" / "VOC2007"
    names = [line.split()[0] for line in lines(base / "ImageSets" / "Main" / f"{split}.txt")]
    marks: dict[str, dict[str, list[str]]] = {"1": {}, "0": {}, "-1": {}}
    for table in sorted((base / "ImageSets" / "Main").glob(f"*_{split}.txt")):
        with reading(table, "a list of pictures, each with a mark"):
            for name, mark in (line.split() for line in lines(table)):
                marks[mark].setdefault(name, []).append(table.stem.removesuffix(f"_{split}"))
    found = listed(base / "JPEGImages", [f"{name}.jpg" for name in names], [""] * len(names))
    return replace(
        found,
        keys=[tuple(marks["1"].get(name, ())) for name in names],
        attributes=pd.DataFrame({"difficult": [marks["0"].get(name, []) for name in names]}),
    )


def voc2007_crops(root: Path, split: str) -> Records:
    """One picture an annotated object, difficult ones too: 14,976 in the test set, as CLIP_benchmark scores them.

    The attribute `picture` says which crops come from one photograph.
    """
    import pandas as pd

    base = root / "VOCdevkit" / "VOC2007"
    names = [line.split()[0] for line in lines(base / "ImageSets" / "Main" / f"{split}.txt")]
    whole = listed(base / "JPEGImages", [f"{name}.jpg" for name in names], names)
    things = [(i, thing) for i, name in enumerate(names) for thing in _things(base / "Annotations" / f"{name}.xml")]

    def crop(number: int) -> Image:
        i, thing = things[number]
        return whole.images[i].crop(thing.box)

    boxes = repr([(i, thing.box) for i, thing in things])
    return Records(
        Pictures(len(things), crop),
        [thing.key for _, thing in things],
        [f"{names[i]}/{number}" for number, (i, _) in enumerate(things)],
        digest("crops", whole.fingerprint, boxes),
        pd.DataFrame({"picture": [names[i] for i, _ in things]}),
    )


def _things(path: Path) -> list[Thing]:
    found = []
    with reading(path, "an annotation of VOC"):
        for text in OBJECT.findall(path.read_text(encoding="utf-8")):
            text = re.sub(r"<part>.*?</part>", "", text, flags=re.DOTALL)
            fields = [re.search(FIELD.format(name), text) for name in ("name", "xmin", "ymin", "xmax", "ymax")]
            key, *edges = (field.group(1) for field in fields if field is not None)
            left, upper, right, lower = (int(float(edge)) for edge in edges)
            # VOC counts pixels from 1 and its boxes hold their last pixel.
            found.append(Thing(key, box(left - 1, upper - 1, right, lower)))
    return found
