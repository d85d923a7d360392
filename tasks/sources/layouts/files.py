"""Published layouts that keep pictures in files: a folder a class, or lists of file names by split."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, reading
from bench.task import Pictures, Records, digest
from tasks.sources.content import SUFFIXES
from tasks.sources.folder import FolderReader, pictures_by_class, records_of_files
from tasks.sources.layouts.videos import VIDEOS, records_of_videos, still
from tasks.sources.matching import numbered, plain
from tasks.text import classes

if TYPE_CHECKING:
    from PIL.Image import Image


def folder(path: str, **splits: str) -> Callable[[Path, str], Records]:
    """`<path>/<class>/*`, or `<path>/<splits[split]>/<class>/*`; keys are the folder names."""

    def read(root: Path, split: str) -> Records:
        return FolderReader(root / path / splits.get(split, ""), {split: ""})(split)

    return read


def dtd(root: Path, split: str) -> Records:
    """`dtd/dtd`: the first of ten partitions, `labels/test1.txt` lists `banded/banded_0004.jpg`."""
    base = root / "dtd" / "dtd"
    names = lines(base / "labels" / f"{split}1.txt")
    return listed(base / "images", names, [name.split("/")[0] for name in names])


def food101(root: Path, split: str) -> Records:
    """`food-101`: `meta/test.txt` lists `apple_pie/1011328`."""
    base = root / "food-101"
    names = lines(base / "meta" / f"{split}.txt")
    return listed(base / "images", [f"{name}.jpg" for name in names], [name.split("/")[0] for name in names])


def pets(root: Path, split: str) -> Records:
    """`oxford-iiit-pet`: `annotations/test.txt` lists `Abyssinian_201 1 1 1`; breed and number."""
    base = root / "oxford-iiit-pet"
    rows = lines(base / "annotations" / ("trainval.txt" if split == "train" else f"{split}.txt"))
    names = [row.split()[0] for row in rows if not row.startswith("#")]
    return listed(base / "images", [f"{name}.jpg" for name in names], [name.rpartition("_")[0] for name in names])


def lines(path: Path) -> list[str]:
    """The lines of a list of the data set that are not blank."""
    with reading(path, "a list"):
        return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def listed(folder: Path, names: Sequence[str], keys: Sequence[str]) -> Records:
    """Records of the files `names` in `folder`; all must be there."""
    files = [folder / str(name) for name in names]
    missing = [file for file in files if not (file.is_relative_to(folder) and os.path.isfile(file))]
    if missing:
        raise BenchError(
            f"{len(missing)} of {len(files)} listed pictures are not there, first {missing[0]}. "
            "The copy is incomplete; unpack the archive again."
        )
    return records_of_files(files, keys, root=folder)


def birdsnap(root: Path, split: str) -> Records:
    """`birdsnap`: `test_images.txt` lists the test pictures; many links are dead, so those at hand are read."""
    base = root / "birdsnap"
    test = {line.split("\t")[0] for line in lines(base / "test_images.txt")[1:]}
    pictures = base / "download" / "images"
    names = [one.relative_to(pictures).as_posix() for one in pictures_by_class(pictures)]
    chosen = [name for name in names if (name in test) == (split == "test")]
    return listed(pictures, chosen, [name.split("/")[0] for name in chosen])


def sun397(root: Path, split: str) -> Records:
    """`SUN397`: `Testing_01.txt` lists `/a/abbey/sun_x.jpg`; split `all` is every picture there is."""
    base = root / "SUN397"
    if split == "all":
        names = [one.relative_to(base).as_posix() for one in pictures_by_class(base)]
    else:
        names = [line.lstrip("/") for line in lines(base / f"{'Testing' if split == 'test' else 'Training'}_01.txt")]
    return listed(base, names, [" ".join(name.split("/")[1:-1]).replace("_", " ") for name in names])


def aircraft(root: Path, split: str) -> Records:
    """`fgvc-aircraft-2013b`: `data/images_variant_test.txt` lists `1514522 707-320`."""
    base = root / "fgvc-aircraft-2013b" / "data"
    path = base / f"images_variant_{split}.txt"
    with reading(path, "a list of pictures with their variants"):
        rows = [(name, variant) for name, variant in (line.split(" ", 1) for line in lines(path))]
    return listed(base / "images", [f"{name}.jpg" for name, _ in rows], [variant for _, variant in rows])


def gtsrb(root: Path, split: str) -> Records:
    """`gtsrb`: training pictures in folders `00014`, test pictures in `GT-final_test.csv`."""
    base = root / "gtsrb"
    if split == "train":
        found = FolderReader(base / "GTSRB" / "Training", {"train": ""})("train")
        with reading(base / "GTSRB" / "Training", "folders with numbers"):
            return replace(found, keys=[str(int(str(key))) for key in found.keys])
    with reading(base / "GT-final_test.csv", "a table with Filename and ClassId"):
        rows = [line.split(";") for line in lines(base / "GT-final_test.csv")]
        name, label = rows[0].index("Filename"), rows[0].index("ClassId")
        names, keys = [row[name] for row in rows[1:]], [str(int(row[label])) for row in rows[1:]]
    return listed(base / "GTSRB" / "Final_Test" / "Images", names, keys)


def clevr(of: Callable[[list[dict[str, Any]]], str]) -> Callable[[Path, str], Records]:
    """`CLEVR_v1.0`: the key is made by `of` from the objects of a scene; VTAB's test pictures are CLEVR's `val`."""

    def read(root: Path, split: str) -> Records:
        part = "val" if split == "test" else split
        base = root / "CLEVR_v1.0"
        path = base / "scenes" / f"CLEVR_{part}_scenes.json"
        with reading(path, "scenes of CLEVR"):
            scenes = read_json(path)["scenes"]
            names, keys = [scene["image_filename"] for scene in scenes], [of(scene["objects"]) for scene in scenes]
        return listed(base / "images" / part, names, keys)

    return read


def clevr_count(objects: list[dict[str, Any]]) -> str:
    """The number of objects."""
    return str(len(objects))


def clevr_distance(objects: list[dict[str, Any]]) -> str:
    """VTAB's six classes of the distance to the closest object, with its thresholds."""
    nearest = min(one["pixel_coords"][2] for one in objects)
    return str(sum(nearest > threshold for threshold in (8.0, 8.5, 9.0, 9.5, 10.0)))


