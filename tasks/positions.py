"""Class lists read by position, as they were for years: for parity with published numbers, and for nothing else.

Order belongs to a copy of the data. Each task here attaches a published list to labels it was not made for, as users
and harnesses did; the task that it is derived from joins the same names by key and is the right one. A result of one
of these explains a number in the literature. `bench-tasks check` names what is wrong with each.
"""

from __future__ import annotations

from collections.abc import Callable

from bench.task import ClassName, Task
from tasks import general, scenes, structured

TAGS = frozenset({"as_published"})
"""`check` reports the mistakes of such a task as notes, not as errors: they are what it is for."""


def by_position(task: Task, how: Callable[[str], object] = str, *, backwards: bool = False) -> tuple[ClassName, ...]:
    """The classes of a task with its names in the order of its list, on its keys as a copy of the data sorts them.

    Args:
        how: what keys are sorted by: folder names as they are, without regard to case, or as numbers.
        backwards: read the list from its end.
    """
    keys = sorted((one.key for one in task.classes), key=how)  # type: ignore[arg-type]
    names = [one.names for one in task.classes][:: -1 if backwards else 1]
    return tuple(ClassName(key, own) for key, own in zip(keys, names, strict=True))


PETS_BY_POSITION = general.PETS.renamed(
    "pets_by_position",
    family="parity",
    classes=by_position(general.PETS, str.lower),
    notes="OpenAI's list (cats first) on labels sorted by name: 4 of 37 are right. The right one is `pets`.",
    tags=TAGS,
)
EUROSAT_BY_POSITION = general.EUROSAT.renamed(
    "eurosat_by_position",
    family="parity",
    classes=by_position(general.EUROSAT),
    notes="OpenAI's list on labels sorted by folder: none of 10 is right. The right one is `eurosat`.",
    tags=TAGS,
)
VOC2007_BY_POSITION = scenes.VOC2007.renamed(
    "voc2007_by_position",
    family="parity",
    classes=by_position(scenes.VOC2007),
    notes=(
        "OpenAI's list, which puts diningtable and pottedplant behind sofa, on labels in alphabetic order, so that "
        "eight classes trade names. The right one is `voc2007`; ELEVATER corrected its list."
    ),
    tags=TAGS,
)
CLEVR_COUNTS_BY_POSITION = structured.CLEVR_COUNTS.renamed(
    "clevr_counts_by_position",
    family="parity",
    classes=by_position(structured.CLEVR_COUNTS, int),
    notes="OpenAI's list, sorted as text ('10' first), on VTAB's numeric labels. The right one is `clevr_counts`.",
    tags=TAGS,
)
KITTI_REVERSED = structured.KITTI.renamed(
    "kitti_reversed",
    family="parity",
    classes=by_position(structured.KITTI, int, backwards=True),
    notes=(
        "The list that fits folder copies (above_20, below_20, below_8, no_vehicle) on VTAB's labels (near, far, "
        "farther, none); SLIP's list is reversed. openai/CLIP#300 and CLIP_benchmark#21 dispute which is right. By "
        "VTAB's label code it is `kitti`."
    ),
    tags=TAGS,
)

DISTINCT = {"n03773504": "missile", "n04008634": "projectile", "n04355933": "sunglass", "n04356056": "sunglasses"}
"""WordNet's first words for the two pairs of classes that OpenAI's list gives one name each."""

IMAGENET_DISTINCT = general.IMAGENET.renamed(
    "imagenet_distinct",
    classes=tuple(
        ClassName(one.key, (DISTINCT[one.key],)) if one.key in DISTINCT else one for one in general.IMAGENET.classes
    ),
    notes=(
        "OpenAI's list names two classes 'missile' and two 'sunglasses', so that the second of each was never right "
        "(CLIP_benchmark#124, open_clip#917). Here all 1,000 names differ. `imagenet` has the published list, for "
        "parity; two of the 1,000 names differ."
    ),
    tags=frozenset(),
)
