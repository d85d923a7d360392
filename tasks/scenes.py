"""Objects, scenes, countries and digits: SUN397, Caltech-101, STL-10, VOC 2007, Country211, SVHN.

Where the paper and common practice differ, both are tasks: `sun397` and `sun397_all`, `voc2007` and `voc2007_crops`.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_huggingface, from_layout, from_torchvision, from_webdataset
from tasks.text import classes, templates

CLIP27 = frozenset({"clip27"})

SUN397 = Task(
    name="sun397",
    family="scenes",
    load=from_layout("SUN397", classes=classes("sun397")),
    classes=classes("sun397"),
    templates=templates("sun397"),
    splits={"train": 19_850, "test": 19_850},
    licence="none stated; pictures from the web",
    reference="Xiao, Hays, Ehinger, Oliva, Torralba 2010, SUN Database",
    notes=("The first of the publisher's ten partitions (`Training_01.txt`, `Testing_01.txt`), as in the paper."),
    tags=CLIP27,
)

SUN397_ALL = SUN397.renamed(
    "sun397_all",
    load=first_of(
        from_layout("SUN397", classes=classes("sun397")),
        from_webdataset("wds_sun397", classes("sun397"), splits={"all": "test"}),
    ),
    splits={"all": 108_754},
    test="all",
    notes=("All pictures, as CLIP_benchmark and DataComp score them: another number than the paper's `sun397`."),
    tags=frozenset(),
)

CALTECH101 = Task(
    name="caltech101",
    family="general",
    load=first_of(
        from_webdataset("wds_vtab-caltech101", classes("caltech101")),
        from_huggingface(
            "mteb/Caltech101", revision="011e51e5fb01f0c820824734edb7a539ab8e6650", classes=classes("caltech101")
        ),
    ),
    classes=classes("caltech101"),
    templates=templates("caltech101"),
    splits={"train": None, "test": 6_085},
    licence="CC BY 4.0",
    reference="Fei-Fei, Fergus, Perona 2004, Learning Generative Visual Models from Few Training Examples",
    metric="mean_per_class",
    notes=(
        "VTAB's split (30 training pictures a class, the background among the 102 classes), which has "
        "the paper's counts. torchvision leaves the background out: `caltech101_all`."
    ),
    tags=CLIP27,
)

CALTECH101_ALL = CALTECH101.renamed(
    "caltech101_all",
    load=from_layout("Caltech101", classes=classes("caltech101")),
    splits={"all": None},
    test="all",
    notes="Every picture of the folders of the publisher, with or without the background folder.",
    tags=frozenset(),
)

STL10 = Task(
    name="stl10",
    family="general",
    load=first_of(
        from_torchvision("STL10", classes=classes("stl10")),
        from_webdataset("wds_stl10", classes("stl10")),
        from_huggingface("mteb/stl10", revision="2da456fe65204f88c2cb5e5ff17f85f442ef3eaa", classes=classes("stl10")),
    ),
    classes=classes("stl10"),
    templates=templates("stl10"),
    splits={"train": 5_000, "test": 8_000},
    licence="none stated; pictures from ImageNet",
    reference="Coates, Ng, Lee 2011, An Analysis of Single-Layer Networks in Unsupervised Feature Learning",
    notes=(
        "The ten folds are folds of the training set. The test set is the same for all, so that zero-shot needs none."
    ),
    tags=CLIP27,
)

VOC2007 = Task(
    name="voc2007",
    family="general",
    load=from_layout("VOC2007"),
    classes=classes("voc2007"),
    templates=templates("voc2007"),
    splits={"train": 2_501, "val": 2_510, "test": 4_952},
    licence="Flickr terms of use",
    reference="Everingham, Van Gool, Williams, Winn, Zisserman 2010, The Pascal Visual Object Classes Challenge",
    metric="map_11_point",
    chance=0.1,
    notes=(
        "Several labels a picture, 11-point mean average precision. Objects marked difficult count as "
        "absent and are listed in the attribute `difficult`; the devkit leaves such pictures out of that"
        " class. OpenAI's list has sofa, diningtable and pottedplant out of the data's order: joined by "
        "name."
    ),
    tags=CLIP27,
)

VOC2007_CROPS = VOC2007.renamed(
    "voc2007_crops",
    load=from_layout("VOC2007 crops"),
    splits={"train": None, "val": None, "test": 14_976},
    metric="top1",
    chance=None,
    cluster=("picture",),
    notes="One picture an annotated box, plain accuracy: what CLIP_benchmark and DataComp call VOC 2007.",
    tags=frozenset(),
)

COUNTRY211 = Task(
    name="country211",
    family="geography",
    load=first_of(
        from_torchvision("Country211"),
        from_webdataset("wds_country211", classes("country211")),
        from_huggingface(
            "mteb/wds_country211",
            revision="c3875324cab4803fa6d3afcd5947a97c84fad4c6",
            image="jpg",
            label="cls",
            names=sorted(one.key for one in classes("country211")),  # the copy numbers its folders
        ),
    ),
    classes=classes("country211"),
    templates=templates("country211"),
    splits={"train": 31_650, "val": 10_550, "test": 21_100},
    licence="Flickr pictures under Creative Commons licences (YFCC100M)",
    reference="Radford et al. 2021, arXiv 2103.00020",
    notes="Folders are ISO 3166 codes and are joined to OpenAI's country names by code.",
    tags=CLIP27,
)

SVHN = Task(
    name="svhn",
    family="reading",
    load=first_of(
        from_torchvision("SVHN"),
        from_webdataset("wds_vtab-svhn", classes("svhn")),
    ),
    classes=classes("svhn"),
    templates=templates("svhn"),
    splits={"train": 73_257, "test": 26_032},
    licence="non-commercial use, by the publisher's page",
    reference="Netzer et al. 2011, Reading Digits in Natural Images with Unsupervised Feature Learning",
    notes=("Not in the CLIP paper's 27; names and templates of CLIP_benchmark, one of them misspelt as published."),
)
