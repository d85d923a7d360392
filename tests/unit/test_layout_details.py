"""What the published layouts say beside the label: groups, difficult objects, pairs, frames and boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import tasks
from bench.errors import BenchError
from bench.task import Samples, Task
from tasks.sources.layouts.people import bracket, utkface_row
from tests.contract.test_tasks import keys_of
from tests.fixtures.layouts import ORDER
from tests.fixtures.published import MINIATURES


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    return tmp_path


def miniature(name: str, root: Path) -> tuple[Task, Samples]:
    task = tasks.select(name)[0]
    MINIATURES[name](root, keys_of(task))
    loose = task.renamed(name, splits=dict.fromkeys(task.splits, None))
    return loose, loose.samples()


def test_waterbirds_groups(data: Path) -> None:
    _, samples = miniature("waterbirds", data)
    place = ["land", "water"] * 4
    bird = [("land", "water")[label] for label in samples.labels]
    assert samples.attributes["group"].tolist() == [f"{b}bird on {p}" for b, p in zip(bird, place, strict=False)]


def test_celeba_groups(data: Path) -> None:
    _, samples = miniature("celeba_blond", data)
    assert samples.attributes["group"].iloc[0] == "Blond_Hair -1, Male -1"
    assert len(set(samples.attributes["group"])) == 4


def test_fmow_regions_and_years(data: Path) -> None:
    _, samples = miniature("fmow", data)
    assert samples.ids[0] == "rgb_img_2.png", "numbers count the rows of all splits"
    assert samples.attributes["region"].tolist() == ["Europe", ""] * 3 + ["Europe"], (
        "no region: WILDS' metric ignores it"
    )


def test_dollar_street_incomes(data: Path) -> None:
    _, samples = miniature("dollar_street", data)
    assert samples.labels.dtype == bool
    assert samples.attributes["group"].tolist() == ["lowest", "lowest", "low", "low", "high", "highest", "highest"]


DEPENDENT = {
    "camelyon17": ["0"] * 4 + ["1"] * 3,
    "iwildcam": ["4"] * 4 + ["5"] * 3,
    "voc2007_crops": [f"1{i:05d}" for i in range(7)],
    "dollar_street": [f"home{i // 2}" for i in range(7)],
}


@pytest.mark.parametrize("name", DEPENDENT)
def test_pictures_that_depend_on_each_other_say_so(name: str, data: Path) -> None:
    """Slides, camera traps, photographs, homes."""
    task, samples = miniature(name, data)
    (column,) = task.cluster
    assert samples.attributes[column].tolist() == DEPENDENT[name]


def test_clips_of_one_long_video_say_so(data: Path) -> None:
    task, samples = miniature("ucf101", data)
    assert task.cluster == ("source",)
    assert samples.attributes["source"][0] == f"v_{task.classes[samples.labels[0]].key}_g01"


def test_camera_traps_keep_all_pictures_in_one_folder(data: Path) -> None:
    task, samples = miniature("iwildcam", data)
    assert samples.ids[0] == "20-21bc-11ea.jpg"
    assert list(samples.attributes) == ["location", "sequence"]
    assert set(task.splits) == {"train", "val", "test", "id_val", "id_test"}


def test_geode_regions(data: Path) -> None:
    _, samples = miniature("geode", data)
    assert samples.attributes["region"].nunique() == 6
    _, samples = miniature("geode_datacomp", data)
    assert samples.attributes["region"].tolist() == ["0", "1", "2", "3", "4", "5", "0"]


def test_typographic_sets_ask_for_object_or_word(data: Path) -> None:
    _, samples = miniature("rta100", data)
    assert all(captions[0] in name for name, captions in zip(samples.ids, samples.attributes["captions"], strict=True))
    (data / "rta100" / "cat.png").write_bytes(b"x")
    with pytest.raises(BenchError, match=r"1 of 8 file names are not like label=dog_text=cat\.png, first 'cat\.png'"):
        tasks.select("rta100")[0].samples()


def test_one_kind_of_scam_is_read_from_the_zip(data: Path) -> None:
    _, samples = miniature("scam_synthetic", data)
    assert {name.rpartition("_img_")[0] for name in samples.attributes["id"]} == {"SynthSCAM"}
    assert samples.attributes["postit_area_pct"].tolist() == [1.5] * 7


def test_order_sets_know_which_rows_show_one_picture(data: Path) -> None:
    _, samples = miniature("aro_coco_order", data)
    assert [len(captions) for captions in samples.attributes["captions"]] == [5] * 6
    assert samples.attributes["picture"].tolist()[::2] == samples.attributes["picture"].tolist()[1::2]
    assert samples.attributes["picture"].nunique() == 3


@pytest.mark.parametrize(("name", "archive"), [("svhn", "train_32x32.mat"), ("gtsrb", "gtsrb/GTSRB/Training")])
def test_a_split_that_is_not_there_is_asked_for(name: str, archive: str, data: Path) -> None:
    """These are published one archive a split: the test split being here says nothing of the training split."""
    import shutil

    task, _ = miniature(name, data)
    train = data / archive
    shutil.rmtree(train) if train.is_dir() else train.unlink()
    assert tasks.sources.at_hand(task.load)
    assert len(task.samples("test")) == len(ORDER)
    with pytest.raises(tasks.sources.NotAtHandError, match="Downloads are switched off"):
        task.samples("train")


def test_faces_carry_all_attributes(data: Path) -> None:
    _, samples = miniature("fairface_race", data)
    assert list(samples.attributes.columns) == ["age", "gender", "race"]
    assert samples.attributes["gender"].tolist()[:2] == ["Male", "Female"]
    _, samples = miniature("utkface_gender", data)
    assert len(samples) == len(ORDER), "the malformed name is left out"


def test_utkface_names() -> None:
    assert utkface_row("26_0_3_20170104.jpg.chip.jpg") == (26, "Male", "Indian")
    assert utkface_row("61_1_20170109142408075.jpg.chip.jpg") is None
    assert utkface_row("26_3_0_2017.jpg") is None
    assert [bracket(age) for age in (0, 2, 3, 19, 20, 69, 70, 116)] == [
        "0-2", "0-2", "3-9", "10-19", "20-29", "60-69", "more than 70", "more than 70",
    ]  # fmt: skip


def test_voc_labels_are_several_and_difficult_ones_apart(data: Path) -> None:
    task, samples = miniature("voc2007", data)
    assert samples.labels.shape == (len(ORDER), 20)
    assert samples.attributes["difficult"].tolist()[:2] == [["cat"], []]
    assert not samples.labels[:, task.class_names.index("cat")].any()


def test_voc_crops_count_from_one(data: Path) -> None:
    _, samples = miniature("voc2007_crops", data)
    assert {picture.size for picture in samples.images} == {(20, 20)}, "3..22 and 5..24, both ends inside"


def test_objectnet_loses_its_frame(data: Path) -> None:
    _, samples = miniature("objectnet", data)
    assert {picture.size for picture in samples.images} == {(24, 24)}
    assert all(np.asarray(picture)[0, :, 0].max() < 250 for picture in samples.images)


def test_winoground_pairs(data: Path) -> None:
    _, samples = miniature("winoground", data)
    assert samples.attributes["pair"].tolist() == ["0", "0", "1", "1", "2", "2"]
    assert samples.labels.tolist() == [0, 1] * 3


def test_aro_boxes(data: Path) -> None:
    _, samples = miniature("aro_relation", data)
    assert {picture.size for picture in samples.images} == {(15, 12)}
    assert len(set(samples.ids)) == len(samples), "a picture may come twice"


def test_an_annotation_that_is_none(data: Path) -> None:
    task = tasks.select("voc2007_crops")[0]
    MINIATURES["voc2007_crops"](data, keys_of(task))
    path = next((data / "VOCdevkit" / "VOC2007" / "Annotations").glob("1*.xml"))
    path.write_text("<annotation><object><name>cat</name></object></annotation>")
    with pytest.raises(BenchError, match="cannot be read as an annotation of VOC"):
        task.samples()


def test_sun397_has_two_protocols(data: Path) -> None:
    _, partition = miniature("sun397", data)
    everything = tasks.select("sun397_all")[0]
    samples = everything.renamed("x", splits={"all": None}).samples("all")
    assert len(samples) == 2 * len(partition)
