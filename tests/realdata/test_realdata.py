"""Complete public data sets through the real readers. `python -m tests.realdata.fetch --out DIR` gets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.task import Task

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
