"""Tasks in the very words of DataComp, whose scores are open_clip's table of results: for parity with it.

DataComp (Gadre et al. 2023, arXiv 2304.14108) ships names and templates with each copy of the data. Where they are not
OpenAI's, the task in OpenAI's words has a brother here. Lists and templates are those of CLIP_benchmark 1.4; for
GeoDE, FMoW, iWildCam, RESISC45, Camelyon17 and SVHN the sizes in bytes of DataComp's text files confirm them.
"""

from __future__ import annotations

from bench.task import ClassName
from tasks import people, scenes, specialised, structured
from tasks.sources import first_of, from_huggingface, from_webdataset
from tasks.text import classes, templates

DATACOMP = frozenset({"datacomp"})

RESISC45_DATACOMP = specialised.RESISC45.renamed(
    "resisc45_datacomp",
    family="parity",
    templates=templates("resisc45_datacomp"),
    notes="Four templates, two of them misspelt as published, where OpenAI has 18.",
    tags=DATACOMP,
)
PCAM_DATACOMP = specialised.PCAM.renamed(
    "pcam_datacomp",
    family="parity",
    templates=templates("pcam_datacomp"),
    notes="Two templates that speak of histopathology, where OpenAI has one that does not.",
    tags=DATACOMP,
)
CAMELYON17_DATACOMP = specialised.CAMELYON17.renamed(
    "camelyon17_datacomp", family="parity", templates=templates("pcam_datacomp"), tags=DATACOMP
)
CLEVR_COUNTS_DATACOMP = structured.CLEVR_COUNTS.renamed(
    "clevr_counts_datacomp",
    family="parity",
    classes=classes("clevr_counts_datacomp"),
    templates=templates("clevr_counts_datacomp"),
    notes="Numbers as words: 'a picture of three objects'.",
    tags=DATACOMP,
)
CLEVR_DISTANCE_DATACOMP = structured.CLEVR_DISTANCE.renamed(
    "clevr_distance_datacomp",
    family="parity",
    classes=tuple(ClassName(one.key, ("",)) if one.key == "3" else one for one in structured.CLEVR_DISTANCE.classes),
    notes="The fourth class has no name, as published: its prompt is ' shapes.'. The right one is `clevr_distance`.",
    tags=DATACOMP | {"as_published"},
)
SVHN_DATACOMP = scenes.SVHN.renamed(
    "svhn_datacomp",
    family="parity",
    classes=classes("mnist"),
    templates=templates("mnist"),
    notes="House numbers in the words of MNIST.",
    tags=DATACOMP,
)
FMOW_DATACOMP = people.FMOW.renamed(
    "fmow_datacomp",
    family="parity",
    load=first_of(
        from_webdataset("wds_wilds-fmow", classes("fmow"), numbers=("region", "year")),
        from_huggingface(
            "djghosh/wds_wilds-fmow_test",
            revision="f203cf5ce7a878f8fb4eac7ed6d79a3f54111929",
            image="png",
            label="cls",
            names=sorted(one.key for one in classes("fmow")),  # WILDS numbers the categories in this order
            numbers=("region", "year"),
        ),
    ),
    notes=(
        "DataComp's copy, where regions are numbers without names. It does not say which of them is WILDS' 'Other', "
        "which counts as a region here."
    ),
    tags=DATACOMP,
)

GEODE_DATACOMP = people.GEODE.renamed(
    "geode_datacomp",
    family="parity",
    load=from_webdataset("wds_geode", classes("geode"), numbers=("region", "country")),
    splits={"test": 12_488},
    test="test",
    notes="DataComp's copy, where regions are numbers.",
    tags=DATACOMP,
)
