"""Specialised data sets: satellites, tissue, traffic signs, emotions in faces, written words.

Where class order belongs to a copy of the data (FER2013), labels are joined by the names in that copy.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import first_of, from_huggingface, from_layout, from_table, from_torchvision, from_webdataset
from tasks.text import classes, templates

CLIP27 = frozenset({"clip27"})
ALPHABETIC = ("angry", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")
"""What the numbers of CLIP_benchmark's copy of FER2013 mean: not the numbers of the challenge."""

RESISC45 = Task(
    name="resisc45",
    family="satellite",
    load=first_of(
        from_webdataset("wds_vtab-resisc45", classes("resisc45")),
        from_huggingface(
            "mteb/resisc45",
            revision="a5b7c0d47eb6544fb2ef0d380b9c105f3c6dc259",
            classes=classes("resisc45"),
            splits={"val": "validation"},
        ),
    ),
    classes=classes("resisc45"),
    templates=templates("resisc45"),
    splits={"train": 18_900, "val": 6_300, "test": 6_300},
    licence="none stated",
    reference="Cheng, Han, Lu 2017, arXiv 1703.00121",
    notes=(
        "VTAB's split, as DataComp and MIEB score. The paper's 25,200 test pictures were never listed; "
        "all 31,500 are `resisc45_all`. The 18 templates are OpenAI's; `resisc45_datacomp` has CLIP_benchmark's 4."
    ),
    tags=CLIP27,
)

RESISC45_ALL = RESISC45.renamed(
    "resisc45_all",
    load=from_layout("RESISC45"),
    splits={"all": 31_500},
    test="all",
    notes="Every picture of the publisher's folders.",
    tags=frozenset(),
)

PCAM = Task(
    name="pcam",
    family="medical",
    load=first_of(
        from_webdataset("wds_vtab-pcam", classes("pcam")),
        from_huggingface(
            "mteb/wds_vtab-pcam",
            revision="6544d35f2235ed00e2ac8494c09ff107f8af353c",
            image="webp",
            label="cls",
            names=["0", "1"],
            classes=classes("pcam"),
        ),
    ),
    classes=classes("pcam"),
    templates=templates("pcam"),
    splits={"train": 262_144, "val": 32_768, "test": 32_768},
    licence="CC0",
    reference="Veeling et al. 2018, arXiv 1806.03962",
    notes=(
        "OpenAI's template has no full stop; `pcam_datacomp` has CLIP_benchmark's two. Half of all models lie near "
        "chance. Patches come from few slides, which no copy names: intervals are too narrow."
    ),
    tags=CLIP27,
)

GTSRB = Task(
    name="gtsrb",
    family="road",
    load=first_of(
        from_torchvision("GTSRB"),
        from_webdataset("wds_gtsrb", classes("gtsrb")),
        from_huggingface(
            "mteb/wds_gtsrb",
            revision="a8f4bb6c8b6f76f4bdc548a7f2979057e546ab44",
            image="webp",
            label="cls",
            names=[str(number) for number in range(43)],
        ),
    ),
    classes=classes("gtsrb"),
    templates=templates("gtsrb"),
    splits={"train": 26_640, "test": 12_630},
    licence="none stated",
    reference="Stallkamp, Schlipsing, Salmen, Igel 2012, Man vs. Computer",
    notes="Class names as published, with 'horizonal' and 'bicyle'.",
    tags=CLIP27,
)

FER2013 = Task(
    name="fer2013",
    family="faces",
    load=from_layout("FER2013"),
    classes=classes("fer2013"),
    templates=templates("fer2013"),
    splits={"train": 28_709, "val": 3_589, "test": 3_589},
    licence="Kaggle competition data",
    reference="Goodfellow et al. 2013, Challenges in Representation Learning",
    notes=(
        "The challenge's private test pictures, as ELEVATER scores. The paper's 3,574 are not listed. "
        "OpenAI's synonyms are part of the class vectors; CLIP_benchmark uses one name a class."
    ),
    tags=CLIP27,
)

FER2013_BOTH = FER2013.renamed(
    "fer2013_both",
    load=first_of(
        from_layout("FER2013"),
        from_webdataset("wds_fer2013", classes("fer2013"), splits={"both": "test"}),
        from_huggingface(
            "mteb/wds_fer2013",
            revision="d9cabab388cb32bc071a1601ef68cb2f70ca0ba7",
            image="jpg",
            label="cls",
            splits={"both": "test"},
            names=ALPHABETIC,
            classes=classes("fer2013"),
        ),
    ),
    splits={"both": 7_178},
    test="both",
    notes="Public and private test pictures together, as CLIP_benchmark and MIEB score.",
    tags=frozenset(),
)

RENDERED_SST2 = Task(
    name="rendered_sst2",
    family="reading",
    load=first_of(
        from_torchvision("RenderedSST2"),
        from_webdataset("wds_renderedsst2", classes("rendered_sst2")),
        from_huggingface(
            "mteb/wds_renderedsst2",
            revision="c10537bc389e9741a27f7b14767bd42f2b77476b",
            image="png",
            label="cls",
            names=["negative", "positive"],
            classes=classes("rendered_sst2"),
        ),
    ),
    classes=classes("rendered_sst2"),
    templates=templates("rendered_sst2"),
    splits={"train": 6_920, "val": 872, "test": 1_821},
    licence="none stated",
    reference="Radford et al. 2021, arXiv 2103.00020",
    tags=CLIP27,
)

HATEFUL_MEMES = Task(
    name="hateful_memes",
    family="reading",
    load=from_table("hateful_memes/dev.jsonl", image="img", label="label", attributes=["text"]),
    classes=classes("hateful_memes"),
    templates=templates("hateful_memes"),
    splits={"test": 500},
    licence="Hateful Memes challenge terms; data by request",
    reference="Kiela et al. 2020, arXiv 2005.04790",
    metric="roc_auc",
    chance=0.5,
    notes="The 500 pictures of the first `dev.jsonl`, as in the paper: the test labels came later.",
    tags=CLIP27,
)

DIABETIC_RETINOPATHY = Task(
    name="diabetic_retinopathy",
    family="medical",
    load=from_webdataset("wds_vtab-diabetic_retinopathy", classes("diabetic_retinopathy")),
    classes=classes("diabetic_retinopathy"),
    templates=templates("diabetic_retinopathy"),
    splits={"test": 42_670},
    licence="Kaggle competition data",
    reference="Kaggle and EyePACS 2015, Diabetic Retinopathy Detection",
    metric="mean_per_class",
    notes="Three in four pictures show no disease: accuracy alone rewards saying so, hence mean per class.",
)

CAMELYON17 = Task(
    name="camelyon17",
    family="shifts",
    load=first_of(
        from_layout("Camelyon17"),
        from_webdataset("wds_wilds-camelyon17", classes("pcam"), numbers=("center", "slide")),
    ),
    classes=classes("pcam"),
    templates=templates("pcam"),
    splits={"test": 85_054},
    licence="CC0",
    reference="Bandi et al. 2018; Koh et al. 2021, WILDS, arXiv 2012.07421",
    cluster=("slide",),
    notes=("The hospital that WILDS holds out for testing. Its patches come from ten slides; intervals count slides."),
)
