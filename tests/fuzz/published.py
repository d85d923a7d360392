"""Published data sets in miniature, one file of each damaged: makers and readers for the fuzzer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

LISTS: dict[str, tuple[str, ...]] = {
    "cifar10": ("cifar-10-batches-py/test_batch", "cifar-10-batches-py/batches.meta"),
    "mnist": ("MNIST/raw/t10k-labels-idx1-ubyte",),
    "stl10": ("stl10_binary/class_names.txt", "stl10_binary/test_X.bin", "stl10_binary/test_y.bin"),
    "fer2013": ("fer2013/fer2013.csv",),
    "cifar10_1": ("cifar10.1/cifar10.1_v6_data.npy", "cifar10.1/cifar10.1_v6_labels.npy"),
    "cifar10_c": ("CIFAR-10-C/fog.npy", "CIFAR-10-C/labels.npy"),
    "svhn": ("test_32x32.mat",),
    "cars": ("stanford_cars/devkit/cars_meta.mat", "stanford_cars/cars_test_annos_withlabels.mat"),
    "flowers102": ("flowers-102/setid.mat", "flowers-102/imagelabels.mat"),
    "dtd": ("dtd/dtd/labels/test1.txt",),
    "pets": ("oxford-iiit-pet/annotations/test.txt",),
    "aircraft": ("fgvc-aircraft-2013b/data/images_variant_test.txt",),
    "gtsrb": ("gtsrb/GT-final_test.csv",),
    "birdsnap": ("birdsnap/test_images.txt",),
    "sun397": ("SUN397/Testing_01.txt",),
    "clevr_counts": ("CLEVR_v1.0/scenes/CLEVR_val_scenes.json",),
    "clevr_distance": ("CLEVR_v1.0/scenes/CLEVR_val_scenes.json",),
    "ucf101": ("ucfTrainTestlist/testlist01.txt",),
    "cub": ("CUB_200_2011/images.txt", "CUB_200_2011/train_test_split.txt"),
    "voc2007": ("VOCdevkit/VOC2007/ImageSets/Main/test.txt", "VOCdevkit/VOC2007/ImageSets/Main/cat_test.txt"),
    "voc2007_crops": ("VOCdevkit/VOC2007/Annotations/100000.xml",),
    "hateful_memes": ("hateful_memes/dev.jsonl",),
    "fairface_age": ("fairface/fairface_label_val.csv",),
    "celeba_blond": ("celeba/list_attr_celeba.txt", "celeba/list_eval_partition.txt"),
    "waterbirds": ("waterbird_complete95_forest2water2/metadata.csv",),
    "camelyon17": ("camelyon17_v1.0/metadata.csv",),
    "fmow": ("fmow_v1.1/rgb_metadata.csv", "fmow_v1.1/country_code_mapping.csv"),
    "iwildcam": ("iwildcam_v2.0/metadata.csv",),
    "dollar_street": ("dollarstreet/images_v2_imagenet_test.csv",),
    "geode": ("geode/index.csv",),
    "dsprites_shape": ("dsprites/dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",),
    "flickr30k": ("flickr30k/dataset_flickr30k.json",),
    "winoground": ("winoground/data/examples.jsonl",),
    "sugarcrepe_add_att": ("sugar_crepe/data/add_att.json",),
    "aro_relation": ("aro/visual_genome_relation.json",),
    "resisc45": ("wds_vtab-resisc45/classnames.txt",),
    "geode_datacomp": ("wds_geode_test/test/0.tar",),
    "eurosat_vtab": ("mteb/eurosat-rgb/data/test-00000-of-00001.parquet",),
    "aro_coco_order": ("mteb/ARO-COCO-order/data/test-00000-of-00001.parquet",),
    "scam": ("BLISS-e-V/SCAM/images.zip",),
}
"""Task -> files that say what its pictures are, or hold them all."""
SPLITS = {"cifar10_c": "fog@3"}
"""Other than the split that is scored."""


def miniature(name: str, file: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        import tasks
        from tests.contract.test_tasks import keys_of
        from tests.fixtures.published import MINIATURES

        MINIATURES[name](folder, keys_of(tasks.select(name)[0]))
        return folder / file

    return make


def read_task(name: str) -> Callable[[Path], Any]:
    """All that a run reads: labels, attributes and every picture. The data root is the folder."""

    def read(folder: Path) -> Any:
        import tasks

        task = tasks.select(name)[0]
        samples = task.renamed(name, splits=dict.fromkeys(task.splits, None)).samples(SPLITS.get(name))
        return [picture.load() for picture in samples.images]

    return read


def video(folder: Path) -> Path:
    from tests.unit.test_videos import write_video

    write_video(path := folder / "v.avi", [20, 60, 100])
    return path


def read_video(folder: Path) -> Any:
    from tasks.sources.layouts.videos import middle_frame

    return middle_frame(folder / "v.avi")
