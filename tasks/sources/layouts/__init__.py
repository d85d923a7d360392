"""Data sets as torchvision lays them out on disk, read without torchvision, which is asked only to download.

Our own readers, because torchvision's refuse any copy whose archive they did not unpack themselves, run pickles, and
give positions where names are needed. How to add one: a function (root, split) -> Records and a line in `LAYOUTS`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from bench.errors import unknown
from bench.task import ClassName, Records
from tasks.sources.layouts import (
    arrays,
    captions,
    corrupted,
    dsprites,
    files,
    geography,
    matlab,
    people,
    typographic,
    voc,
    wilds,
)
from tasks.sources.matching import keys_of
from tasks.sources.places import data_root, not_at_hand, offline

log = logging.getLogger(__name__)


class Layout(NamedTuple):
    """How to read a data set, and what must lie in the root."""

    read: Callable[[Path, str], Records]
    needs: tuple[str, ...]
    download: Mapping[str, Mapping[str, object]] | None = None
    """torchvision's arguments to download a split."""
    parts: Mapping[str, tuple[str, ...]] = {}
    """What a split needs besides, where each is published in an archive of its own."""

    def wanted(self, root: Path, split: str) -> list[Path]:
        """What must be there to read a split."""
        return [root / path for path in (*self.needs, *self.parts.get(split, ()))]


BY_FLAG = {"train": {"train": True}, "test": {"train": False}}
BY_SPLIT = {"train": {"split": "train"}, "test": {"split": "test"}}
WITH_VAL = {**BY_SPLIT, "val": {"split": "val"}}
ALL_IN_ONE: dict[str, dict[str, object]] = {"all": {}}

