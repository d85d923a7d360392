"""The checks name planted mistakes: the traps that published benchmarks fell into, each in a copy of a real task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tasks
from bench.task import ClassName, Pictures, Records, Task
from tasks.checking import check_data, check_order, check_text
from tasks.checking.order import best_assignment
from tests.fixtures.published import ours

CIFAR = tasks.select("cifar10")[0]
NAMES = [one.names[0] for one in CIFAR.classes]


def with_names(names: list[str]) -> dict[str, Any]:
    return {"classes": tuple(ClassName(one.key, (name,)) for one, name in zip(CIFAR.classes, names, strict=True))}


TRAPS: dict[str, tuple[dict[str, Any], str]] = {
    "an empty name, as in CLEVR distance": (with_names(["", *NAMES[1:]]), "empty name"),
    "a name of spaces": (with_names(["  ", *NAMES[1:]]), "empty name"),
    "a newline in a name, as in MIEB": (with_names(["airplane\n", *NAMES[1:]]), "white space"),
    "two classes of one name, as in ImageNet": (with_names([*NAMES[:9], "ship"]), "double name"),
    "two names that differ in case": (with_names([*NAMES[:9], "Ship"]), "case clash"),
    "names that are file names": (with_names(["air_plane", *NAMES[1:]]), "underscore"),
    "one key twice": ({"classes": (*CIFAR.classes, CIFAR.classes[0])}, "double key"),
    "one class": ({"classes": CIFAR.classes[:1]}, "classes"),
    "a template without a slot": ({"templates": ("a photo.",)}, "template slot"),
    "a slot of another harness": ({"templates": ("a photo of a {c}.",)}, "template slot"),
    "a template with a newline": ({"templates": ("a photo of a {}\n",)}, "template white space"),
    "no template (a silent fallback elsewhere)": ({"templates": ()}, "templates"),
    "a template twice": ({"templates": ("a {}.", "a {}.")}, "double template"),
    "a prompt that will be cut": ({"templates": ("very " * 70 + "{}",)}, "long prompt"),
    "chance of another number of classes": ({"chance": 0.25}, "chance"),
    "chance of 1": ({"chance": 1.0, "metric": "roc_auc"}, "chance"),
    "a scored split that does not exist": ({"test": "validation"}, "splits"),
    "an empty split": ({"splits": {"test": 0}}, "splits"),
    "fewer pictures than classes": ({"splits": {"test": 3}}, "splits"),
    "an unknown metric": ({"metric": "accuracy"}, "metric"),
    "a metric of two classes": ({"metric": "roc_auc", "chance": 0.5}, "metric"),
    "a worst group without groups": ({"metric": "worst_group", "chance": 0.5}, "metric"),
    "no licence": ({"licence": " "}, "licence"),
    "names without meaning, as in dSprites": (with_names([str(i) for i in range(10)]), "meaning"),
}


@pytest.mark.parametrize("trap", TRAPS)
def test_planted_mistakes_are_named(trap: str) -> None:
    changes, check = TRAPS[trap]
    assert check in {finding.check for finding in check_text(CIFAR.renamed("copy", **changes))}


def test_the_original_is_clean() -> None:
    assert check_text(CIFAR) == []


def test_no_task_of_ours_has_an_error() -> None:
    found = {name: [one for one in check_text(tasks.select(name)[0]) if one.level == "error"] for name in ours()}
    assert {name: errors for name, errors in found.items() if errors} == {}


def toy(tmp_path: Path, **changes: Any) -> Task:
    """Two splits of 30 pictures of noise, three classes, two groups; `changes` replace parts of the test split."""

    def load(split: str) -> Records:
        rng = np.random.default_rng({"train": 0, "test": 1}[split])
        pictures = [Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)) for _ in range(30)]
        parts: dict[str, Any] = {"pictures": pictures, "keys": ["a", "b", "c"] * 10, "group": ["x", "y"] * 15}
        if split == "test":
            parts |= changes
        if "shared" in parts and split == "test":
            parts["pictures"][4] = load("train").images[7]
        attributes = pd.DataFrame({"group": parts["group"]})
        shown = parts["pictures"]
        ids = [f"{split}/{i}" for i in range(30)]
        return Records(Pictures(30, lambda i: opened(shown[i])), parts["keys"], ids, split, attributes)

    return Task(
        "toy",
        "mine",
        load,
        tuple(ClassName(k, (k * 3,)) for k in "abc"),
        ("a {}.",),
        {"train": 30, "test": 30},
        "mine",
        "nowhere",
        group="group",
    )


def opened(picture: Any) -> Image.Image:
    if isinstance(picture, Exception):
        raise picture
    assert isinstance(picture, Image.Image)
    return picture


def checks(task: Task) -> set[str]:
    return {finding.check for finding in check_data(task)}


class TestData:
    def test_sound_data(self, tmp_path: Path) -> None:
        assert check_data(toy(tmp_path)) == []

    def test_a_picture_in_both_splits(self, tmp_path: Path) -> None:
        (found,) = check_data(toy(tmp_path, shared=True))
        assert (found.check, found.text) == ("leak", "1 pictures are in test and in train: 'test/4 = train/7'")

    def test_a_broken_picture_and_a_double(self, tmp_path: Path) -> None:
        same = [Image.new("RGB", (8, 8), (i // 2, 0, 0)) for i in range(30)]
        found = check_data(toy(tmp_path, pictures=[OSError("truncated"), *same[1:]]))
        assert [one.level for one in found] == ["error", "warning"]
        assert "1 cannot be read, first: truncated" in found[0].text
        assert "14 occur twice" in found[1].text

    def test_a_class_without_pictures(self, tmp_path: Path) -> None:
        """A list with one class more than the data: Caltech-101 with and without its background."""
        (found,) = check_data(toy(tmp_path, keys=["a", "b"] * 15))
        assert (found.level, found.check, found.text) == ("warning", "classes in test", "no picture of 'c'")

    def test_all_pictures_of_one_class(self, tmp_path: Path) -> None:
        assert any(one.level == "error" for one in check_data(toy(tmp_path, keys=["a"] * 30)))

    def test_a_tiny_group(self, tmp_path: Path) -> None:
        (found,) = check_data(toy(tmp_path, group=["x"] * 29 + ["y"]))
        assert found.text == "fewer than 10 pictures in 'y'"

    def test_a_label_outside_the_list_and_a_wrong_count(self, tmp_path: Path) -> None:
        assert "load test" in checks(toy(tmp_path, keys=["z"] * 30))
        task = toy(tmp_path)
        assert "load test" in checks(task.renamed("copy", splits={"train": 30, "test": 31}))

    def test_few_pictures_are_evenly_spaced(self, tmp_path: Path) -> None:
        broken = [OSError("x"), *[Image.new("L", (4, 4), i) for i in range(28)], OSError("y")]
        (found,) = check_data(toy(tmp_path, pictures=broken), pictures=2)
        assert "2 cannot be read" in found.text
        assert check_data(toy(tmp_path, pictures=broken), pictures=0) == []


class TestOrder:
    def planted(self, accuracy: float, classes: int, *, count: int = 1_000) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(3)
        labels = rng.integers(0, classes, count)
        return labels, np.where(rng.random(count) < accuracy, labels, rng.integers(0, classes, count))

    def test_the_right_order_is_left_alone(self) -> None:
        for accuracy in (0.0, 0.3, 0.9):
            assert check_order(*self.planted(accuracy, 10), tuple(NAMES)) == []

    def test_chance_is_not_mistaken_for_a_permutation(self) -> None:
        for count in (40, 400):
            assert check_order(*self.planted(0.0, 10, count=count), tuple(NAMES)) == []

    def test_kitti_reversed(self) -> None:
        labels, predictions = self.planted(0.4, 4, count=711)
        (found,) = check_order(3 - labels, predictions, ("near", "far", "farther", "none"))
        assert found.check == "class order"
        assert "'near -> none'" in found.text

    def test_clevr_sorted_as_text(self) -> None:
        numbers, as_text = [str(i) for i in range(3, 11)], sorted(str(i) for i in range(3, 11))
        labels, predictions = self.planted(0.5, 8)
        shifted = np.array([numbers.index(name) for name in as_text])[labels]
        assert check_order(shifted, predictions, tuple(numbers))[0].check == "class order"

    def test_two_classes_swapped_as_in_voc(self) -> None:
        labels, predictions = self.planted(0.9, 20, count=5_000)
        swapped = np.where(labels == 8, 9, np.where(labels == 9, 8, labels))
        (found,) = check_order(swapped, predictions, tuple(f"class {i}" for i in range(20)))
        assert "'class 8 -> class 9', 'class 9 -> class 8'" in found.text

    def test_best_assignment_is_a_permutation(self) -> None:
        labels, predictions = self.planted(0.8, 10)
        order = np.random.default_rng(0).permutation(10)
        assert np.array_equal(best_assignment(labels, order[predictions], 10), order)
