"""Natural shifts: which classes of two tasks are the same. Every `Shift` value in a module of tasks is found.

Published: ImageNet to V2, Sketch, A, R, ObjectNet and O; CIFAR-10 to CIFAR-10.1 and STL10 (nine of its ten classes: a
frog is no monkey). Bundled: every ordered pair of the four emoji styles. Photographs to sketches, by name: the bundled
fruit shares one class (pear) with the bundled sketches, which makes no task; ImageNet shares 28 and CIFAR-100 12.

Yours: `MY_SHIFT = Shift(PHOTOS, DRAWINGS, by_name(PHOTOS.classes, DRAWINGS.classes))`, beside your tasks.
"""

from __future__ import annotations

from itertools import permutations

from bench.audit.shift import Shift, by_key, by_map, by_name
from bench.task import Task
from tasks.bundled import EMOJI_EMOJIONE, EMOJI_FLUENT, EMOJI_NOTO, EMOJI_TWEMOJI, SKETCHES
from tasks.general import CIFAR10, CIFAR100, IMAGENET
from tasks.scenes import STL10
from tasks.shifts import (
    CIFAR10_1,
    IMAGENET_A,
    IMAGENET_O,
    IMAGENET_R,
    IMAGENET_SKETCH,
    IMAGENET_V2,
    OBJECTNET,
)
from tasks.text import class_map


def _same_keys(source: Task, target: Task, *, reference: str = "", notes: str = "") -> Shift:
    return Shift(source, target, by_key(source.classes, target.classes), reference, notes)


IMAGENET_SHIFTS = tuple(
    _same_keys(IMAGENET, target, reference=target.name)
    for target in (IMAGENET_V2, IMAGENET_SKETCH, IMAGENET_A, IMAGENET_R)
)

IMAGENET_TO_OBJECTNET = Shift(
    IMAGENET, OBJECTNET, by_map(class_map("imagenet_objectnet")), reference="objectnet",
    notes="125 classes of ImageNet make ObjectNet's 113; the best of several stands for them, as in the testbed.",
)  # fmt: skip

IMAGENET_TO_O = _same_keys(
    IMAGENET, IMAGENET_O,
    notes="ImageNet-O was made to test the detection of unknown objects. Its labels are a ResNet-50's mistakes, so "
    "this accuracy says how often a model makes the same ones: lower is better.",
)  # fmt: skip

CIFAR_SHIFTS = (
    _same_keys(CIFAR10, CIFAR10_1),
    Shift(CIFAR10, STL10, by_map({
        "airplane": "airplane", "bird": "bird", "car": "automobile", "cat": "cat", "deer": "deer", "dog": "dog",
        "horse": "horse", "ship": "ship", "truck": "truck",
    })),
)  # fmt: skip

STYLE_SHIFTS = tuple(
    _same_keys(one, other) for one, other in permutations((EMOJI_NOTO, EMOJI_TWEMOJI, EMOJI_FLUENT, EMOJI_EMOJIONE), 2)
)

SKETCH_SHIFTS = tuple(
    Shift(photographs, SKETCHES, by_name(photographs.classes, SKETCHES.classes), notes="Photographs to sketches.")
    for photographs in (IMAGENET, CIFAR100)
)
