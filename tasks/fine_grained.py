"""Fine-grained data sets of the CLIP paper: birds, cars, aircraft, flowers. Pets and Food-101 are in `general`."""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_huggingface, from_layout, from_torchvision, from_webdataset
from tasks.text import classes, templates

CLIP27 = frozenset({"clip27"})

BIRDSNAP = Task(
    name="birdsnap",
    family="fine_grained",
    load=first_of(
        from_layout("Birdsnap", classes=classes("birdsnap")),
        from_huggingface(
            "mteb/birdsnap",
            revision="fd23015508be94f0b5b59d61630e4ea2536509e4",
            label="common",
            classes=classes("birdsnap"),
        ),
    ),
    classes=classes("birdsnap"),
    templates=templates("birdsnap"),
    splits={"train": None, "test": None},
    licence="none stated; pictures from Flickr by link",
    reference="Berg et al. 2014, Birdsnap",
    notes=(
        "The data set is a list of links, many of them dead: the CLIP paper had 2,149 of 2,443 test "
        "pictures, MIEB has 1,851. No two copies are comparable to the last point."
    ),
    tags=CLIP27,
)

CARS = Task(
    name="cars",
    family="fine_grained",
    load=first_of(
        from_layout("StanfordCars", classes=classes("cars")),
        from_webdataset("wds_cars", classes("cars")),
        from_huggingface(
            "mteb/StanfordCars", revision="09ffe9bc7864d3f1e851529e5c4b7e05601a04fb", classes=classes("cars")
        ),
    ),
    classes=classes("cars"),
    templates=templates("cars"),
    splits={"train": 8_144, "test": 8_041},
    licence="research use, by the publisher's page",
    reference="Krause, Stark, Deng, Fei-Fei 2013, 3D Object Representations for Fine-Grained Categorization",
    notes="The publisher's links are gone; torchvision no longer downloads it.",
    tags=CLIP27,
)

AIRCRAFT = Task(
    name="aircraft",
    family="fine_grained",
    load=first_of(
        from_torchvision("FGVCAircraft", classes=classes("aircraft")),
        from_webdataset("wds_fgvc_aircraft", classes("aircraft")),
        from_huggingface(
            "mteb/FGVCAircraftZeroShot",
            revision="2d33d00400099b87bfec8b04f2876fb10ca07487",
            label="variant",
            classes=classes("aircraft"),
        ),
    ),
    classes=classes("aircraft"),
    templates=templates("aircraft"),
    splits={"train": 3_334, "val": 3_333, "test": 3_333},
    licence="non-commercial research, by the publisher's page",
    reference="Maji, Rahtu, Kannala, Blaschko, Vedaldi 2013, arXiv 1306.5151",
    metric="mean_per_class",
    notes="Labels are variants. UniBench and MIEB report plain accuracy.",
    tags=CLIP27,
)

FLOWERS102 = Task(
    name="flowers102",
    family="fine_grained",
    load=first_of(
        from_torchvision("Flowers102", classes=classes("flowers102")),
        from_webdataset("wds_vtab-flowers", classes("flowers102")),
    ),
    classes=classes("flowers102"),
    templates=templates("flowers102"),
    splits={"train": 1_020, "val": 1_020, "test": 6_149},
    licence="none stated",
    reference="Nilsback, Zisserman 2008, Automated Flower Classification over a Large Number of Classes",
    metric="mean_per_class",
    notes="The paper trains its probe on train and val together (2,040). MIEB splits the pictures anew.",
    tags=CLIP27,
)

CUB = Task(
    name="cub",
    family="fine_grained",
    load=from_layout("CUB", classes=classes("cub")),
    classes=classes("cub"),
    templates=templates("cub"),
    splits={"train": 5_994, "test": 5_794},
    licence="non-commercial research, by the publisher's page",
    reference="Wah, Branson, Welinder, Perona, Belongie 2011, The Caltech-UCSD Birds-200-2011 Dataset",
    notes="Names as in the data, 'Artic Tern' too. Not in the CLIP paper: the template is that of Birdsnap.",
)
