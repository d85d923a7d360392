"""Actions in videos, by the middle frame of each video as in the CLIP paper."""

from __future__ import annotations

from bench.task import Task
from tasks.sources import from_layout
from tasks.text import classes, templates

CLIP27 = frozenset({"clip27"})

UCF101 = Task(
    name="ucf101",
    family="video",
    load=from_layout("UCF101", classes=classes("ucf101")),
    classes=classes("ucf101"),
    templates=templates("ucf101"),
    splits={"train": 9_537, "test": 3_783},
    licence="none stated; videos from YouTube",
    reference="Soomro, Zamir, Shah 2012, arXiv 1212.0402",
    notes=(
        "The first official split, one picture a video. The paper says 1,794 test videos, which no list "
        "has; MIEB scores every frame as a picture of its own. Clips are cut from few long videos, which is what "
        "intervals count."
    ),
    cluster=("source",),
    tags=CLIP27,
)

KINETICS700 = Task(
    name="kinetics700",
    family="video",
    load=from_layout("Kinetics700", classes=classes("kinetics700"), splits={"test": "val"}),
    classes=classes("kinetics700"),
    templates=templates("kinetics700"),
    splits={"test": None},
    licence="videos from YouTube; labels CC BY 4.0",
    reference="Carreira, Noland, Hillier, Zisserman 2019, arXiv 1907.06987",
    metric="mean_top1_top5",
    chance=(1 / 700 + 5 / 700) / 2,
    notes=(
        "The validation videos, mean of top-1 and top-5 as in the paper, which had 31,669 of them. "
        "Videos vanish from the web, so that no count is demanded."
    ),
    tags=CLIP27,
)
