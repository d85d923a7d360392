"""Natural shifts of ImageNet and CIFAR-10: same classes, other pictures (Taori et al. 2020; the CLIP paper's figure
13).

Subsets of ImageNet's classes are scored among their own classes only, as everywhere.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_huggingface, from_layout, from_webdataset
from tasks.text import classes, templates

IMAGENET_V2 = Task(
    name="imagenet_v2",
    family="shifts",
    load=first_of(
        from_layout("ImageNet-V2"),
        from_webdataset("wds_imagenetv2", classes("imagenet")),
    ),
    classes=classes("imagenet"),
    templates=templates("imagenet"),
    splits={"test": 10_000},
    licence="MIT (pictures from Flickr)",
    reference="Recht, Roelofs, Schmidt, Shankar 2019, arXiv 1902.10811",
    notes=("Matched frequency. Folders are numbers; they count WordNet ids in sorted order, not in text order."),
)

IMAGENET_SKETCH = IMAGENET_V2.renamed(
    "imagenet_sketch",
    load=first_of(
        from_layout("ImageNet-Sketch"),
        from_webdataset("wds_imagenet_sketch", classes("imagenet")),
    ),
    splits={"test": 50_889},
    licence="MIT (pictures from the web)",
    reference="Wang, Ge, Xing, Lipton 2019, arXiv 1905.13549",
    notes="",
)

IMAGENET_A = IMAGENET_V2.renamed(
    "imagenet_a",
    load=first_of(
        from_layout("ImageNet-A"),
        from_webdataset("wds_imagenet-a", classes("imagenet_a")),
    ),
    classes=classes("imagenet_a"),
    splits={"test": 7_500},
    licence="MIT",
    reference="Hendrycks, Zhao, Basart, Steinhardt, Song 2021, arXiv 1907.07174",
    notes="Pictures that a ResNet-50 got wrong: a hard set for it, not an unbiased one.",
)

IMAGENET_R = IMAGENET_V2.renamed(
    "imagenet_r",
    load=first_of(
        from_layout("ImageNet-R"),
        from_webdataset("wds_imagenet-r", classes("imagenet_r")),
    ),
    classes=classes("imagenet_r"),
    splits={"test": 30_000},
    licence="MIT",
    reference="Hendrycks et al. 2021, arXiv 2006.16241",
    notes="Art, cartoons, graffiti, toys and the like.",
)

IMAGENET_O = IMAGENET_V2.renamed(
    "imagenet_o",
    load=first_of(
        from_layout("ImageNet-O"),
        from_webdataset("wds_imagenet-o", classes("imagenet_o")),
    ),
    classes=classes("imagenet_o"),
    splits={"test": 2_000},
    licence="MIT",
    reference="Hendrycks, Zhao, Basart, Steinhardt, Song 2021, arXiv 1907.07174",
    notes=(
        "Made to test the detection of unknown objects: a folder's class is what a ResNet-50 took the "
        "picture for. CLIP_benchmark and DataComp score it as classification, and so does this task."
    ),
)

OBJECTNET = Task(
    name="objectnet",
    family="shifts",
    load=first_of(
        from_layout("ObjectNet"),
        from_webdataset("wds_objectnet", classes("objectnet")),
    ),
    classes=classes("objectnet"),
    templates=templates("imagenet"),
    splits={"test": 18_574},
    licence="CC BY 4.0, for testing only",
    reference="Barbu et al. 2019, ObjectNet",
    notes=("The 113 classes shared with ImageNet, by ObjectNet's own names. The red frame of the pictures is cut off."),
)

CIFAR10_1 = Task(
    name="cifar10_1",
    family="shifts",
    load=from_layout("CIFAR10.1"),
    classes=classes("cifar10"),
    templates=templates("cifar10"),
    splits={"test": 2_000},
    licence="MIT",
    reference="Recht, Roelofs, Schmidt, Shankar 2018, arXiv 1806.00451",
    notes="Version 6, the balanced one.",
)

IWILDCAM = Task(
    name="iwildcam",
    family="shifts",
    load=first_of(
        from_layout("iWildCam"),
        from_webdataset("wds_wilds-iwildcam", classes("iwildcam"), numbers=("location", "sequence")),
        from_huggingface(
            "djghosh/wds_wilds-iwildcam_test",
            revision="325d5685431b89c94c1fc5732d914b1a04950426",
            image="jpg",
            label="cls",
            names=[str(number) for number in range(182)],
            numbers=("location", "sequence"),
        ),
    ),
    classes=classes("iwildcam"),
    templates=templates("iwildcam"),
    splits={"train": 129_809, "val": 14_961, "test": 42_791, "id_val": 7_314, "id_test": 8_154},
    licence="CDLA Permissive 1.0",
    reference="Beery, Cole, Gjoka 2020, arXiv 2004.10340; split by WILDS, arXiv 2012.07421",
    metric="macro_f1",
    cluster=("location",),
    notes=(
        "Camera traps at places that the training set has not seen; pictures of one place depend on each other. Four "
        "animals are two classes each with one name, as published. Class 0 is 'empty'."
    ),
)
