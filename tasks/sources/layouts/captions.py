"""Published layouts of pictures with captions: retrieval (Flickr30k, COCO) and matching (Winoground, SugarCrepe,
ARO).

The attribute `captions` lists the captions of a picture; in matching `correct` is the place of the right one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.errors import BenchError, reading
from bench.task import Pictures, Records, digest
from tasks.sources.layouts.boxes import Box, box
from tasks.sources.layouts.files import lines, listed, read_json

SUGARCREPE = ("add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj")
ARO = ("relation", "attribution")


def karpathy(listing: str, images: str) -> Callable[[Path, str], Records]:
    """Karpathy and Fei-Fei's split of 2015: `dataset_*.json` with `filename`, `split` and `sentences`."""

    def read(root: Path, split: str) -> Records:
        with reading(root / listing, "a split of Karpathy and Fei-Fei"):
            rows = [row for row in read_json(root / listing)["images"] if row["split"] == split]
            names = ["/".join(filter(None, (row.get("filepath", ""), row["filename"]))) for row in rows]
            captions = [[sentence["raw"].strip() for sentence in row["sentences"]] for row in rows]
        return captioned(root / images, names, captions)

    return read


def winoground(root: Path, split: str) -> Records:
    """`winoground/data/examples.jsonl` and `images/ex_0_img_0.png` (Thrush et al. 2022): two pictures an example."""
    import json

    path = root / "winoground" / "data" / "examples.jsonl"
    with reading(path, "examples of Winoground"):
        rows = [json.loads(line) for line in lines(path)]
        cells = [(row, which) for row in rows for which in (0, 1)]
        names = [f"{row[f'image_{which}']}.png" for row, which in cells]
        captions = [[row["caption_0"], row["caption_1"]] for row, _ in cells]
        pairs = [str(row["id"]) for row, _ in cells]
    found = captioned(root / "winoground" / "images", names, captions, correct=[which for _, which in cells])
    assert found.attributes is not None
    return replace(found, attributes=found.attributes.assign(pair=pairs))


def sugarcrepe(kind: str) -> Callable[[Path, str], Records]:
    """`sugar_crepe/data/<kind>.json` (Hsieh et al. 2023) over the pictures of COCO's `val2017`."""

    def read(root: Path, split: str) -> Records:
        path = root / "sugar_crepe" / "data" / f"{kind}.json"
        with reading(path, "captions of SugarCrepe"):
            rows = list(read_json(path).values())
            names = [str(row["filename"]) for row in rows]
            captions = [[row["caption"], row["negative_caption"]] for row in rows]
        return captioned(root / "coco" / "val2017", names, captions)

    return read


def aro(kind: str) -> Callable[[Path, str], Records]:
    """`aro/visual_genome_<kind>.json` and `aro/images` (Yuksekgonul et al. 2023): crops with two captions."""

    def read(root: Path, split: str) -> Records:
        path = root / "aro" / f"visual_genome_{kind}.json"
        with reading(path, "captions and boxes of ARO"):
            rows = read_json(path)
            names = [Path(row["image_path"]).name for row in rows]
            captions = [[row["true_caption"], row["false_caption"]] for row in rows]
            boxes = [_box(row) for row in rows]
        found = captioned(root / "aro" / "images", names, captions)
        whole = found.images
        pictures = Pictures(len(boxes), lambda i: whole[i].crop(boxes[i]))
        return replace(found, images=pictures, fingerprint=digest("crops", found.fingerprint, repr(boxes)))

    return read


def _box(row: dict[str, Any]) -> Box:
    left, upper = int(row["bbox_x"]), int(row["bbox_y"])
    return box(left, upper, left + int(row["bbox_w"]), upper + int(row["bbox_h"]))


def captioned(
    folder: Path, names: Sequence[str], captions: Sequence[Sequence[str]], *, correct: Sequence[int] | None = None
) -> Records:
    """Records without labels, with the attribute `captions` (and `correct`). One picture may come several times."""
    import pandas as pd

    if not names:
        raise BenchError(f"No picture is listed for {folder} in this split.")
    found = listed(folder, names, [""] * len(names))
    repeated = len(set(names)) < len(names)
    ids = [f"{name}#{i}" for i, name in enumerate(names)] if repeated else list(names)
    table = pd.DataFrame({"captions": [list(one) for one in captions]})
    table = table.assign(picture=list(names)) if repeated else table  # so that intervals are clustered by picture
    table = table if correct is None else table.assign(correct=list(correct))
    return replace(found, keys=[], ids=ids, attributes=table)
