"""Readers: folders, tables, shards, hub copies, torchvision's layouts, and what they say when something is wrong."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from bench.errors import BenchError
from bench.task import ClassName
from tasks import sources
from tasks.sources import content
from tasks.sources.matching import keys_of
from tests.fixtures import layouts
from tests.fixtures.layouts import ORDER, truth

KEYS = ["dog", "ant", "bee"]
CLASSES = (ClassName("ant", ("ant",)), ClassName("bee", ("honey bee",)), ClassName("dog", ("dog",)))


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("BENCH_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "hf"))
    return tmp_path / "data"


def agree(records) -> bool:  # type: ignore[no-untyped-def]
    return list(records.keys) == [truth(picture, KEYS) for picture in records.images] and len(records.keys) > 0


class TestFolder:
    def test_split_folders_and_plain_folders(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo", splits=("train", "test"))
        layouts.folders(data, KEYS, path="plain")
        for reader, split in ((sources.from_folder("zoo"), "test"), (sources.from_folder("plain"), "anything")):
            assert agree(reader(split))
            assert reader.at_hand()
        assert agree(sources.from_folder("zoo", splits={"test": "train"})("test"))

    def test_names_are_matched_to_classes(self, data: Path) -> None:
        layouts.folders(data, ["Dog", "ANT", "honey_bee"], path="zoo")
        assert agree(sources.from_folder("zoo", classes=CLASSES)("test"))

    def test_hidden_files_are_passed_over(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo")
        (data / "zoo" / "dog" / "._dog_0.jpg").write_bytes(b"x")
        (data / "zoo" / "dog" / "notes.txt").write_bytes(b"x")
        (data / "zoo" / ".git").mkdir()
        assert len(sources.from_folder("zoo")("test").keys) == len(ORDER)

    def test_errors(self, data: Path) -> None:
        with pytest.raises(sources.NotAtHandError, match="not on this machine"):
            sources.from_folder("zoo")("test")
        layouts.folders(data, KEYS, path="zoo", splits=("train",))
        with pytest.raises(BenchError, match=r"no folder for split 'test'.*It has train"):
            sources.from_folder("zoo")("test")
        (data / "zoo" / "train" / "empty").mkdir()
        with pytest.raises(BenchError, match=r"empty holds no picture"):
            sources.from_folder("zoo")("train")
        with pytest.raises(BenchError, match="has no class folders, only 2 loose pictures"):
            sources.from_folder(data / "zoo" / "train" / "dog")("train")

    def test_a_broken_picture_is_named(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo")
        broken = data / "zoo" / "bee" / "bee_9.jpg"
        broken.write_bytes(b"<html>404</html>")
        records = sources.from_folder("zoo")("test")
        with pytest.raises(BenchError, match=r"bee_9\.jpg is not a readable picture"):
            list(records.images)
        whole = layouts.encoded(0, kind="JPEG")
        broken.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(BenchError, match="not a readable picture"):
            list(sources.from_folder("zoo")("test").images)

    @pytest.mark.skipif(os.name != "posix", reason="file names are bytes only there")
    def test_a_name_that_is_not_utf8(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo")
        layouts.picture(0).save(io.BytesIO(), format="PNG")
        try:
            Path(os.fsdecode(os.fsencode(data / "zoo" / "bee") + b"/\xff.jpg")).write_bytes(layouts.encoded(0))
        except OSError:
            pytest.skip("this file system takes UTF-8 only")
        with pytest.raises(BenchError, match="not valid UTF-8"):
            sources.from_folder("zoo")("test")


class TestFingerprint:
    def test_copies_share_it_and_a_changed_byte_changes_it(self, data: Path) -> None:
        for name in ("one", "two"):
            layouts.folders(data, KEYS, path=name)
        first, second = (sources.from_folder(name)("test").fingerprint for name in ("one", "two"))
        assert first == second
        layouts.save(data / "two" / "bee" / "bee_2.jpg", 0, number=7)
        assert sources.from_folder("two")("test").fingerprint != first

    def test_remembered_hashes_notice_a_change(self, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        layouts.folders(data, KEYS, path="zoo")
        plain = sources.from_folder("zoo")("test").fingerprint
        monkeypatch.setattr(content, "REMEMBER_FROM", 1)
        assert sources.from_folder("zoo")("test").fingerprint == plain
        read: list[Path] = []
        hash_file = content._hash
        monkeypatch.setattr(content, "_hash", lambda path: read.append(path) or hash_file(path))
        assert sources.from_folder("zoo")("test").fingerprint == plain
        assert read == []
        layouts.save(data / "zoo" / "bee" / "bee_2.jpg", 0, number=9)
        assert sources.from_folder("zoo")("test").fingerprint != plain
        assert [path.name for path in read] == ["bee_2.jpg"]


class TestTable:
    @pytest.fixture
    def table(self, data: Path) -> pd.DataFrame:
        rows = [
            {"file": f"pics/{i}.png", "animal": KEYS[which], "part": ("test", "train")[i % 2], "light": f"0{i}"}
            for i, which in enumerate(ORDER)
        ]
        for i, which in enumerate(ORDER):
            layouts.save(data / f"pics/{i}.png", which, number=i)
        return pd.DataFrame(rows)

    @pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
    def test_every_kind_of_table(self, data: Path, table: pd.DataFrame, ending: str) -> None:
        write(table, data / f"t.{ending}")
        reader = sources.from_table(f"t.{ending}", image="file", label="animal", split="part")
        records = reader("test")
        assert agree(records)
        assert len(records.keys) == 4
        assert records.attributes is not None
        assert records.attributes["light"].tolist() == ["00", "02", "04", "06"]
        assert sources.from_table(f"t.{ending}", image="file", label="animal", attributes=())("x").attributes.empty

    def test_encoded_pictures_in_parquet(self, data: Path, table: pd.DataFrame) -> None:
        table["file"] = [
            {"bytes": layouts.encoded(which, number=i), "path": f"{i}.png"} for i, which in enumerate(ORDER)
        ]
        table.to_parquet(data / "t.parquet")
        records = sources.from_table("t.parquet", image="file", label="animal")("test")
        assert agree(records)
        assert records.ids[1] == "1.png"

    def test_several_labels(self, data: Path, table: pd.DataFrame) -> None:
        table["animal"] = ["dog; honey bee", "ant", "", "bee", "dog", "dog", "dog"]
        write(table, data / "t.csv")
        reader = sources.from_table("t.csv", image="file", label="animal", separator=";", classes=CLASSES)
        assert list(reader("x").keys)[:3] == [("dog", "bee"), ("ant",), ()]

    def test_errors(self, data: Path, table: pd.DataFrame) -> None:
        with pytest.raises(sources.NotAtHandError, match="not on this machine"):
            sources.from_table("t.csv")("test")
        write(table, data / "t.csv")
        for wrong, message in (
            ({"image": "fil"}, "Unknown column of t.csv 'fil'. Did you mean 'file'"),
            ({"image": "file", "label": "animals"}, "Did you mean 'animal'"),
            ({"image": "file", "label": "animal", "split": "part"}, "Unknown split in column 'part'"),
            ({"image": "light", "label": "animal"}, "7 of 7 pictures are not there"),
        ):
            with pytest.raises(BenchError, match=message):
                sources.from_table("t.csv", **wrong)("validation")
        (data / "t.parquet").write_bytes(b"not parquet")
        with pytest.raises(BenchError, match="cannot be read as a table"):
            sources.from_table("t.parquet")("test")


class TestFirstOf:
    def test_absent_sources_are_passed_over(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo")
        reader = sources.first_of(sources.from_folder("nowhere"), sources.from_folder("zoo"))
        assert agree(reader("test"))
        assert reader.at_hand()

    def test_if_none_has_it_each_is_quoted(self) -> None:
        reader = sources.first_of(sources.from_folder("nowhere"), sources.from_table("gone.csv"))
        with pytest.raises(sources.NotAtHandError, match=r"(?s)None of the 2 sources.*1\. .*nowhere.*2\. .*gone\.csv"):
            reader("test")
        assert not reader.at_hand()

    def test_a_damaged_copy_is_not_passed_over(self, data: Path) -> None:
        layouts.folders(data, KEYS, path="zoo")
        (data / "empty").mkdir(parents=True)
        with pytest.raises(BenchError, match="no class folders"):
            sources.first_of(sources.from_folder("empty"), sources.from_folder("zoo"))("test")


class TestMatching:
    def test_exact_beats_loose(self) -> None:
        classes = (ClassName("Crane", ("crane bird",)), ClassName("crane", ("crane",)))
        assert keys_of(["crane", "Crane"], classes, where="x") == ["crane", "Crane"]

    def test_doubled_names_are_joined_by_the_whole_list_only(self) -> None:
        classes = (ClassName("n1", ("missile",)), ClassName("n2", ("missile",)), ClassName("n3", ("dog",)))
        assert keys_of(["missile", "missile", "dog"], classes, where="x") == ["n1", "n2", "n3"]
        with pytest.raises(BenchError, match="could be any of the classes n1, n2"):
            keys_of(["dog", "missile", "missile"], classes, where="x")


def write(table: pd.DataFrame, path: Path) -> None:
    if path.suffix == ".parquet":
        table.to_parquet(path)
    elif path.suffix == ".jsonl":
        table.to_json(path, orient="records", lines=True)
    else:
        table.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")


def test_pictures_keep_their_mode(tmp_path: Path) -> None:
    """Conversion belongs to the model's preprocessing; a reader hands pictures over as they are."""
    Image.new("RGBA", (4, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 4)).save(tmp_path / "b.png")
    assert [picture.mode for picture in content.from_files(sorted(tmp_path.glob("*.png")))] == ["RGBA", "L"]
