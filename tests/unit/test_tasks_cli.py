"""`bench-tasks`: list, show, texts, check and new."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import tasks
from tasks.cli import main
from tests.fixtures import layouts


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No data, no network, and a folder of tasks of one's own."""
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_TASKS", str(tmp_path / "own"))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    tasks.forget()
    return tmp_path / "own"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--format", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["name"] for row in rows} == set(tasks.names())
    assert next(row for row in rows if row["name"] == "cifar10")["pictures"] == 10_000
    assert main(["list", "--family", "shifts", "--max-size", "3000"]) == 0
    assert "cifar10_1" in (out := capsys.readouterr().out)
    assert "imagenet_v2" not in out
    assert main(["list", "tag:clip27", "--licence", "cc by-sa"]) == 0
    assert "pets" in (out := capsys.readouterr().out)
    assert "2 tasks, the data of 0 at hand." in out


def test_list_knows_what_is_at_hand(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layouts.idx(tmp_path / "data", ["1", "2", "3"], folder="MNIST")
    assert main(["list", "mnist", "cifar10", "digits", "--at-hand", "--format", "json"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["mnist", "digits"]


def test_show_and_texts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "fer2013"]) == 0
    out = capsys.readouterr().out
    assert "happy / smiling" in out
    assert "look at how {} they are." in out
    assert "data/fer2013/fer2013.csv" in out
    assert main(["texts", "fer2013"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 72
    assert rows[0] == {"text": "a photo of a angry looking face.", "of": "0"}


def test_contact_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "digits"]) == 0
    path = tmp_path / "cache" / "sheets" / "digits.png"
    assert f"Pictures: {path}" in capsys.readouterr().out
    assert path.is_file()
    assert main(["show", "cifar10"]) == 0, "without its data, the page alone"
    assert "Pictures:" not in capsys.readouterr().out
    assert main(["show", "digits", "--pictures", str(tmp_path / "sheet.png")]) == 0
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    assert sheet.shape[1] == 8 * 104
    assert (sheet < 128).mean() > 0.02, "there are pictures on it"


def test_unknown_task(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "cifr10"]) == 2
    assert "Did you mean 'cifar10'" in capsys.readouterr().err
    assert main(["show", "cifar*"]) == 2
    assert "one is shown at a time" in capsys.readouterr().err


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 0
    assert " 0 errors" in capsys.readouterr().out
    (tmp_path / "bad.py").write_text("1 / 0\n")
    assert main(["check", "cifar10", "--path", str(tmp_path / "bad.py")]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out
    assert main(["check", "cifar10", "--data"]) == 1
    assert "not on this machine" in capsys.readouterr().out
    assert main(["check", "digits", "--data", "--format", "json"]) == 0
    assert all(one["level"] != "error" for one in json.loads(capsys.readouterr().out))


def test_check_of_the_class_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels = np.arange(400) % 10
    pd.DataFrame({"label": labels, "prediction": (labels + 1) % 10}).to_parquet(tmp_path / "p.parquet")
    assert main(["check", "cifar10", "--predictions", str(tmp_path / "p.parquet")]) == 1
    assert "class order" in capsys.readouterr().out
    assert main(["check", "rendered_sst2", "--predictions", str(tmp_path / "p.parquet")]) == 2
    assert "of another task" in capsys.readouterr().err


class TestNew:
    def test_from_a_folder(self, tmp_path: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
        layouts.folders(tmp_path, ["golden_retriever", "tabby_cat", "axolotl"], path="photos")
        assert main(["new", "my_pets", "--from", str(tmp_path / "photos")]) == 0
        assert "bench task=my_pets\n" in capsys.readouterr().out
        plugin = (own / "my_pets.py").read_text()
        assert len(plugin.splitlines()) <= 10
        task = tasks.select("my_pets")[0]
        assert task.class_names == ("axolotl", "golden retriever", "tabby cat")
        assert len(task.samples()) == len(layouts.ORDER)
        assert main(["check", "my_pets", "--data"]) == 0

    def test_from_split_folders(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        layouts.folders(tmp_path, ["a", "b", "c"], path="photos", splits=("train", "val"))
        out = tmp_path / "elsewhere"
        assert main(["new", "abc", "--from", str(tmp_path / "photos"), "--out", str(out)]) == 0
        assert f"bench task=abc task.path={out / 'abc.py'}" in capsys.readouterr().out
        task = tasks.select("abc", path=out)[0]
        assert (task.test, dict(task.splits)) == ("val", {"train": 7, "val": 7})
        assert len(task.samples()) == 7

    def test_from_a_table(self, tmp_path: Path) -> None:
        for number, which in enumerate(layouts.ORDER):
            layouts.save(tmp_path / "pics" / f"{number}.png", which, number=number)
        rows = [
            {"file": f"pics/{i}.png", "species": "xyz"[w], "part": "train" if i % 2 else "test"}
            for i, w in enumerate(layouts.ORDER)
        ]
        pd.DataFrame(rows).to_csv(tmp_path / "t.csv", index=False)
        assert main(["new", "xyz", "--from", str(tmp_path / "t.csv")]) == 0
        assert len(tasks.select("xyz")[0].samples("test")) == 4

    def test_from_a_copy_of_a_hub_repository(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
        layouts.hub(tmp_path / "data", ["dog", "ant", "bee"], repo="me/zoo", names=["ant", "bee", "dog"])
        assert main(["new", "zoo", "--from", "me/zoo"]) == 0
        assert tasks.select("zoo")[0].class_names == ("ant", "bee", "dog")

    @pytest.mark.parametrize(
        ("name", "source", "message"),
        [
            ("cifar10", "photos", "Choose another name, such as 'my_cifar10'"),
            ("My Pets", "photos", "cannot be the name of a task"),
            ("mine", "nowhere", "There is nothing at nowhere"),
            ("mine", "me/zoo", "Downloads are switched off"),
            ("mine", "photos/a", "has no class folders"),
        ],
    )
    def test_errors(
        self,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        name: str,
        source: str,
        message: str,
    ) -> None:
        monkeypatch.chdir(tmp_path)
        layouts.folders(tmp_path, ["a", "b", "c"], path="photos")
        assert main(["new", name, "--from", source]) == 2
        assert message in capsys.readouterr().err
