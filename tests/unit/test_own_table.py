"""`task=people.csv`: a table of one's own, audited with one command."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import bench
from bench.assemble import make_tasks
from bench.errors import BenchError
from bench.overrides import composed, prepare
from tasks.own import from_file
from tests.toys import COLOURS, ToyEncoder


def table(place: Path, name: str = "my people.csv") -> Path:
    """120 pictures in two labels and two attributes; pictures of label `green` in the south are shown red."""
    lines = ["path,label,gender,region"]
    (place / "photos").mkdir(parents=True)
    for i in range(120):
        label, gender, region = ("red", "green")[i % 2], ("f", "m")[i // 2 % 2], ("north", "south")[i // 60]
        shown = "red" if label == "green" and region == "south" else label
        Image.new("RGB", (8, 8), COLOURS[shown]).save(place / "photos" / f"{i}.png")
        lines.append(f"photos/{i}.png,{label},{gender},{region}")
    (place / name).write_text("\n".join(lines))
    return place / name


def test_one_word_makes_a_task_of_a_table(tmp_path: Path) -> None:
    config = composed(prepare([f"task={table(tmp_path)}", "audit=bias"]))
    (task,) = make_tasks(config)
    assert (task.name, task.class_names, task.test) == ("my_people", ("green", "red"), "test")
    samples = task.samples()
    assert len(samples) == 120
    assert list(samples.attributes) == ["gender", "region"]


def test_it_is_audited_with_one_command(tmp_path: Path) -> None:
    """Half of the pictures of the south are failed: 50 points, by region and not by gender."""
    rows = bench.run(model=ToyEncoder(), task=str(table(tmp_path)), audit="bias", output=tmp_path / "run",
                     **{"store.folder": None})  # fmt: skip
    assert (rows[rows["group"] == "all"]["status"] == "ok").all()
    gaps = rows[rows["metric"] == "top1.difference"].set_index("group")
    assert gaps.loc["region", "value"] == pytest.approx(0.5)
    assert gaps.loc["region", "low"] > 0.3
    assert gaps.loc["gender", "low"] == 0
    from reports import page

    text = page.write(tmp_path / "run").with_name("report.md").read_text()
    assert "Right answers differ by region: 50.0% (south) to 100.0% (north)" in text
    assert "your table my people.csv says nothing about it" in text


def test_columns_labels_and_splits_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("pic,what,part,age\na.png,0,train,1\nb.png,1,eval,2\nc.png,0,eval,1\n")
    (task,) = from_file(str(tmp_path / "t.csv"), image="pic", label="what", test="eval", names={"0": "cat", "1": "dog"})
    assert task.class_names == ("cat", "dog")
    assert (task.test, set(task.splits)) == ("eval", {"train", "eval"})


@pytest.mark.parametrize(("text", "message"), [
    ("path,label\na.png,x\n", "holds 1 label"),
    ("path,what\na.png,x\n", "one of label, class"),
    ("bild,label\na.png,x\n", "one of image, path"),
])  # fmt: skip
def test_a_table_that_is_no_task_says_why(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(BenchError, match=message):
        from_file(str(tmp_path / "t.csv"))


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="No table at"):
        from_file("nowhere.csv")
    (tmp_path / "t.csv").write_text("path,label\na.png,x\nb.png,y\n")
    with pytest.raises(BenchError, match="label in task.names"):
        from_file(str(tmp_path / "t.csv"), names={"z": "cat"})
    with pytest.raises(BenchError, match="column of t.csv"):
        from_file(str(tmp_path / "t.csv"), image="pathh")
