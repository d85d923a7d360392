"""Our readers and torchvision's own classes see the same pictures and labels in the same miniature."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tasks
from tasks.sources.matching import plain
from tests.contract.test_tasks import keys_of
from tests.fixtures.published import MINIATURES

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "cifar10": ("CIFAR10", {"train": False}),
    "cifar100": ("CIFAR100", {"train": False}),
    "mnist": ("MNIST", {"train": False}),
    "eurosat": ("EuroSAT", {}),
    "dtd": ("DTD", {"split": "test"}),
    "pets": ("OxfordIIITPet", {"split": "test"}),
    "food101": ("Food101", {"split": "test"}),
    "aircraft": ("FGVCAircraft", {"split": "test"}),
    "cars": ("StanfordCars", {"split": "test"}),
    "flowers102": ("Flowers102", {"split": "test"}),
    "stl10": ("STL10", {"split": "test"}),
    "svhn": ("SVHN", {"split": "test"}),
    "gtsrb": ("GTSRB", {"split": "test"}),
    "country211": ("Country211", {"split": "test"}),
    "rendered_sst2": ("RenderedSST2", {"split": "test"}),
    "sun397_all": ("SUN397", {}),
}
"""Task -> torchvision's class and the settings of the split that the task tests on."""


@pytest.mark.parametrize("name", CASES)
def test_torchvision_agrees(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision

    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    kind, settings = CASES[name]
    reader = getattr(torchvision.datasets, kind)
    if hasattr(reader, "_check_integrity"):  # it demands the md5 sums of the complete archives
        monkeypatch.setattr(reader, "_check_integrity", lambda self: True)
    for module in (torchvision.datasets.cifar, torchvision.datasets.utils):
        monkeypatch.setattr(module, "check_integrity", lambda *args: True)
    task = tasks.select(name)[0]
    MINIATURES[name](tmp_path, keys_of(task))
    theirs = reader(str(tmp_path), download=False, **settings)
    ours = task.renamed(name, splits=dict.fromkeys(task.splits, None)).samples()
    assert sorted(picture.tobytes() for picture in ours.images) == sorted(picture.tobytes() for picture, _ in theirs)
    classes = {picture.tobytes(): task.classes[label] for picture, label in zip(ours.images, ours.labels, strict=True)}
    for picture, label in theirs:
        name_there = theirs.classes[label] if hasattr(theirs, "classes") else str(int(label))
        one = classes[picture.tobytes()]
        assert same(name_there, one.key) or same(name_there, one.names[0]), (name_there, one)
    assert np.ptp(ours.labels) > 0


def same(theirs: str, ours: str) -> bool:
    """torchvision says '0 - zero' for '0' and 'American Bulldog' for 'american_bulldog'."""
    return plain(theirs) == plain(ours) or theirs.split(" - ")[0] == ours