LAYOUTS: dict[str, Layout] = {
    "CIFAR10": Layout(arrays.cifar10, ("cifar-10-batches-py/batches.meta",), BY_FLAG),
    "CIFAR100": Layout(arrays.cifar100, ("cifar-100-python/meta",), BY_FLAG),
    "MNIST": Layout(arrays.idx("MNIST"), ("MNIST/raw",), BY_FLAG),
    "FashionMNIST": Layout(arrays.idx("FashionMNIST"), ("FashionMNIST/raw",), BY_FLAG),
    "STL10": Layout(arrays.stl10, ("stl10_binary/class_names.txt",), BY_SPLIT),
    "FER2013": Layout(arrays.fer2013, ("fer2013/fer2013.csv",)),
    "CIFAR10.1": Layout(arrays.cifar10_1, ("cifar10.1/cifar10.1_v6_data.npy",)),
    "CIFAR-10-C": Layout(corrupted.cifar_c("CIFAR-10-C", "cifar10"), ("CIFAR-10-C/labels.npy",)),
    "CIFAR-100-C": Layout(corrupted.cifar_c("CIFAR-100-C", "cifar100"), ("CIFAR-100-C/labels.npy",)),
    "ImageNet-C": Layout(corrupted.imagenet_c("imagenet-c"), ("imagenet-c",)),
    "SVHN": Layout(matlab.svhn, (), BY_SPLIT, {split: (f"{split}_32x32.mat",) for split in ("train", "test")}),
    "StanfordCars": Layout(matlab.cars, ("stanford_cars/devkit/cars_meta.mat",)),
    "Flowers102": Layout(matlab.flowers102, ("flowers-102/jpg", "flowers-102/setid.mat"), WITH_VAL),
    "EuroSAT": Layout(files.folder("eurosat/2750"), ("eurosat/2750",), ALL_IN_ONE),
    "DTD": Layout(files.dtd, ("dtd/dtd/images", "dtd/dtd/labels"), WITH_VAL),
    "Food101": Layout(files.food101, ("food-101/images", "food-101/meta"), BY_SPLIT),
    "OxfordIIITPet": Layout(
        files.pets,
        ("oxford-iiit-pet/images", "oxford-iiit-pet/annotations"),
        {"train": {"split": "trainval"}, "test": {"split": "test"}},
    ),
    "FGVCAircraft": Layout(files.aircraft, ("fgvc-aircraft-2013b/data",), WITH_VAL),
    "GTSRB": Layout(
        files.gtsrb,
        (),
        BY_SPLIT,
        {"train": ("gtsrb/GTSRB/Training",), "test": ("gtsrb/GTSRB/Final_Test/Images", "gtsrb/GT-final_test.csv")},
    ),
    "Country211": Layout(
        files.folder("country211", train="train", val="valid", test="test"), ("country211",), BY_SPLIT
    ),
    "RenderedSST2": Layout(
        files.folder("rendered-sst2", train="train", val="valid", test="test"), ("rendered-sst2",), BY_SPLIT
    ),
    "SUN397": Layout(files.sun397, ("SUN397",)),
    "Caltech101": Layout(files.folder("caltech101/101_ObjectCategories"), ("caltech101/101_ObjectCategories",)),
    "RESISC45": Layout(files.folder("NWPU-RESISC45"), ("NWPU-RESISC45",)),
    "Birdsnap": Layout(files.birdsnap, ("birdsnap/test_images.txt", "birdsnap/download/images")),
    "CLEVR count": Layout(files.clevr(files.clevr_count), ("CLEVR_v1.0/scenes",)),
    "CLEVR distance": Layout(files.clevr(files.clevr_distance), ("CLEVR_v1.0/scenes",)),
    "UCF101": Layout(files.ucf101, ("UCF-101", "ucfTrainTestlist")),
    "Kinetics700": Layout(files.kinetics700, ("kinetics700",)),
    "ImageNet": Layout(files.folder("imagenet", train="train", val="val"), ("imagenet/val",)),
    "ImageNet-V2": Layout(files.imagenet_v2, ("imagenetv2-matched-frequency-format-val",)),
    "ImageNet-A": Layout(files.folder("imagenet-a"), ("imagenet-a",)),
    "ImageNet-R": Layout(files.folder("imagenet-r"), ("imagenet-r",)),
    "ImageNet-O": Layout(files.folder("imagenet-o"), ("imagenet-o",)),
    "ImageNet-Sketch": Layout(files.folder("sketch"), ("sketch",)),
    "ObjectNet": Layout(files.objectnet, ("objectnet-1.0/images",)),
    "VOC2007": Layout(voc.voc2007, ("VOCdevkit/VOC2007",)),
    "VOC2007 crops": Layout(voc.voc2007_crops, ("VOCdevkit/VOC2007",)),
    "FairFace age": Layout(people.fairface("age"), ("fairface/fairface_label_val.csv",)),
    "FairFace gender": Layout(people.fairface("gender"), ("fairface/fairface_label_val.csv",)),
    "FairFace race": Layout(people.fairface("race"), ("fairface/fairface_label_val.csv",)),
    "UTKFace gender": Layout(people.utkface("gender"), ("UTKFace",)),
    "UTKFace race": Layout(people.utkface("race"), ("UTKFace",)),
    "CelebA blond": Layout(people.celeba("Blond_Hair", "Male"), ("celeba/list_attr_celeba.txt",)),
    "Waterbirds": Layout(people.waterbirds, ("waterbird_complete95_forest2water2/metadata.csv",)),
    "Camelyon17": Layout(wilds.camelyon17, ("camelyon17_v1.0/metadata.csv",)),
    "dSprites shape": Layout(dsprites.shape, (f"dsprites/{dsprites.FILE}",)),
    "FMoW": Layout(wilds.fmow, ("fmow_v1.1/rgb_metadata.csv",)),
    "iWildCam": Layout(wilds.iwildcam, ("iwildcam_v2.0/metadata.csv", "iwildcam_v2.0/train")),
    "Dollar Street": Layout(geography.dollar_street, ("dollarstreet/images_v2_imagenet_test.csv",)),
    "GeoDE": Layout(geography.geode, ("geode/index.csv", "geode/images")),
    "RTA-100": Layout(typographic.rta100, ("rta100",)),
    "CUB": Layout(files.cub, ("CUB_200_2011/images.txt",)),
    "Flickr30k": Layout(
        captions.karpathy("flickr30k/dataset_flickr30k.json", "flickr30k/flickr30k-images"),
        ("flickr30k/dataset_flickr30k.json",),
    ),
    "COCO captions": Layout(captions.karpathy("coco/dataset_coco.json", "coco"), ("coco/dataset_coco.json",)),
    "Winoground": Layout(captions.winoground, ("winoground/data/examples.jsonl",)),
    **{
        f"SugarCrepe {kind}": Layout(captions.sugarcrepe(kind), (f"sugar_crepe/data/{kind}.json",))
        for kind in captions.SUGARCREPE
    },
    **{f"ARO {kind}": Layout(captions.aro(kind), (f"aro/visual_genome_{kind}.json",)) for kind in captions.ARO},
}


