"""Pictures of people, places and birds with groups: for audits of who is failed.

Gender, race and age here are labels that annotators gave to faces. They measure a model's treatment of appearances
and say nothing about the people in the pictures.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import from_layout
from tasks.text import classes, templates

FAIRFACE_GENDER = Task(
    name="fairface_gender",
    family="people",
    load=from_layout("FairFace gender"),
    classes=classes("fairface_gender"),
    templates=templates("fairface_gender"),
    splits={"train": 86_744, "test": 10_954},
    licence="CC BY 4.0",
    reference="Karkkainen, Joo 2021, arXiv 1908.04913",
    notes=(
        "Scored on the publisher's validation pictures. Attributes age, gender and race go with every task on them: "
        "what crowd workers saw in the face (two of three agreed), not what anybody said of themselves."
    ),
)
FAIRFACE_RACE = FAIRFACE_GENDER.renamed(
    "fairface_race",
    load=from_layout("FairFace race"),
    classes=classes("fairface_race"),
    templates=templates("fairface_race"),
)
FAIRFACE_AGE = FAIRFACE_GENDER.renamed(
    "fairface_age",
    load=from_layout("FairFace age"),
    classes=classes("fairface_age"),
    templates=templates("fairface_age"),
)

UTKFACE_GENDER = Task(
    name="utkface_gender",
    family="people",
    load=from_layout("UTKFace gender"),
    classes=classes("utkface_gender"),
    templates=templates("utkface_gender"),
    splits={"all": None},
    test="all",
    licence="non-commercial research, by the publisher's page",
    reference="Zhang, Song, Qi 2017, arXiv 1702.08423",
    notes=(
        "Aligned and cropped faces. A few file names lack a field and are left out. Age, gender and race were "
        "estimated by a model and checked by an annotator."
    ),
)
UTKFACE_RACE = UTKFACE_GENDER.renamed(
    "utkface_race",
    load=from_layout("UTKFace race"),
    classes=classes("utkface_race"),
    templates=templates("utkface_race"),
)

CELEBA_BLOND = Task(
    name="celeba_blond",
    family="spurious",
    load=from_layout("CelebA blond"),
    classes=classes("celeba_blond"),
    templates=templates("celeba_blond"),
    splits={"train": 162_770, "val": 19_867, "test": 19_962},
    licence="non-commercial research, by the publisher's page",
    reference="Liu, Luo, Wang, Tang 2015, arXiv 1411.7766; task by Sagawa et al. 2020, arXiv 1911.08731",
    metric="worst_group",
    group="group",
    chance=0.5,
    notes="Hair colour with gender as the spurious attribute: accuracy of the worst of four groups.",
)

WATERBIRDS = Task(
    name="waterbirds",
    family="spurious",
    load=from_layout("Waterbirds"),
    classes=classes("waterbirds"),
    templates=templates("waterbirds"),
    splits={"train": 4_795, "val": 1_199, "test": 5_794},
    licence="none stated; CUB and Places pictures, for research",
    reference="Sagawa, Koh, Hashimoto, Liang 2020, arXiv 1911.08731",
    metric="worst_group",
    group="group",
    chance=0.5,
    notes="Birds pasted on land and water: accuracy of the worst of four groups.",
)

FMOW = Task(
    name="fmow",
    family="geography",
    load=from_layout("FMoW"),
    classes=classes("fmow"),
    templates=templates("fmow"),
    splits={"test": 22_108},
    licence="Functional Map of the World challenge licence",
    reference="Christie et al. 2018, arXiv 1711.07846; split by WILDS, arXiv 2012.07421",
    metric="worst_group",
    group="region",
    notes=(
        "Accuracy in the worst region of the world; countries without a region are left out of it, as in WILDS. "
        "DataComp's evaluator has no names of regions, so that this exception never applies there, and open_clip's "
        "table has 0.0000 for every fourth model: `fmow_datacomp` scores that way. The rows say which region was "
        "the worst and how many pictures it has. Templates as in DataComp."
    ),
)

DOLLAR_STREET = Task(
    name="dollar_street",
    family="geography",
    load=from_layout("Dollar Street"),
    classes=classes("imagenet"),
    templates=templates("imagenet"),
    splits={"train": None, "test": None},
    licence="CC BY-SA 4.0",
    reference="Rojas et al. 2022, The Dollar Street Dataset",
    metric="worst_group_top5",
    group="group",
    cluster=("place",),
    chance=0.005,
    notes=(
        "Household objects with the ImageNet classes the publisher gives them; groups are quarters by "
        "income. Scored among all 1,000 names of ImageNet, where DataComp uses a list of its own."
    ),
)

GEODE = Task(
    name="geode",
    family="geography",
    load=from_layout("GeoDE", classes=classes("geode")),
    classes=classes("geode"),
    templates=templates("imagenet"),
    splits={"all": 61_940},
    test="all",
    licence="CC BY 4.0",
    reference="Ramaswamy, Lin, Zhao, Adcock, van der Maaten, Ghadiyaram, Russakovsky 2023, arXiv 2301.02560",
    metric="worst_group",
    group="region",
    notes=(
        "Accuracy in the worst of six regions of the world, over all pictures: the publisher gives no split. "
        "`geode_datacomp` has the 12,488 test pictures that DataComp scores. Templates are ImageNet's, as there."
    ),
)
