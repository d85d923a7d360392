import numpy as np
import pytest

from bench.errors import BenchError
from bench.task import ClassName, Records
from tests.toys import toy_task


def test_labels_are_joined_by_key_not_by_position() -> None:
    backwards = (
        ClassName("blue", ("blue",)),
        ClassName("green", ("green",)),
        ClassName("red", ("red", "crimson")),
    )
    samples = toy_task(keys=("red", "blue", "green"), classes=backwards).samples()
    assert samples.labels.tolist() == [2, 0, 1]
    assert toy_task(classes=backwards).prompts(2) == [
        "a photo of a red thing.",
        "a red square.",
        "a photo of a crimson thing.",
        "a crimson square.",
    ]


def test_several_labels_a_picture() -> None:
    task = toy_task(keys=("red", "blue"))
    records = task.load("test")
    many = toy_task(
        splits={"test": 2},
        load=lambda split: Records(records.images, [("red", "blue"), ("green",)], records.ids, "x"),
    )
    assert many.samples().labels.tolist() == [[True, False, True], [False, True, False]]


def test_an_unknown_label_a_wrong_count_and_an_unknown_split_are_named() -> None:
    with pytest.raises(BenchError, match="1 label.*'green'"):
        toy_task(classes=(ClassName("red", ("red",)), ClassName("blue", ("blue",)))).samples()
    with pytest.raises(BenchError, match="should hold 10000 pictures and holds 12"):
        toy_task(splits={"test": 10000}).samples()
    with pytest.raises(BenchError, match="Unknown split.*Did you mean 'test'"):
        toy_task().samples("tset")
    with pytest.raises(BenchError, match="holds no picture"):
        toy_task(keys=()).samples()


def test_a_subset_keeps_order_and_has_its_own_fingerprint() -> None:
    samples = toy_task().samples()
    part = samples.take([4, 1])
    assert part.ids == ("4", "1")
    assert part.labels.tolist() == [1, 1]
    assert np.asarray(part.images[0])[0, 0].tolist() == [0, 255, 0]
    assert len({samples.fingerprint, part.fingerprint, samples.take([1, 4]).fingerprint}) == 3
