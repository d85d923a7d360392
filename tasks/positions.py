"""Class lists read by position, as they were for years: for parity with published numbers, and for nothing else.

Order belongs to a copy of the data. Each task here attaches a published list to labels it was not made for, as users
and harnesses did; the task that it is derived from joins the same names by key and is the right one. A result of one
of these explains a number in the literature. `bench-tasks check` names what is wrong with each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.task import ClassName, Task
from tasks.general import EUROSAT, IMAGENET, PETS
from tasks.scenes import VOC2007
from tasks.structured import CLEVR_COUNTS, KITTI

TAGS = frozenset({"as_published"})
"""`check` reports the mistakes of such a task as notes, not as errors: they are what it is for."""


def by_position(task: Task, keys: Sequence[str], names: Sequence[tuple[str, ...]]) -> tuple[ClassName, ...]:
    """The classes of a task whose i-th key, in the order of the data, gets the i-th names of a list."""
    return tuple(ClassName(key, own) for key, own in zip(keys, names, strict=True))


def _listed(task: Task) -> list[tuple[str, ...]]:
    """Names in the order of OpenAI's list, which our file keeps."""
    return [one.names for one in task.classes]


def _sorted(task: Task, how: Callable[[str], object] = str) -> list[str]:
    """Keys as a copy of the data sorts them: by folder name, or as numbers."""
    return sorted((one.key for one in task.classes), key=how)  # type: ignore[arg-type]


PETS_BY_POSITION = PETS.renamed(
    "pets_by_position",
    classes=by_position(PETS, _sorted(PETS, str.lower), _listed(PETS)),
    notes="OpenAI's list (cats first) on labels sorted by name: 4 of 37 are right. The right one is `pets`.",
    tags=TAGS,
)
EUROSAT_BY_POSITION = EUROSAT.renamed(
    "eurosat_by_position",
    classes=by_position(EUROSAT, _sorted(EUROSAT), _listed(EUROSAT)),
    notes="OpenAI's list on labels sorted by folder: none of 10 is right. The right one is `eurosat`.",
    tags=TAGS,
)
VOC2007_BY_POSITION = VOC2007.renamed(
    "voc2007_by_position",
    classes=by_position(VOC2007, _sorted(VOC2007), _listed(VOC2007)),
    notes=(
        "OpenAI's list, which puts diningtable and pottedplant behind sofa, on labels in alphabetic order, so that "
        "eight classes trade names. The right one is `voc2007`; ELEVATER corrected its list."
    ),
    tags=TAGS,
)
CLEVR_COUNTS_BY_POSITION = CLEVR_COUNTS.renamed(
    "clevr_counts_by_position",
    classes=by_position(CLEVR_COUNTS, _sorted(CLEVR_COUNTS, int), _listed(CLEVR_COUNTS)),
    notes="OpenAI's list, sorted as text ('10' first), on VTAB's numeric labels. The right one is `clevr_counts`.",
    tags=TAGS,
)
KITTI_REVERSED = KITTI.renamed(
    "kitti_reversed",
    classes=by_position(KITTI, _sorted(KITTI, int), _listed(KITTI)[::-1]),
    notes=(
        "The list that fits folder copies (above_20, below_20, below_8, no_vehicle) on VTAB's labels (near, far, "
        "farther, none); SLIP's list is reversed. openai/CLIP#300 and CLIP_benchmark#21 dispute which is right. By "
        "VTAB's label code it is `kitti`."
    ),
    tags=TAGS,
)

DISTINCT = {"n03773504": "missile", "n04008634": "projectile", "n04355933": "sunglass", "n04356056": "sunglasses"}
"""WordNet's first words for the two pairs of classes that OpenAI's list gives one name each."""

IMAGENET_DISTINCT = IMAGENET.renamed(
    "imagenet_distinct",
    classes=tuple(ClassName(one.key, (DISTINCT[one.key],)) if one.key in DISTINCT else one for one in IMAGENET.classes),
    notes=(
        "OpenAI's list names two classes 'missile' and two 'sunglasses', so that the second of each was never right "
        "(CLIP_benchmark#124, open_clip#917). Here all 1,000 names differ. `imagenet` has the published list, for "
        "parity; four of 1,000 classes differ."
    ),
    tags=frozenset(),
)
