"""Shifts: classes joined by key, name or map; subset and full softmax; several classes that are one."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import tasks
from bench.audit.measures.effective import Fit
from bench.audit.shift import Shared, Shift, by_key, by_map, by_name, in_distribution, under_shift
from bench.errors import BenchError
from bench.evaluation import Predictions
from bench.task import ClassName, Records, Task


def task(name: str, *classes: str) -> Task:
    pairs = [one.partition(":") for one in classes]
    return Task(
        name=name, family="toy", load=lambda split: Records([], [], [], ""), templates=("a {}",), splits={"test": None},
        classes=tuple(ClassName(key, tuple((rest or key).split("|"))) for key, _, rest in pairs),
        licence="own", reference="own",
    )  # fmt: skip


def predictions(scores: object, labels: list[int], choices: int) -> Predictions:
    names = tuple(map(str, range(choices)))
    ids = tuple(map(str, range(len(labels))))
    return Predictions(
        np.array(scores, float), np.array(labels), names, ids, pd.DataFrame(index=range(len(ids))), "test"
    )


PHOTOS = task("photos", "a:ant", "b:bee", "c:cat|kitten", "d:dog", "e:elk")
DRAWINGS = task("drawings", "3:Kitten", "1:ant", "9:zebra")


def test_classes_are_joined_by_key_and_by_name_whatever_their_order() -> None:
    assert by_name(PHOTOS.classes, DRAWINGS.classes) == (Shared(("c",), ("3",)), Shared(("a",), ("1",)))
    assert by_key(PHOTOS.classes, task("x", "d", "a", "z").classes) == (Shared(("d",), ("d",)), Shared(("a",), ("a",)))
    assert by_map({"1": "a", "3": ["c", "d"]})[1] == Shared(("c", "d"), ("3",))


def test_a_name_that_two_classes_have_joins_nothing() -> None:
    birds = task("birds", "1:crane", "2:crane", "3:owl", "4:jay")
    assert by_name(birds.classes, task("x", "a:crane", "b:owl", "c:jay").classes) == (
        Shared(("3",), ("b",)), Shared(("4",), ("c",)),
    )  # fmt: skip


def test_subset_and_full_softmax_differ_as_planted() -> None:
    """Three pictures of cats and ants; on one of them `elk`, which cannot appear, is best."""
    shift = Shift(PHOTOS, DRAWINGS, by_name(PHOTOS.classes, DRAWINGS.classes))
    source = predictions([[5, 0, 1, 0, 0], [1, 0, 3, 0, 9], [0, 9, 0, 0, 0]], [0, 2, 1], 5)
    part = in_distribution(shift, source)
    assert part.labels.tolist() == [1, 0]  # the bee is not shared
    assert part.subset.tolist() == [1, 1]
    assert part.everything.tolist() == [1, 0]


def test_the_source_classifier_scores_the_target() -> None:
    shift = Shift(PHOTOS, DRAWINGS, by_name(PHOTOS.classes, DRAWINGS.classes))
    target = predictions([[9, 0, 0], [0, 0, 9], [0, 0, 1]], [0, 1, 2], 3)  # kitten, ant, zebra
    own = under_shift(shift, target)
    assert own.subset.tolist() == [1, 0.5]
    assert own.everything.tolist() == [1, 0]
    theirs = under_shift(shift, target, np.array([[0, 0, 2, 0, 7], [4, 0, 0, 0, 0], [0, 0, 0, 0, 1]], float))
    assert theirs.subset.tolist() == [1, 1]
    assert theirs.everything.tolist() == [0, 1]
    with pytest.raises(BenchError, match=r"\(3, 5\); given \(3, 4\)"):
        under_shift(shift, target, np.zeros((3, 4)))


def test_several_source_classes_are_one_by_their_best() -> None:
    shift = Shift(PHOTOS, DRAWINGS, by_map({"3": ["c", "d"], "1": "a"}))
    source = predictions([[2, 0, 1, 3, 0], [2, 0, 1, 0, 0]], [2, 3], 5)
    part = in_distribution(shift, source)
    assert part.labels.tolist() == [0, 0]
    assert part.subset.tolist() == [1, 0]


def test_wrong_maps_are_refused() -> None:
    for classes, told in (
        (by_map({"1": "a", "3": "wrong"}), "'wrong' is no class of 'photos'"),
        (by_map({"1": "a", "3": "a"}), "'a' is used twice"),
        (by_map({"1": "a"}), "1 shared class"),
    ):
        with pytest.raises(BenchError, match=told):
            Shift(PHOTOS, DRAWINGS, classes)


def test_published_shifts() -> None:
    known = tasks.load().shifts
    assert tasks.load().broken == {}
    sizes = {name: len(shift.classes) for name, shift in known.items() if name.startswith(("imagenet->", "cifar10->"))}
    assert sizes == {
        "imagenet->imagenet_v2": 1000, "imagenet->imagenet_sketch": 1000, "imagenet->imagenet_a": 200,
        "imagenet->imagenet_r": 200, "imagenet->objectnet": 113, "imagenet->imagenet_o": 200,
        "imagenet->sketches": 28, "cifar10->cifar10_1": 10, "cifar10->stl10": 9,
    }  # fmt: skip
    styles = tasks.shifts_of("emoji_*->emoji_*")
    assert len({shift.name for shift in styles}) == 12
    assert all(len(shift.classes) == 300 for shift in styles)
    assert [shift.name for shift in tasks.shifts_of(["cifar10"])] == ["cifar10->cifar10_1", "cifar10->stl10"]
    with pytest.raises(BenchError, match="imagenet->imagenet_a"):
        tasks.shifts_of("imagenet->imagnet_a")


def test_stl10_and_objectnet_join_what_they_should() -> None:
    known = tasks.load().shifts
    stl = {one.target[0]: one.source[0] for one in known["cifar10->stl10"].classes}
    assert stl["car"] == "automobile"
    assert "monkey" not in stl
    names = {one.key: one.names[0] for one in tasks.select("imagenet")[0].classes}
    joined = {one.target[0]: [names[key] for key in one.source] for one in known["imagenet->objectnet"].classes}
    assert joined["Chair"] == ["barber chair", "folding chair", "rocking chair"]
    assert joined["Pen"] == ["ballpoint pen", "quill", "fountain pen"]
    assert joined["Still Camera"] == ["Polaroid camera", "reflex camera"]


def test_fruit_and_sketches_share_one_class_which_is_too_few() -> None:
    fruit, sketches = tasks.select(["fruit_coarse", "sketches"])
    with pytest.raises(BenchError, match="1 shared class"):
        Shift(fruit, sketches, by_name(fruit.classes, sketches.classes))


def test_the_wrong_axis_can_turn_the_sign() -> None:
    """Plain accuracy in distribution instead of the subset's: the trap of the facts, on a line of slope one."""
    fit = Fit("toy", "logit", 1.0, -1.0, n=50, low=0.5, high=0.95, r2=1.0, residual=0.0)
    subset, plain, shifted = 0.90, 0.70, 0.70
    assert fit.effective(subset, shifted) < 0 < fit.effective(plain, shifted)


def test_own_shifts_are_found_beside_own_tasks(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "mine.py").write_text(
        "from bench.audit.shift import Shift, by_key\nfrom tasks.bundled import EMOJI_NOTO\n"
        "MY = EMOJI_NOTO.renamed('my_emoji')\nSHIFT = Shift(EMOJI_NOTO, MY, by_key(EMOJI_NOTO.classes, MY.classes))\n"
    )
    try:
        assert [one.name for one in tasks.shifts_of("*->my_emoji", path=tmp_path)] == ["emoji_noto->my_emoji"]
    finally:
        tasks.forget()
