"""Eight general data sets of the CLIP paper (Radford et al. 2021, table 9) in their published layouts.

Class names and templates are OpenAI's, word for word. Sources: torchvision's layout on disk (or its download), a
`wds_*` folder in CLIP_benchmark's layout in the data root, then a pinned copy on Hugging Face. The hub copies carry
the names of their classes, and every source is joined to ours by those names.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_folder, from_huggingface, from_layout, from_torchvision, from_webdataset
from tasks.text import classes, templates

CLIP27 = frozenset({"clip27"})

CIFAR10 = Task(
    name="cifar10",
    family="general",
    load=first_of(
        from_torchvision("CIFAR10"),
        from_webdataset("wds_vtab-cifar10", classes("cifar10")),
        from_huggingface(
            "mteb/cifar10",
            revision="69a62dd171e24a133d193073e73fda4dbb823266",
            image="img",
            classes=classes("cifar10"),
        ),
    ),
    classes=classes("cifar10"),
    templates=templates("cifar10"),
    splits={"train": 50_000, "test": 10_000},
    licence="none stated by the publisher; used for research",
    reference="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    tags=CLIP27,
)

CIFAR100 = Task(
    name="cifar100",
    family="general",
    load=first_of(
        from_torchvision("CIFAR100"),
        from_webdataset("wds_vtab-cifar100", classes("cifar100")),
        from_huggingface(
            "mteb/cifar100",
            revision="ac5511f885f65fb75d31a9d8810a8440913f7721",
            image="img",
            label="fine_label",
            classes=classes("cifar100"),
        ),
    ),
    classes=classes("cifar100"),
    templates=templates("cifar100"),
    splits={"train": 50_000, "test": 10_000},
    licence="none stated by the publisher; used for research",
    reference="Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images",
    tags=CLIP27,
)

MNIST = Task(
    name="mnist",
    family="general",
    load=first_of(
        from_torchvision("MNIST"),
        from_webdataset("wds_mnist", classes("mnist")),
        from_huggingface("mteb/mnist", revision="cf6afcbae72cc3bb1fc07a9480fe0d8e0b615fcd", classes=classes("mnist")),
    ),
    classes=classes("mnist"),
    templates=templates("mnist"),
    splits={"train": 60_000, "test": 10_000},
    licence="none stated by the publisher; copies carry CC BY-SA 3.0",
    reference="LeCun, Bottou, Bengio, Haffner 1998, Gradient-Based Learning Applied to Document Recognition",
    tags=CLIP27,
)

FASHION_MNIST_FULL = Task(
    name="fashion_mnist_full",
    family="general",
    load=from_torchvision("FashionMNIST"),
    classes=classes("fashion_mnist_full"),
    templates=templates("fashion_mnist"),
    splits={"train": 60_000, "test": 10_000},
    licence="MIT",
    reference="Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747",
    notes=(
        "The complete test set; `fashion_mnist` is the part of it that is bundled. Not in the CLIP "
        "paper: the templates are ours."
    ),
)

EUROSAT = Task(
    name="eurosat",
    family="specialised",
    load=from_torchvision("EuroSAT"),
    classes=classes("eurosat"),
    templates=templates("eurosat"),
    splits={"all": 27_000},
    test="all",
    licence="MIT",
    reference="Helber, Bischke, Dengel, Borth 2019, arXiv 1709.00029",
    notes=(
        "The publisher gives no split and the CLIP paper's 5,000 test pictures were never listed, so all"
        " pictures are scored, as CLIP_benchmark does with torchvision's copy. `eurosat_vtab` has VTAB's"
        " test split. OpenAI lists the classes in an order of its own; they are joined by folder name."
    ),
    tags=CLIP27,
)

EUROSAT_VTAB = EUROSAT.renamed(
    "eurosat_vtab",
    load=first_of(
        from_webdataset("wds_vtab-eurosat", classes("eurosat")),
        from_huggingface(
            "mteb/eurosat-rgb",
            revision="da02b77448e750b3b034e0b5da008167b9706571",
            splits={"val": "validation"},
            classes=classes("eurosat"),
        ),
    ),
    splits={"train": 16_200, "val": 5_400, "test": 5_400},
    test="test",
    notes="VTAB's split of EuroSAT (5,400 test pictures), which DataComp and MIEB score.",
    tags=frozenset(),
)

DTD = Task(
    name="dtd",
    family="specialised",
    load=first_of(
        from_torchvision("DTD"),
        from_webdataset("wds_vtab-dtd", classes("dtd")),
        from_huggingface(
            "mteb/dtd",
            revision="96726183040de9e64a590d08eaac8de940dfcbdf",
            splits={"val": "validation"},
            classes=classes("dtd"),
        ),
    ),
    classes=classes("dtd"),
    templates=templates("dtd"),
    splits={"train": 1_880, "val": 1_880, "test": 1_880},
    licence="research use, by the publisher's page",
    reference="Cimpoi, Maji, Kokkinos, Mohamed, Vedaldi 2014, Describing Textures in the Wild",
    notes="The first of the publisher's ten partitions.",
    tags=CLIP27,
)

PETS = Task(
    name="pets",
    family="fine_grained",
    load=first_of(
        from_torchvision("OxfordIIITPet"),
        from_webdataset("wds_vtab-pets", classes("pets")),
        from_huggingface(
            "mteb/OxfordPets", revision="557b480fae8d69247be74d9503b378a09425096f", classes=classes("pets")
        ),
    ),
    classes=classes("pets"),
    templates=templates("pets"),
    splits={"train": 3_680, "test": 3_669},
    licence="CC BY-SA 4.0",
    reference="Parkhi, Vedaldi, Zisserman, Jawahar 2012, Cats and Dogs",
    metric="mean_per_class",
    notes=(
        "OpenAI lists cats before dogs, the data set sorts by name without regard to case: joined by "
        "file name. Mean per class as in the paper; UniBench and MIEB report plain accuracy."
    ),
    tags=CLIP27,
)

FOOD101 = Task(
    name="food101",
    family="fine_grained",
    load=first_of(
        from_torchvision("Food101"),
        from_webdataset("wds_food101", classes("food101")),
        from_huggingface(
            "mteb/food101",
            revision="7cca05bfde8fdad4a9b39ed14a881c800cc1dca2",
            splits={"test": "validation"},
            classes=classes("food101"),
        ),
    ),
    classes=classes("food101"),
    templates=templates("food101"),
    splits={"train": 75_750, "test": 25_250},
    licence="none stated; pictures from Foodspotting, for scientific use",
    reference="Bossard, Guillaumin, Van Gool 2014, Food-101",
    tags=CLIP27,
)

IMAGENET = Task(
    name="imagenet",
    family="general",
    load=first_of(
        from_layout("ImageNet", splits={"test": "val"}),
        from_folder("ILSVRC2012", splits={"train": "train", "test": "val"}, classes=classes("imagenet")),
        from_webdataset("wds_imagenet1k", classes("imagenet")),
    ),
    classes=classes("imagenet"),
    templates=templates("imagenet"),
    splits={"train": 1_281_167, "test": 50_000},
    licence="ImageNet terms of access: non-commercial research",
    reference="Russakovsky et al. 2015, arXiv 1409.0575",
    notes=(
        "Scored on the 50,000 validation pictures, as everywhere. OpenAI's list names two classes "
        "'missile' and two 'sunglasses'; classes are WordNet ids here, and where two have one name the "
        "credit of a tie is shared."
    ),
    tags=CLIP27,
)