def imagenet_v2(root: Path, split: str) -> Records:
    """`imagenetv2-matched-frequency-format-val/<number>`: numbers count ImageNet's WordNet ids in sorted order."""
    found = FolderReader(root / "imagenetv2-matched-frequency-format-val", {split: ""})(split)
    order = sorted(one.key for one in classes("imagenet"))
    with reading(root / "imagenetv2-matched-frequency-format-val", "the folders 0 to 999 of ImageNet-V2"):
        return replace(found, keys=[numbered(order, int(str(key))) for key in found.keys])


def objectnet(root: Path, split: str) -> Records:
    """`objectnet-1.0/images/<folder>`: the 113 classes shared with ImageNet; the red frame of 2 pixels is cut off."""
    folder = root / "objectnet-1.0" / "images"
    known = {plain(one.key): one.key for one in classes("objectnet")}
    chosen = [one for one in pictures_by_class(folder) if plain(one.relative_to(folder).parts[0]) in known]
    found = listed(
        folder,
        [one.relative_to(folder).as_posix() for one in chosen],
        [known[plain(one.relative_to(folder).parts[0])] for one in chosen],
    )
    images = found.images

    def read(i: int) -> Image:
        return images[i].crop((2, 2, images[i].width - 2, images[i].height - 2))

    return replace(found, images=Pictures(len(images), read), fingerprint=digest("framed", found.fingerprint))


def ucf101(root: Path, split: str) -> Records:
    """`UCF-101/<class>/v_*.avi` or middle frames `v_*.jpg`; `ucfTrainTestlist/testlist01.txt` lists them.

    Clips were cut from few long videos: `v_Archery_g08_c01` is clip 1 of video 8. The attribute `source` says which.
    """
    import pandas as pd

    path = root / "ucfTrainTestlist" / f"{split}list01.txt"
    with reading(path, "a list of videos"):
        names = [line.split()[0] for line in lines(path)]
        files = [still(root / "UCF-101" / name) for name in names]
    found = records_of_videos(files, [name.split("/")[0] for name in names], root=root / "UCF-101")
    return replace(found, attributes=pd.DataFrame({"source": [Path(name).stem.rpartition("_")[0] for name in names]}))


def kinetics700(root: Path, split: str) -> Records:
    """`kinetics700/<split>/<class>/*`: videos, or their middle frames as pictures. Videos vanish from the web."""
    base = root / "kinetics700" / split
    files = sorted(one for one in base.glob("*/*") if one.suffix.lower() in SUFFIXES | VIDEOS)
    chosen = {one.with_suffix(""): one for one in sorted(files, key=lambda one: one.suffix in SUFFIXES)}
    return records_of_videos(list(chosen.values()), [one.parent.name for one in chosen], root=base)


def read_json(path: Path) -> Any:
    """The content of a JSON file of the data set."""
    with reading(path, "JSON"):
        return json.loads(path.read_text(encoding="utf-8"))


def cub(root: Path, split: str) -> Records:
    """`CUB_200_2011`: `images.txt` numbers the pictures, `train_test_split.txt` marks training ones by 1."""
    base = root / "CUB_200_2011"
    with reading(base / "images.txt", "a list of numbers and pictures"):
        names = dict(line.split(" ", 1) for line in lines(base / "images.txt"))
    with reading(base / "train_test_split.txt", "a list of a mark for each picture"):
        marks = dict(line.split() for line in lines(base / "train_test_split.txt"))
        chosen = [name for number, name in names.items() if (marks[number] == "1") == (split == "train")]
    return listed(base / "images", chosen, [name.split("/")[0].partition(".")[2] for name in chosen])
