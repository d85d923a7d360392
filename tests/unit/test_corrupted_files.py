"""ImageNet-C and CIFAR-C from their published layouts: which rows belong to which severity, and what says so."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.audit.corruption import CORRUPTIONS, IN_MCE
from bench.errors import BenchError
from tasks.sources.layouts import corrupted
from tasks.sources.places import NotAtHandError

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """CIFAR-10-C with four pictures: the red value is the severity, the green value the picture."""
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    pictures = np.zeros((20, 32, 32, 3), np.uint8)
    pictures[..., 0] = np.repeat([1, 2, 3, 4, 5], 4)[:, None, None]
    pictures[..., 1] = np.tile([0, 1, 2, 3], 5)[:, None, None]
    for number, name in enumerate(CORRUPTIONS):
        np.save(folder / f"{name}.npy", pictures + np.array([0, 0, number], np.uint8))
    np.save(folder / "labels.npy", np.tile([3, 0, 9, 5], 5).astype(np.uint8))
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    return tmp_path


def cifar10_c() -> tasks.Task:
    task = tasks.select("cifar10_c")[0]
    return task.renamed("cifar10_c", splits=dict.fromkeys(task.splits, None))


def test_names_are_those_of_the_corruptions() -> None:
    assert corrupted.COUNTED == IN_MCE
    assert set(corrupted.HELD_OUT) == set(CORRUPTIONS) - set(IN_MCE)
    assert set(cifar10_c().splits) == {"test", *(f"{name}@{s}" for name in CORRUPTIONS for s in range(1, 6))}


@pytest.mark.usefixtures("root")
def test_a_split_is_a_fifth_of_its_file() -> None:
    for severity in range(1, 6):
        samples = cifar10_c().samples(f"fog@{severity}")
        pixels = np.stack([np.asarray(one)[0, 0] for one in samples.images])
        assert (pixels[:, 0] == severity).all()
        assert pixels[:, 1].tolist() == [0, 1, 2, 3]
        assert (pixels[:, 2] == list(CORRUPTIONS).index("fog")).all()
        assert [cifar10_c().classes[label].key for label in samples.labels] == ["cat", "airplane", "truck", "dog"]
        assert (samples.attributes["severity"] == severity).all()


@pytest.mark.usefixtures("root")
def test_the_whole_holds_each_picture_in_75_versions() -> None:
    samples = cifar10_c().samples()
    assert len(samples) == 75 * 4
    assert samples.attributes.groupby("picture").size().tolist() == [75] * 4
    assert samples.attributes.groupby("picture").size().index.tolist() == ["00000", "00001", "00002", "00003"]
    for i in (0, 3, 4, 151, 299):
        red, green, blue = np.asarray(samples.images[i])[5, 5]
        row = samples.attributes.iloc[i]
        assert (row["severity"], int(row["picture"])) == (red, green)
        assert list(CORRUPTIONS)[blue] == row["corruption"]
    assert "spatter" not in set(samples.attributes["corruption"])


def test_damaged_files_are_named(root: Path) -> None:
    np.save(root / "CIFAR-10-C" / "fog.npy", np.zeros((7, 32, 32, 3), np.uint8))
    with pytest.raises(BenchError, match="fog.npy"):
        cifar10_c().samples("fog@1")
    (root / "CIFAR-10-C" / "snow.npy").write_bytes(b"no array")
    with pytest.raises(BenchError, match=r"snow.npy cannot be read"):
        cifar10_c().samples("snow@1")
    (root / "CIFAR-10-C" / "frost.npy").unlink()
    with pytest.raises(NotAtHandError, match=r"frost.npy"):
        cifar10_c().samples("frost@1")


def test_imagenet_c_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    (tmp_path / "imagenet-c").mkdir()
    with pytest.raises(NotAtHandError, match="imagenet-c/fog/3"):
        tasks.select("imagenet_c")[0].samples("fog@3")
