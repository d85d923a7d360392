"""Complete public data sets through the real readers. `python -m tests.realdata.fetch --out DIR` gets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.task import Task
from tasks.checking import check_data
from tasks.cli import main

pytestmark = pytest.mark.realdata

STATISTICS = {
    "cifar10": ([0.4914, 0.4822, 0.4465], [0.2470, 0.2435, 0.2616]),
    "mnist": ([0.1307], [0.3081]),
    "fashion_mnist_full": ([0.2860], [0.3530]),
}
"""Channel means and deviations of the training pictures, as quoted in countless recipes for these sets."""
FIRST = {
    "cifar10": ["cat", "ship", "ship", "airplane", "frog", "frog", "automobile", "frog"],
    "mnist": ["7", "2", "1", "0", "4", "1", "4", "9"],
    "fashion_mnist_full": ["9", "2", "1", "1", "6", "1", "4", "6"],
}
"""Keys of the first test pictures."""


@pytest.fixture(params=sorted(STATISTICS))
def task(request: pytest.FixtureRequest, folder: Path) -> Task:
    found: Task = tasks.select(request.param)[0]
    if not tasks.sources.at_hand(found.load):
        pytest.skip(f"{found.name} is not in {folder}")
    return found


def test_every_split_is_whole_and_balanced(task: Task) -> None:
    for split, count in task.splits.items():
        samples = task.samples(split)
        assert len(samples) == count
        counts = np.bincount(samples.labels)
        assert len(counts) == 10
        assert task.name == "mnist" or set(counts) == {count // 10}


def test_first_labels(task: Task) -> None:
    labels = task.samples("test").labels[:8]
    assert [task.classes[label].key for label in labels] == FIRST[task.name]


def test_pictures_have_the_known_statistics(task: Task) -> None:
    pictures = np.stack([np.asarray(picture) for picture in task.samples("train").images]) / np.float32(255)
    pixels = pictures.reshape(-1, pictures.shape[3] if pictures.ndim == 4 else 1).astype(np.float64)
    mean, deviation = STATISTICS[task.name]
    assert pixels.mean(axis=0) == pytest.approx(mean, abs=2e-4)
    assert pixels.std(axis=0) == pytest.approx(deviation, abs=2e-4)


def test_train_and_test_share_hardly_a_picture(task: Task) -> None:
    """These sets hold no exact copies across splits, or next to none."""
    train, test = ({picture.tobytes() for picture in task.samples(split).images} for split in ("train", "test"))
    assert len(train & test) <= 5


def test_an_excerpt_of_food101_as_a_folder(folder: Path) -> None:
    """Photographs in folders, joined to Food-101's classes by name."""
    if not (folder / "food_excerpt").is_dir():
        pytest.skip(f"food_excerpt is not in {folder}")
    food = tasks.select("food101")[0]
    task = food.renamed(
        "food_excerpt",
        load=tasks.sources.from_folder("food_excerpt", classes=food.classes),
        splits={"train": 225, "test": 75},
    )
    samples = task.samples()
    assert {task.classes[label].key for label in samples.labels} == {"pizza", "steak", "sushi"}
    assert all(min(picture.size) > 50 for picture in samples.images)


def test_the_groceries_as_a_table(folder: Path) -> None:
    """Encoded pictures in parquet, official splits: rows repeat, splits share none, the bundled test split is whole."""
    if not (folder / "groceries").is_dir():
        pytest.skip(f"groceries is not in {folder}")
    bundled = tasks.select("fruit_fine")[0]
    columns = {"image": "image_data", "label": "finegrained_cat", "split": "dataset", "attributes": ["coarse_cat"]}
    task = bundled.renamed(
        "groceries",
        load=tasks.sources.from_table("groceries/images2.parquet", classes=bundled.classes, **columns),  # type: ignore[arg-type]
        splits={"train": 675, "val": 57, "test": 1_322},
    )
    found = {one.check: one for one in check_data(task)}
    assert "leak" not in found
    assert not any(one.level == "error" for one in found.values())
    samples = task.samples()
    distinct = {picture.tobytes(): int(label) for picture, label in zip(samples.images, samples.labels, strict=True)}
    assert f"{len(samples) - len(distinct)} occur twice" in found["pictures in test"].text
    ours = bundled.samples()
    assert len(ours) == len(distinct) == 661
    assert np.bincount(ours.labels).tolist() == np.bincount(list(distinct.values())).tolist()


def test_a_new_task_from_real_folders(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`bench-tasks new` on real photographs, with their imbalance, and its checks."""
    if not (folder / "traffic_lights").is_dir():
        pytest.skip(f"traffic_lights is not in {folder}")
    monkeypatch.setenv("BENCH_TASKS", str(tmp_path))
    tasks.forget()
    assert main(["new", "lights", "--from", str(folder / "traffic_lights")]) == 0
    (task,) = tasks.select("lights", path=tmp_path)
    assert (task.class_names, dict(task.splits)) == (("green", "red", "yellow"), {"test": 297, "train": 1_187})
    assert np.bincount(task.samples().labels).tolist() == [107, 181, 9]
    tasks.forget()