@dataclass(frozen=True)
class LayoutReader:
    """See `from_torchvision`."""

    name: str
    root: str | Path | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[ClassName, ...] | None = None

    def __call__(self, split: str) -> Records:
        layout, root = LAYOUTS[self.name], data_root(self.root)
        wanted = layout.wanted(root, split)
        if not all(path.exists() for path in wanted):
            self._fetch(layout, split, root, wanted)
        records = layout.read(root, self.rename.get(split, split))
        if self.classes is None:
            return records
        found = sorted({str(key) for key in records.keys})
        known = dict(zip(found, keys_of(found, self.classes, where=self.name), strict=True))
        return replace(records, keys=[known[str(key)] for key in records.keys])

    def where(self) -> list[str]:
        """Where the data is looked for, in order."""
        layout = LAYOUTS[self.name]
        places = [str(path) for path in layout.wanted(data_root(self.root), "test")]
        return [*places, f"torchvision's download of {self.name}"] if layout.download is not None else places

    def at_hand(self) -> bool:
        """Whether the test split is here."""
        return all(path.exists() for path in LAYOUTS[self.name].wanted(data_root(self.root), "test"))

    def _fetch(self, layout: Layout, split: str, root: Path, wanted: list[Path]) -> None:
        if layout.download is None:
            raise not_at_hand(self.name, wanted, how="It must be fetched by hand from its publisher.")
        if offline():
            raise not_at_hand(self.name, wanted, reason="Downloads are switched off.")
        import torchvision

        log.warning("Downloading %s to %s", self.name, root)
        options = layout.download.get(split) or next(iter(layout.download.values()))
        try:
            root.mkdir(parents=True, exist_ok=True)
            getattr(torchvision.datasets, self.name)(str(root), download=True, **options)
        except Exception as error:  # torchvision raises RuntimeError, URLError, OSError, HTTPError ...
            raise not_at_hand(
                self.name,
                wanted,
                reason=f"Downloading it failed ({type(error).__name__}: {error}).",
                how="Put the published files there, unpacked.",
            ) from error


def from_layout(
    name: str,
    *,
    root: str | Path | None = None,
    splits: Mapping[str, str] | None = None,
    classes: Sequence[ClassName] | None = None,
) -> LayoutReader:
    """Reader of a data set as its publisher or torchvision lays it out: a name of `LAYOUTS`.

    The data is looked for in `root` or `data_root()`. `splits` maps split names to the publisher's. With
    `classes`, the data's labels are matched to class keys or names; without, they are the keys.
    """
    if name not in LAYOUTS:
        raise unknown("layout", name, LAYOUTS)
    return LayoutReader(name, root, dict(splits or {}), None if classes is None else tuple(classes))


def from_torchvision(
    name: str,
    *,
    root: str | Path | None = None,
    splits: Mapping[str, str] | None = None,
    classes: Sequence[ClassName] | None = None,
) -> LayoutReader:
    """`from_layout` for the data sets that torchvision can download, by the name of its class.

    What is not there is downloaded by torchvision, unless `BENCH_OFFLINE=1`.
    """
    if name not in LAYOUTS or LAYOUTS[name].download is None:
        known = [one for one, layout in LAYOUTS.items() if layout.download is not None]
        raise unknown("data set of torchvision", name, known, hint="For data fetched by hand, use from_layout.")
    return from_layout(name, root=root, splits=splits, classes=classes)
