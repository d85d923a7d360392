"""The bundled pack: every picture decodes, nothing is in two splits, and every licence is allowed and named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tasks
from bench.errors import BenchError
from bench.task import Task
from tasks.pack import FOLDER, files, from_pack
from tasks.pack.emoji import GENDERS, TONES, names

ALLOWED = {"MIT", "Apache-2.0", "CC-BY-4.0", "public domain"}
BUNDLED = tasks.select("tag:bundled")
NOTICE = (FOLDER / "NOTICE.md").read_text(encoding="utf-8")


def small(data: bytes) -> np.ndarray:
    """8 x 8 grey values: alike for a picture and its copy in another size."""
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    return np.asarray(picture.resize((8, 8), Image.Resampling.BOX), dtype=np.int16).ravel()


@pytest.fixture(params=files(), ids=lambda path: path.stem)
def table(request: pytest.FixtureRequest) -> pd.DataFrame:
    return pd.read_parquet(request.param)


def test_the_pack_is_small() -> None:
    assert sum(path.stat().st_size for path in files()) <= 15_000_000


class TestEverySet:
    def test_every_picture_decodes_and_is_not_empty(self, table: pd.DataFrame) -> None:
        for data, name in zip(table["image"], table["id"], strict=True):
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            assert np.ptp(np.asarray(picture)) > 30, f"{name} is blank"
            assert min(picture.size) >= 28

    def test_no_picture_twice(self, table: pd.DataFrame) -> None:
        assert not table["image"].duplicated().any()
        assert not table["id"].duplicated().any()

    def test_licences_are_allowed_and_sources_named(self, table: pd.DataFrame) -> None:
        assert set(table["licence"]) <= ALLOWED
        for source in set(table["source"]):
            assert f"| `{source}` |" in NOTICE

    def test_nothing_is_missing(self, table: pd.DataFrame) -> None:
        assert not table.isna().any().any()
        assert (table["label"] != "").all()
        assert set(table["split"]) <= {"train", "val", "test"}
        assert "test" in set(table["split"])


@pytest.mark.parametrize("task", BUNDLED, ids=lambda task: task.name)
def test_bundled_task_loads_with_its_counts_and_every_class_occurs(task: Task) -> None:
    for split in task.splits:
        samples = task.samples(split)
        assert samples.images[len(samples) - 1].mode == "RGB"
        missing = set(range(len(task.classes))) - set(samples.labels.tolist())
        absent = {task.classes[i].key for i in missing}
        assert absent <= ({"cricket"} if task.name == "emoji_emojione" else {"Kaiser", "Anjou", "Red-Delicious"})
        assert not absent or split != "test" or task.name == "emoji_emojione"


def test_there_are_enough_bundled_tasks() -> None:
    assert len(BUNDLED) >= 12
    assert all(task.splits[task.test] for task in BUNDLED)


def test_pictures_of_different_splits_are_not_near_copies() -> None:
    """Photographs only: of 28 x 28 drawings, two people's may well look alike."""
    fruit = pd.read_parquet(FOLDER / "fruit.parquet")
    test = np.stack([small(data) for data in fruit["image"][fruit["split"] == "test"]])
    rest = np.stack([small(data) for data in fruit["image"][fruit["split"] != "test"]])
    nearest = np.array([np.abs(test - one).mean(axis=1).min() for one in rest])
    assert nearest.min() > 3


def test_emoji_styles_share_their_classes_and_differ_in_their_pictures() -> None:
    emoji = pd.read_parquet(FOLDER / "emoji.parquet").set_index(["style", "label"])["image"]
    styles = emoji.index.unique(0)
    assert len(styles) == 4
    assert len(names()) == len(set(names().values())) == 300
    for style in styles:
        assert set(emoji[style].index) | {"cricket"} == set(names().values())
    far = [np.abs(small(emoji["noto"][name]) - small(emoji["twemoji"][name])).mean() for name in emoji["noto"].index]
    assert np.median(far) > 5


def test_roles_are_crossed_with_gender_and_tone() -> None:
    roles = pd.read_parquet(FOLDER / "emoji_roles.parquet")
    assert set(roles["gender"]) == set(GENDERS)
    assert set(roles["tone"]) == set(TONES)
    counts = roles.groupby(["label", "style", "gender"])["tone"].nunique()
    assert (counts >= 5).all()  # four pictures are left out: seen_in_training.txt
    assert len(counts) == 20 * 3 * 3 - 2  # Noto's man and woman astronaut


def test_darker_tones_are_darker() -> None:
    """The tone in the table is the tone in the picture: on average the middle of the face darkens in order."""
    roles = pd.read_parquet(FOLDER / "emoji_roles.parquet")

    def face(data: bytes) -> float:
        picture = Image.open(io.BytesIO(data)).convert("L")
        return float(np.asarray(picture.crop((28, 28, 44, 40))).mean())

    brightness = roles["image"].map(face).groupby(roles["tone"]).mean()
    order = [brightness[tone] for tone in TONES[1:]]
    assert order == sorted(order, reverse=True)


def test_quick_draw_test_share_is_apart_from_training_material() -> None:
    sketches = pd.read_parquet(FOLDER / "sketches.parquet")
    numbers = sketches["id"].str.rsplit("-", n=1).str[1].astype(int)
    assert set(numbers[sketches["split"] == "test"]) <= set(range(70, 100))
    assert set(numbers[sketches["split"] == "train"]) <= set(range(70))


def test_a_fingerprint_follows_the_content() -> None:
    noto, again = (from_pack("emoji", where={"style": "noto"})("test") for _ in range(2))
    other = from_pack("emoji", where={"style": "fluent"})("test")
    assert noto.fingerprint == again.fingerprint != other.fingerprint


def test_unknown_set_names_the_closest() -> None:
    with pytest.raises(BenchError, match="flags"):
        from_pack("flag")("test")


def test_raw_archives_are_read_in_place(tmp_path: Path) -> None:
    import tarfile
    import zipfile

    from tasks.pack.raw import members, package

    (tmp_path / "a.txt").write_text("inside")
    with tarfile.open(tmp_path / "thing-1.2.tgz", "w:gz") as archive:
        archive.add(tmp_path / "a.txt", "package/a.txt")
    with zipfile.ZipFile(tmp_path / "wheely-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("a.txt", "inside")
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w:xz") as archive:
        archive.add(tmp_path / "a.txt", "./usr/a.txt")
    header = b"data.tar.xz     " + b" " * 32 + f"{len(inner.getvalue()):<10}".encode() + b"`\n"
    (tmp_path / "deb_1.0_all.deb").write_bytes(b"!<arch>\n" + header + inner.getvalue())
    for name in ("thing", "wheely", "deb"):
        ((found, content),) = members(package(tmp_path, name), lambda member: member.endswith("a.txt"))
        assert content == b"inside"
        assert found in ("package/a.txt", "a.txt", "usr/a.txt")
    with pytest.raises(BenchError, match="no file of package 'absent'"):
        package(tmp_path, "absent")
