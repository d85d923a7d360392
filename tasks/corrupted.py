"""The published files of ImageNet-C, CIFAR-10-C and CIFAR-100-C (Hendrycks and Dietterich 2019, arXiv 1903.12261).

The same corruptions can be made on the fly from any task (`bench.audit.corruption`); scores on these files are the
ones that may be compared with published ones.
"""

from __future__ import annotations

from bench.task import Task
from tasks.sources import from_layout
from tasks.sources.layouts.corrupted import COUNTED, SEVERITIES, SPLITS
from tasks.text import classes, templates

IMAGENET_C = Task(
    name="imagenet_c",
    family="shifts",
    load=from_layout("ImageNet-C"),
    classes=classes("imagenet"),
    templates=templates("imagenet"),
    splits={"test": 50_000 * len(COUNTED) * len(SEVERITIES), **dict.fromkeys(SPLITS, 50_000)},
    licence="CC BY 4.0 (pictures of ImageNet, for research)",
    reference="Hendrycks, Dietterich 2019, arXiv 1903.12261",
    notes=(
        "Split `test` is all fifteen corruptions at five severities, `fog@3` one of them. The files are crops of 224 "
        "pixels: a model of 224 pixels sees them as they are, without the second resize and crop of many "
        "harnesses (which costs a ResNet-50 1.5 points of mCE); a larger model sees them enlarged."
    ),
    group="corruption",
    cluster=("picture",),
)

CIFAR10_C = Task(
    name="cifar10_c",
    family="shifts",
    load=from_layout("CIFAR-10-C"),
    classes=classes("cifar10"),
    templates=templates("cifar10"),
    splits={"test": 10_000 * len(COUNTED) * len(SEVERITIES), **dict.fromkeys(SPLITS, 10_000)},
    licence="CC BY 4.0",
    reference="Hendrycks, Dietterich 2019, arXiv 1903.12261",
    notes="Split `test` is all fifteen corruptions at five severities, `fog@3` one of them.",
    group="corruption",
    cluster=("picture",),
)

CIFAR100_C = CIFAR10_C.renamed(
    "cifar100_c",
    load=from_layout("CIFAR-100-C"),
    classes=classes("cifar100"),
    templates=templates("cifar100"),
)
