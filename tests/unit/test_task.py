from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.task import ClassName, Pictures, Records, Samples
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


@pytest.mark.parametrize("facts", [
    {"name": 7}, {"reference": None}, {"load": "digits"}, {"classes": 10}, {"classes": ("red", "blue")},
    {"classes": (("red", ("red",)),)}, {"classes": (ClassName("red", ()),)}, {"classes": (ClassName("red", "red"),)},  # type: ignore[arg-type]
    {"templates": "a photo of a {}."}, {"templates": None}, {"splits": {"test"}}, {"splits": {"test": "12"}},
    {"chance": "0.1"}, {"tags": None}, {"tags": "real"}, {"cluster": (1,)},
], ids=str)  # fmt: skip
def test_facts_of_the_wrong_kind_are_found_where_the_task_is_made(facts: dict[str, object]) -> None:
    with pytest.raises(BenchError, match=f"Task .*: {next(iter(facts))} must be a.*; given: "):
        toy_task(**facts)  # type: ignore[arg-type]


def test_a_subset_keeps_order_and_has_its_own_fingerprint() -> None:
    samples = toy_task().samples()
    part = samples.take([4, 1])
    assert part.ids == ("4", "1")
    assert part.labels.tolist() == [1, 1]
    assert np.asarray(part.images[0])[0, 0].tolist() == [0, 255, 0]
    assert len({samples.fingerprint, part.fingerprint, samples.take([1, 4]).fingerprint}) == 3


def test_reduced_decoding_is_near_and_has_its_own_fingerprint(tmp_path: Path) -> None:
    from PIL import Image
    from sklearn.datasets import load_sample_images

    from bench.model.clip.preprocess import Preprocess

    for name, array in zip("ab", load_sample_images().images, strict=True):
        Image.fromarray(array).save(tmp_path / f"{name}.jpg", quality=90)
    Image.fromarray(array).save(tmp_path / "c.png")
    files = [(tmp_path / name).read_bytes() for name in ("a.jpg", "b.jpg", "c.png")]
    pictures = Pictures(3, lambda i: Image.open(BytesIO(files[i])))
    whole = Samples(pictures, np.zeros(3, np.int64), ("a", "b", "c"), "f", pd.DataFrame(index=range(3)))
    less = whole.reduced(96)
    assert less.fingerprint not in (whole.fingerprint, whole.reduced(48).fingerprint)
    assert less.take([1]).images[0].size == less.images[1].size == (320, 214)
    see = Preprocess(96)
    apart = [np.abs(see.pixels(whole.images[i]).astype(int) - see.pixels(less.images[i])).mean() for i in range(3)]
    assert 1 < max(apart[:2]) < 2.5  # as the docstring says
    assert apart[2] == 0
